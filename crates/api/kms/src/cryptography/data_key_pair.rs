//! Data key pairs: for use outside, the private key returned encrypted and, if asked for, in the clear.

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::{Blob, SecretBlob};
use zeroize::Zeroizing;

use crate::Kms;
use crate::access::{self, Found, KeyRef, end_dry_run};
use crate::cryptography::data_key::refuse_recipient;
use crate::error::KmsError;
use crate::record::{
    DataKeyPairSpec, EncryptionAlgorithm, EncryptionContext, GrantOperation, Origin, RecipientInfo, check_use, state,
};
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID};

const ALGORITHM: EncryptionAlgorithm = EncryptionAlgorithm::SymmetricDefault;

wire::shape! {
    pub(crate) struct GenerateDataKeyPairInput {
        "EncryptionContext" encryption_context: EncryptionContext, default, [];
        "KeyId" key_id: String, required, [KEY_ID];
        "KeyPairSpec" key_pair_spec: DataKeyPairSpec, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "Recipient" recipient: RecipientInfo, optional, [];
        "DryRun" dry_run: bool, default, [];
    }
}

wire::shape! {
    pub(crate) struct GenerateDataKeyPairWithoutPlaintextInput {
        "EncryptionContext" encryption_context: EncryptionContext, default, [];
        "KeyId" key_id: String, required, [KEY_ID];
        "KeyPairSpec" key_pair_spec: DataKeyPairSpec, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

/// A data key pair, its private key in the clear only if asked for.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DataKeyPairOutput {
    private_key_ciphertext_blob: Blob,
    private_key_plaintext: Option<SecretBlob>,
    public_key: Blob,
    key_id: String,
    key_pair_spec: DataKeyPairSpec,
    key_material_id: Option<String>,
}

/// A new pair, its private key encrypted and in the clear. A dry run ends before it is generated.
async fn generate(
    spec: DataKeyPairSpec,
    context: &EncryptionContext,
    dry_run: bool,
    found: &Found,
    operation: &'static str,
    call: &Call<'_, Kms>,
) -> Result<DataKeyPairOutput, KmsError> {
    let (kms, key) = (&**call.service, &found.key);
    check_use(key, ALGORITHM, operation)?;
    let record = &key.record;
    if matches!(record.origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore) {
        return Err(KmsError::WrongOrigin { arn: key.arn.clone(), origin: record.origin });
    }
    let unsupported = || KmsError::Unsupported(format!("KeyPairSpec {spec} is not supported."));
    let kind = spec.key_spec().pair_kind().ok_or_else(unsupported)?;
    end_dry_run(dry_run)?;
    let pair = kms.random_pair(kind).await?;
    // Generating it may have taken seconds: the key is as it is by now.
    let key = kms.live(&record.region, &record.account, &record.id).await?;
    state::check(operation, key.record.state_at(call.now), key.record.origin, &key.arn)?;
    let sealed = kms.seal(&key, context, pair.private.expose(), operation, call).await?;
    Ok(DataKeyPairOutput {
        private_key_ciphertext_blob: sealed.blob,
        private_key_plaintext: Some(SecretBlob(Zeroizing::new(pair.private.expose().to_vec()))),
        public_key: Blob(pair.public),
        key_id: key.arn.clone(),
        key_pair_spec: spec,
        key_material_id: sealed.material_id,
    })
}

fn describe<'n>(need: Need<'n>, spec: DataKeyPairSpec, context: &'n EncryptionContext) -> Need<'n> {
    access::describe_encryption(need, ALGORITHM, context).with("kms:DataKeyPairSpec", spec.as_str())
}

/// Generates a data key pair.
///
/// Source: AWS KMS API Reference, GenerateDataKeyPair.
pub(crate) struct GenerateDataKeyPair;

impl ResourceOperation for GenerateDataKeyPair {
    type On = Found;
    const NAME: &'static str = "GenerateDataKeyPair";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GenerateDataKeyPairInput;
    type Output = DataKeyPairOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        let (tokens, context) = (&input.grant_tokens, &input.encryption_context);
        KeyRef::with_context(&input.key_id, tokens, GrantOperation::GenerateDataKeyPair, context)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        describe(need, input.key_pair_spec, &input.encryption_context)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        refuse_recipient(input.recipient.as_ref())?;
        let (spec, context) = (input.key_pair_spec, &input.encryption_context);
        generate(spec, context, input.dry_run, found, Self::NAME, call).await
    }
}

/// Generates a data key pair whose private key is returned encrypted only.
///
/// Source: AWS KMS API Reference, GenerateDataKeyPairWithoutPlaintext.
pub(crate) struct GenerateDataKeyPairWithoutPlaintext;

impl ResourceOperation for GenerateDataKeyPairWithoutPlaintext {
    type On = Found;
    const NAME: &'static str = "GenerateDataKeyPairWithoutPlaintext";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GenerateDataKeyPairWithoutPlaintextInput;
    type Output = DataKeyPairOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        let (tokens, context) = (&input.grant_tokens, &input.encryption_context);
        KeyRef::with_context(&input.key_id, tokens, GrantOperation::GenerateDataKeyPairWithoutPlaintext, context)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        describe(need, input.key_pair_spec, &input.encryption_context)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (spec, context) = (input.key_pair_spec, &input.encryption_context);
        let generated = generate(spec, context, input.dry_run, found, Self::NAME, call).await?;
        Ok(DataKeyPairOutput { private_key_plaintext: None, ..generated })
    }
}
