//! A repository as it was when it was opened. Knows neither who opened it nor any wire.

use std::collections::HashMap;
use std::sync::Arc;

use blobs::Owner;
use crypto::Key256;
use git_object::{Kind, ObjectFormat, ObjectId, Tag};
use tokio::task::spawn_blocking;

use crate::GitError;
use crate::git::{Git, Snapshot};
use crate::links::broken;
use crate::objects::Objects;
use crate::pack::Pack;
use crate::publish::Tip;
use crate::received::Received;
use crate::record::{LogRecord, PackRecord, parse_id};
use crate::references::References;
use crate::turns::Sharers;

/// Names a key's fingerprint, so that no other use of the key gives the same.
const LABEL: &[u8] = b"sealstack git fingerprint 1";

/// The most tags that name each other, one after the other.
const TAGS_MAX: usize = 100;

/// A repository at one time: references and objects belong together. Clones are the same.
#[derive(Clone)]
pub struct Repository(pub(crate) Arc<Inner>, pub(crate) Sharers);

pub(crate) struct Inner {
    pub(crate) git: Git,
    pub(crate) id: Box<str>,
    pub(crate) owner: Owner,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) snapshot: Arc<Snapshot>,
}

/// A change of a reference, as its history has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefChange {
    /// The old object; `None` if it was made.
    pub old: Option<ObjectId>,
    /// The new object; `None` if it was removed.
    pub new: Option<ObjectId>,
    /// Who did it.
    pub who: String,
    /// When, in seconds since 1970.
    pub at: i64,
}

impl Repository {
    pub(crate) fn new(git: Git, id: &str, owner: Owner, key: &Key256, snapshot: Arc<Snapshot>) -> Self {
        let fingerprint = *crypto::kdf::derive(key, LABEL, id.as_bytes()).expose();
        Self(Arc::new(Inner { git, id: id.into(), owner, fingerprint, snapshot }), Sharers::default())
    }

    /// The same for transfers of `caller` from `address`, who share turns with others. Without, turns are had as they come.
    #[must_use]
    pub fn shared_by(mut self, caller: &str, address: &str) -> Self {
        self.1 = Sharers(Some((caller.into(), address.into())));
        self
    }

    /// The id that it was made with.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The hash function of its objects; `None` before the first push of a repository that was made without one.
    #[must_use]
    pub fn format(&self) -> Option<ObjectFormat> {
        self.0.snapshot.format
    }

    /// The reference that `HEAD` stands for, such as `refs/heads/main`. It need not be there.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.0.snapshot.meta.head
    }

    /// All references, in the order of their names.
    #[must_use]
    pub fn references(&self) -> &References {
        &self.0.snapshot.references
    }

    /// The object that a reference names.
    #[must_use]
    pub fn reference(&self, name: &str) -> Option<ObjectId> {
        self.references().find(name).map(|found| found.id)
    }

    /// All objects; none, of SHA-1, as long as there is no format.
    #[must_use]
    pub fn objects(&self) -> Objects {
        self.objects_of(self.format().unwrap_or(ObjectFormat::Sha1))
    }

    pub(crate) fn objects_of(&self, format: ObjectFormat) -> Objects {
        self.objects_with(format, None)
    }

    /// All objects, and those of a pack that is not published.
    pub(crate) fn objects_with(&self, format: ObjectFormat, quarantine: Option<Arc<Pack>>) -> Objects {
        let Inner { git, owner, fingerprint, snapshot, .. } = &*self.0;
        let packs = if snapshot.format == Some(format) { &snapshot.packs[..] } else { &[] };
        Objects::new(git.clone(), format, owner.clone(), *fingerprint, packs, quarantine)
            .with_bitmaps(&snapshot.bitmaps)
    }

    /// All objects but those that only `packs` have.
    pub(crate) fn objects_without(&self, packs: &[Arc<PackRecord>]) -> Objects {
        let Inner { git, owner, fingerprint, snapshot, .. } = &*self.0;
        let others = snapshot.packs.iter().filter(|pack| !packs.iter().any(|other| other.blobs == pack.blobs));
        let others: Vec<_> = others.cloned().collect();
        let format = self.format().unwrap_or(ObjectFormat::Sha1);
        Objects::new(git.clone(), format, owner.clone(), *fingerprint, &others, None)
    }

    /// Gets objects that are there ready to be named by references, for changes that bring no objects. Those that are
    /// not there are left out: changes to them yield [`crate::RefOutcome::NotChecked`].
    ///
    /// # Errors
    /// [`GitError::OtherFormat`]; those of reading.
    pub async fn check(&self, format: ObjectFormat, tips: Vec<ObjectId>) -> Result<Received, GitError> {
        self.expect_format(format)?;
        let objects = self.objects_of(format);
        let checked = objects.clone();
        let tips = blocking(move || examine_tips(&checked, &tips)).await?;
        Ok(Received::new(self, format, objects, tips, None))
    }

    /// Refuses another format than the repository's.
    pub(crate) fn expect_format(&self, format: ObjectFormat) -> Result<(), GitError> {
        match self.format() {
            Some(expected) if expected != format => Err(GitError::OtherFormat { expected }),
            _ => Ok(()),
        }
    }

    /// The changes of a reference, the latest last: at most `limit` after the number `after`, with their numbers.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn history(
        &self,
        name: &str,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, RefChange)>, GitError> {
        let Some(format) = self.format() else { return Ok(Vec::new()) };
        let prefix = [name.as_bytes(), &[0]].concat();
        let after = after.map(|number| crate::record::log_key(name, number));
        let id = self.0.id.clone();
        let read = self.0.git.0.store.read(move |tx| {
            let after = after.as_deref().map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
            tx.index::<LogRecord>(&id)?.range(&prefix, after, limit)
        });
        let parse = |text: Option<String>| text.and_then(|text| parse_id(format, &text));
        let change = |(key, record): (Vec<u8>, LogRecord)| {
            let number = u64::from_be_bytes(*key.last_chunk()?);
            let LogRecord { old, new, who, at } = record;
            Some((number, RefChange { old: parse(old), new: parse(new), who, at }))
        };
        Ok(read.await?.items.into_iter().filter_map(change).collect())
    }
}

/// Kind and end of each object that is there.
pub(crate) fn examine_tips(objects: &Objects, ids: &[ObjectId]) -> Result<HashMap<ObjectId, Tip>, GitError> {
    let mut tips = HashMap::with_capacity(ids.len());
    for id in ids {
        if let Some(kind) = objects.kind(id)? {
            let peeled = if kind == Kind::Tag { Some(peel(objects, id)?) } else { None };
            tips.insert(*id, Tip { kind, peeled });
        }
    }
    Ok(tips)
}

/// The peeled target of a tag.
pub(crate) fn peel(objects: &Objects, id: &ObjectId) -> Result<ObjectId, GitError> {
    let mut id = *id;
    for _ in 0..TAGS_MAX {
        match objects.kind(&id)? {
            None => return Err(GitError::MissingObject { id }),
            Some(Kind::Tag) => {}
            Some(_) => return Ok(id),
        }
        let tag = objects.expect(&id, Kind::Tag)?;
        id = Tag::parse(id.format(), &tag).map_err(broken)?.target();
    }
    Err(GitError::BadPack { reason: "too many tags of tags".to_owned() })
}

/// Runs what reads objects on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GitError> + Send + 'static,
) -> Result<T, GitError> {
    spawn_blocking(work).await.unwrap_or(Err(GitError::Interrupted))
}
