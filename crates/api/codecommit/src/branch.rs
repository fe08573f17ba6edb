//! Branches: created, found, listed and deleted, and the default one.

use git::RefUpdate;
use service::{AuditClass, Call, Need, Permit, ResourceOperation, Window};
use store::Tx;
use wire::shape::Rule;

use crate::CodeCommit;
use crate::access::{FAST_FORWARD, Opened, REFERENCES, THROUGH_PULL_REQUEST};
use crate::content::{check_branch_name, full_branch, object_id};
use crate::error::{CodeCommitError, Refusal};
use crate::reference::{Move, moved, publish};
use crate::rules::{BRANCH, NAME, NAME_PATTERN, TOKEN};

/// How many branches a page has.
const PAGE: usize = 1000;

/// Adds the condition keys of a change of a branch.
pub(crate) fn describe<'n>(need: Need<'n>, branch: &str, fast_forward: bool) -> Need<'n> {
    let need = need.with(REFERENCES, full_branch(branch));
    need.with(FAST_FORWARD, fast_forward).with(THROUGH_PULL_REQUEST, false)
}

wire::output! {
    /// A branch.
    pub(crate) struct BranchInfo {
        "branchName" name: String, required;
        "commitId" commit_id: String, required;
    }
}

wire::shape! {
    pub(crate) struct GetBranchInput {
        "repositoryName" repository_name: String, optional, [NAME, NAME_PATTERN];
        "branchName" branch_name: String, optional, [BRANCH];
    }
}

wire::output! {
    pub(crate) struct GetBranchOutput {
        "branch" branch: BranchInfo, required;
    }
}

/// Gets the tip of a branch. In AWS's model neither member is required, and yet neither can be left out.
pub(crate) struct GetBranch;

impl ResourceOperation for GetBranch {
    type On = Opened;
    const NAME: &'static str = "GetBranch";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetBranchInput;
    type Output = GetBranchOutput;

    fn key(input: &Self::Input) -> &str {
        input.repository_name.as_deref().unwrap_or_default()
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        if input.repository_name.is_none() {
            return Err(Refusal::RepositoryNameRequired.into());
        }
        check_branch_name(input.branch_name.as_deref().ok_or(Refusal::BranchNameRequired)?)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let name = input.branch_name.unwrap_or_default();
        let tip = found.git(call).await?.reference(&full_branch(&name));
        let tip = tip.ok_or_else(|| Refusal::BranchDoesNotExist { name: name.clone() })?;
        Ok(GetBranchOutput { branch: BranchInfo { name, commit_id: tip.to_string() } })
    }
}

wire::shape! {
    pub(crate) struct ListBranchesInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "nextToken" next_token: String, optional, [TOKEN];
    }
}

wire::output! {
    pub(crate) struct ListBranchesOutput {
        "branches" branches: Vec<String>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists branches by name.
pub(crate) struct ListBranches;

impl ResourceOperation for ListBranches {
    type On = Opened;
    const NAME: &'static str = "ListBranches";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListBranchesInput;
    type Output = ListBranchesOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = found.git(call).await?;
        let prefix = full_branch("");
        let names = git.references().with_prefix(&prefix).filter_map(|found| found.name.strip_prefix(&prefix));
        let page = Window::new(input.next_token, None::<i32>, PAGE, PAGE).by_name(names, |name| name)?;
        let page = page.map(str::to_owned);
        Ok(ListBranchesOutput { branches: page.items, next_token: page.next })
    }
}

wire::shape! {
    pub(crate) struct CreateBranchInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "branchName" branch_name: String, required, [BRANCH];
        "commitId" commit_id: String, required, [Rule::Length(1, 64)];
    }
}

/// Creates a branch at a commit. It never becomes the default branch.
pub(crate) struct CreateBranch;

impl ResourceOperation for CreateBranch {
    type On = Opened;
    const NAME: &'static str = "CreateBranch";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateBranchInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_branch_name(&input.branch_name)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        describe(need, &input.branch_name, true)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let CreateBranchInput { branch_name, commit_id, .. } = input;
        let id = object_id(&commit_id).ok_or_else(|| Refusal::InvalidCommitId { id: commit_id.clone() })?;
        let git = found.git(call).await?;
        let missing = || Refusal::CommitDoesNotExist { name: commit_id.clone() };
        if git.format() != Some(id.format()) || git.unreachable(vec![id]).await?.is_some() {
            return Err(missing().into());
        }
        let received = git.check(id.format(), vec![id]).await?;
        let update = RefUpdate { name: full_branch(&branch_name), old: None, new: Some(id) };
        let outcomes = publish(found, &git, Move::one(received, update), call).await?;
        if matches!(outcomes.first(), Some(git::RefOutcome::NotACommit | git::RefOutcome::NotChecked)) {
            return Err(missing().into());
        }
        moved(&branch_name, &outcomes, |_| Refusal::BranchNameExists { name: branch_name.clone() })
    }
}

wire::shape! {
    pub(crate) struct DeleteBranchInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "branchName" branch_name: String, required, [BRANCH];
    }
}

wire::output! {
    pub(crate) struct DeleteBranchOutput {
        "deletedBranch" deleted_branch: BranchInfo, optional;
    }
}

/// Deletes a branch. One that is not there is none after that as well.
pub(crate) struct DeleteBranch;

impl ResourceOperation for DeleteBranch {
    type On = Opened;
    const NAME: &'static str = "DeleteBranch";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteBranchInput;
    type Output = DeleteBranchOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_branch_name(&input.branch_name)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Opened>, need: Need<'n>) -> Need<'n> {
        describe(need, &input.branch_name, false)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (git, branch) = (found.git(call).await?, input.branch_name);
        let name = full_branch(&branch);
        let Some(tip) = git.reference(&name) else { return Ok(DeleteBranchOutput { deleted_branch: None }) };
        if git.head() == name {
            return Err(Refusal::DefaultBranchCannotBeDeleted { name: branch }.into());
        }
        let received = git.check(tip.format(), Vec::new()).await?;
        let update = RefUpdate { name, old: Some(tip), new: None };
        let outcomes = publish(found, &git, Move::one(received, update), call).await?;
        moved(&branch, &outcomes, |_| Refusal::OperationNotAllowed { reason: "the branch was changed meanwhile" })?;
        let commit_id = tip.to_string();
        Ok(DeleteBranchOutput { deleted_branch: Some(BranchInfo { name: branch, commit_id }) })
    }
}

wire::shape! {
    pub(crate) struct UpdateDefaultBranchInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "defaultBranchName" branch_name: String, required, [BRANCH];
    }
}

/// Changes the default branch.
pub(crate) struct UpdateDefaultBranch;

impl ResourceOperation for UpdateDefaultBranch {
    type On = Opened;
    const NAME: &'static str = "UpdateDefaultBranch";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateDefaultBranchInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        check_branch_name(&input.branch_name)
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let name = full_branch(&input.branch_name);
        if found.git(call).await?.reference(&name).is_none() {
            return Err(Refusal::BranchDoesNotExist { name: input.branch_name }.into());
        }
        let (git, now) = (call.service.git.clone(), call.now);
        let change = move |record: &mut crate::record::RepositoryRecord, tx: &mut Tx<'_>| {
            record.modified = now;
            Ok(git.set_head(tx, &record.id, &name)?)
        };
        call.service.change(call, found, change).await
    }
}
