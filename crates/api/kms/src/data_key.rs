//! Data keys: random keys for others' data, given out encrypted and, if wanted, in the clear.

use std::future::Future;

use crypto::random_bytes;
use serde::Serialize;
use service::{AuditClass, Call, Need};
use wire::{Blob, SecretBlob};
use zeroize::Zeroizing;

use crate::Kms;
use crate::access::{self, Found};
use crate::algorithm::{EncryptionAlgorithm, check_use};
use crate::context::EncryptionContext;
use crate::encrypt::Sealed;
use crate::error::KmsError;
use crate::grant::{GrantOperation, GrantUse};
use crate::on_key::KeyOperation;
use crate::reference::Forms;
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, NUMBER_OF_BYTES};
use crate::spec::{DataKeySpec, RecipientInfo};

const ALGORITHM: EncryptionAlgorithm = EncryptionAlgorithm::SymmetricDefault;

wire::shape! {
    /// The input of `GenerateDataKey`.
    pub(crate) struct GenerateDataKeyInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "EncryptionContext" encryption_context: EncryptionContext, default, [];
        "NumberOfBytes" number_of_bytes: i32, optional, [NUMBER_OF_BYTES];
        "KeySpec" key_spec: DataKeySpec, optional, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "Recipient" recipient: RecipientInfo, optional, [];
        "DryRun" dry_run: bool, default, [];
    }
}

wire::shape! {
    /// The input of `GenerateDataKeyWithoutPlaintext`.
    pub(crate) struct GenerateDataKeyWithoutPlaintextInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "EncryptionContext" encryption_context: EncryptionContext, default, [];
        "KeySpec" key_spec: DataKeySpec, optional, [];
        "NumberOfBytes" number_of_bytes: i32, optional, [NUMBER_OF_BYTES];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

/// The output of `GenerateDataKey`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateDataKeyOutput {
    ciphertext_blob: Blob,
    plaintext: SecretBlob,
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

/// The output of `GenerateDataKeyWithoutPlaintext`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateDataKeyWithoutPlaintextOutput {
    ciphertext_blob: Blob,
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

/// How long a data key is to be: one of the two says so.
fn length(spec: Option<DataKeySpec>, number_of_bytes: Option<i32>) -> Result<usize, KmsError> {
    let neither = || KmsError::Validation("Please specify either number of bytes or key spec.".to_owned());
    match (spec, number_of_bytes) {
        (Some(DataKeySpec::Aes256), None) => Ok(32),
        (Some(DataKeySpec::Aes128), None) => Ok(16),
        (None, Some(bytes)) => usize::try_from(bytes).map_err(|_| neither()),
        _ => Err(neither()),
    }
}

fn random(length: usize) -> SecretBlob {
    let mut bytes = Zeroizing::new(vec![0; length]);
    random_bytes(&mut bytes);
    SecretBlob(bytes)
}

/// A new data key and its ciphertext.
async fn generate(
    length: usize,
    context: &EncryptionContext,
    found: &Found,
    operation: &'static str,
    call: &Call<'_, Kms>,
) -> Result<(SecretBlob, Sealed), KmsError> {
    check_use(&found.key, ALGORITHM, operation)?;
    let plaintext = random(length);
    let sealed = call.service.seal(&found.key, context, &plaintext.0, operation, call).await?;
    Ok((plaintext, sealed))
}

/// Makes a data key.
///
/// Source: AWS KMS API Reference, GenerateDataKey.
pub(crate) struct GenerateDataKey;

impl KeyOperation for GenerateDataKey {
    const NAME: &'static str = "GenerateDataKey";
    const ACTION: &'static str = "kms:GenerateDataKey";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = GenerateDataKeyInput;
    type Output = GenerateDataKeyOutput;

    fn key_id(input: &GenerateDataKeyInput) -> &str {
        &input.key_id
    }

    fn granted(input: &GenerateDataKeyInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Crypto(GrantOperation::GenerateDataKey, &input.encryption_context))
    }

    fn grant_tokens(input: &GenerateDataKeyInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n GenerateDataKeyInput, need: Need<'n>) -> Need<'n> {
        access::describe_encryption(need, ALGORITHM, &input.encryption_context)
    }

    #[allow(clippy::manual_async_fn, reason = "an async fn keeps room for what it is given twice")]
    fn run(
        input: GenerateDataKeyInput,
        found: Found,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<GenerateDataKeyOutput, KmsError>> + Send {
        async move {
            refuse_recipient(input.recipient.as_ref())?;
            let length = length(input.key_spec, input.number_of_bytes)?;
            let (plaintext, sealed) = generate(length, &input.encryption_context, &found, Self::NAME, call).await?;
            if input.dry_run {
                return Err(KmsError::DryRun);
            }
            Ok(GenerateDataKeyOutput {
                ciphertext_blob: sealed.blob,
                plaintext,
                key_id: found.key.arn.clone(),
                key_material_id: sealed.material_id,
            })
        }
    }
}

/// Makes a data key that is given out encrypted only.
///
/// Source: AWS KMS API Reference, GenerateDataKeyWithoutPlaintext.
pub(crate) struct GenerateDataKeyWithoutPlaintext;

impl KeyOperation for GenerateDataKeyWithoutPlaintext {
    const NAME: &'static str = "GenerateDataKeyWithoutPlaintext";
    const ACTION: &'static str = "kms:GenerateDataKeyWithoutPlaintext";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = GenerateDataKeyWithoutPlaintextInput;
    type Output = GenerateDataKeyWithoutPlaintextOutput;

    fn key_id(input: &GenerateDataKeyWithoutPlaintextInput) -> &str {
        &input.key_id
    }

    fn granted(input: &GenerateDataKeyWithoutPlaintextInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Crypto(GrantOperation::GenerateDataKeyWithoutPlaintext, &input.encryption_context))
    }

    fn grant_tokens(input: &GenerateDataKeyWithoutPlaintextInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n GenerateDataKeyWithoutPlaintextInput, need: Need<'n>) -> Need<'n> {
        access::describe_encryption(need, ALGORITHM, &input.encryption_context)
    }

    async fn run(
        input: GenerateDataKeyWithoutPlaintextInput,
        found: Found,
        call: &Call<'_, Kms>,
    ) -> Result<GenerateDataKeyWithoutPlaintextOutput, KmsError> {
        let length = length(input.key_spec, input.number_of_bytes)?;
        let (_, sealed) = generate(length, &input.encryption_context, &found, Self::NAME, call).await?;
        if input.dry_run {
            return Err(KmsError::DryRun);
        }
        Ok(GenerateDataKeyWithoutPlaintextOutput {
            ciphertext_blob: sealed.blob,
            key_id: found.key.arn.clone(),
            key_material_id: sealed.material_id,
        })
    }
}

/// Refuses to encrypt an answer for an enclave: no attestation can be checked here.
///
/// # Errors
/// [`KmsError::Unsupported`] when there is a recipient.
pub(crate) fn refuse_recipient(recipient: Option<&RecipientInfo>) -> Result<(), KmsError> {
    match recipient {
        None => Ok(()),
        Some(_) => Err(KmsError::Unsupported(
            "Recipient is not supported: attestation documents cannot be verified.".to_owned(),
        )),
    }
}
