//! `UpdateComment` and `DeleteCommentContent`.

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;
use wire::SecretText;

use super::list::CommentInput;
use super::output::Comment;
use super::{COMMENT_ID, CONTENT, CommentOutput, check_content};
use crate::CodeCommit;
use crate::access::Commented;
use crate::error::{CodeCommitError, Refusal};
use crate::record::comment::CommentRecord;

/// Changes a comment's record for a call, unless it was deleted.
///
/// # Errors
/// [`Refusal::CommentDeleted`]; those of `work` and of the store.
pub(super) async fn change(
    found: &Commented<false>,
    call: &Call<'_, CodeCommit>,
    work: impl FnOnce(&mut CommentRecord) -> Result<(), CodeCommitError> + Send + 'static,
) -> Result<CommentRecord, CodeCommitError> {
    let (domain, id) = (found.repository.domain(), found.record.id.clone());
    let changed = move |tx: &mut Tx<'_>| {
        let found = tx.get::<CommentRecord>(&domain, &id)?;
        let mut record = found.ok_or_else(|| Refusal::CommentDoesNotExist { id: id.clone() })?;
        if record.deleted {
            return Err(Refusal::CommentDeleted { id }.into());
        }
        work(&mut record)?;
        tx.put(&domain, &record.id, &record)?;
        Ok::<_, CodeCommitError>(record)
    };
    call.write(&call.service.store, changed).await
}

wire::shape! {
    pub(crate) struct UpdateCommentInput {
        "commentId" id: String, required, [COMMENT_ID];
        "content" content: SecretText, required, [CONTENT];
    }
}

/// Changes a comment of the caller's.
pub(crate) struct UpdateComment;

impl ResourceOperation for UpdateComment {
    type On = Commented<false>;
    const NAME: &'static str = "UpdateComment";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateCommentInput;
    type Output = CommentOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_content(&input.content.0)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Commented<false>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (who, now, content) = (call.caller.principal.arn.to_string(), call.now, input.content.0.to_string());
        let caller = who.clone();
        let work = move |record: &mut CommentRecord| {
            if record.author != who {
                return Err(Refusal::CommentNotCreatedByCaller.into());
            }
            (record.content, record.modified) = (content, now);
            Ok(())
        };
        Ok(CommentOutput { comment: Comment::of(change(found, call, work).await?, &caller) })
    }
}

/// Empties a comment. Its thread stays.
pub(crate) struct DeleteCommentContent;

impl ResourceOperation for DeleteCommentContent {
    type On = Commented<false>;
    const NAME: &'static str = "DeleteCommentContent";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CommentInput;
    type Output = CommentOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        _: Self::Input,
        found: &Permit<Commented<false>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let now = call.now;
        let work = move |record: &mut CommentRecord| {
            (record.content, record.deleted, record.modified) = (String::new(), true, now);
            Ok(())
        };
        let caller = call.caller.principal.arn.as_str();
        Ok(CommentOutput { comment: Comment::of(change(found, call, work).await?, caller) })
    }
}
