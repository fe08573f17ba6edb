//! `MergeBranchesByFastForward`, `MergeBranchesBySquash` and `MergeBranchesByThreeWay`.

use std::sync::Arc;

use git::{RefUpdate, Repository};
use git_object::ObjectId;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::SecretText;

use super::{ConflictResolution, DetailLevel, Resolved, Settings, Sides, Strategy, branch_of};
use crate::CodeCommit;
use crate::access::Opened;
use crate::branch::describe;
use crate::commit::{AUTHOR, Author, EMAIL, MESSAGE, check_email, write_objects};
use crate::content::{Reader, blocking, check_branch_name, full_branch, resolve};
use crate::error::{CodeCommitError, Refusal};
use crate::record::RepositoryRecord;
use crate::record::merge::MergeRecord;
use crate::record::pull_request::MergeOption;
use crate::reference::{Besides, Move, moved, publish};
use crate::rules::{BRANCH, NAME, NAME_PATTERN, SPECIFIER};

wire::shape! {
    pub(crate) struct FastForwardInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "sourceCommitSpecifier" source: String, required, [SPECIFIER];
        "destinationCommitSpecifier" destination: String, required, [SPECIFIER];
        "targetBranch" target: String, optional, [BRANCH];
    }
}

wire::shape! {
    /// The input of merges that make a commit.
    pub(crate) struct MergeBranchesInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "sourceCommitSpecifier" source: String, required, [SPECIFIER];
        "destinationCommitSpecifier" destination: String, required, [SPECIFIER];
        "targetBranch" target: String, optional, [BRANCH];
        "conflictDetailLevel" detail: DetailLevel, optional, [];
        "conflictResolutionStrategy" strategy: Strategy, optional, [];
        "authorName" author_name: String, optional, [AUTHOR];
        "email" email: String, optional, [EMAIL];
        "commitMessage" message: SecretText, optional, [MESSAGE];
        "keepEmptyFolders" keep_empty_folders: bool, default, [];
        "conflictResolution" resolution: ConflictResolution, optional, [];
    }
}

wire::output! {
    /// The commit that a branch was moved to.
    pub(crate) struct MergedOutput {
        "commitId" commit_id: String, required;
        "treeId" tree_id: String, required;
    }
}

/// The short name of the branch that is merged into.
fn target<'a>(target: Option<&'a str>, destination: &'a str) -> Option<&'a str> {
    target.or_else(|| branch_of(destination))
}

/// The branch that is merged into, and its tip, which the destination has to be.
async fn found_target(
    git: &Repository,
    stated: Option<&str>,
    destination: &str,
) -> Result<(String, ObjectId), CodeCommitError> {
    let name = target(stated, destination).ok_or(Refusal::BranchNameRequired)?.to_owned();
    check_branch_name(&name)?;
    let Some(tip) = git.reference(&full_branch(&name)) else {
        if git.reference(&["refs/tags/", &name].concat()).is_some() {
            return Err(Refusal::BranchNameIsTagName { name }.into());
        }
        // What is no branch and was not said to be one may still be a commit, into which nothing can be merged.
        return Err(match stated {
            Some(_) => Refusal::BranchDoesNotExist { name }.into(),
            None => match resolve(git, destination).await {
                Ok(_) => Refusal::InvalidTargetBranch { name }.into(),
                Err(error) => error,
            },
        });
    };
    Ok((name, tip))
}

/// Moves a branch to the commit of a merge.
async fn land(
    opened: &Opened,
    git: &Repository,
    (branch, tip): (&str, ObjectId),
    wanted: Move,
    call: &Call<'_, CodeCommit>,
) -> Result<(), CodeCommitError> {
    debug_assert!(wanted.updates.iter().all(|update| update.old == Some(tip)));
    let outcomes = publish(opened, git, wanted, call).await?;
    moved(branch, &outcomes, |_| Refusal::ConcurrentReferenceUpdate)
}

/// Moves a branch forward to a commit that leads to it.
pub(crate) struct MergeBranchesByFastForward;

impl ResourceOperation for MergeBranchesByFastForward {
    type On = Opened;
    const NAME: &'static str = "MergeBranchesByFastForward";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = FastForwardInput;
    type Output = MergedOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        refined(need, input.target.as_deref(), &input.destination)
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let (branch, tip) = found_target(&git, input.target.as_deref(), &input.destination).await?;
        let sides = Sides::named(&git, &input.source, &input.destination).await?;
        if sides.destination != tip {
            return Err(Refusal::ConcurrentReferenceUpdate.into());
        }
        if !sides.forward {
            return Err(Refusal::ManualMergeRequired.into());
        }
        let received = git.check(sides.source.format(), vec![sides.source]).await?;
        let update = RefUpdate { name: full_branch(&branch), old: Some(tip), new: Some(sides.source) };
        land(opened, &git, (&branch, tip), Move::one(received, update), call).await?;
        let reader = Reader::new(&git);
        let tree = blocking(move || Ok(reader.expect_commit(&sides.source)?.tree)).await?;
        Ok(MergedOutput { commit_id: sides.source.to_string(), tree_id: tree.to_string() })
    }
}

/// Adds the condition keys of a merge into a branch.
fn refined<'n>(need: Need<'n>, stated: Option<&str>, destination: &str) -> Need<'n> {
    match target(stated, destination) {
        Some(branch) => describe(need, branch, true),
        None => need,
    }
}

fn check(input: &MergeBranchesInput) -> Result<(), CodeCommitError> {
    check_email(input.email.as_deref())?;
    ConflictResolution::check(input.resolution.as_ref(), input.strategy)
}

async fn merge(
    option: MergeOption,
    input: MergeBranchesInput,
    opened: &Opened,
    call: &Call<'_, CodeCommit>,
) -> Result<MergedOutput, CodeCommitError> {
    let git = opened.git(call).await?;
    let (branch, tip) = found_target(&git, input.target.as_deref(), &input.destination).await?;
    let sides = Sides::named(&git, &input.source, &input.destination).await?;
    if sides.destination != tip {
        return Err(Refusal::ConcurrentReferenceUpdate.into());
    }
    let resolved = Resolved {
        settings: Settings::new(input.detail, input.strategy),
        resolution: input.resolution,
        keep_empty_folders: input.keep_empty_folders,
        author: Author::new(input.author_name, input.email, call),
        message: Resolved::message(input.message, &input.source, &branch),
    };
    let made = resolved.commit(&git, sides, option).await?;
    let (commit, tree) = (made.commit, made.tree);
    let received = write_objects(&git, commit.format(), made.objects, commit).await?;
    let update = RefUpdate { name: full_branch(&branch), old: Some(tip), new: Some(commit) };
    let wanted = Move { besides: Some(remembered(opened, &sides, commit)), ..Move::one(received, update) };
    land(opened, &git, (&branch, tip), wanted, call).await?;
    Ok(MergedOutput { commit_id: commit.to_string(), tree_id: tree.to_string() })
}

/// Notes which commit merged what, in the transaction that moves the branch.
pub(super) fn remembered(repository: &RepositoryRecord, sides: &Sides, commit: ObjectId) -> Arc<Besides> {
    let (id, record) = (repository.id.clone(), MergeRecord { name: sides.name(), commit: commit.to_string() });
    Arc::new(move |tx: &mut Tx<'_>| Ok(tx.put(&id, &record.name, &record)?))
}

/// Merges into one commit, whose only parent is the branch's tip.
pub(crate) struct MergeBranchesBySquash;

impl ResourceOperation for MergeBranchesBySquash {
    type On = Opened;
    const NAME: &'static str = "MergeBranchesBySquash";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = MergeBranchesInput;
    type Output = MergedOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check(input)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        refined(need, input.target.as_deref(), &input.destination)
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        merge(MergeOption::Squash, input, opened, call).await
    }
}

/// Merges into a commit with both tips as parents.
pub(crate) struct MergeBranchesByThreeWay;

impl ResourceOperation for MergeBranchesByThreeWay {
    type On = Opened;
    const NAME: &'static str = "MergeBranchesByThreeWay";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = MergeBranchesInput;
    type Output = MergedOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check(input)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        refined(need, input.target.as_deref(), &input.destination)
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        merge(MergeOption::ThreeWay, input, opened, call).await
    }
}
