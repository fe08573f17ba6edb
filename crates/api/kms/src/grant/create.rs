//! `CreateGrant`.

use std::collections::BTreeSet;

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::shape::Rule;

use crate::Kms;
use crate::access::grant_token::GrantName;
use crate::access::{self, Found, KeyRef, end_dry_run};
use crate::error::KmsError;
use crate::record::{
    Constraints, EncryptionContext, GrantOperation, GrantRecord, GrantUse, KeyRecord, KeySpec, KeyUsage, Party,
};
use crate::rules::{
    EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, NAME_LENGTH, NAME_PATTERN, PRINCIPAL_LENGTH, PRINCIPAL_PATTERN,
    SERVICE_LENGTH, SERVICE_PATTERN,
};

/// How many pairs a constraint can have, and how many characters all of them together.
const CONSTRAINT_PAIRS_MAX: usize = 8;
const CONSTRAINT_CHARACTERS_MAX: usize = 384;

wire::shape! {
    /// `GrantConstraints`.
    pub(crate) struct GrantConstraintsInput {
        "EncryptionContextSubset" subset: EncryptionContext, optional, [];
        "EncryptionContextEquals" equals: EncryptionContext, optional, [];
        "SourceArn" source_arn: String, optional,
            [Rule::Length(20, 512), Rule::Pattern("^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$")];
    }
}

wire::shape! {
    pub(crate) struct CreateGrantInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "GranteePrincipal" grantee_principal: String, optional, [PRINCIPAL_LENGTH, PRINCIPAL_PATTERN];
        "RetiringPrincipal" retiring_principal: String, optional, [PRINCIPAL_LENGTH, PRINCIPAL_PATTERN];
        "Operations" operations: Vec<GrantOperation>, required, [];
        "Constraints" constraints: GrantConstraintsInput, optional, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "Name" name: String, optional, [NAME_LENGTH, NAME_PATTERN];
        "DryRun" dry_run: bool, default, [];
        "GranteeServicePrincipal" grantee_service_principal: String, optional, [SERVICE_LENGTH, SERVICE_PATTERN];
        "RetiringServicePrincipal" retiring_service_principal: String, optional, [SERVICE_LENGTH, SERVICE_PATTERN];
    }
}

impl CreateGrantInput {
    fn constraints(&self) -> Constraints {
        let given = self.constraints.as_ref();
        Constraints {
            encryption_context_subset: given.and_then(|given| given.subset.clone()),
            encryption_context_equals: given.and_then(|given| given.equals.clone()),
        }
    }

    /// Checks members that exclude each other, or do not go with the key. Returns the grantee.
    fn check(&self, key: &KeyRecord) -> Result<&str, KmsError> {
        let invalid = |message: String| Err(KmsError::Validation(message));
        if self.grantee_service_principal.is_some() || self.retiring_service_principal.is_some() {
            return Err(KmsError::Unsupported("Grants to service principals are not supported.".to_owned()));
        }
        if self.constraints.as_ref().is_some_and(|constraints| constraints.source_arn.is_some()) {
            return Err(KmsError::Unsupported("The grant constraint SourceArn is not supported.".to_owned()));
        }
        let constraints = self.constraints();
        let contexts = [&constraints.encryption_context_subset, &constraints.encryption_context_equals];
        for context in contexts.into_iter().flatten() {
            let characters: usize =
                context.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
            if context.len() > CONSTRAINT_PAIRS_MAX || characters > CONSTRAINT_CHARACTERS_MAX {
                return invalid(format!(
                    "A grant constraint has at most {CONSTRAINT_PAIRS_MAX} encryption context pairs of \
                     {CONSTRAINT_CHARACTERS_MAX} characters altogether."
                ));
            }
        }
        if self.operations.is_empty() {
            return invalid("A grant needs at least one operation.".to_owned());
        }
        if let Some(operation) = self.operations.iter().find(|operation| !operation.goes_with(key)) {
            let (spec, usage) = (key.spec, key.usage);
            return invalid(format!(
                "The grant operation {operation} is not supported by a key with KeySpec {spec} and KeyUsage {usage}."
            ));
        }
        if key.spec != KeySpec::SymmetricDefault && !constraints.is_empty() {
            return invalid(
                "Encryption context grant constraints are supported by symmetric encryption keys only.".to_owned(),
            );
        }
        match &self.grantee_principal {
            Some(grantee) => Ok(grantee),
            None => invalid(
                "1 validation error detected: Value null at 'granteePrincipal' failed to satisfy constraint: Member \
                 must not be null"
                    .to_owned(),
            ),
        }
    }
}

impl GrantOperation {
    /// Whether such a key can do it.
    fn goes_with(self, key: &KeyRecord) -> bool {
        let symmetric = key.spec == KeySpec::SymmetricDefault;
        let is_for = |usage| key.usage == usage;
        match self {
            Self::CreateGrant | Self::RetireGrant | Self::DescribeKey => true,
            Self::GenerateDataKey
            | Self::GenerateDataKeyWithoutPlaintext
            | Self::GenerateDataKeyPair
            | Self::GenerateDataKeyPairWithoutPlaintext => symmetric,
            Self::Decrypt | Self::Encrypt | Self::ReEncryptFrom | Self::ReEncryptTo => is_for(KeyUsage::EncryptDecrypt),
            Self::Sign | Self::Verify => is_for(KeyUsage::SignVerify),
            Self::GenerateMac | Self::VerifyMac => is_for(KeyUsage::GenerateVerifyMac),
            Self::DeriveSharedSecret => is_for(KeyUsage::KeyAgreement),
            Self::Encapsulate | Self::Decapsulate => is_for(KeyUsage::EncapsulateDecapsulate),
            Self::GetPublicKey => key.spec.pair_kind().is_some(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateGrantOutput {
    grant_token: String,
    grant_id: String,
}

/// Lets a principal use a key, without a change to the key's policy.
///
/// Source: AWS KMS API Reference, CreateGrant.
pub(crate) struct CreateGrant;

impl ResourceOperation for CreateGrant {
    type On = Found;
    const NAME: &'static str = "CreateGrant";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateGrantInput;
    type Output = CreateGrantOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        let grant = GrantUse::Create { operations: &input.operations, constraints: input.constraints() };
        KeyRef::to_grant(&input.key_id, &input.grant_tokens, grant)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        let operations = input.operations.iter().map(|operation| operation.as_str());
        let mut need = need.with("kms:GrantIsForAWSResource", false).with_many("kms:GrantOperations", operations);
        if let Some(principal) = &input.grantee_principal {
            need = need.with("kms:GranteePrincipal", principal.clone());
        }
        if let Some(principal) = &input.retiring_principal {
            need = need.with("kms:RetiringPrincipal", principal.clone());
        }
        let constraints = input.constraints();
        for (name, context) in [
            ("EncryptionContextSubset", constraints.encryption_context_subset),
            ("EncryptionContextEquals", constraints.encryption_context_equals),
        ] {
            if let Some(context) = context {
                need = access::describe_context(need.with("kms:GrantConstraintType", name), &context).into_owned();
            }
        }
        need
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (kms, key) = (&**call.service, &found.key.record);
        let grantee = input.check(key)?;
        let grantee = Party::resolve(grantee, &*kms.principals).await?;
        let retiring = match &input.retiring_principal {
            Some(retiring) => Some(Party::resolve(retiring, &*kms.principals).await?),
            None => None,
        };
        let mut id = [0; 32];
        crypto::random_bytes(&mut id);
        let operations: BTreeSet<_> = input.operations.iter().copied().collect();
        let grant = GrantRecord {
            id: crypto::hex::encode(&id),
            account: key.account.clone(),
            region: key.region.clone(),
            key_id: key.id.clone(),
            constraints: input.constraints(),
            name: input.name,
            created: call.now,
            issuing_account: call.account().to_owned(),
            grantee,
            retiring,
            operations: operations.into_iter().collect(),
        };
        end_dry_run(input.dry_run)?;
        let change = move |record: &mut KeyRecord, tx: &mut Tx<'_>| grant.add(record, tx);
        let grant_id = kms.change(call, Self::NAME, &found.key, change).await?;
        let (account, key_id) = (key.account.clone(), key.id.clone());
        let name = GrantName { account, key_id, grant_id };
        let grant_token = kms.grant_token(&key.region, &name).await?;
        Ok(CreateGrantOutput { grant_token, grant_id: name.grant_id })
    }
}
