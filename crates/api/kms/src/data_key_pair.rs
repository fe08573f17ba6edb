//! Data key pairs: for use outside, the private key given out encrypted and, if wanted, in the clear.

use crypto::KeyPair;
use serde::Serialize;
use service::{AuditClass, Call, Need};
use wire::{Blob, SecretBlob};
use zeroize::Zeroizing;

use crate::Kms;
use crate::access::{self, Found};
use crate::algorithm::{EncryptionAlgorithm, check_use};
use crate::context::EncryptionContext;
use crate::data_key::refuse_recipient;
use crate::encrypt::Sealed;
use crate::error::KmsError;
use crate::grant::{GrantOperation, GrantUse};
use crate::on_key::KeyOperation;
use crate::reference::Forms;
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID};
use crate::spec::{DataKeyPairSpec, Origin, RecipientInfo};
use crate::state;

const ALGORITHM: EncryptionAlgorithm = EncryptionAlgorithm::SymmetricDefault;

wire::shape! {
    /// The input of `GenerateDataKeyPair`.
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
    /// The input of `GenerateDataKeyPairWithoutPlaintext`.
    pub(crate) struct GenerateDataKeyPairWithoutPlaintextInput {
        "EncryptionContext" encryption_context: EncryptionContext, default, [];
        "KeyId" key_id: String, required, [KEY_ID];
        "KeyPairSpec" key_pair_spec: DataKeyPairSpec, required, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

/// The output of `GenerateDataKeyPair`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateDataKeyPairOutput {
    private_key_ciphertext_blob: Blob,
    private_key_plaintext: SecretBlob,
    public_key: Blob,
    key_id: String,
    key_pair_spec: DataKeyPairSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

/// The output of `GenerateDataKeyPairWithoutPlaintext`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateDataKeyPairWithoutPlaintextOutput {
    private_key_ciphertext_blob: Blob,
    public_key: Blob,
    key_id: String,
    key_pair_spec: DataKeyPairSpec,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

/// A new pair, and its private key sealed under the key.
async fn generate(
    spec: DataKeyPairSpec,
    context: &EncryptionContext,
    dry_run: bool,
    found: &Found,
    operation: &'static str,
    call: &Call<'_, Kms>,
) -> Result<(KeyPair, Sealed), KmsError> {
    let (kms, key) = (&**call.service, &found.key);
    check_use(key, ALGORITHM, operation)?;
    let record = &key.record;
    if matches!(record.origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore) {
        return Err(KmsError::WrongOrigin { arn: key.arn.clone(), origin: record.origin });
    }
    let unsupported = || KmsError::Unsupported(format!("KeyPairSpec {spec} is not supported."));
    let kind = spec.key_spec().pair_kind().ok_or_else(unsupported)?;
    if dry_run {
        return Err(KmsError::DryRun);
    }
    let pair = kms.random_pair(kind).await?;
    // Making it may have taken seconds: the key is as it is by now.
    let key = kms.live(&record.region, &record.account, &record.id).await?;
    state::check(operation, key.record.state_at(call.now), key.record.origin, &key.arn)?;
    let sealed = kms.seal(&key, context, pair.private.expose(), operation, call).await?;
    Ok((pair, sealed))
}

/// Makes a data key pair.
///
/// Source: AWS KMS API Reference, GenerateDataKeyPair.
pub(crate) struct GenerateDataKeyPair;

impl KeyOperation for GenerateDataKeyPair {
    const NAME: &'static str = "GenerateDataKeyPair";
    const ACTION: &'static str = "kms:GenerateDataKeyPair";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = GenerateDataKeyPairInput;
    type Output = GenerateDataKeyPairOutput;

    fn key_id(input: &GenerateDataKeyPairInput) -> &str {
        &input.key_id
    }

    fn granted(input: &GenerateDataKeyPairInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Crypto(GrantOperation::GenerateDataKeyPair, &input.encryption_context))
    }

    fn grant_tokens(input: &GenerateDataKeyPairInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n GenerateDataKeyPairInput, need: Need<'n>) -> Need<'n> {
        let need = access::describe_encryption(need, ALGORITHM, &input.encryption_context);
        need.with("kms:DataKeyPairSpec", input.key_pair_spec.as_str())
    }

    async fn run(
        input: GenerateDataKeyPairInput,
        found: Found,
        call: &Call<'_, Kms>,
    ) -> Result<GenerateDataKeyPairOutput, KmsError> {
        refuse_recipient(input.recipient.as_ref())?;
        let (spec, context) = (input.key_pair_spec, &input.encryption_context);
        let (pair, sealed) = generate(spec, context, input.dry_run, &found, Self::NAME, call).await?;
        Ok(GenerateDataKeyPairOutput {
            private_key_ciphertext_blob: sealed.blob,
            private_key_plaintext: SecretBlob(Zeroizing::new(pair.private.expose().to_vec())),
            public_key: Blob(pair.public),
            key_id: found.key.arn.clone(),
            key_pair_spec: spec,
            key_material_id: sealed.material_id,
        })
    }
}

/// Makes a data key pair whose private key is given out encrypted only.
///
/// Source: AWS KMS API Reference, GenerateDataKeyPairWithoutPlaintext.
pub(crate) struct GenerateDataKeyPairWithoutPlaintext;

impl KeyOperation for GenerateDataKeyPairWithoutPlaintext {
    const NAME: &'static str = "GenerateDataKeyPairWithoutPlaintext";
    const ACTION: &'static str = "kms:GenerateDataKeyPairWithoutPlaintext";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = GenerateDataKeyPairWithoutPlaintextInput;
    type Output = GenerateDataKeyPairWithoutPlaintextOutput;

    fn key_id(input: &GenerateDataKeyPairWithoutPlaintextInput) -> &str {
        &input.key_id
    }

    fn granted(input: &GenerateDataKeyPairWithoutPlaintextInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Crypto(GrantOperation::GenerateDataKeyPairWithoutPlaintext, &input.encryption_context))
    }

    fn grant_tokens(input: &GenerateDataKeyPairWithoutPlaintextInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n GenerateDataKeyPairWithoutPlaintextInput, need: Need<'n>) -> Need<'n> {
        let need = access::describe_encryption(need, ALGORITHM, &input.encryption_context);
        need.with("kms:DataKeyPairSpec", input.key_pair_spec.as_str())
    }

    async fn run(
        input: GenerateDataKeyPairWithoutPlaintextInput,
        found: Found,
        call: &Call<'_, Kms>,
    ) -> Result<GenerateDataKeyPairWithoutPlaintextOutput, KmsError> {
        let (spec, context) = (input.key_pair_spec, &input.encryption_context);
        let (pair, sealed) = generate(spec, context, input.dry_run, &found, Self::NAME, call).await?;
        Ok(GenerateDataKeyPairWithoutPlaintextOutput {
            private_key_ciphertext_blob: sealed.blob,
            public_key: Blob(pair.public),
            key_id: found.key.arn.clone(),
            key_pair_spec: spec,
            key_material_id: sealed.material_id,
        })
    }
}
