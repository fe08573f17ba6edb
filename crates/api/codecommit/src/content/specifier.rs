//! Names of commits and branches as callers write them.

use git::Repository;
use git_object::{Kind, ObjectFormat, ObjectId, refname};

use super::{Reader, blocking};
use crate::error::{CodeCommitError, Refusal};

/// The folder of branches.
const BRANCHES: &str = "refs/heads/";

/// The full name of a branch.
pub(crate) fn full_branch(name: &str) -> String {
    [BRANCHES, name].concat()
}

/// The short name of a branch; `None` for another reference.
pub(crate) fn branch_name(reference: &str) -> Option<&str> {
    reference.strip_prefix(BRANCHES)
}

/// Checks the short name of a branch.
///
/// # Errors
/// [`Refusal::InvalidBranchName`].
pub(crate) fn check_branch_name(name: &str) -> Result<(), CodeCommitError> {
    refname::check_codecommit_branch(name).map_err(|_| Refusal::InvalidBranchName { name: name.to_owned() }.into())
}

/// The id in a text, of either format.
pub(crate) fn object_id(text: &str) -> Option<ObjectId> {
    let format = match text.len() {
        40 => ObjectFormat::Sha1,
        64 => ObjectFormat::Sha256,
        _ => return None,
    };
    ObjectId::from_hex(format, text.as_bytes()).ok()
}

/// The commit that a text names: a full id, a branch, a tag, or the full name of a reference.
///
/// # Errors
/// [`Refusal::CommitDoesNotExist`]; those of reading.
pub(crate) async fn resolve(repository: &Repository, text: &str) -> Result<ObjectId, CodeCommitError> {
    let missing = || Refusal::CommitDoesNotExist { name: text.to_owned() };
    let names = [full_branch(text), ["refs/tags/", text].concat(), text.to_owned()];
    let references = repository.references();
    if let Some(found) = names.iter().find_map(|name| references.find(name)) {
        return commit_of(repository, found.peeled.unwrap_or(found.id)).await?.ok_or_else(|| missing().into());
    }
    if text == "HEAD" {
        let head = repository.reference(repository.head()).ok_or_else(missing)?;
        return Ok(head);
    }
    let id = object_id(text).filter(|id| repository.format() == Some(id.format())).ok_or_else(missing)?;
    // What no reference leads to is not there, whoever knows its id.
    if repository.unreachable(vec![id]).await?.is_some() {
        return Err(missing().into());
    }
    commit_of(repository, id).await?.ok_or_else(|| missing().into())
}

/// As [`resolve`], or the tip of the default branch if nothing is named.
///
/// # Errors
/// As for [`resolve`].
pub(crate) async fn resolve_or_head(repository: &Repository, text: Option<&str>) -> Result<ObjectId, CodeCommitError> {
    resolve(repository, text.unwrap_or("HEAD")).await
}

/// The id, if it is a commit's.
async fn commit_of(repository: &Repository, id: ObjectId) -> Result<Option<ObjectId>, CodeCommitError> {
    let reader = Reader::new(repository);
    blocking(move || Ok(reader.header(&id)?.filter(|(kind, _)| *kind == Kind::Commit).map(|_| id))).await
}
