//! `GitPull`: what a fetch needs. An action of policies without an API of its own, performed for clients of Git.

use std::sync::Arc;

use crypto::Key256;
use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};

use super::Opened;
use crate::CodeCommit;
use crate::error::CodeCommitError;
use crate::rules::{NAME, NAME_PATTERN};

wire::shape! {
    /// The input of `GitPull`.
    pub struct GitPullInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
    }
}

/// The repository that may be read.
#[derive(Serialize)]
pub struct PulledFrom {
    /// Its id, under which its objects are stored.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its data key.
    #[serde(skip)]
    pub key: Arc<Key256>,
}

impl PulledFrom {
    /// The repository that was found and opened.
    pub(super) fn of(found: &Opened) -> Result<Self, CodeCommitError> {
        let (id, name, arn) = (found.id.clone(), found.name.clone(), found.arn());
        Ok(Self { id, name, arn, key: Arc::clone(found.key()?) })
    }
}

/// Reads a repository with a client of Git.
pub struct GitPull;

impl ResourceOperation for GitPull {
    type On = Opened;
    const NAME: &'static str = "GitPull";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GitPullInput;
    type Output = PulledFrom;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        _: Self::Input,
        found: &Permit<Opened>,
        _: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        PulledFrom::of(found)
    }
}
