//! `CreateUnreferencedMergeCommit`: a merge that no branch leads to, to be looked at or fetched by its id.
//!
//! A reference of the server's own keeps its objects: `refs/codecommit/merges/…`, which clients neither see nor push to.

use git::RefUpdate;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::SecretText;

use super::branches::{MergedOutput, remembered};
use super::{ConflictResolution, DetailLevel, Resolved, Settings, Sides, Strategy, branch_of};
use crate::CodeCommit;
use crate::access::{Opened, REFERENCES, THROUGH_PULL_REQUEST};
use crate::commit::{AUTHOR, Author, EMAIL, MESSAGE, check_email, write_objects};
use crate::content::full_branch;
use crate::error::{CodeCommitError, Refusal};
use crate::record::pull_request::MergeOption;
use crate::reference::{HIDDEN, Move, moved, publish};
use crate::rules::{NAME, NAME_PATTERN, SPECIFIER};

wire::shape! {
    pub(crate) struct CreateUnreferencedMergeCommitInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "sourceCommitSpecifier" source: String, required, [SPECIFIER];
        "destinationCommitSpecifier" destination: String, required, [SPECIFIER];
        "mergeOption" option: MergeOption, required, [];
        "conflictDetailLevel" detail: DetailLevel, optional, [];
        "conflictResolutionStrategy" strategy: Strategy, optional, [];
        "authorName" author_name: String, optional, [AUTHOR];
        "email" email: String, optional, [EMAIL];
        "commitMessage" message: SecretText, optional, [MESSAGE];
        "keepEmptyFolders" keep_empty_folders: bool, default, [];
        "conflictResolution" resolution: ConflictResolution, optional, [];
    }
}

/// Merges two commits without moving a branch.
pub(crate) struct CreateUnreferencedMergeCommit;

impl ResourceOperation for CreateUnreferencedMergeCommit {
    type On = Opened;
    const NAME: &'static str = "CreateUnreferencedMergeCommit";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateUnreferencedMergeCommitInput;
    type Output = MergedOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        if input.option == MergeOption::FastForward {
            return Err(Refusal::InvalidMergeOption.into());
        }
        check_email(input.email.as_deref())?;
        ConflictResolution::check(input.resolution.as_ref(), input.strategy)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        match branch_of(&input.destination) {
            Some(branch) => need.with(REFERENCES, full_branch(branch)).with(THROUGH_PULL_REQUEST, false),
            None => need,
        }
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let sides = Sides::named(&git, &input.source, &input.destination).await?;
        let resolved = Resolved {
            settings: Settings::new(input.detail, input.strategy),
            resolution: input.resolution,
            keep_empty_folders: input.keep_empty_folders,
            author: Author::new(input.author_name, input.email, call),
            message: Resolved::message(input.message, &input.source, &input.destination),
        };
        let made = resolved.commit(&git, sides, input.option).await?;
        let (commit, tree) = (made.commit, made.tree);
        let received = write_objects(&git, commit.format(), made.objects, commit).await?;
        let name = format!("{HIDDEN}merges/{commit}");
        let update = RefUpdate { old: git.reference(&name), name, new: Some(commit) };
        let wanted = Move { besides: Some(remembered(opened, &sides, commit)), ..Move::one(received, update) };
        let outcomes = publish(opened, &git, wanted, call).await?;
        moved(&input.destination, &outcomes, |_| Refusal::ConcurrentReferenceUpdate)?;
        Ok(MergedOutput { commit_id: commit.to_string(), tree_id: tree.to_string() })
    }
}
