//! A repository that an input names. Its data key stays sealed.

use std::sync::Arc;

use service::{Call, Need, Resource};

use crate::CodeCommit;
use crate::error::{CodeCommitError, Refusal};
use crate::record::{RepositoryRecord, arn, domain};

/// A repository.
#[derive(Clone)]
pub struct Named(pub(crate) Arc<RepositoryRecord>);

impl std::ops::Deref for Named {
    type Target = RepositoryRecord;

    fn deref(&self) -> &RepositoryRecord {
        &self.0
    }
}

impl Named {
    /// The repository of that name in the caller's account, if there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn look_up(name: &str, call: &Call<'_, CodeCommit>) -> Result<Option<Self>, CodeCommitError> {
        let domain = domain(call.account(), call.region);
        let Some(found) = call.service.names.get(&domain, name).await? else { return Ok(None) };
        Ok(call.service.repositories.get(&domain, &found.id).await?.map(Self))
    }

    /// The need of `action` on it.
    pub(crate) fn need_of<'n>(&self, action: &'static str) -> Need<'n> {
        let tags = self.tags.iter().map(|(key, value)| (key.clone(), value.clone()));
        Need::identity(action, self.arn()).with_named("aws:ResourceTag/", tags)
    }
}

/// The need of `action` on a repository of a name that nothing is known of but the name.
pub(crate) fn need_of_name<'n>(name: &str, action: &'static str, call: &Call<'_, CodeCommit>) -> Need<'n> {
    Need::identity(action, arn(call.region, call.account(), name))
}

impl Resource for Named {
    type Service = CodeCommit;
    type Key<'a> = &'a str;

    async fn find<'a>(name: &'a str, call: &'a Call<'_, CodeCommit>) -> Result<Self, CodeCommitError> {
        let found = Self::look_up(name, call).await?;
        found.ok_or_else(|| Refusal::RepositoryDoesNotExist { name: name.to_owned() }.into())
    }

    fn need<'n>(&'n self, _: &'n str, action: &'static str, _: &'n Call<'_, CodeCommit>) -> Need<'n> {
        self.need_of(action)
    }

    fn need_of_missing<'n>(name: &'n str, action: &'static str, call: &'n Call<'_, CodeCommit>) -> Option<Need<'n>> {
        Some(need_of_name(name, action, call))
    }
}
