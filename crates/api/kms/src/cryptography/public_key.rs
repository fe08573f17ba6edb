//! `GetPublicKey`.

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::Blob;

use crate::Kms;
use crate::access::{Found, GrantedKeyInput, KeyRef};
use crate::error::KmsError;
use crate::record::{
    EncapsulationAlgorithm, EncryptionAlgorithm, GrantOperation, KeyAgreementAlgorithm, KeySpec, KeyUsage,
    SigningAlgorithm, algorithms_of,
};

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

/// Returns the public key of a pair, and what it is for.
///
/// Source: AWS KMS API Reference, GetPublicKey.
pub(crate) struct GetPublicKey;

impl ResourceOperation for GetPublicKey {
    type On = Found;
    const NAME: &'static str = "GetPublicKey";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GrantedKeyInput;
    type Output = GetPublicKeyOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::GetPublicKey)
    }

    async fn run(_: Self::Input, found: &Permit<Found>, _: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
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
