//! The update of open pull requests when their branches move.
//!
//! A push to the source makes a new revision, so that approvals of the one before do not count. A destination that leads
//! to the source has merged it. Either branch deleted closes the pull request.

use std::collections::BTreeMap;
use std::ops::Bound;

use git::{RefUpdate, Repository};
use git_object::ObjectId;
use service::Call;
use store::{ReadTx, Tx};
use wire::Timestamp;

use super::Move;
use crate::CodeCommit;
use crate::content::{Reader, blocking, leads_to, merge_base};
use crate::error::CodeCommitError;
use crate::record::RepositoryRecord;
use crate::record::pull_request::{EventRecord, Merged, OpenEntry, PullRequestRecord, PullRequestStatus};

/// How many open pull requests of one branch are read at most: more than a repository can have.
const OPEN_MAX: usize = 10_000;

/// The known state of a pull request's branches after the move, found before the transaction.
#[derive(Clone)]
struct Known {
    source: Option<ObjectId>,
    destination: Option<ObjectId>,
    base: Option<ObjectId>,
    /// Whether the destination leads to the source.
    holds: bool,
}

/// Planned updates of the open pull requests of a repository, by number.
#[derive(Clone)]
pub(super) struct Plan {
    known: BTreeMap<u64, Known>,
    merged: Option<u64>,
}

/// The numbers of the open pull requests that a reference is the source or destination of.
fn open_of(tx: &ReadTx<'_>, repository: &str, reference: &str) -> Result<Vec<u64>, CodeCommitError> {
    let found = tx.index::<OpenEntry>(repository)?.range(&OpenEntry::prefix(reference), Bound::Unbounded, OPEN_MAX)?;
    Ok(found.items.into_iter().map(|(_, entry)| entry.number).collect())
}

/// Finds out what has to be known before the transaction.
///
/// # Errors
/// Those of reading.
pub(super) async fn plan(
    repository: &RepositoryRecord,
    git: &Repository,
    wanted: &Move,
    call: &Call<'_, CodeCommit>,
) -> Result<Plan, CodeCommitError> {
    let (id, domain) = (repository.id.clone(), repository.domain());
    let names: Vec<String> = wanted.updates.iter().map(|update| update.name.clone()).collect();
    let open = move |tx: &ReadTx<'_>| {
        let mut found = BTreeMap::new();
        for name in &names {
            for number in open_of(tx, &id, name)? {
                if let Some(record) = tx.get::<PullRequestRecord>(&domain, &number.to_string())? {
                    found.insert(number, record);
                }
            }
        }
        Ok::<_, CodeCommitError>(found)
    };
    let open = call.service.store.read(open).await?;
    let merged = wanted.merged;
    if open.is_empty() {
        return Ok(Plan { known: BTreeMap::new(), merged });
    }
    let tip = |name: &str| match wanted.updates.iter().find(|update| update.name == name) {
        Some(update) => update.new,
        None => git.reference(name),
    };
    let tips = open.into_iter().map(|(number, record)| (number, tip(&record.source), tip(&record.destination)));
    let (tips, reader) = (tips.collect::<Vec<_>>(), Reader::over(wanted.received.objects().clone()));
    blocking(move || {
        let mut known = BTreeMap::new();
        for (number, source, destination) in tips {
            let both = source.zip(destination);
            let base = both.map(|(source, destination)| merge_base(&reader, &source, &destination)).transpose()?;
            let holds = match both {
                Some((source, destination)) => leads_to(&reader, &destination, &source)?,
                None => false,
            };
            known.insert(number, Known { source, destination, base: base.flatten(), holds });
        }
        Ok(Plan { known, merged })
    })
    .await
}

impl Plan {
    /// Changes the pull requests of branches that have moved.
    ///
    /// # Errors
    /// [`CodeCommitError::Overtaken`] if one was opened since the plan was made; those of the store.
    pub(super) fn apply(
        &self,
        tx: &mut Tx<'_>,
        repository: &RepositoryRecord,
        moved: &[&RefUpdate],
        who: &str,
        now: Timestamp,
    ) -> Result<(), CodeCommitError> {
        let mut numbers = Vec::new();
        for update in moved {
            numbers.extend(open_of(tx, &repository.id, &update.name)?);
        }
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers.into_iter().filter(|number| Some(*number) != self.merged) {
            let known = self.known.get(&number).ok_or(CodeCommitError::Overtaken)?;
            let found = tx.get::<PullRequestRecord>(&repository.domain(), &number.to_string())?;
            if let Some(record) = found.filter(PullRequestRecord::is_open) {
                follow(tx, record, known, moved, who, now)?;
            }
        }
        Ok(())
    }
}

fn follow(
    tx: &mut Tx<'_>,
    mut record: PullRequestRecord,
    known: &Known,
    moved: &[&RefUpdate],
    who: &str,
    now: Timestamp,
) -> Result<(), CodeCommitError> {
    let (Some(source), Some(destination)) = (known.source, known.destination) else {
        record.status = PullRequestStatus::Closed;
        record.add_event(tx, EventRecord::Status(PullRequestStatus::Closed), who, now)?;
        return Ok(record.put(tx)?);
    };
    let source_moved = moved.iter().any(|update| update.name == record.source);
    record.destination_commit = destination.to_string();
    record.merge_base = known.base.map(|base| base.to_string());
    if source_moved {
        let before = std::mem::replace(&mut record.source_commit, source.to_string());
        record.begin_revision();
        let (after, base) = (record.source_commit.clone(), record.merge_base.clone());
        record.add_event(tx, EventRecord::SourceUpdated { before, after, base }, who, now)?;
    }
    if known.holds {
        let merge = Merged { by: who.to_owned(), commit: Some(destination.to_string()), option: None };
        let event = EventRecord::Merged { destination: record.destination.clone(), merge: merge.clone() };
        record.merge = Some(merge);
        record.status = PullRequestStatus::Closed;
        record.add_event(tx, event, who, now)?;
    }
    Ok(record.put(tx)?)
}
