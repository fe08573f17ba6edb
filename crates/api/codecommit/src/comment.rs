//! Comments on compared commits and pull requests, replies and reactions.

pub(crate) mod change;
pub(crate) mod list;
mod output;
pub(crate) mod post;
pub(crate) mod reaction;
mod reactions;

pub(crate) use output::{CommentOutput, Location};

use wire::shape::Rule;

use crate::error::{CodeCommitError, Refusal};

/// The longest comment in characters.
const CONTENT_MAX: usize = 10_240;

/// The id of a comment.
pub(crate) const COMMENT_ID: Rule = Rule::Pattern("[0-9a-fA-F-]{1,64}(:[0-9a-fA-F-]{1,64})?");

/// The content of a comment.
pub(crate) const CONTENT: Rule = Rule::Length(0, CONTENT_MAX);

/// Checks a content.
///
/// # Errors
/// [`Refusal::CommentContentRequired`].
fn check_content(content: &str) -> Result<(), CodeCommitError> {
    if content.trim().is_empty() { Err(Refusal::CommentContentRequired.into()) } else { Ok(()) }
}
