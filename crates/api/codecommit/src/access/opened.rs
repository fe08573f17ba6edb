//! A repository whose data key was opened as the caller, at each call anew.

use std::sync::Arc;

use crypto::Key256;
use git::Repository;
use service::{Call, Need, Resource};

use super::{Named, data_key};
use crate::CodeCommit;
use crate::error::CodeCommitError;

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
    async fn begin(&mut self, _: &'static str, call: &Call<'_, CodeCommit>) -> Result<(), CodeCommitError> {
        self.open(call).await
    }
}
