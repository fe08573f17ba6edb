//! Encrypting up to 4096 bytes directly under a key.

use std::future::Future;

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use wire::{Blob, SecretBlob};

use crate::Kms;
use crate::access::{self, Found, KeyRef, end_dry_run};
use crate::cryptography::rsa_cipher;
use crate::error::KmsError;
use crate::key_store;
use crate::record::{EncryptionAlgorithm, EncryptionContext, GrantOperation, LiveKey, blob, check_use};
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, PLAINTEXT};

wire::shape! {
    pub(crate) struct EncryptInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "Plaintext" plaintext: SecretBlob, required, [PLAINTEXT];
        "EncryptionContext" encryption_context: EncryptionContext, default, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "EncryptionAlgorithm" encryption_algorithm: EncryptionAlgorithm, optional, [];
        "DryRun" dry_run: bool, default, [];
    }
}

impl EncryptInput {
    fn algorithm(&self) -> EncryptionAlgorithm {
        self.encryption_algorithm.unwrap_or(EncryptionAlgorithm::SymmetricDefault)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EncryptOutput {
    ciphertext_blob: Blob,
    key_id: String,
    encryption_algorithm: EncryptionAlgorithm,
}

/// Encrypts up to 4096 bytes of plaintext under a key's current material.
///
/// The encryption context is authenticated, not hidden, and must be the same on decrypting.
///
/// Source: AWS KMS API Reference, Encrypt.
pub(crate) struct Encrypt;

impl ResourceOperation for Encrypt {
    type On = Found;
    const NAME: &'static str = "Encrypt";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = EncryptInput;
    type Output = EncryptOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::with_context(&input.key_id, &input.grant_tokens, GrantOperation::Encrypt, &input.encryption_context)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        access::describe_encryption(need, input.algorithm(), &input.encryption_context)
    }

    fn run(
        input: Self::Input,
        found: &Permit<Found>,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<Self::Output, KmsError>> + Send {
        async move {
            let (key, algorithm) = (&found.key, input.algorithm());
            check_use(key, algorithm, Self::NAME)?;
            let context = &input.encryption_context;
            let encrypted = call.service.encrypt(key, algorithm, context, &input.plaintext.0, Self::NAME, call).await?;
            end_dry_run(input.dry_run)?;
            Ok(EncryptOutput { ciphertext_blob: encrypted.0, key_id: key.arn.clone(), encryption_algorithm: algorithm })
        }
    }
}

/// A ciphertext, and the id of the material that made it if the key's is shown.
pub(crate) struct Sealed {
    pub(crate) blob: Blob,
    pub(crate) material_id: Option<String>,
}

impl Kms {
    /// Encrypts `plaintext` with an algorithm that goes with the key. Returns the id of the material that did it, of
    /// keys that can have several.
    ///
    /// # Errors
    /// [`KmsError::Validation`], [`KmsError::Damaged`]; those of the store.
    pub(crate) async fn encrypt(
        &self,
        key: &LiveKey,
        algorithm: EncryptionAlgorithm,
        context: &EncryptionContext,
        plaintext: &[u8],
        operation: &'static str,
        call: &Call<'_, Self>,
    ) -> Result<(Blob, Option<String>), KmsError> {
        match algorithm.padding() {
            None => {
                let sealed = self.seal(key, context, plaintext, operation, call).await?;
                Ok((sealed.blob, sealed.material_id))
            }
            Some(padding) => Ok((rsa_cipher::encrypt(key, algorithm, padding, context, plaintext)?, None)),
        }
    }

    /// Seals `plaintext` under the key's current material.
    ///
    /// # Errors
    /// [`KmsError::Damaged`]; those of the store; those of a custom key store.
    pub(crate) async fn seal(
        &self,
        key: &LiveKey,
        context: &EncryptionContext,
        plaintext: &[u8],
        operation: &'static str,
        call: &Call<'_, Self>,
    ) -> Result<Sealed, KmsError> {
        let version = key.current()?;
        let blob = match &key.record.held {
            None => {
                let material = self.backing_key(key, version).await?;
                Blob(blob::seal(material, &key.names(version)?, context, plaintext))
            }
            Some(held) => {
                // Boxed, because few calls take this path and the future would grow.
                let cause = key_store::cause(operation, call);
                Box::pin(self.seal_held(key, held, version, context, plaintext, cause)).await?
            }
        };
        Ok(Sealed { blob, material_id: key.shown_material_id(version) })
    }
}
