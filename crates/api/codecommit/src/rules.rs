//! Constraints that members of several operations share.
//!
//! Source: botocore's model of CodeCommit; AWS CodeCommit User Guide, "Quotas in AWS CodeCommit".

use wire::shape::Rule;

use crate::error::{CodeCommitError, Refusal};

/// A repository's name.
pub(crate) const NAME: Rule = Rule::Length(1, 100);

/// The characters of a repository's name.
pub(crate) const NAME_PATTERN: Rule = Rule::Pattern(r"[\w\.-]+");

/// A repository's description.
pub(crate) const DESCRIPTION: Rule = Rule::Length(0, 1000);

/// The form of a KMS key's name.
pub(crate) const KMS_KEY: Rule = Rule::Pattern("^[a-zA-Z0-9:/_-]+$");

/// How long the names of KMS keys are.
pub(crate) const KMS_KEY_LENGTH: Rule = Rule::Length(1, 2048);

/// The name of a branch.
pub(crate) const BRANCH: Rule = Rule::Length(1, 256);

/// A name of a commit: an id, a branch, a tag, or the full name of a reference.
pub(crate) const SPECIFIER: Rule = Rule::Length(1, 1024);

/// A place in a list that a caller hands back.
pub(crate) const TOKEN: Rule = Rule::Length(1, 4096);

/// How many elements a page is to have.
pub(crate) const MAX_RESULTS: Rule = Rule::Range(1, i32::MAX as i64);

/// How many repositories a batch names at most.
pub(crate) const BATCH_MAX: usize = 100;

/// Checks the names of a batch.
///
/// # Errors
/// [`Refusal::RepositoryNamesRequired`], [`Refusal::MaximumRepositoryNamesExceeded`].
pub(crate) fn check_batch(names: &[String]) -> Result<(), CodeCommitError> {
    match names.len() {
        0 => Err(Refusal::RepositoryNamesRequired.into()),
        1..=BATCH_MAX => Ok(()),
        _ => Err(Refusal::MaximumRepositoryNamesExceeded { most: BATCH_MAX }.into()),
    }
}
