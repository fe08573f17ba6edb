//! Approvals of pull requests: rules, who approved, what is set aside, and what all of it comes to.

pub(crate) mod evaluation;
pub(crate) mod rules;
pub(crate) mod state;

use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::PullRequestRecord;
use wire::shape::Rule;

/// The name of a rule.
pub(crate) const RULE_NAME: Rule = Rule::Length(1, 100);

/// The content of a rule.
pub(crate) const RULE_CONTENT: Rule = Rule::Length(1, 3000);

/// A revision.
pub(crate) const REVISION: Rule = Rule::Length(1, 128);

/// Checks that a revision is the one that a pull request has now.
///
/// # Errors
/// [`Refusal::RevisionNotCurrent`].
fn expect_revision(record: &PullRequestRecord, revision: &str) -> Result<(), CodeCommitError> {
    if record.revision == revision { Ok(()) } else { Err(Refusal::RevisionNotCurrent.into()) }
}
