//! `VerifyRepository` and `MaintainRepository`: what an operator's commands need. Actions of ours without an API, which
//! policies can name, so that they are decided and audited like every other.

use service::{AuditClass, Call, Permit, ResourceOperation};

use super::{GitPullInput, Opened, PulledFrom};
use crate::CodeCommit;
use crate::error::CodeCommitError;

/// Reads all of a repository again, to compare it with its hashes.
pub(crate) struct VerifyRepository;

impl ResourceOperation for VerifyRepository {
    type On = Opened;
    const NAME: &'static str = "VerifyRepository";
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

/// Makes few packs of a repository's many, and lets go of objects that no reference has led to for long enough.
pub(crate) struct MaintainRepository;

impl ResourceOperation for MaintainRepository {
    type On = Opened;
    const NAME: &'static str = "MaintainRepository";
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
