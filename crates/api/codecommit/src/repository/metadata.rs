//! A repository as answers show it.

use service::Call;
use wire::Timestamp;

use crate::CodeCommit;
use crate::access::Opened;
use crate::error::CodeCommitError;
use crate::record::RepositoryRecord;

wire::output! {
    /// A repository's metadata. `Arn` alone begins with a capital, as in AWS's model.
    pub(crate) struct RepositoryMetadata {
        "accountId" account_id: String, required;
        "repositoryId" repository_id: String, required;
        "repositoryName" repository_name: String, required;
        "repositoryDescription" repository_description: String, optional;
        "defaultBranch" default_branch: String, optional;
        "lastModifiedDate" last_modified_date: Timestamp, required;
        "creationDate" creation_date: Timestamp, required;
        "cloneUrlHttp" clone_url_http: String, required;
        "cloneUrlSsh" clone_url_ssh: String, required;
        "Arn" arn: String, required;
        "kmsKeyId" kms_key_id: String, required;
    }
}

wire::output! {
    /// An output that is a repository's metadata.
    pub(crate) struct RepositoryOutput {
        "repositoryMetadata" repository_metadata: RepositoryMetadata, required;
    }
}

impl RepositoryMetadata {
    /// The metadata of a repository that was opened.
    ///
    /// # Errors
    /// Those of `git`.
    pub(crate) async fn of_opened(opened: &Opened, call: &Call<'_, CodeCommit>) -> Result<Self, CodeCommitError> {
        let git = opened.git(call).await?;
        let branch = git.head().strip_prefix("refs/heads/").filter(|_| git.reference(git.head()).is_some());
        Ok(Self::of(opened, branch.map(str::to_owned), call))
    }

    /// The metadata of `record`.
    pub(crate) fn of(record: &RepositoryRecord, default_branch: Option<String>, call: &Call<'_, CodeCommit>) -> Self {
        let addresses = &call.service.addresses;
        Self {
            account_id: record.account.clone(),
            repository_id: record.id.clone(),
            repository_name: record.name.clone(),
            repository_description: record.description.clone(),
            default_branch,
            last_modified_date: record.modified,
            creation_date: record.created,
            clone_url_http: addresses.http(&record.name, call),
            clone_url_ssh: addresses.ssh(&record.name, call),
            arn: record.arn(),
            kms_key_id: record.key_arn.clone(),
        }
    }
}
