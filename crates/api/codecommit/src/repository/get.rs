//! `GetRepository` and `BatchGetRepositories`.

use service::{AuditClass, Call, Need, Operation, Permit, ResourceOperation, ServiceError as _};
use wire::shape::Rule;

use super::RepositoryInput;
use super::metadata::{RepositoryMetadata, RepositoryOutput};
use crate::CodeCommit;
use crate::access::{Named, Opened, need_of_name};
use crate::error::{CodeCommitError, Refusal};
use crate::rules::{BATCH_MAX, NAME, NAME_PATTERN, check_batch};

/// Gets a repository's metadata.
pub(crate) struct GetRepository;

impl ResourceOperation for GetRepository {
    type On = Opened;
    const NAME: &'static str = "GetRepository";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = RepositoryInput;
    type Output = RepositoryOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        _: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        Ok(RepositoryOutput { repository_metadata: RepositoryMetadata::of_opened(found, call).await? })
    }
}

wire::shape! {
    pub(crate) struct BatchGetRepositoriesInput {
        "repositoryNames" repository_names: Vec<String>, required, [Rule::Each(&[NAME, NAME_PATTERN])];
    }
}

wire::output! {
    /// Why a repository of a batch is not in its answer.
    pub(crate) struct BatchGetRepositoriesError {
        "repositoryId" repository_id: String, optional;
        "repositoryName" repository_name: String, required;
        "errorCode" error_code: String, required;
        "errorMessage" error_message: String, required;
    }
}

wire::output! {
    pub(crate) struct BatchGetRepositoriesOutput {
        "repositories" repositories: Vec<RepositoryMetadata>, required;
        "repositoriesNotFound" repositories_not_found: Vec<String>, required;
        "errors" errors: Vec<BatchGetRepositoriesError>, required;
    }
}

/// Gets the metadata of several repositories.
pub(crate) struct BatchGetRepositories;

impl Operation for BatchGetRepositories {
    type Service = CodeCommit;
    const NAME: &'static str = "BatchGetRepositories";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = BatchGetRepositoriesInput;
    type Output = BatchGetRepositoriesOutput;
    type Target = Vec<Option<Named>>;

    async fn find(input: &Self::Input, call: &Call<'_, CodeCommit>) -> Result<Self::Target, CodeCommitError> {
        check_batch(&input.repository_names)?;
        let mut found = Vec::with_capacity(input.repository_names.len());
        for name in &input.repository_names {
            found.push(Named::look_up(name, call).await?);
        }
        Ok(found)
    }

    fn needs<'n>(
        input: &'n Self::Input,
        found: Option<&'n Self::Target>,
        call: &'n Call<'_, CodeCommit>,
    ) -> Vec<Need<'n>> {
        const ACTION: &str = "codecommit:BatchGetRepositories";
        let found = |index: usize| found.and_then(|found| found.get(index)).and_then(Option::as_ref);
        let names = input.repository_names.iter().take(BATCH_MAX).enumerate();
        let needs: Vec<_> = names
            .map(|(index, name)| {
                found(index).map_or_else(|| need_of_name(name, ACTION, call), |found| found.need_of(ACTION))
            })
            .collect();
        if needs.is_empty() { vec![Need::identity(ACTION, "*")] } else { needs }
    }

    async fn run(
        input: Self::Input,
        found: Permit<Self::Target>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let mut output = BatchGetRepositoriesOutput {
            repositories: Vec::new(),
            repositories_not_found: Vec::new(),
            errors: Vec::new(),
        };
        for (name, found) in input.repository_names.into_iter().zip(found.into_inner()) {
            let id = found.as_ref().map(|found| found.id.clone());
            match described(&name, found, call).await {
                Ok(metadata) => output.repositories.push(metadata),
                Err(error @ (CodeCommitError::Key(_) | CodeCommitError::Refused(_))) => {
                    let fault = error.fault();
                    if id.is_none() {
                        output.repositories_not_found.push(name.clone());
                    }
                    output.errors.push(BatchGetRepositoriesError {
                        repository_id: id,
                        repository_name: name,
                        error_code: fault.code.to_owned(),
                        error_message: fault.message,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(output)
    }
}

async fn described(
    name: &str,
    found: Option<Named>,
    call: &Call<'_, CodeCommit>,
) -> Result<RepositoryMetadata, CodeCommitError> {
    let found = found.ok_or_else(|| Refusal::RepositoryDoesNotExist { name: name.to_owned() })?;
    let mut opened = Opened::sealed(found);
    opened.open(call).await?;
    RepositoryMetadata::of_opened(&opened, call).await
}
