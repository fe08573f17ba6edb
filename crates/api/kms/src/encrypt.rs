//! Encrypting up to 4096 bytes directly under a key.

use std::future::Future;

use serde::Serialize;
use service::{AuditClass, Call, Need};
use wire::{Blob, SecretBlob};

use crate::Kms;
use crate::access::{self, Found};
use crate::algorithm::{EncryptionAlgorithm, check_use};
use crate::blob;
use crate::context::EncryptionContext;
use crate::error::KmsError;
use crate::grant::{GrantOperation, GrantUse};
use crate::key_store;
use crate::on_key::KeyOperation;
use crate::record::LiveKey;
use crate::reference::Forms;
use crate::rsa_cipher;
use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, PLAINTEXT};

wire::shape! {
    /// The input of `Encrypt`.
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

/// The output of `Encrypt`.
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

impl KeyOperation for Encrypt {
    const NAME: &'static str = "Encrypt";
    const ACTION: &'static str = "kms:Encrypt";
    const AUDIT: AuditClass = AuditClass::Use;
    const FORMS: Forms = Forms::KeyOrAlias;
    type Input = EncryptInput;
    type Output = EncryptOutput;

    fn key_id(input: &EncryptInput) -> &str {
        &input.key_id
    }

    fn granted(input: &EncryptInput) -> Option<GrantUse<'_>> {
        Some(GrantUse::Crypto(GrantOperation::Encrypt, &input.encryption_context))
    }

    fn grant_tokens(input: &EncryptInput) -> &[String] {
        &input.grant_tokens
    }

    fn describe<'n>(input: &'n EncryptInput, need: Need<'n>) -> Need<'n> {
        access::describe_encryption(need, input.algorithm(), &input.encryption_context)
    }

    #[allow(clippy::manual_async_fn, reason = "an async fn keeps room for what it is given twice")]
    fn run(
        input: EncryptInput,
        found: Found,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<EncryptOutput, KmsError>> + Send {
        async move {
            let (key, algorithm) = (&found.key, input.algorithm());
            check_use(key, algorithm, Self::NAME)?;
            let context = &input.encryption_context;
            let encrypted = call.service.encrypt(key, algorithm, context, &input.plaintext.0, Self::NAME, call).await?;
            if input.dry_run {
                return Err(KmsError::DryRun);
            }
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
    /// Encrypts `plaintext` with an algorithm that goes with the key. Tells the material that did it, of keys that can have
    /// several.
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
                // What few calls do is boxed: the others do not carry the room for it.
                let cause = key_store::cause(operation, call);
                Box::pin(self.seal_held(key, held, version, context, plaintext, cause)).await?
            }
        };
        Ok(Sealed { blob, material_id: key.shown_material_id(version) })
    }
}
