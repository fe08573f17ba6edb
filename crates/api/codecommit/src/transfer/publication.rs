//! The second half of `GitPush`: references move to objects that have arrived, in one transaction with its audit record.

use git::{GitError, Received, RefOutcome, RefUpdate};
use serde::Serialize;
use service::{AuditClass, Call, OperationInput, Permit, ResourceOperation, UploadStream};
use wire::Fault;

use crate::CodeCommit;
use crate::GitPush;
use crate::access::{GitPushInput, Named, refusals};
use crate::error::CodeCommitError;
use crate::reference::{Move, publish_with};
use crate::transfer::push::words;
use crate::transfer::record::{Pushed, Refused};

/// References to be moved.
pub(crate) struct Publication {
    /// The repository and the references, as policies and the audit trail see them.
    pub(crate) shown: GitPushInput,
    /// The same references, in the same order.
    pub(crate) updates: Vec<RefUpdate>,
    /// Whether all are to move or none.
    pub(crate) atomic: bool,
    /// The objects.
    pub(crate) received: Received,
    /// The push as its record describes it, and the references of it that are refused already.
    pub(crate) pushed: Pushed,
    pub(crate) refused: Vec<Refused>,
}

impl OperationInput for Publication {
    type Shape = GitPushInput;
    const STREAMS: bool = false;

    /// No request over HTTP is one.
    fn of(_: GitPushInput, _: Option<UploadStream>) -> Option<Self> {
        None
    }

    fn shape(&self) -> &GitPushInput {
        &self.shown
    }
}

/// The outcome of an update of a reference.
#[derive(Clone, Debug)]
pub(crate) enum Moved {
    /// The caller may not change it.
    Refused(String),
    /// The repository's outcome.
    Decided(RefOutcome),
}

/// The outcome of each update, in order.
#[derive(Serialize)]
pub(crate) struct Published {
    #[serde(skip)]
    pub(crate) moved: Vec<Moved>,
}

/// Moves references.
pub(crate) struct Publish;

impl ResourceOperation for Publish {
    type On = Named;
    const NAME: &'static str = <GitPush as ResourceOperation>::NAME;
    const ACTION: &'static str = <GitPush as ResourceOperation>::ACTION;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = Publication;
    type Output = Published;

    fn key(input: &Publication) -> &str {
        &input.shown.repository_name
    }

    async fn run(
        input: Publication,
        found: &Permit<Named>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Published, CodeCommitError> {
        let Publication { shown, updates, atomic, received, pushed, refused } = input;
        let refusals = refusals(found, &shown.references, call).await?;
        let denied = shown
            .references
            .iter()
            .zip(&refusals)
            .filter_map(|(reference, words)| words.as_deref().map(|words| Refused::new(&reference.name, words)));
        let refused: Vec<Refused> = refused.into_iter().chain(denied).collect();
        let permitted = |place: usize| refusals.get(place).is_some_and(Option::is_none);
        let any_refused = refusals.iter().any(Option::is_some);
        let permitted: Vec<RefUpdate> = if atomic && any_refused {
            Vec::new()
        } else {
            let updates = updates.into_iter().enumerate();
            updates.filter(|(place, _)| permitted(*place)).map(|(_, update)| update).collect()
        };
        let mut outcomes = if permitted.is_empty() {
            call.add(&pushed.with(refused));
            Vec::new()
        } else {
            let names: Vec<String> = permitted.iter().map(|update| update.name.clone()).collect();
            let additional = move |outcomes: &[RefOutcome]| {
                let stale = names.iter().zip(outcomes).filter(|(_, outcome)| **outcome != RefOutcome::Done);
                let stale = stale.map(|(name, outcome)| Refused::new(name, &words(outcome)));
                pushed.with(refused.iter().cloned().chain(stale).collect())
            };
            let git = received.repository().clone();
            let wanted = Move { received, updates: permitted, atomic, merged: None, besides: None };
            publish_with(found, &git, wanted, additional, call).await.map_err(failed)?
        }
        .into_iter();
        let moved = refusals.into_iter().map(|refusal| match refusal {
            Some(words) => Moved::Refused(words),
            None => Moved::Decided(outcomes.next().unwrap_or(RefOutcome::Aborted)),
        });
        Ok(Published { moved: moved.collect() })
    }
}

/// Changes that preceded the push are for its sender to know; faults here are for the log.
fn failed(error: CodeCommitError) -> CodeCommitError {
    match error {
        CodeCommitError::Git(error) => of_git(error),
        other => other,
    }
}

fn of_git(error: GitError) -> CodeCommitError {
    match error {
        GitError::Store(error) => CodeCommitError::Store(error),
        GitError::Outdated | GitError::NotFound | GitError::OtherFormat { .. } => {
            CodeCommitError::Forbidden(Fault::sender("ConcurrentReferenceUpdateException", error.to_string()))
        }
        other => CodeCommitError::Damaged(other.to_string()),
    }
}
