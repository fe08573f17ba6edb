//! `GetCallerIdentity` and `GetAccessKeyInfo`: whose credential it is.

use policy::PrincipalKind;
use serde::Serialize;
use service::{Account, AuditClass, Call, Need, Operation, Permit, ResourceOperation};
use wire::Arn;
use wire::shape::Rule;

use super::Sts;
use crate::records::access_key;
use crate::values::answer::NoInput;
use crate::values::error::{IamError, Result};
use crate::values::name;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetCallerIdentityOutput {
    user_id: String,
    account: String,
    arn: Arn,
}

pub(crate) struct GetCallerIdentity;

impl Operation for GetCallerIdentity {
    type Service = Sts;
    const NAME: &'static str = "GetCallerIdentity";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = NoInput;
    type Output = GetCallerIdentityOutput;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Sts>) -> Result<()> {
        Ok(())
    }

    /// Nothing: whoever signs may ask who they are, even if a policy denies it.
    fn needs(_: &Self::Input, _: Option<&()>, _: &Call<'_, Sts>) -> Vec<Need<'static>> {
        Vec::new()
    }

    async fn run(_: Self::Input, _: Permit<()>, call: &Call<'_, Sts>) -> Result<GetCallerIdentityOutput> {
        call.service.iam.note_use(call.caller, "sts:GetCallerIdentity", call.region, call.now);
        let principal = &call.caller.principal;
        let session = principal.arn.resource().rsplit('/').next().unwrap_or_default();
        let user_id = match &principal.kind {
            PrincipalKind::Role { .. } if !principal.unique_id.contains(':') => {
                format!("{}:{session}", principal.unique_id)
            }
            PrincipalKind::FederatedUser { .. } => format!("{}:{session}", principal.account),
            _ => principal.unique_id.clone(),
        };
        Ok(GetCallerIdentityOutput { user_id, account: principal.account.clone(), arn: principal.arn.clone() })
    }
}

wire::shape! {
    /// The input of `GetAccessKeyInfo`.
    pub struct GetAccessKeyInfoInput {
        "AccessKeyId" access_key_id: String, required, [Rule::Length(16, 128), Rule::Pattern(name::ID)];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetAccessKeyInfoOutput {
    account: String,
}

pub(crate) struct GetAccessKeyInfo;

impl ResourceOperation for GetAccessKeyInfo {
    type On = Account<Sts>;
    const NAME: &'static str = "GetAccessKeyInfo";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetAccessKeyInfoInput;
    type Output = GetAccessKeyInfoOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account<Sts>>, call: &Call<'_, Sts>) -> Result<Self::Output> {
        let key = call.service.iam.access_keys.get(access_key::PARENT, &input.access_key_id).await?;
        let account = key.map(|key| key.account.clone()).ok_or_else(|| {
            IamError::Validation("The specified value for accessKeyId is invalid: there is no such key.".to_owned())
        })?;
        Ok(GetAccessKeyInfoOutput { account })
    }
}
