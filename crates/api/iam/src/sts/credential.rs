//! Limits and tags of new sessions, and the credentials that answers carry.

use policy::{Kind as Grammar, PrincipalKind};
use serde::Serialize;
use service::{Call, Caller, Need};
use wire::Timestamp;
use wire::shape::Rule;

use super::Sts;
use crate::authority::session::{Limits, Session};
use crate::values::error::{IamError, Quota, Result};
use crate::values::secret::SecretAccessKey;
use crate::values::tag::{self, Tag, TagInput};
use crate::values::{document, name};

/// The rule of `RoleSessionName` and `SourceIdentity`.
pub(crate) const SESSION_NAME: [Rule; 2] = [Rule::Length(2, 64), Rule::Pattern(r"[\w+=,.@-]*")];

/// The rules of a session's policy. AWS counts every character of it.
pub(crate) const POLICY: [Rule; 2] = [Rule::Length(1, 2048), document::PATTERN];

/// How long a session can be asked to last at least, in seconds.
pub(crate) const SECONDS_MIN: i64 = 900;

/// How long a token a caller may ask for, in bytes.
pub(crate) const TOKEN_BYTES_MIN: Rule = Rule::Range(0, 4096);

/// How many managed policies can limit a session.
const ARNS_MAX: usize = 10;

/// The most that policies and tags may take in a token, in bytes. With the rest and the encoding, a token stays below 12 KiB,
/// which every HTTP stack takes as a header.
const PACKED_BYTES_MAX: usize = 7168;

wire::shape! {
    /// A managed policy that limits a session.
    pub struct PolicyDescriptorType {
        "arn" arn: String, optional, [Rule::Length(20, 2048)];
    }
}

/// The credentials of a session, as answers carry them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Credentials {
    access_key_id: String,
    secret_access_key: SecretAccessKey,
    session_token: String,
    expiration: Timestamp,
}

impl Credentials {
    /// Those of a new session.
    pub(crate) async fn of(session: Session, sts: &Sts) -> Result<Self> {
        let session_token = session.token(&sts.iam.store).await?;
        let Session { access_key_id, secret: secret_access_key, expires: expiration, .. } = session;
        Ok(Self { access_key_id, secret_access_key, session_token, expiration })
    }
}

/// Checks what is to limit a session of somebody in `account`.
///
/// # Errors
/// `MalformedPolicyDocument`, `LimitExceeded`, `ValidationError`.
pub(crate) async fn limits(
    sts: &Sts,
    account: &str,
    inline: Option<String>,
    arns: Vec<PolicyDescriptorType>,
) -> Result<Option<Limits>> {
    if let Some(text) = &inline {
        document::parse(text, Grammar::Session)?;
    }
    if arns.len() > ARNS_MAX {
        return Err(IamError::LimitExceeded(Quota::Count { name: "PolicyArns", limit: ARNS_MAX }));
    }
    let arns: Vec<_> = arns.into_iter().filter_map(|descriptor| descriptor.arn).collect();
    for arn in &arns {
        // A policy of another account is nobody's here.
        let own = wire::account_of(arn).is_some_and(|owner| owner == "aws" || owner == account);
        if !own || sts.iam.managed(arn).await?.is_none() {
            return Err(IamError::NothingToAttach { arn: arn.clone() });
        }
    }
    Ok((inline.is_some() || !arns.is_empty()).then_some(Limits { inline, arns }))
}

/// Gives a session its limits and tags. Returns how much of the room for them they take, in percent, if there are any.
///
/// # Errors
/// `PackedPolicyTooLarge`.
pub(crate) fn pack(session: &mut Session, limits: Option<Limits>, tags: Vec<Tag>) -> Result<Option<usize>> {
    let policies = limits.as_ref().map_or(0, |limits| {
        limits.inline.as_ref().map_or(0, String::len) + limits.arns.iter().map(String::len).sum::<usize>()
    });
    let bytes = policies + tags.iter().map(|tag| tag.key.len() + tag.value.len()).sum::<usize>();
    let percent = (bytes * 100).div_ceil(PACKED_BYTES_MAX);
    if percent > 100 {
        return Err(IamError::PackedPolicyTooLarge { percent });
    }
    session.limits = limits;
    session.tags = tags;
    Ok((percent > 0).then_some(percent))
}

/// Tags for a session, in the form that roles' have.
///
/// # Errors
/// `ValidationError`, `InvalidInput`, `InvalidParameterValue`.
pub(crate) fn tags(given: &[TagInput]) -> Result<Vec<Tag>> {
    tag::checked(given).map_err(|error| match error {
        IamError::InvalidInput(tag::DUPLICATE) => IamError::InvalidParameter(tag::DUPLICATE),
        error => error,
    })
}

/// The condition keys of a request for a session: its tags, and which of them go on.
pub(crate) fn tagged(need: Need<'static>, tags: &[TagInput], transitive: &[String]) -> Need<'static> {
    if tags.is_empty() && transitive.is_empty() {
        return need;
    }
    tag::in_request(need, tags).with_many("sts:TransitiveTagKeys", transitive.iter().cloned())
}

/// Refuses a session: these operations are for long-lived credentials.
///
/// # Errors
/// `AccessDenied`.
pub(crate) fn long_lived(call: &Call<'_, Sts>, operation: &str) -> Result<()> {
    if is_session(call.caller) {
        return Err(IamError::AccessDenied(format!("Cannot call {operation} with session credentials")));
    }
    Ok(())
}

/// Whether the caller has temporary credentials.
pub(crate) fn is_session(caller: &Caller) -> bool {
    caller.context.get("aws:TokenIssueTime").is_some()
}

/// Refuses MFA codes: no MFA devices can be registered here.
///
/// # Errors
/// `AccessDenied`.
pub(crate) fn without_mfa(serial: Option<&String>, code: Option<&String>) -> Result<()> {
    match (serial, code) {
        (None, None) => Ok(()),
        (Some(_), Some(_)) => Err(IamError::AccessDenied(
            "MultiFactorAuthentication failed with invalid MFA one time pass code.".to_owned(),
        )),
        _ => Err(IamError::Validation("SerialNumber and TokenCode must be given together.".to_owned())),
    }
}

/// The name at the end of a federated user's ARN.
pub(crate) fn federated_name(name: &str) -> Result<()> {
    name::check(name, "name")
}

/// Whether the caller is the root user.
pub(crate) fn is_root(caller: &Caller) -> bool {
    caller.principal.kind == PrincipalKind::Root
}
