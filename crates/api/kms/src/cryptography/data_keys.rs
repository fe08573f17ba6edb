//! Data keys for the stores of other services: `GenerateDataKey` and `Decrypt`, performed for the caller.

use crypto::Key256;
use service::ports::{DataKey, DataKeyContext, DataKeys, SealedDataKey};
use service::{Behalf, BoxFuture, Performer};
use wire::{Blob, CommonFault, Fault, Protocol, SecretBlob};

use crate::Kms;
use crate::cryptography::data_key::{GenerateDataKey, GenerateDataKeyInput};
use crate::cryptography::decrypt::{Decrypt, DecryptInput};
use crate::cryptography::reencrypt::{ReEncrypt, ReEncryptInput};
use crate::record::{DataKeySpec, EncryptionContext};

/// Generates and opens data keys for services that call on behalf of a caller, who must be allowed to use the KMS key.
pub struct ServiceDataKeys(Performer<Kms>);

impl ServiceDataKeys {
    /// Data keys from the KMS of `performer`.
    #[must_use]
    pub const fn new(performer: Performer<Kms>) -> Self {
        Self(performer)
    }
}

impl DataKeys for ServiceDataKeys {
    fn generate<'a>(
        &'a self,
        behalf: Behalf<'a>,
        key: &'a str,
        context: DataKeyContext<'a>,
    ) -> BoxFuture<'a, Result<DataKey, Fault>> {
        let input = GenerateDataKeyInput {
            key_id: key.to_owned(),
            encryption_context: encryption_context(context),
            number_of_bytes: None,
            key_spec: Some(DataKeySpec::Aes256),
            grant_tokens: Vec::new(),
            recipient: None,
            dry_run: false,
        };
        Box::pin(async move {
            let generated = self.0.perform::<GenerateDataKey>(behalf, input).await?;
            let key = key_of(generated.plaintext.as_ref())?;
            Ok(DataKey { key, sealed: generated.ciphertext_blob.0, key_arn: generated.key_id })
        })
    }

    fn open<'a>(
        &'a self,
        behalf: Behalf<'a>,
        sealed: &'a [u8],
        key_arn: &'a str,
        context: DataKeyContext<'a>,
    ) -> BoxFuture<'a, Result<Key256, Fault>> {
        let input = DecryptInput {
            ciphertext_blob: Some(Blob(sealed.to_vec())),
            encryption_context: encryption_context(context),
            grant_tokens: Vec::new(),
            key_id: Some(key_arn.to_owned()),
            encryption_algorithm: None,
            recipient: None,
            dry_run: false,
            dry_run_modifiers: Vec::new(),
        };
        Box::pin(async move { key_of(Some(&self.0.perform::<Decrypt>(behalf, input).await?.plaintext)) })
    }

    fn reseal<'a>(
        &'a self,
        behalf: Behalf<'a>,
        sealed: &'a [u8],
        key_arn: &'a str,
        to: &'a str,
        context: DataKeyContext<'a>,
    ) -> BoxFuture<'a, Result<SealedDataKey, Fault>> {
        let input = ReEncryptInput {
            ciphertext_blob: Some(Blob(sealed.to_vec())),
            source_encryption_context: encryption_context(context),
            source_key_id: Some(key_arn.to_owned()),
            destination_key_id: to.to_owned(),
            destination_encryption_context: encryption_context(context),
            source_encryption_algorithm: None,
            destination_encryption_algorithm: None,
            grant_tokens: Vec::new(),
            dry_run: false,
            dry_run_modifiers: Vec::new(),
        };
        Box::pin(async move {
            let resealed = self.0.perform::<ReEncrypt>(behalf, input).await?;
            Ok(SealedDataKey { sealed: resealed.ciphertext_blob.0, key_arn: resealed.key_id })
        })
    }
}

fn encryption_context(context: DataKeyContext<'_>) -> EncryptionContext {
    context.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The 256-bit key in a plaintext; a fault of the server's for any other, which nobody sealed as a data key.
fn key_of(plaintext: Option<&SecretBlob>) -> Result<Key256, Fault> {
    let key = plaintext.and_then(|plaintext| Key256::from_slice(&plaintext.0).ok());
    key.ok_or_else(|| CommonFault::InternalFailure.fault(Protocol::json("1.1", "")))
}
