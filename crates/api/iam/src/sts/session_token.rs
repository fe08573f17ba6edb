//! `GetSessionToken` and `GetFederationToken`: sessions of users, for themselves and for others.

use policy::PrincipalKind;
use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::Arn;
use wire::shape::Rule;

use super::Sts;
use super::credential::{
    Credentials, POLICY, PolicyDescriptorType, SECONDS_MIN, TOKEN_BYTES_MIN, federated_name, is_root, limits,
    long_lived, pack, tagged, tags, without_mfa,
};
use crate::authority::session::{Bearer, Limits, Session, federated_arn};
use crate::values::error::{IamError, Result};
use crate::values::tag::{self, TagInput};

/// How long these sessions last unless the caller says otherwise, in seconds.
const SECONDS_DEFAULT: u32 = 43_200;
/// The most that a session of the root user lasts, in seconds.
const ROOT_SECONDS_MAX: u32 = 3600;
/// The rule of `DurationSeconds`.
const SECONDS: Rule = Rule::Range(SECONDS_MIN, 129_600);

/// How long a session of the caller lasts. More than the root user may have is less for it, as in AWS.
fn seconds(call: &Call<'_, Sts>, asked: Option<u32>) -> u32 {
    let seconds = asked.unwrap_or(SECONDS_DEFAULT);
    if is_root(call.caller) { seconds.min(ROOT_SECONDS_MAX) } else { seconds }
}

/// The caller's unique id if it is a user, `None` if it is the root user.
fn user(call: &Call<'_, Sts>) -> Result<Option<String>> {
    let principal = &call.caller.principal;
    match principal.kind {
        PrincipalKind::User => Ok(Some(principal.unique_id.clone())),
        PrincipalKind::Root => Ok(None),
        _ => Err(IamError::AccessDenied("Only users have session tokens.".to_owned())),
    }
}

wire::shape! {
    /// The input of `GetSessionToken`.
    pub struct GetSessionTokenInput {
        "DurationSeconds" duration_seconds: u32, optional, [SECONDS];
        "MinimumSessionTokenSize" token_bytes_min: u32, default, [TOKEN_BYTES_MIN];
        "SerialNumber" serial_number: String, optional, [Rule::Length(9, 256), Rule::Pattern(r"[\w+=/:,.@-]*")];
        "TokenCode" token_code: String, optional, [Rule::Length(6, 6), Rule::Pattern(r"[\d]*")];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetSessionTokenOutput {
    credentials: Credentials,
}

pub(crate) struct GetSessionToken;

impl Operation for GetSessionToken {
    type Service = Sts;
    const NAME: &'static str = "GetSessionToken";
    // It changes nothing, but whoever was given credentials must be in the audit trail.
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = GetSessionTokenInput;
    type Output = GetSessionTokenOutput;
    type Target = ();

    async fn find(_: &Self::Input, call: &Call<'_, Sts>) -> Result<()> {
        long_lived(call, Self::NAME)
    }

    /// Nothing: it gives nobody more than they have, and AWS lets no policy control it.
    fn needs(_: &Self::Input, _: Option<&()>, _: &Call<'_, Sts>) -> Vec<Need<'static>> {
        Vec::new()
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Sts>) -> Result<GetSessionTokenOutput> {
        call.service.iam.note_use(call.caller, "sts:GetSessionToken", call.region, call.now);
        without_mfa(input.serial_number.as_ref(), input.token_code.as_ref())?;
        let bearer = user(call)?.map_or(Bearer::Root, Bearer::User);
        let mut session = Session::new(call.account(), bearer, call.now, seconds(call, input.duration_seconds));
        session.token_bytes_min = input.token_bytes_min;
        Ok(GetSessionTokenOutput { credentials: Credentials::of(session, call.service).await? })
    }
}

wire::shape! {
    /// The input of `GetFederationToken`.
    pub struct GetFederationTokenInput {
        "Name" name: String, required, [Rule::Length(2, 32), Rule::Pattern(r"[\w+=,.@-]*")];
        "Policy" policy: String, optional, [POLICY[0], POLICY[1]];
        "PolicyArns" policy_arns: Vec<PolicyDescriptorType>, default, [];
        "DurationSeconds" duration_seconds: u32, optional, [SECONDS];
        "MinimumSessionTokenSize" token_bytes_min: u32, default, [TOKEN_BYTES_MIN];
        "Tags" tags: Vec<TagInput>, default, [tag::LIST];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FederatedUser {
    federated_user_id: String,
    arn: Arn,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetFederationTokenOutput {
    credentials: Credentials,
    federated_user: FederatedUser,
    packed_policy_size: Option<usize>,
}

pub(crate) struct GetFederationToken;

impl Operation for GetFederationToken {
    type Service = Sts;
    const NAME: &'static str = "GetFederationToken";
    // As for `GetSessionToken`.
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = GetFederationTokenInput;
    type Output = GetFederationTokenOutput;
    type Target = ();

    async fn find(input: &Self::Input, call: &Call<'_, Sts>) -> Result<()> {
        long_lived(call, Self::NAME)?;
        federated_name(&input.name)
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Sts>) -> Vec<Need<'static>> {
        let arn = federated_arn(call.account(), &input.name).to_string();
        let need = |action| tagged(Need::identity(action, arn.clone()), &input.tags, &[]);
        let mut needs = vec![need("sts:GetFederationToken")];
        if !input.tags.is_empty() {
            needs.push(need("sts:TagSession"));
        }
        needs
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Sts>) -> Result<GetFederationTokenOutput> {
        let bearer = Bearer::Federated { user: user(call)?, name: input.name.clone() };
        let limits = limits(call.service, call.account(), input.policy, input.policy_arns).await?;
        let mut session = Session::new(call.account(), bearer, call.now, seconds(call, input.duration_seconds));
        session.token_bytes_min = input.token_bytes_min;
        // Without a policy, only resources that name the session let it in.
        let packed_policy_size = pack(&mut session, Some(limits.unwrap_or_else(Limits::default)), tags(&input.tags)?)?;
        let arn = federated_arn(call.account(), &input.name);
        call.touch(arn.to_string());
        let federated_user = FederatedUser { federated_user_id: format!("{}:{}", call.account(), input.name), arn };
        let credentials = Credentials::of(session, call.service).await?;
        Ok(GetFederationTokenOutput { credentials, federated_user, packed_policy_size })
    }
}
