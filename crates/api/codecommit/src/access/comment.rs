//! A comment that an input names by its id, and its repository.

use service::{Call, Need, Resource};

use super::{Named, Opened};
use crate::CodeCommit;
use crate::error::{CodeCommitError, Refusal};
use crate::record::comment::CommentRecord;
use crate::record::domain;

/// A comment. With `OPENS` the repository's data key is opened as the caller.
pub(crate) struct Commented<const OPENS: bool> {
    pub(crate) record: CommentRecord,
    pub(crate) repository: Opened,
}

/// A need whose refusal shows nothing but the comment's id.
fn need_of<'n>(need: Need<'n>, id: &str) -> Need<'n> {
    need.shown_as(format!("comment {id}"))
}

impl<const OPENS: bool> Commented<OPENS> {
    /// Checks that the comment was not deleted.
    ///
    /// # Errors
    /// [`Refusal::CommentDeleted`].
    pub(crate) fn expect_kept(&self) -> Result<(), CodeCommitError> {
        if self.record.deleted { Err(Refusal::CommentDeleted { id: self.record.id.clone() }.into()) } else { Ok(()) }
    }
}

impl<const OPENS: bool> Resource for Commented<OPENS> {
    type Service = CodeCommit;
    type Key<'a> = &'a str;

    async fn find<'a>(id: &'a str, call: &'a Call<'_, CodeCommit>) -> Result<Self, CodeCommitError> {
        let missing = || Refusal::CommentDoesNotExist { id: id.to_owned() };
        let (domain, name) = (domain(call.account(), call.region), id.to_owned());
        let repositories = &call.service.repositories;
        let place = domain.clone();
        let record = call.service.store.read(move |tx| tx.get::<CommentRecord>(&place, &name)).await?;
        let record = record.ok_or_else(missing)?;
        let repository = repositories.get(&domain, &record.repository_id).await?.ok_or_else(missing)?;
        Ok(Self { record, repository: Opened::sealed(Named(repository)) })
    }

    fn need<'n>(&'n self, id: &'n str, action: &'static str, _: &'n Call<'_, CodeCommit>) -> Need<'n> {
        need_of(self.repository.need_of(action), id)
    }

    fn need_of_missing<'n>(id: &'n str, action: &'static str, _: &'n Call<'_, CodeCommit>) -> Option<Need<'n>> {
        Some(need_of(Need::identity(action, "*"), id))
    }

    async fn begin(&mut self, operation: &'static str, call: &Call<'_, CodeCommit>) -> Result<(), CodeCommitError> {
        if OPENS { self.repository.open_for(operation, call).await } else { Ok(()) }
    }
}
