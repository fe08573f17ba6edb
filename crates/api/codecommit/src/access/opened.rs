//! A repository whose data key was opened as the caller, at each call anew.

use std::sync::Arc;

use crypto::Key256;
use git::Repository;
use service::{Call, Need, Resource};

use super::{Named, data_key};
use crate::CodeCommit;
use crate::error::CodeCommitError;

/// Operations that store contents: their callers may have data keys made under the KMS key, not only open one.
const STORING: [&str; 9] = [
    "GitPush",
    "CreateCommit",
    "PutFile",
    "DeleteFile",
    "CreateUnreferencedMergeCommit",
    "MergeBranchesBySquash",
    "MergeBranchesByThreeWay",
    "MergePullRequestBySquash",
    "MergePullRequestByThreeWay",
];

/// A repository whose KMS key the caller may use.
pub struct Opened {
    pub(crate) repository: Named,
    key: Option<Arc<Key256>>,
}

impl std::ops::Deref for Opened {
    type Target = Named;

    fn deref(&self) -> &Named {
        &self.repository
    }
}

impl Opened {
    /// The repository with a data key that is still sealed.
    pub(crate) const fn sealed(repository: Named) -> Self {
        Self { repository, key: None }
    }

    /// Opens the data key.
    ///
    /// # Errors
    /// [`CodeCommitError::Key`].
    pub(crate) async fn open(&mut self, call: &Call<'_, CodeCommit>) -> Result<(), CodeCommitError> {
        self.key = Some(Arc::new(data_key::open(&self.repository, call).await?));
        Ok(())
    }

    /// Opens the data key for `operation`.
    ///
    /// # Errors
    /// [`CodeCommitError::Key`].
    pub(crate) async fn open_for(
        &mut self,
        operation: &'static str,
        call: &Call<'_, CodeCommit>,
    ) -> Result<(), CodeCommitError> {
        self.open(call).await?;
        if STORING.contains(&operation) {
            // For KMS's answer alone: what a repository stores is sealed under the data key that it has.
            let _ = data_key::generate(&self.repository.key_arn, &self.repository.id, call).await?;
        }
        Ok(())
    }

    /// The objects and references as they are now.
    ///
    /// # Errors
    /// Those of `git`.
    pub(crate) async fn git(&self, call: &Call<'_, CodeCommit>) -> Result<Repository, CodeCommitError> {
        Ok(call.service.git.open(&self.repository.id, self.key()?).await?)
    }

    /// The data key.
    ///
    /// # Errors
    /// [`CodeCommitError::Damaged`] before it was opened.
    pub(crate) fn key(&self) -> Result<&Arc<Key256>, CodeCommitError> {
        self.key.as_ref().ok_or_else(|| CodeCommitError::Damaged("a data key was not opened".to_owned()))
    }
}

impl Resource for Opened {
    type Service = CodeCommit;
    type Key<'a> = &'a str;

    async fn find<'a>(name: &'a str, call: &'a Call<'_, CodeCommit>) -> Result<Self, CodeCommitError> {
        Named::find(name, call).await.map(Self::sealed)
    }

    fn need<'n>(&'n self, name: &'n str, action: &'static str, call: &'n Call<'_, CodeCommit>) -> Need<'n> {
        self.repository.need(name, action, call)
    }

    fn need_of_missing<'n>(name: &'n str, action: &'static str, call: &'n Call<'_, CodeCommit>) -> Option<Need<'n>> {
        Named::need_of_missing(name, action, call)
    }

    /// Only a caller who is permitted gets as far as KMS.
    async fn begin(&mut self, operation: &'static str, call: &Call<'_, CodeCommit>) -> Result<(), CodeCommitError> {
        self.open_for(operation, call).await
    }
}
