//! `AssumeRole`: a session of a role, for callers whom its trust policy admits.

use std::sync::{Arc, LazyLock};

use policy::{Kind as Grammar, Policy, PrincipalKind};
use serde::Serialize;
use service::{AuditClass, Call, Caller, Need, Operation, Permit, ResourcePolicy};
use wire::Arn;
use wire::shape::Rule;

use super::Sts;
use super::credential::{
    Credentials, POLICY, PolicyDescriptorType, SECONDS_MIN, SESSION_NAME, TOKEN_BYTES_MIN, is_root, limits, pack,
    tagged, tags, without_mfa,
};
use crate::authority::session::{Bearer, Session, TRANSITIVE_KEYS, session_arn};
use crate::records::entity::{self, Entity as _};
use crate::records::role::{Role, SESSION_SECONDS_DEFAULT};
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::tag::{self, Tag, TagInput};

/// How long a session can last that was assumed from another role's, in seconds.
const CHAINED_SECONDS_MAX: u32 = 3600;

wire::shape! {
    /// A context that somebody else asserts. None is accepted here.
    pub struct ProvidedContext {
        "ProviderArn" provider_arn: String, optional, [Rule::Length(20, 2048)];
        "ContextAssertion" context_assertion: String, optional, [Rule::Length(4, 2048)];
    }
}

wire::shape! {
    /// The input of `AssumeRole`.
    pub struct AssumeRoleInput {
        "RoleArn" role_arn: String, required, [Rule::Length(20, 2048)];
        "RoleSessionName" role_session_name: String, required, [SESSION_NAME[0], SESSION_NAME[1]];
        "PolicyArns" policy_arns: Vec<PolicyDescriptorType>, default, [];
        "Policy" policy: String, optional, [POLICY[0], POLICY[1]];
        "DurationSeconds" duration_seconds: u32, optional, [Rule::Range(SECONDS_MIN, 43_200)];
        "MinimumSessionTokenSize" token_bytes_min: u32, default, [TOKEN_BYTES_MIN];
        "Tags" tags: Vec<TagInput>, default, [tag::LIST];
        "TransitiveTagKeys" transitive_tag_keys: Vec<String>, default, [tag::LIST, tag::EACH_KEY];
        "ExternalId" external_id: String, optional, [Rule::Length(2, 1224), Rule::Pattern(r"[\w+=,.@:/-]*")];
        "SerialNumber" serial_number: String, optional, [Rule::Length(9, 256), Rule::Pattern(r"[\w+=/:,.@-]*")];
        "TokenCode" token_code: String, optional, [Rule::Length(6, 6), Rule::Pattern(r"[\d]*")];
        "SourceIdentity" source_identity: String, optional, [SESSION_NAME[0], SESSION_NAME[1]];
        "ProvidedContexts" provided_contexts: Vec<ProvidedContext>, default, [Rule::Length(0, 5)];
    }
}

/// The user of a role, as answers name it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AssumedRoleUser {
    assumed_role_id: String,
    arn: Arn,
}

impl AssumedRoleUser {
    pub(crate) fn of(role: &Role, session: &str) -> Self {
        Self { assumed_role_id: format!("{}:{session}", role.identity.id), arn: session_arn(role, session) }
    }

    pub(crate) const fn arn(&self) -> &Arn {
        &self.arn
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AssumeRoleOutput {
    credentials: Credentials,
    assumed_role_user: AssumedRoleUser,
    packed_policy_size: Option<usize>,
    source_identity: Option<String>,
}

/// A trust policy that admits nobody.
#[expect(clippy::expect_used, reason = "the text is part of the program")]
static NOBODY: LazyLock<Arc<Policy>> = LazyLock::new(|| {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"Service":"nobody.invalid"},"Action":"sts:AssumeRole"}]}"#;
    Arc::new(Policy::parse(text, Grammar::Trust).expect("a policy"))
});

/// A role to be assumed, and who may.
pub(crate) struct Assumed {
    pub(crate) role: Role,
    pub(crate) trust: Arc<Policy>,
}

impl Assumed {
    /// The role that bears this ARN in whichever account. `None` if there is none.
    pub(crate) async fn find(sts: &Sts, arn: &str) -> Result<Option<Self>> {
        let parsed = arn.parse::<Arn>().ok();
        let parsed = parsed.filter(|arn| name::locate(arn).is_some_and(|located| located.kind == Kind::Role));
        let Some(parsed) = parsed else { return Err(IamError::Validation(format!("{arn} is invalid"))) };
        let found = sts.iam.store.read(move |tx| {
            let name = name::locate(&parsed).map(|located| located.name).unwrap_or_default();
            let role = entity::find::<Role>(tx, parsed.account(), name)?;
            Ok::<_, IamError>(role.filter(|role| role.arn() == parsed))
        });
        let Some(role) = found.await? else { return Ok(None) };
        let trust = Arc::new(role.trust.policy()?);
        Ok(Some(Self { role, trust }))
    }
}

/// The value of a condition key with one value that the caller's session has.
fn said(caller: &Caller, key: &str) -> Option<String> {
    match caller.context.get(key)?.as_slice() {
        [only] => Some(only.text().into_owned()),
        _ => None,
    }
}

/// The session tags of the caller that go on to the sessions it makes.
fn inherited(caller: &Caller) -> Vec<Tag> {
    let keys = caller.context.get(TRANSITIVE_KEYS).map_or(&[][..], |values| values.as_slice());
    let keys = keys.iter().map(|key| key.text().into_owned());
    keys.filter_map(|key| said(caller, &format!("aws:PrincipalTag/{key}")).map(|value| Tag { key, value })).collect()
}

pub(crate) struct AssumeRole;

impl Operation for AssumeRole {
    type Service = Sts;
    const NAME: &'static str = "AssumeRole";
    // It changes nothing, but whoever was given credentials must be in the audit trail.
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AssumeRoleInput;
    type Output = AssumeRoleOutput;
    type Target = Assumed;

    async fn find(input: &Self::Input, call: &Call<'_, Sts>) -> Result<Assumed> {
        match call.caller.principal.kind {
            PrincipalKind::Root => {
                return Err(IamError::AccessDenied("Roles may not be assumed by root accounts.".to_owned()));
            }
            PrincipalKind::FederatedUser { .. } => {
                return Err(IamError::AccessDenied("Roles may not be assumed by federated users.".to_owned()));
            }
            _ => {}
        }
        let found = Assumed::find(call.service, &input.role_arn).await?;
        // Whatever the caller's own policies say: a role that isn't there admits nobody.
        found.ok_or_else(|| {
            let caller = &call.caller.principal.arn;
            let arn = &input.role_arn;
            let message = format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}");
            IamError::AccessDenied(message)
        })
    }

    /// Nothing of whom `find` refuses anyway, in the words that AWS has for it.
    fn needs(input: &Self::Input, found: Option<&Assumed>, call: &Call<'_, Sts>) -> Vec<Need<'static>> {
        if is_root(call.caller) || matches!(call.caller.principal.kind, PrincipalKind::FederatedUser { .. }) {
            return Vec::new();
        }
        // A role that isn't there trusts nobody, and is refused in the words of one that doesn't trust the caller.
        let (tags, trust) = found.map_or_else(
            || (&[][..], Arc::clone(&NOBODY)),
            |assumed| (assumed.role.tags.as_slice(), Arc::clone(&assumed.trust)),
        );
        let need = |action| {
            let need = tag::on_resource(Need::identity(action, input.role_arn.clone()), tags);
            let mut need = tagged(need, &input.tags, &input.transitive_tag_keys)
                .guarded(ResourcePolicy::Trust(Arc::clone(&trust)))
                .with("sts:RoleSessionName", input.role_session_name.clone());
            let identity = input.source_identity.clone().or_else(|| said(call.caller, "aws:SourceIdentity"));
            for (key, value) in [("sts:ExternalId", input.external_id.clone()), ("sts:SourceIdentity", identity)] {
                if let Some(value) = value {
                    need = need.with(key, value);
                }
            }
            need
        };
        let mut needs = vec![need("sts:AssumeRole")];
        if !input.tags.is_empty() || call.caller.context.get(TRANSITIVE_KEYS).is_some() {
            needs.push(need("sts:TagSession"));
        }
        if input.source_identity.is_some() || call.caller.context.get("aws:SourceIdentity").is_some() {
            needs.push(need("sts:SetSourceIdentity"));
        }
        needs
    }

    async fn run(input: Self::Input, assumed: Permit<Assumed>, call: &Call<'_, Sts>) -> Result<AssumeRoleOutput> {
        let role = assumed.into_inner().role;
        without_mfa(input.serial_number.as_ref(), input.token_code.as_ref())?;
        if !input.provided_contexts.is_empty() {
            return Err(IamError::Validation("ProvidedContexts are not supported.".to_owned()));
        }
        let chained = matches!(call.caller.principal.kind, PrincipalKind::Role { .. });
        let seconds = seconds(&role, input.duration_seconds, chained)?;
        let source_identity = source_identity(call.caller, input.source_identity)?;
        let limits = limits(call.service, &role.identity.account, input.policy, input.policy_arns).await?;

        let own = tags(&input.tags)?;
        let inherited = inherited(call.caller);
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        if let Some(tag) = own.iter().find(|tag| inherited.iter().any(|one| same(&one.key, &tag.key))) {
            let message = format!("The session tag {} is inherited and cannot be set again.", tag.key);
            return Err(IamError::Validation(message));
        }
        if let Some(key) = input.transitive_tag_keys.iter().find(|key| !own.iter().any(|tag| same(&tag.key, key))) {
            return Err(IamError::Validation(format!("The transitive tag key {key} is not among the tags.")));
        }

        let name = input.role_session_name;
        let bearer = Bearer::Role { id: role.identity.id.clone(), session: name.clone() };
        let mut session = Session::new(&role.identity.account, bearer, call.now, seconds);
        session.token_bytes_min = input.token_bytes_min;
        session.source_identity.clone_from(&source_identity);
        // Each once, as the tag spells it: a second spelling would become a second tag of the next session.
        let listed = |tag: &&Tag| input.transitive_tag_keys.iter().any(|key| same(&tag.key, key));
        session.transitive = own.iter().filter(listed).map(|tag| tag.key.clone()).collect();
        session.transitive.extend(inherited.iter().map(|tag| tag.key.clone()));
        let all = own.into_iter().chain(inherited).collect();
        let packed_policy_size = pack(&mut session, limits, all)?;
        let assumed_role_user = AssumedRoleUser::of(&role, &name);
        call.touch(assumed_role_user.arn.to_string());
        let credentials = Credentials::of(session, call.service).await?;
        Ok(AssumeRoleOutput { credentials, assumed_role_user, packed_policy_size, source_identity })
    }
}

/// How long a session of the role lasts.
pub(crate) fn seconds(role: &Role, asked: Option<u32>, chained: bool) -> Result<u32> {
    let seconds = asked.unwrap_or(SESSION_SECONDS_DEFAULT);
    if chained && seconds > CHAINED_SECONDS_MAX {
        return Err(IamError::Validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
                .to_owned(),
        ));
    }
    if seconds > role.session_seconds_max {
        return Err(IamError::Validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned(),
        ));
    }
    Ok(seconds)
}

/// Once a session has a source identity, so do all that are made from it.
fn source_identity(caller: &Caller, asked: Option<String>) -> Result<Option<String>> {
    match (said(caller, "aws:SourceIdentity"), asked) {
        (Some(known), Some(asked)) if known != asked => {
            Err(IamError::Validation("The source identity of a session cannot be changed.".to_owned()))
        }
        (known, asked) => Ok(known.or(asked)),
    }
}
