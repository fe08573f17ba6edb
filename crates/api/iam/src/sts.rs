//! STS: who one is, and credentials for a while. A second service over the same accounts.

mod assume_role;
mod credential;
mod decode;
mod identity;
mod session_token;
mod web_identity;

use std::sync::Arc;

use service::{Entry, Service, operations};
use wire::Protocol;

use crate::Iam;
use crate::values::error::IamError;

/// The STS service.
pub struct Sts {
    iam: Arc<Iam>,
}

impl Sts {
    /// The service over the accounts of `iam`.
    #[must_use]
    pub const fn new(iam: Arc<Iam>) -> Self {
        Self { iam }
    }
}

/// Every operation that is served. What botocore knows besides is in `missing-sts.txt`.
static OPERATIONS: &[Entry<Sts>] = operations![
    assume_role::AssumeRole,
    web_identity::AssumeRoleWithWebIdentity,
    decode::DecodeAuthorizationMessage,
    identity::GetAccessKeyInfo,
    identity::GetCallerIdentity,
    session_token::GetFederationToken,
    session_token::GetSessionToken,
];

impl Service for Sts {
    const NAME: &'static str = "sts";
    const EVENT_SOURCE: &'static str = "sts.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[Protocol::query("https://sts.amazonaws.com/doc/2011-06-15/")];
    const UNSIGNED: &'static [&'static str] = &["AssumeRoleWithWebIdentity"];
    const NOT_SERVED: &'static str = include_str!("../missing-sts.txt");
    type Error = IamError;

    fn operations() -> &'static [Entry<Self>] {
        OPERATIONS
    }
}
