//! Moves references, in a transaction of the caller, to objects that were checked. Knows no objects' content.

use std::collections::{HashMap, HashSet};
use std::ops::Bound;

use git_object::{Kind, ObjectFormat, ObjectId, refname};
use store::{StoreError, Tx};

use crate::GitError;
use crate::record::{LogRecord, Meta, PackRecord, RefRecord, log_key, parse_id};

/// The longest name of a reference, in bytes: with what follows it in the history's keys, the longest key of an index.
pub const NAME_BYTES_MAX: usize = 1000;

/// How much of a caller's name the history keeps, in bytes.
const WHO_BYTES_MAX: usize = 600;

/// A change of one reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// Its full name, such as `refs/heads/main`.
    pub name: String,
    /// The object required now; `None` if it must not be there.
    pub old: Option<ObjectId>,
    /// The new object; `None` to remove it.
    pub new: Option<ObjectId>,
}

/// The outcome of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefOutcome {
    /// It was made, or nothing had to be done.
    Done,
    /// The reference names something else than the caller thinks, as another change came first.
    Stale {
        /// Its object.
        found: Option<ObjectId>,
    },
    /// The name is a folder of other names, or lies below another name.
    NameTaken {
        /// The reference that has it.
        by: String,
    },
    /// No reference may have that name.
    BadName,
    /// The same reference is changed twice.
    Repeated,
    /// A branch is to name what is no commit.
    NotACommit,
    /// The object is none of those that were checked.
    NotChecked,
    /// Another change of the same atomic push failed.
    Aborted,
}

/// An object that references may name: all that it needs is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) kind: Kind,
    /// For a tag object: what it leads to in the end.
    pub(crate) peeled: Option<ObjectId>,
}

/// Content of a publication.
pub(crate) struct Publication<'a> {
    pub(crate) id: &'a str,
    pub(crate) format: ObjectFormat,
    /// As the repository's [`Meta::dropped`] was when the objects were checked.
    pub(crate) dropped: u64,
    pub(crate) pack: Option<&'a PackRecord>,
    pub(crate) tips: &'a HashMap<ObjectId, Tip>,
}

impl Publication<'_> {
    /// Makes those changes that can be made, or with `atomic` all or none. Nothing is visible before the transaction is
    /// durable. Yields the outcomes in order, and whether the pack was added.
    pub(crate) fn publish(
        &self,
        tx: &mut Tx<'_>,
        updates: &[RefUpdate],
        atomic: bool,
        who: &str,
        at: i64,
    ) -> Result<(Vec<RefOutcome>, bool), GitError> {
        let mut meta = tx.get::<Meta>("", self.id)?.ok_or(GitError::NotFound)?;
        if meta.dropped != self.dropped {
            return Err(GitError::Outdated);
        }
        match meta.format() {
            Some(format) if format != self.format => return Err(GitError::OtherFormat { expected: format }),
            _ => meta.format = Some(self.format.name().to_owned()),
        }
        let mut outcomes = Vec::with_capacity(updates.len());
        let mut names = HashSet::with_capacity(updates.len());
        for update in updates {
            let first = names.insert(update.name.as_str());
            outcomes.push(if first { self.examine(tx, update)? } else { RefOutcome::Repeated });
        }
        // Names that go make room for names that come, so they go first.
        let failed = |outcomes: &[RefOutcome]| outcomes.iter().any(|outcome| *outcome != RefOutcome::Done);
        if atomic && failed(&outcomes) {
            return Ok((abort(outcomes), false));
        }
        let mut taken = Vec::new();
        for removing in [true, false] {
            for (update, outcome) in updates.iter().zip(&mut outcomes) {
                if update.new.is_none() != removing || *outcome != RefOutcome::Done {
                    continue;
                }
                if let Some(by) = self.name_taken(tx, update)? {
                    *outcome = RefOutcome::NameTaken { by };
                    continue;
                }
                self.write(tx, update)?;
                taken.push(update);
            }
        }
        if atomic && failed(&outcomes) {
            // The transaction cannot be undone from here alone, so each change is taken back.
            for update in taken.iter().rev() {
                self.write(tx, &RefUpdate { name: update.name.clone(), old: update.new, new: update.old })?;
            }
            return Ok((abort(outcomes), false));
        }
        let changes: Vec<_> = taken.into_iter().filter(|update| update.old != update.new).collect();
        if changes.is_empty() {
            return Ok((outcomes, false));
        }
        meta.version += 1;
        let who = who.get(..who.floor_char_boundary(WHO_BYTES_MAX)).unwrap_or_default();
        for update in &changes {
            let text = |id: Option<ObjectId>| id.map(|id| id.to_string());
            let record = LogRecord { old: text(update.old), new: text(update.new), who: who.to_owned(), at };
            tx.index_mut(self.id).put(&log_key(&update.name, meta.version), &record)?;
        }
        self.choose_head(tx, &mut meta, &changes)?;
        if let Some(pack) = self.pack {
            tx.index_mut(self.id).insert(&meta.version.to_be_bytes(), &PackRecord { at, ..pack.clone() })?;
        }
        tx.put("", self.id, &meta)?;
        Ok((outcomes, self.pack.is_some()))
    }

    /// Whether a change could be made if no other was.
    fn examine(&self, tx: &Tx<'_>, update: &RefUpdate) -> Result<RefOutcome, GitError> {
        if !name_is_valid(&update.name) {
            return Ok(RefOutcome::BadName);
        }
        let found = self.current(tx, &update.name)?;
        Ok(match (update.new, found) {
            // As git does: what is to go and is not there is gone.
            (None, None) => RefOutcome::Done,
            _ if found != update.old => RefOutcome::Stale { found },
            (None, _) => RefOutcome::Done,
            (Some(new), _) => match self.tips.get(&new) {
                None => RefOutcome::NotChecked,
                Some(tip) if update.name.starts_with("refs/heads/") && tip.kind != Kind::Commit => {
                    RefOutcome::NotACommit
                }
                Some(_) => RefOutcome::Done,
            },
        })
    }

    fn current(&self, tx: &Tx<'_>, name: &str) -> Result<Option<ObjectId>, GitError> {
        let record = tx.index::<RefRecord>(self.id)?.get(name.as_bytes())?;
        let parse = |record: RefRecord| {
            parse_id(self.format, &record.id).ok_or(GitError::damaged("a reference names no object"))
        };
        record.map(parse).transpose()
    }

    /// The reference whose name is a folder of the new one's, or lies below it: as files they could not both be.
    fn name_taken(&self, tx: &Tx<'_>, update: &RefUpdate) -> Result<Option<String>, StoreError> {
        if update.new.is_none() || update.old.is_some() {
            return Ok(None);
        }
        let index = tx.index::<RefRecord>(self.id)?;
        let below = format!("{}/", update.name);
        let found = index.range(below.as_bytes(), Bound::Unbounded, 1)?.items.pop();
        if let Some((name, _)) = found {
            return Ok(Some(String::from_utf8_lossy(&name).into_owned()));
        }
        for (end, _) in update.name.match_indices('/') {
            let folder = update.name.get(..end).unwrap_or_default();
            if index.get(folder.as_bytes())?.is_some() {
                return Ok(Some(folder.to_owned()));
            }
        }
        Ok(None)
    }

    fn write(&self, tx: &mut Tx<'_>, update: &RefUpdate) -> Result<(), StoreError> {
        match update.new {
            None => tx.index_mut::<RefRecord>(self.id).remove(update.name.as_bytes()).map(|_| ()),
            Some(new) if update.old == Some(new) => Ok(()),
            Some(new) => {
                let peeled = self.tips.get(&new).and_then(|tip| tip.peeled).map(|id| id.to_string());
                let record = RefRecord { id: new.to_string(), peeled };
                tx.index_mut(self.id).put(update.name.as_bytes(), &record)
            }
        }
    }

    /// The first branch becomes the default, if the one that is has never come.
    fn choose_head(&self, tx: &Tx<'_>, meta: &mut Meta, changes: &[&RefUpdate]) -> Result<(), StoreError> {
        let branches = || changes.iter().filter(|update| update.name.starts_with("refs/heads/"));
        let made = branches().find(|update| update.new.is_some());
        let Some(made) = made else { return Ok(()) };
        let index = tx.index::<RefRecord>(self.id)?;
        if index.get(meta.head.as_bytes())?.is_some() {
            return Ok(());
        }
        let found = index.range(b"refs/heads/", Bound::Unbounded, changes.len().saturating_add(1))?;
        let new = |name: &[u8]| branches().any(|update| update.old.is_none() && update.name.as_bytes() == name);
        if !found.more && found.items.iter().all(|(name, _)| new(name)) {
            made.name.clone_into(&mut meta.head);
        }
        Ok(())
    }
}

fn abort(mut outcomes: Vec<RefOutcome>) -> Vec<RefOutcome> {
    outcomes.iter_mut().filter(|outcome| **outcome == RefOutcome::Done).for_each(|done| *done = RefOutcome::Aborted);
    outcomes
}

/// Whether a reference may have that name.
pub(crate) fn name_is_valid(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX && refname::check_pushed(name.as_bytes(), false).is_ok()
}
