//! Giving out public keys.

use serde::Serialize;
use service::{AuditClass, Call};
use wire::Blob;

use crate::Kms;
use crate::access::Found;
use crate::algorithm::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, SigningAlgorithm, algorithms_of,
};
use crate::error::KmsError;
use crate::grant::{GrantOperation, GrantUse};
use crate::on_key::KeyOperation;
use crate::reference::Forms;
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID};
use crate::spec::{KeySpec, KeyUsage};

wire::shape! {
    /// The input of `GetPublicKey`.
    pub(crate) struct GetPublicKeyInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
    }
}

/// The output of `GetPublicKey`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetPublicKeyOutput {
    key_id: String,
    public_key: Blob,
    customer_master_key_spec: KeySpec,
    key_spec: KeySpec,
    key_usage: KeyUsage,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    encryption_algorithms: &'static [EncryptionAlgorithm],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    signing_algorithms: &'static [SigningAlgorithm],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    key_agreement_algorithms: &'static [KeyAgreementAlgorithm],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    encapsulation_algorithms: &'static [EncapsulationAlgorithm],
}

/// Gives out the public key of a pair, and says what it is for.
///
/// Source: AWS KMS API Reference, GetPublicKey.
pub(crate) struct GetPublicKey;

impl KeyOperation for GetPublicKey {
    const NAME: &'static str = "GetPublicKey";
    const ACTION: &'static str = "kms:GetPublicKey";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = GetPublicKeyInput;
    type Output = GetPublicKeyOutput;

    fn key_id(input: &GetPublicKeyInput) -> &str {
        &input.key_id
    }

    fn granted(_: &GetPublicKeyInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Plain(GrantOperation::GetPublicKey))
    }

    fn grant_tokens(input: &GetPublicKeyInput) -> &[String] {
        &input.grant_tokens
    }

    async fn run(_: GetPublicKeyInput, found: Found, _: &Call<'_, Kms>) -> Result<GetPublicKeyOutput, KmsError> {
        let key = &found.key;
        let (spec, usage) = (key.record.spec, key.record.usage);
        if spec.pair_kind().is_none() {
            let arn = &key.arn;
            return Err(KmsError::Unsupported(format!(
                "{arn} key spec is {spec} which is not valid for GetPublicKey."
            )));
        }
        Ok(GetPublicKeyOutput {
            key_id: key.arn.clone(),
            public_key: Blob(key.current()?.spki(key)?.to_vec()),
            customer_master_key_spec: spec,
            key_spec: spec,
            key_usage: usage,
            encryption_algorithms: algorithms_of(spec, usage),
            signing_algorithms: algorithms_of(spec, usage),
            key_agreement_algorithms: algorithms_of(spec, usage),
            encapsulation_algorithms: algorithms_of(spec, usage),
        })
    }
}
