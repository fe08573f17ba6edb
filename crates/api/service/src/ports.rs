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

pub use data_keys::{DataKey, DataKeyContext, DataKeys, SealedDataKey};

/// The credential that a signed request or password names. Not a proof of anything until a signature was verified.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The access key.
    pub access_key_id: &'a str,
    /// The token of the session that the access key belongs to.
    pub session_token: Option<&'a str>,
    /// The day of the scope, `YYYYMMDD`.
    pub date: &'a str,
    /// The Region of the scope.
    pub region: &'a str,
    /// The service of the scope.
    pub service: &'a str,
}

impl<'a> From<&'a Authorization<'_>> for Claim<'a> {
    fn from(authorization: &'a Authorization<'_>) -> Self {
        Self {
            access_key_id: authorization.access_key_id(),
            session_token: authorization.session_token(),
            date: authorization.date(),
            region: authorization.region(),
            service: authorization.service(),
        }
    }
}

/// A proof of who calls, other than the signature of a request ([`Authority::credential`]).
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// The user name and password of a service-specific credential, as Git sends them over HTTPS.
    GitPassword {
        /// Such as `alice-at-111122223333`.
        user_name: &'a str,
        /// The password as sent.
        password: &'a [u8],
    },
    /// An access key and a password that is a signature, as the AWS CLI's credential helper makes it.
    GitSigned {
        /// The access key, or access key, `%` and session token.
        user_name: &'a str,
        /// The time of signing and the signature.
        password: &'a str,
        /// The Region of the repository.
        region: &'a str,
        /// The paths that the signature may be for: as a client may have typed the repository's.
        paths: &'a [&'a str],
        /// The hosts that it may be for: with and without the port.
        hosts: &'a [&'a str],
    },
    /// An SSH key whose owner has proved to hold the private key.
    SshKey {
        /// The key's id, such as `APKAEXAMPLE`, which is the user name of the SSH connection.
        key_id: &'a str,
        /// The key as one line of OpenSSH without a comment: `ssh-rsa AAAA…`.
        public_key: &'a str,
    },
    /// Nothing.
    Anonymous,
}

/// The caller and the signing key behind a valid access key.
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
    /// The credential that a request claims, for verifying its signature.
    fn credential<'a>(
        &'a self,
        claim: Claim<'a>,
        now: Timestamp,
    ) -> MaybeReady<'a, Result<Credential, CredentialError>>;

    /// The caller who `proof` proves to be one.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`] for whatever proves nothing: which part is wrong is not revealed.
    fn authenticate<'a>(
        &'a self,
        proof: Proof<'a>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Arc<Caller>, CredentialError>>;

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

/// Conditions for handing a role to a service.
pub struct Passing {
    /// Permission that the caller must hold, whether or not there is such a role.
    pub need: Need<'static>,
    /// Whether there is, and its trust policy lets the service assume it.
    pub trusted: bool,
}

/// Brings the events of services to their destinations, which the operator maps to endpoints. `server` does.
pub trait EventDelivery: Send + Sync + 'static {
    /// Brings a message, JSON, to a destination: the ARN of a topic, a queue or a function. Returns once the endpoint has taken
    /// it.
    ///
    /// # Errors
    /// Why it did not, in words for the owner of the resource that the event is of.
    fn deliver<'a>(&'a self, destination: &'a str, message: &'a str) -> BoxFuture<'a, Result<(), String>>;
}

/// Knows roles, for services that act with one that a caller hands to them. `iam` is it.
pub trait Roles: Send + Sync + 'static {
    /// Conditions for handing the role at `arn` to `service`, such as `codedeploy.amazonaws.com`.
    fn passing<'a>(&'a self, arn: &'a Arn, service: &'a str) -> BoxFuture<'a, Result<Passing, StoreError>>;
}
