//! A change of references as one transaction.

use std::sync::Arc;

use git::{GitError, Received, RefOutcome, RefUpdate, Repository};
use serde::Serialize;
use service::Call;
use store::Tx;

use super::{follow, queue};
use crate::CodeCommit;
use crate::error::{CodeCommitError, Refusal};
use crate::record::RepositoryRecord;

/// How often a change is planned again because a pull request was opened meanwhile.
const ATTEMPTS: usize = 8;

/// Additional changes in the same transaction, if the references move.
pub(crate) type Besides = dyn Fn(&mut Tx<'_>) -> Result<(), CodeCommitError> + Send + Sync;

/// References to be moved.
pub(crate) struct Move {
    /// The objects that they are moved to.
    pub(crate) received: Received,
    /// Each reference, what it names now and what it is to name.
    pub(crate) updates: Vec<RefUpdate>,
    /// Whether all move or none.
    pub(crate) atomic: bool,
    /// A pull request that is closed by whoever moves them, and is left alone.
    pub(crate) merged: Option<u64>,
    /// Additional changes.
    pub(crate) besides: Option<Arc<Besides>>,
}

impl Move {
    /// One reference to be moved.
    pub(crate) fn one(received: Received, update: RefUpdate) -> Self {
        Self { received, updates: vec![update], atomic: true, merged: None, besides: None }
    }
}

/// Moves references of a repository, as `git` has it, for a call: with its audit record, and with all that follows.
///
/// # Errors
/// Those of `git` and of the store; none for a reference that does not move, which its outcome says.
pub(crate) async fn publish(
    repository: &RepositoryRecord,
    git: &Repository,
    wanted: Move,
    call: &Call<'_, CodeCommit>,
) -> Result<Vec<RefOutcome>, CodeCommitError> {
    publish_with(repository, git, wanted, |_: &[RefOutcome]| (), call).await
}

/// Does the same, and adds to the audit record what `additional` says of the outcomes.
///
/// # Errors
/// As for [`publish`].
pub(crate) async fn publish_with<A: Serialize>(
    repository: &RepositoryRecord,
    git: &Repository,
    wanted: Move,
    additional: impl Fn(&[RefOutcome]) -> A + Clone + Send + 'static,
    call: &Call<'_, CodeCommit>,
) -> Result<Vec<RefOutcome>, CodeCommitError> {
    let who = call.caller.principal.arn.to_string();
    let wanted = Arc::new(wanted);
    for _ in 0..ATTEMPTS {
        let plan = follow::plan(repository, git, &wanted, call).await?;
        let (record, wanted, who, now) = (repository.clone(), Arc::clone(&wanted), who.clone(), call.now);
        let (request_id, region) = (call.request_id.to_owned(), call.region.to_owned());
        let change = move |tx: &mut Tx<'_>| {
            let Move { received, updates, atomic, besides, .. } = &*wanted;
            let outcomes = received.publish(tx, updates, *atomic, &who, now.millis().div_euclid(1000))?;
            let done = updates.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == RefOutcome::Done);
            let done: Vec<&RefUpdate> =
                done.map(|(update, _)| update).filter(|update| update.old != update.new).collect();
            if done.is_empty() {
                return Ok(outcomes);
            }
            plan.apply(tx, &record, &done, &who, now)?;
            queue::add(tx, &record, &done, queue::Source { who: &who, now, region: &region, event: &request_id })?;
            if let Some(mut current) = tx.get::<RepositoryRecord>(&record.domain(), &record.id)? {
                current.modified = now;
                tx.put(&record.domain(), &record.id, &current)?;
            }
            if let Some(besides) = besides {
                besides(tx)?;
            }
            Ok::<_, CodeCommitError>(outcomes)
        };
        let additional = additional.clone();
        let additional = move |outcomes: &Vec<RefOutcome>| additional(outcomes);
        match call.write_with(&call.service.store, change, additional).await {
            Err(CodeCommitError::Overtaken) => {}
            other => return other,
        }
    }
    Err(GitError::Outdated.into())
}

/// Checks that one reference was moved.
///
/// # Errors
/// `stale` when it names something else by now; [`Refusal::BranchNameExists`], [`Refusal::InvalidBranchName`].
pub(crate) fn moved(
    name: &str,
    outcomes: &[RefOutcome],
    stale: impl FnOnce(Option<git_object::ObjectId>) -> Refusal,
) -> Result<(), CodeCommitError> {
    let name = || name.to_owned();
    Err(match outcomes.first() {
        Some(RefOutcome::Done) => return Ok(()),
        Some(RefOutcome::Stale { found }) => stale(*found),
        Some(RefOutcome::NameTaken { .. }) => Refusal::BranchNameExists { name: name() },
        Some(RefOutcome::NotACommit | RefOutcome::NotChecked) => Refusal::CommitDoesNotExist { name: name() },
        _ => Refusal::InvalidBranchName { name: name() },
    }
    .into())
}
