//! `GetCommit` and `BatchGetCommits`.

use git::Repository;
use service::{AuditClass, Call, Permit, ResourceOperation, ServiceError as _};
use wire::shape::Rule;

use super::CommitOutput;
use crate::CodeCommit;
use crate::access::Opened;
use crate::content::{Reader, blocking, object_id};
use crate::error::{CodeCommitError, Refusal};
use crate::rules::{NAME, NAME_PATTERN};

/// How many commits a batch names at most.
const BATCH_MAX: usize = 100;

wire::shape! {
    pub(crate) struct GetCommitInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "commitId" commit_id: String, required, [Rule::Length(1, 64)];
    }
}

wire::output! {
    pub(crate) struct GetCommitOutput {
        "commit" commit: CommitOutput, required;
    }
}

/// The commit of a full id that some reference leads to.
async fn found(git: &Repository, text: &str) -> Result<CommitOutput, CodeCommitError> {
    let missing = || Refusal::CommitIdDoesNotExist { id: text.to_owned() };
    let id = object_id(text).ok_or_else(|| Refusal::InvalidCommitId { id: text.to_owned() })?;
    if git.format() != Some(id.format()) || git.unreachable(vec![id]).await?.is_some() {
        return Err(missing().into());
    }
    let reader = Reader::new(git);
    let commit = blocking(move || reader.commit(&id)?.as_ref().map(CommitOutput::of).transpose()).await?;
    commit.ok_or_else(|| missing().into())
}

/// Gets a commit.
pub(crate) struct GetCommit;

impl ResourceOperation for GetCommit {
    type On = Opened;
    const NAME: &'static str = "GetCommit";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetCommitInput;
    type Output = GetCommitOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        Ok(GetCommitOutput { commit: found(&opened.git(call).await?, &input.commit_id).await? })
    }
}

wire::shape! {
    pub(crate) struct BatchGetCommitsInput {
        "commitIds" commit_ids: Vec<String>, required, [Rule::Each(&[Rule::Length(1, 64)])];
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
    }
}

wire::output! {
    /// Why a commit of a batch is not in its answer.
    pub(crate) struct BatchGetCommitsError {
        "commitId" commit_id: String, required;
        "errorCode" error_code: String, required;
        "errorMessage" error_message: String, required;
    }
}

wire::output! {
    pub(crate) struct BatchGetCommitsOutput {
        "commits" commits: Vec<CommitOutput>, required;
        "errors" errors: Vec<BatchGetCommitsError>, required;
    }
}

/// Gets several commits.
pub(crate) struct BatchGetCommits;

impl ResourceOperation for BatchGetCommits {
    type On = Opened;
    const NAME: &'static str = "BatchGetCommits";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = BatchGetCommitsInput;
    type Output = BatchGetCommitsOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        match input.commit_ids.len() {
            0 => Err(Refusal::CommitIdsListRequired.into()),
            1..=BATCH_MAX => Ok(()),
            _ => Err(Refusal::CommitIdsLimitExceeded { most: BATCH_MAX }.into()),
        }
    }

    async fn run(
        input: Self::Input,
        opened: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let git = opened.git(call).await?;
        let mut output = BatchGetCommitsOutput { commits: Vec::new(), errors: Vec::new() };
        for commit_id in input.commit_ids {
            match found(&git, &commit_id).await {
                Ok(commit) => output.commits.push(commit),
                Err(error @ CodeCommitError::Refused(_)) => {
                    let fault = error.fault();
                    let (error_code, error_message) = (fault.code.to_owned(), fault.message);
                    output.errors.push(BatchGetCommitsError { commit_id, error_code, error_message });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(output)
    }
}
