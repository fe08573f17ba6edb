//! How commits descend from each other.

use git::GitError;
use git_diff::{Ancestors, DiffError};
use git_object::ObjectId;

use super::Reader;
use crate::error::{CodeCommitError, Refusal};

/// How many commits are looked at before histories count as too far apart.
const COMMITS_MAX: usize = 1_000_000;

fn diverged(error: DiffError<GitError>) -> CodeCommitError {
    match error {
        DiffError::Large => Refusal::TipsDivergenceExceeded { most: COMMITS_MAX }.into(),
        other => other.into(),
    }
}

/// The latest of the best common ancestors of two commits; none of unrelated histories.
///
/// # Errors
/// [`Refusal::TipsDivergenceExceeded`]; those of reading.
pub(crate) fn merge_base(
    reader: &Reader,
    one: &ObjectId,
    other: &ObjectId,
) -> Result<Option<ObjectId>, CodeCommitError> {
    let found = Ancestors::new(reader, COMMITS_MAX).best_common(one, other).map_err(diverged)?;
    Ok(found.first().copied())
}

/// Whether `from` is `to` or leads to it.
///
/// # Errors
/// As for [`merge_base`].
pub(crate) fn leads_to(reader: &Reader, from: &ObjectId, to: &ObjectId) -> Result<bool, CodeCommitError> {
    Ancestors::new(reader, COMMITS_MAX).contains(from, to).map_err(diverged)
}
