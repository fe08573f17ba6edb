//! The small traits through which the API crates meet without importing each other; `server` joins them.

mod data_keys;

use std::sync::Arc;

use policy::{Context, Reason};
use store::StoreError;
use wire::sigv4::{Authorization, SigningKey};
use wire::{Arn, Timestamp};

use crate::call::Caller;
use crate::maybe_ready::{BoxFuture, MaybeReady};
use crate::need::Need;

pub use data_keys::{DataKey, DataKeyContext, DataKeys};

/// What a valid access key stands for.
pub struct Credential {
    /// Who signs with it.
    pub caller: Arc<Caller>,
    /// The key of the request's date, region and service.
    pub signing_key: Arc<SigningKey>,
}

/// Why an access key is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// No such access key, it is inactive, or its session token does not belong to it.
    #[error("unknown access key")]
    Unknown,
    /// The session has expired.
    #[error("expired session")]
    Expired,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Knows credentials and decides what their holders may do. `iam` is it.
pub trait Authority: Send + Sync + 'static {
    /// The credential that `authorization` names, for verifying its signature.
    fn credential<'a>(
        &'a self,
        authorization: &'a Authorization<'a>,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Credential, CredentialError>>;

    /// Whether `caller` may have `need` in `context`, which already holds the need's own keys; why not, if not.
    fn decide<'a>(
        &'a self,
        caller: &'a Caller,
        need: &'a Need<'a>,
        context: &'a Context<'a>,
    ) -> MaybeReady<'a, Result<Result<(), Reason>, StoreError>>;

    /// Notes that `caller`, whose signature was verified, asks for `action` in `region`, whatever is decided. Called for
    /// every need of every call, so it has to be quick.
    fn record_use(&self, caller: &Caller, action: &'static str, region: &str, at: Timestamp);

    /// All that bore on a refusal, sealed: for the caller to hand to somebody who may decode it. `None` where there is
    /// nothing to be handed on.
    fn sealed_refusal<'a>(
        &'a self,
        caller: &'a Caller,
        need: &'a Need<'a>,
        context: &'a Context<'a>,
        reason: &'a Reason,
    ) -> BoxFuture<'a, Option<String>>;
}

/// Knows which principals exist, for policies that name them. `iam` is it.
pub trait Principals: Send + Sync + 'static {
    /// The unique id (`AIDA…`, `AROA…`, the account id for `:root`) of the principal that `arn` names now.
    fn unique_id<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Option<String>, StoreError>>;
}

/// What it takes to hand a role to a service.
pub struct Passing {
    /// What the caller must hold, whether or not there is such a role.
    pub need: Need<'static>,
    /// Whether there is, and its trust policy lets the service assume it.
    pub trusted: bool,
}

/// Knows roles, for services that act with one that a caller hands to them. `iam` is it.
pub trait Roles: Send + Sync + 'static {
    /// What it takes to hand the role at `arn` to `service`, such as `codedeploy.amazonaws.com`.
    fn passing<'a>(&'a self, arn: &'a Arn, service: &'a str) -> BoxFuture<'a, Result<Passing, StoreError>>;
}
