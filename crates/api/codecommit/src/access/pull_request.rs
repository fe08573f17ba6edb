//! A pull request that an input names by its number, and its repository.
//!
//! A number names no repository, so a refusal shows nothing but the number, whether or not there is such a pull request.

use service::{Call, Need, Resource};

use super::{Named, Opened};
use crate::CodeCommit;
use crate::error::{CodeCommitError, Refusal};
use crate::record::domain;
use crate::record::pull_request::PullRequestRecord;

/// A pull request. With `OPENS` the repository's data key is opened as the caller.
pub(crate) struct Pull<const OPENS: bool> {
    pub(crate) record: PullRequestRecord,
    pub(crate) repository: Opened,
}

/// The need of an action on the repository of a pull request.
fn need_of<'n>(need: Need<'n>, number: &str) -> Need<'n> {
    need.shown_as(format!("pull request {number}"))
}

impl<const OPENS: bool> Pull<OPENS> {
    /// Checks that the pull request is one of a repository that the input names as well.
    ///
    /// # Errors
    /// [`Refusal::RepositoryNotAssociatedWithPullRequest`].
    pub(crate) fn expect_repository(&self, name: &str) -> Result<(), CodeCommitError> {
        if self.repository.name == name {
            return Ok(());
        }
        Err(Refusal::RepositoryNotAssociatedWithPullRequest { name: name.to_owned() }.into())
    }
}

impl<const OPENS: bool> Resource for Pull<OPENS> {
    type Service = CodeCommit;
    type Key<'a> = &'a str;

    async fn find<'a>(number: &'a str, call: &'a Call<'_, CodeCommit>) -> Result<Self, CodeCommitError> {
        let missing = || Refusal::PullRequestDoesNotExist { id: number.to_owned() };
        let (domain, id) = (domain(call.account(), call.region), number.to_owned());
        let record = call.service.store.read(move |tx| tx.get::<PullRequestRecord>(&domain, &id)).await?;
        let record = record.ok_or_else(missing)?;
        let repository = call.service.repositories.get(&record.domain(), &record.repository_id).await?;
        let repository = Opened::sealed(Named(repository.ok_or_else(missing)?));
        Ok(Self { record, repository })
    }

    fn need<'n>(&'n self, number: &'n str, action: &'static str, _: &'n Call<'_, CodeCommit>) -> Need<'n> {
        need_of(self.repository.need_of(action), number)
    }

    fn need_of_missing<'n>(number: &'n str, action: &'static str, _: &'n Call<'_, CodeCommit>) -> Option<Need<'n>> {
        Some(need_of(Need::identity(action, "*"), number))
    }

    async fn begin(&mut self, operation: &'static str, call: &Call<'_, CodeCommit>) -> Result<(), CodeCommitError> {
        if OPENS { self.repository.open_for(operation, call).await } else { Ok(()) }
    }
}
