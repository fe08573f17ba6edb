//! Data keys: random keys for data outside, returned encrypted and, if asked for, in the clear.

use std::future::Future;

use crypto::random_bytes;
use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::{Blob, SecretBlob};
use zeroize::Zeroizing;

use crate::Kms;
use crate::access::{self, Found, KeyRef, end_dry_run};
use crate::error::KmsError;
use crate::record::{DataKeySpec, EncryptionAlgorithm, EncryptionContext, GrantOperation, RecipientInfo, check_use};
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, NUMBER_OF_BYTES};

const ALGORITHM: EncryptionAlgorithm = EncryptionAlgorithm::SymmetricDefault;

wire::shape! {
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
    pub(crate) struct GenerateDataKeyWithoutPlaintextInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "EncryptionContext" encryption_context: EncryptionContext, default, [];
        "KeySpec" key_spec: DataKeySpec, optional, [];
        "NumberOfBytes" number_of_bytes: i32, optional, [NUMBER_OF_BYTES];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "DryRun" dry_run: bool, default, [];
    }
}

/// A data key, in the clear only if asked for.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DataKeyOutput {
    pub(super) ciphertext_blob: Blob,
    pub(super) plaintext: Option<SecretBlob>,
    pub(super) key_id: String,
    key_material_id: Option<String>,
}

/// The length of a data key in bytes, which one of the two says.
fn length(spec: Option<DataKeySpec>, number_of_bytes: Option<i32>) -> Result<usize, KmsError> {
    let neither = || KmsError::Validation("Please specify either number of bytes or key spec.".to_owned());
    match (spec, number_of_bytes) {
        (Some(DataKeySpec::Aes256), None) => Ok(32),
        (Some(DataKeySpec::Aes128), None) => Ok(16),
        (None, Some(bytes)) => usize::try_from(bytes).map_err(|_| neither()),
        _ => Err(neither()),
    }
}

/// A new data key of `length` bytes, encrypted and in the clear. A dry run ends here.
async fn generate(
    length: usize,
    context: &EncryptionContext,
    dry_run: bool,
    found: &Found,
    operation: &'static str,
    call: &Call<'_, Kms>,
) -> Result<DataKeyOutput, KmsError> {
    let key = &found.key;
    check_use(key, ALGORITHM, operation)?;
    let mut plaintext = Zeroizing::new(vec![0; length]);
    random_bytes(&mut plaintext);
    let sealed = call.service.seal(key, context, &plaintext, operation, call).await?;
    end_dry_run(dry_run)?;
    let (key_id, plaintext) = (key.arn.clone(), Some(SecretBlob(plaintext)));
    Ok(DataKeyOutput { ciphertext_blob: sealed.blob, plaintext, key_id, key_material_id: sealed.material_id })
}

/// Generates a data key.
///
/// Source: AWS KMS API Reference, GenerateDataKey.
pub(crate) struct GenerateDataKey;

impl ResourceOperation for GenerateDataKey {
    type On = Found;
    const NAME: &'static str = "GenerateDataKey";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GenerateDataKeyInput;
    type Output = DataKeyOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        let (tokens, context) = (&input.grant_tokens, &input.encryption_context);
        KeyRef::with_context(&input.key_id, tokens, GrantOperation::GenerateDataKey, context)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        access::describe_encryption(need, ALGORITHM, &input.encryption_context)
    }

    fn run(
        input: Self::Input,
        found: &Permit<Found>,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<Self::Output, KmsError>> + Send {
        async move {
            refuse_recipient(input.recipient.as_ref())?;
            let length = length(input.key_spec, input.number_of_bytes)?;
            generate(length, &input.encryption_context, input.dry_run, found, Self::NAME, call).await
        }
    }
}

/// Generates a data key that is returned encrypted only.
///
/// Source: AWS KMS API Reference, GenerateDataKeyWithoutPlaintext.
pub(crate) struct GenerateDataKeyWithoutPlaintext;

impl ResourceOperation for GenerateDataKeyWithoutPlaintext {
    type On = Found;
    const NAME: &'static str = "GenerateDataKeyWithoutPlaintext";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = GenerateDataKeyWithoutPlaintextInput;
    type Output = DataKeyOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        let (tokens, context) = (&input.grant_tokens, &input.encryption_context);
        KeyRef::with_context(&input.key_id, tokens, GrantOperation::GenerateDataKeyWithoutPlaintext, context)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        access::describe_encryption(need, ALGORITHM, &input.encryption_context)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (length, context) = (length(input.key_spec, input.number_of_bytes)?, &input.encryption_context);
        let generated = generate(length, context, input.dry_run, found, Self::NAME, call).await?;
        Ok(DataKeyOutput { plaintext: None, ..generated })
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
