//! Repositories: made, described, listed, renamed, moved to another key and removed.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
mod metadata;
mod purge;
pub(crate) mod update;

use crate::error::{CodeCommitError, Refusal};

wire::shape! {
    /// The input of operations that take a repository's name and no more.
    pub(crate) struct RepositoryInput {
        "repositoryName" repository_name: String, required, [crate::rules::NAME, crate::rules::NAME_PATTERN];
    }
}

/// The number of repositories of an account in a Region.
pub(crate) const REPOSITORIES_MAX: usize = 5000;

/// Checks a name that a repository is given.
///
/// # Errors
/// [`Refusal::InvalidRepositoryName`].
fn check_new_name(name: &str) -> Result<(), CodeCommitError> {
    // Clients of Git write the ending or leave it out, and mean the same.
    if name.to_ascii_lowercase().ends_with(".git") || name.chars().all(|character| character == '.') {
        return Err(Refusal::InvalidRepositoryName { name: name.to_owned() }.into());
    }
    Ok(())
}
