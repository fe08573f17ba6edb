//! A repository of a name, whether or not there is one: for operations that make or remove it.

use service::{Call, Need, Resource};

use super::{Named, need_of_name};
use crate::CodeCommit;
use crate::error::CodeCommitError;

/// A repository, if there is one of the name.
pub(crate) struct Maybe(pub(crate) Option<Named>);

impl Resource for Maybe {
    type Service = CodeCommit;
    type Key<'a> = &'a str;

    async fn find<'a>(name: &'a str, call: &'a Call<'_, CodeCommit>) -> Result<Self, CodeCommitError> {
        Named::look_up(name, call).await.map(Self)
    }

    fn need<'n>(&'n self, name: &'n str, action: &'static str, call: &'n Call<'_, CodeCommit>) -> Need<'n> {
        match &self.0 {
            Some(found) => found.need_of(action),
            None => need_of_name(name, action, call),
        }
    }

    fn need_of_missing<'n>(name: &'n str, action: &'static str, call: &'n Call<'_, CodeCommit>) -> Option<Need<'n>> {
        Some(need_of_name(name, action, call))
    }
}
