//! Operators' commands on repositories for a caller, beside transfers: making, listing, verifying and maintaining them.
//! Each is an operation, authorised and audited as one.

use git::Repository;
use service::{Behalf, Operation};

use super::{Client, TransferError, Transfers};
use crate::CodeCommit;
use crate::access::{GitPullInput, MaintainRepository, PulledFrom, VerifyRepository};
use crate::repository::create::{CreateRepository, CreateRepositoryInput};
use crate::repository::list::{ListRepositories, ListRepositoriesInput};

impl Transfers {
    /// Makes a repository, unless there is one of the name. `key` is its KMS key, if it is not to be the usual one.
    ///
    /// # Errors
    /// [`TransferError::Refused`].
    pub async fn create(
        &self,
        client: &Client,
        name: &str,
        description: Option<String>,
        key: Option<String>,
    ) -> Result<(), TransferError> {
        let input = CreateRepositoryInput {
            repository_name: name.to_owned(),
            repository_description: description,
            tags: std::collections::BTreeMap::new(),
            kms_key_id: key,
        };
        match self.perform::<CreateRepository>(client, input).await {
            Err(TransferError::Refused(fault)) if fault.code == "RepositoryNameExistsException" => Ok(()),
            created => created.map(|_| ()),
        }
    }

    /// The names of the repositories of the client's account in its Region.
    ///
    /// # Errors
    /// [`TransferError::Refused`].
    pub async fn names(&self, client: &Client) -> Result<Vec<String>, TransferError> {
        let (mut names, mut next_token) = (Vec::new(), None);
        loop {
            let input = ListRepositoriesInput { next_token, sort_by: None, order: None };
            let page = self.perform::<ListRepositories>(client, input).await?;
            names.extend(page.repositories.into_iter().map(|repository| repository.repository_name));
            match page.next_token {
                Some(token) => next_token = Some(token),
                None => return Ok(names),
            }
        }
    }

    /// Opens a repository to read all of it again.
    ///
    /// # Errors
    /// As for [`pull`](Self::pull).
    pub async fn open_to_verify(&self, client: &Client, name: &str) -> Result<Repository, TransferError> {
        self.open::<VerifyRepository>(client, name).await
    }

    /// Opens a repository to maintain it.
    ///
    /// # Errors
    /// As for [`pull`](Self::pull).
    pub async fn open_to_maintain(&self, client: &Client, name: &str) -> Result<Repository, TransferError> {
        self.open::<MaintainRepository>(client, name).await
    }

    async fn open<O>(&self, client: &Client, name: &str) -> Result<Repository, TransferError>
    where
        O: Operation<Service = CodeCommit, Input = GitPullInput, Output = PulledFrom>,
    {
        let opened = self.perform::<O>(client, GitPullInput { repository_name: name.to_owned() }).await?;
        Ok(self.git.open(&opened.id, &opened.key).await?)
    }

    async fn perform<O: Operation<Service = CodeCommit>>(
        &self,
        client: &Client,
        input: O::Input,
    ) -> Result<O::Output, TransferError> {
        let origin = client.origin();
        let behalf = Behalf { caller: &client.caller, region: &client.region, origin: &origin };
        Ok(self.performer.perform::<O>(behalf, input).await?)
    }
}
