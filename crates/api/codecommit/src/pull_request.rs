//! Pull requests: opened, described, listed, changed and closed.

pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod get;
mod output;
pub(crate) mod update;

pub(crate) use output::{ApprovalRule, PullRequestOutput};

use service::Call;
use store::Tx;
use wire::shape::Rule;

use crate::CodeCommit;
use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::PullRequestRecord;

/// The number of a pull request.
pub(crate) const NUMBER: Rule = Rule::Pattern("[0-9]{1,19}");

/// A title.
pub(crate) const TITLE: Rule = Rule::Length(0, 150);

/// A description.
pub(crate) const DESCRIPTION: Rule = Rule::Length(0, 10_240);

wire::shape! {
    /// The input of operations that take a pull request's number and no more.
    pub(crate) struct PullRequestInput {
        "pullRequestId" id: String, required, [NUMBER];
    }
}

/// Changes a pull request's record for a call, if it is still open.
///
/// # Errors
/// [`Refusal::PullRequestAlreadyClosed`]; those of `work` and of the store.
pub(crate) async fn change<T: Send + 'static>(
    record: &PullRequestRecord,
    call: &Call<'_, CodeCommit>,
    work: impl FnOnce(&mut PullRequestRecord, &mut Tx<'_>) -> Result<T, CodeCommitError> + Send + 'static,
) -> Result<(PullRequestRecord, T), CodeCommitError> {
    let (domain, id) = (record.domain(), record.id);
    let changed = move |tx: &mut Tx<'_>| {
        let found = tx.get::<PullRequestRecord>(&domain, &id.to_string())?;
        let mut record = found.ok_or_else(|| Refusal::PullRequestDoesNotExist { id: id.to_string() })?;
        if !record.is_open() {
            return Err(Refusal::PullRequestAlreadyClosed { id }.into());
        }
        let value = work(&mut record, tx)?;
        record.put(tx)?;
        Ok::<_, CodeCommitError>((record, value))
    };
    call.write(&call.service.store, changed).await
}
