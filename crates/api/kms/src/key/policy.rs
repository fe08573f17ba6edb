//! The operations on key policies, and the check that a new policy does not lock its author out.

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation, ResourcePolicy};

use crate::Kms;
use crate::access::{self, Found, KeyPageInput, KeyRef};
use crate::error::KmsError;
use crate::record::{KeyRecord, PolicyRecord};
use crate::rules::{KEY_ID, POLICY_LENGTH, POLICY_NAME_LENGTH, POLICY_NAME_PATTERN, POLICY_PATTERN};

/// The only name that a key's policy has.
const DEFAULT: &str = "default";

impl PolicyRecord {
    /// Refuses a policy under which the caller could not change it again.
    ///
    /// # Errors
    /// [`KmsError::MalformedPolicy`].
    pub(crate) async fn check_lockout(&self, key: &KeyRecord, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let arn = key.arn();
        let need =
            Need::identity("kms:PutKeyPolicy", arn.as_str()).guarded(ResourcePolicy::Mandatory(self.parsed(&arn)));
        if call.would_allow(&access::describe_key(need, key, call)).await? {
            return Ok(());
        }
        let message = "The new key policy will not allow you to update the key policy in the future.";
        Err(KmsError::MalformedPolicy(message.to_owned()))
    }
}

fn check_name(name: Option<&str>) -> bool {
    name.is_none_or(|name| name == DEFAULT)
}

wire::shape! {
    pub(crate) struct GetKeyPolicyInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "PolicyName" policy_name: String, optional, [POLICY_NAME_LENGTH, POLICY_NAME_PATTERN];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetKeyPolicyOutput {
    policy: String,
    policy_name: &'static str,
}

/// Shows a key's policy.
pub(crate) struct GetKeyPolicy;

impl ResourceOperation for GetKeyPolicy {
    type On = Found;
    const NAME: &'static str = "GetKeyPolicy";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetKeyPolicyInput;
    type Output = GetKeyPolicyOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        if !check_name(input.policy_name.as_deref()) {
            return Err(KmsError::PolicyNotFound);
        }
        let policy = found.key.record.policy.shown(&*call.service.principals).await?;
        Ok(GetKeyPolicyOutput { policy, policy_name: DEFAULT })
    }
}

wire::shape! {
    pub(crate) struct PutKeyPolicyInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "PolicyName" policy_name: String, optional, [POLICY_NAME_LENGTH, POLICY_NAME_PATTERN];
        "Policy" policy: String, required,
            [POLICY_LENGTH, POLICY_PATTERN];
        "BypassPolicyLockoutSafetyCheck" bypass: bool, default, [];
    }
}

/// Replaces a key's policy.
pub(crate) struct PutKeyPolicy;

impl ResourceOperation for PutKeyPolicy {
    type On = Found;
    const NAME: &'static str = "PutKeyPolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PutKeyPolicyInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:BypassPolicyLockoutSafetyCheck", input.bypass)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        if !check_name(input.policy_name.as_deref()) {
            return Err(KmsError::Unsupported("Only the policy name \"default\" is supported".to_owned()));
        }
        let policy = PolicyRecord::accept(input.policy, &*call.service.principals).await?;
        if !input.bypass {
            policy.check_lockout(&found.key.record, call).await?;
        }
        let change = move |record: &mut KeyRecord, _: &mut store::Tx<'_>| {
            record.policy = policy;
            Ok(())
        };
        call.service.change(call, Self::NAME, &found.key, change).await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListKeyPoliciesOutput {
    policy_names: [&'static str; 1],
    truncated: bool,
}

/// Lists the names of a key's policies, of which there is one.
pub(crate) struct ListKeyPolicies;

impl ResourceOperation for ListKeyPolicies {
    type On = Found;
    const NAME: &'static str = "ListKeyPolicies";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = KeyPageInput;
    type Output = ListKeyPoliciesOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(input: Self::Input, _: &Permit<Found>, _: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        // One name is never cut into pages, so there are no valid markers.
        match input.marker {
            Some(_) => Err(KmsError::InvalidMarker),
            None => Ok(ListKeyPoliciesOutput { policy_names: [DEFAULT], truncated: false }),
        }
    }
}
