//! `GitPush`: what a push needs. Asked once without references when a client discovers them, then once with those that
//! it wants to change: each of them is decided by itself.
//!
//! Source: AWS CodeCommit User Guide, "Limit pushes and merges to branches in AWS CodeCommit".

use std::sync::Arc;

use crypto::Key256;
use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};

use super::{FAST_FORWARD, Named, Opened, REFERENCES, THROUGH_PULL_REQUEST};
use crate::CodeCommit;
use crate::error::CodeCommitError;
use crate::rules::{NAME, NAME_PATTERN};

wire::shape! {
    /// A reference that a push changes.
    pub struct PushedRef {
        "ref" name: String, required, [];
        "commit" commit: String, optional, [];
        "fastForward" fast_forward: bool, optional, [];
    }
}

wire::shape! {
    /// The input of `GitPush`.
    pub struct GitPushInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "references" references: Vec<PushedRef>, default, [];
    }
}

/// The repository that may be written to.
#[derive(Serialize)]
pub struct PushedTo {
    /// Its id, under which its objects are stored.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its data key.
    #[serde(skip)]
    pub key: Arc<Key256>,
    /// For each reference in the order of the input why the caller may not change it; `None` if they may.
    pub refusals: Vec<Option<String>>,
}

/// Writes to a repository with a client of Git.
pub struct GitPush;

impl ResourceOperation for GitPush {
    type On = Opened;
    const NAME: &'static str = "GitPush";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GitPushInput;
    type Output = PushedTo;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let refusals = refusals(found, &input.references, call).await?;
        let (id, name, arn) = (found.id.clone(), found.name.clone(), found.arn());
        Ok(PushedTo { id, name, arn, key: Arc::clone(found.key()?), refusals })
    }
}

/// For each reference why the caller may not change it; `None` if they may.
///
/// # Errors
/// Those of reading policies.
pub(crate) async fn refusals(
    repository: &Named,
    references: &[PushedRef],
    call: &Call<'_, CodeCommit>,
) -> Result<Vec<Option<String>>, CodeCommitError> {
    let mut refusals = Vec::with_capacity(references.len());
    for reference in references {
        let need = repository.need_of(<GitPush as ResourceOperation>::ACTION);
        let mut need = need.with(REFERENCES, reference.name.as_str()).with(THROUGH_PULL_REQUEST, false);
        if let Some(fast_forward) = reference.fast_forward {
            need = need.with(FAST_FORWARD, fast_forward);
        }
        refusals.push(call.refusal(&need).await?.map(|fault| service::legible(&fault.message).to_owned()));
    }
    Ok(refusals)
}
