//! A commit on a branch: its parent checked, its objects written, the branch moved.

use git::{GitError, Received, RefUpdate, Repository};
use git_object::{Identity, Kind, NewCommit, ObjectFormat, ObjectId, Zone, hash_object};
use service::Call;

use crate::CodeCommit;
use crate::access::Opened;
use crate::content::edit::Edit;
use crate::content::{Made as Objects, Reader, blocking, full_branch, object_id};
use crate::error::{CodeCommitError, Refusal};
use crate::reference::{Move, moved, publish};

/// Who makes a commit.
#[derive(Clone)]
pub(crate) struct Author {
    name: String,
    email: String,
    seconds: i64,
}

impl Author {
    /// The author that a caller states, or else the caller.
    pub(crate) fn new(name: Option<String>, email: Option<String>, call: &Call<'_, CodeCommit>) -> Self {
        let name = name.filter(|name| !name.trim().is_empty());
        let name = name.unwrap_or_else(|| call.caller.principal.arn.to_string());
        let seconds = call.now.millis().div_euclid(1000);
        Self { name: git_object::clean(&name), email: git_object::clean(&email.unwrap_or_default()), seconds }
    }
}

/// Checks an address.
///
/// # Errors
/// [`Refusal::InvalidEmail`].
pub(crate) fn check_email(email: Option<&str>) -> Result<(), CodeCommitError> {
    let bad = |text: &str| text.chars().any(|character| character.is_control() || matches!(character, '<' | '>'));
    if email.is_some_and(bad) { Err(Refusal::InvalidEmail.into()) } else { Ok(()) }
}

/// The branch that a commit is made on, and what it is made of.
pub(crate) struct Base {
    pub(crate) git: Repository,
    pub(crate) branch: String,
    pub(crate) format: ObjectFormat,
    /// None for the first commit of an empty repository.
    pub(crate) tip: Option<ObjectId>,
}

impl Base {
    /// The tip of a branch, which the caller has to name as parent.
    ///
    /// # Errors
    /// [`Refusal::ParentCommitIdRequired`], [`Refusal::InvalidParentCommitId`], [`Refusal::ParentCommitDoesNotExist`],
    /// [`Refusal::ParentCommitIdOutdated`], [`Refusal::BranchDoesNotExist`], [`Refusal::BranchNameIsTagName`].
    pub(crate) async fn find(
        opened: &Opened,
        branch: &str,
        parent: Option<&str>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self, CodeCommitError> {
        let git = opened.git(call).await?;
        let format = git.format().unwrap_or(ObjectFormat::Sha1);
        let parent = parent.filter(|text| !text.is_empty());
        let tip = git.reference(&full_branch(branch));
        match tip {
            Some(tip) => {
                let parent = parent.ok_or(Refusal::ParentCommitIdRequired)?;
                let invalid = || Refusal::InvalidParentCommitId { id: parent.to_owned() };
                let id = object_id(parent).filter(|id| id.format() == format).ok_or_else(invalid)?;
                if id != tip {
                    let missing = git.unreachable(vec![id]).await?.is_some();
                    return Err(match missing {
                        true => Refusal::ParentCommitDoesNotExist { id: parent.to_owned() },
                        false => Refusal::ParentCommitIdOutdated { tip: tip.to_string() },
                    }
                    .into());
                }
            }
            None if git.reference(&["refs/tags/", branch].concat()).is_some() => {
                return Err(Refusal::BranchNameIsTagName { name: branch.to_owned() }.into());
            }
            None if !git.references().is_empty() => {
                return Err(Refusal::BranchDoesNotExist { name: branch.to_owned() }.into());
            }
            None => {
                if let Some(parent) = parent {
                    return Err(Refusal::ParentCommitDoesNotExist { id: parent.to_owned() }.into());
                }
            }
        }
        Ok(Self { git, branch: branch.to_owned(), format, tip })
    }
}

/// A commit that was made.
pub(crate) struct Made<T> {
    pub(crate) commit: ObjectId,
    pub(crate) tree: ObjectId,
    /// The change's result.
    pub(crate) value: T,
}

/// The objects of a commit of a tree whose own are `objects`, and the commit's id.
///
/// # Errors
/// [`Refusal::InvalidEmail`]; [`CodeCommitError::Damaged`].
pub(crate) fn commit_objects(
    tree: ObjectId,
    parents: &[ObjectId],
    author: &Author,
    message: &str,
    mut objects: Objects,
) -> Result<(ObjectId, Objects), CodeCommitError> {
    let identity = Identity {
        name: author.name.as_bytes(),
        email: author.email.as_bytes(),
        seconds: author.seconds,
        zone: Zone::UTC,
    };
    // As git ends messages.
    let message =
        if message.ends_with('\n') || message.is_empty() { message.to_owned() } else { format!("{message}\n") };
    let message = message.replace('\0', "");
    let commit =
        NewCommit { tree, parents, author: identity, committer: identity, headers: &[], message: message.as_bytes() };
    let content = commit.to_bytes().map_err(|_| Refusal::InvalidEmail)?;
    let id = hash_object(tree.format(), Kind::Commit, &content);
    let id = id.map_err(|error| CodeCommitError::Damaged(error.to_string()))?;
    objects.push((Kind::Commit, content));
    Ok((id, objects))
}

/// Writes objects that the API made.
///
/// # Errors
/// [`Refusal::InvalidPath`] for a name that no tree may have; those of `git`.
pub(crate) async fn write_objects(
    git: &Repository,
    format: ObjectFormat,
    objects: Objects,
    tip: ObjectId,
) -> Result<Received, CodeCommitError> {
    git.write(format, objects, vec![tip]).await.map_err(|error| match error {
        GitError::Fsck { rule, detail, .. } => Refusal::InvalidPath { path: format!("{rule}: {detail}") }.into(),
        other => other.into(),
    })
}

/// Makes a commit on a branch out of what `change` does to its files.
///
/// # Errors
/// [`Refusal::NoChange`], [`Refusal::ParentCommitIdOutdated`]; those of `change`.
pub(crate) async fn make<T: Send + 'static>(
    opened: &Opened,
    base: Base,
    (author, message): (Author, String),
    change: impl FnOnce(&mut Edit<'_>) -> Result<T, CodeCommitError> + Send + 'static,
    call: &Call<'_, CodeCommit>,
) -> Result<Made<T>, CodeCommitError> {
    let Base { git, branch, format, tip } = base;
    let reader = Reader::new(&git);
    let (commit, tree, value, objects) = blocking(move || {
        let before = tip.map(|tip| reader.expect_commit(&tip)).transpose()?.map(|parts| parts.tree);
        let mut edit = Edit::new(&reader, format, before.as_ref())?;
        let value = change(&mut edit)?;
        let (tree, objects) = edit.finish()?;
        if before == Some(tree) {
            return Err(Refusal::NoChange.into());
        }
        let parents: Vec<_> = tip.into_iter().collect();
        let (commit, objects) = commit_objects(tree, &parents, &author, &message, objects)?;
        Ok((commit, tree, value, objects))
    })
    .await?;
    let received = write_objects(&git, format, objects, commit).await?;
    let update = RefUpdate { name: full_branch(&branch), old: tip, new: Some(commit) };
    let outcomes = publish(opened, &git, Move::one(received, update), call).await?;
    let outdated = |found: Option<ObjectId>| Refusal::ParentCommitIdOutdated {
        tip: found.map(|tip| tip.to_string()).unwrap_or_default(),
    };
    moved(&branch, &outcomes, outdated)?;
    Ok(Made { commit, tree, value })
}
