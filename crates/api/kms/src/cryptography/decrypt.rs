//! Decrypting what any version of a key has encrypted.

use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit, Resource as _};
use wire::{Blob, SecretBlob};

use crate::Kms;
use crate::access::{self, Found, end_dry_run};
use crate::cryptography::data_key::refuse_recipient;
use crate::cryptography::rsa_cipher;
use crate::error::KmsError;
use crate::key_store;
use crate::record::{
    AnyCiphertext, BlobError, DryRunModifier, EncryptionAlgorithm, EncryptionContext, Forms, GrantOperation, GrantUse,
    KeyId, LiveKey, RecipientInfo, check_use, key_arn,
};
use crate::rules::{CIPHERTEXT, EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID};

wire::shape! {
    pub(crate) struct DecryptInput {
        "CiphertextBlob" ciphertext_blob: Blob, optional, [CIPHERTEXT];
        "EncryptionContext" encryption_context: EncryptionContext, default, [];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
        "KeyId" key_id: String, optional, [KEY_ID];
        "EncryptionAlgorithm" encryption_algorithm: EncryptionAlgorithm, optional, [];
        "Recipient" recipient: RecipientInfo, optional, [];
        "DryRun" dry_run: bool, default, [];
        "DryRunModifiers" dry_run_modifiers: Vec<DryRunModifier>, default, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DecryptOutput {
    key_id: String,
    pub(super) plaintext: SecretBlob,
    encryption_algorithm: EncryptionAlgorithm,
    key_material_id: Option<String>,
}

/// A ciphertext to be decrypted, and the key that the caller named.
#[derive(Clone, Copy)]
pub(crate) struct CiphertextRef<'a> {
    /// The ciphertext; only a dry run can do without one.
    pub(crate) blob: Option<&'a Blob>,
    /// The key, if the caller named it.
    pub(crate) key_id: Option<&'a str>,
    /// How it was encrypted.
    pub(crate) algorithm: EncryptionAlgorithm,
}

impl CiphertextRef<'_> {
    /// Finds the key: the one that the caller named, or else the one that the ciphertext names.
    ///
    /// # Errors
    /// Those of [`Found::named`]; [`KmsError::InvalidCiphertext`], [`KmsError::CiphertextOfNoKey`].
    pub(crate) async fn find(
        self,
        action: &'static str,
        grant_tokens: &[String],
        call: &Call<'_, Kms>,
    ) -> Result<Found, KmsError> {
        if let Some(key_id) = self.key_id {
            return Found::named(key_id, Forms::KeyOrAlias, grant_tokens, call).await;
        }
        let names = *self.parse()?.names();
        let (mut account, mut id) = ([0; 12], [0; KeyId::LENGTH]);
        let (account, id) = (names.account.write(&mut account), names.key.write(&mut id));
        match Found::of_key(account, id, None, grant_tokens, call).await {
            Err(KmsError::KeyNotFound { .. }) => {
                Err(KmsError::CiphertextOfNoKey { caller: call.caller.principal.arn.to_string(), action })
            }
            other => other,
        }
    }

    /// The need of `action` on a key that was not found; `None` if nothing names one.
    pub(crate) fn need_of_missing(self, action: &'static str, call: &Call<'_, Kms>) -> Option<Need<'static>> {
        if let Some(key_id) = self.key_id {
            return access::need_of_unnamed(key_id, Forms::KeyOrAlias, action, call);
        }
        let names = *self.parse().ok()?.names();
        let account = names.account.to_string();
        let arn = key_arn(call.region, &account, &names.key.to_string());
        Some(access::need_of_missing(arn, &account, action, call))
    }

    fn parse(&self) -> Result<AnyCiphertext<'_>, KmsError> {
        if self.algorithm.padding().is_some() {
            return Err(KmsError::Validation(format!(
                "A KeyId is required to decrypt with algorithm {}: its ciphertexts do not name their key.",
                self.algorithm
            )));
        }
        AnyCiphertext::parse(self.bytes()?).map_err(KmsError::InvalidCiphertext)
    }

    fn bytes(&self) -> Result<&[u8], KmsError> {
        self.blob.map(|blob| &*blob.0).ok_or_else(missing_ciphertext)
    }

    /// Decrypts. Returns also the id of the material that did it, of keys that can have several.
    ///
    /// # Errors
    /// [`KmsError::InvalidCiphertext`], [`KmsError::IncorrectKey`]; [`KmsError::Validation`] for an encryption context
    /// where there can be none.
    pub(crate) fn open(
        self,
        key: &Arc<LiveKey>,
        context: &EncryptionContext,
        operation: &'static str,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<(SecretBlob, Option<String>), KmsError>> + Send {
        async move {
            let kms = &**call.service;
            if let Some(padding) = self.algorithm.padding() {
                let bytes = self.bytes()?;
                // Boxed, because few calls take this path and the future would grow.
                return Ok((Box::pin(rsa_cipher::decrypt(kms, key, padding, context, bytes)).await?, None));
            }
            let ciphertext = match self.key_id {
                Some(_) => self.parse()?,
                // Finding the key has taken it apart before.
                None => AnyCiphertext::parse_again(self.bytes()?).map_err(KmsError::InvalidCiphertext)?,
            };
            if !key.made(ciphertext.names()) {
                return Err(KmsError::IncorrectKey);
            }
            let version = key.version(&ciphertext.names().material);
            let version = version.ok_or(KmsError::InvalidCiphertext(BlobError::UnknownMaterial))?;
            let plaintext = match (&ciphertext, &key.record.held) {
                (AnyCiphertext::Kept(kept), None) => {
                    let material = kms.backing_key(key, version).await?;
                    SecretBlob(kept.open(material, context).map_err(KmsError::InvalidCiphertext)?)
                }
                (AnyCiphertext::Held(blob), Some(held)) => {
                    let cause = key_store::cause(operation, call);
                    Box::pin(kms.open_held(key, held, blob, version, context, cause)).await?
                }
                // It names a key of the other kind: nobody made it.
                _ => return Err(KmsError::InvalidCiphertext(BlobError::NotAuthentic)),
            };
            Ok((plaintext, key.shown_material_id(version)))
        }
    }
}

fn missing_ciphertext() -> KmsError {
    KmsError::Validation(
        "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be \
         null"
            .to_owned(),
    )
}

/// Whether a dry run is to leave the ciphertext out, which takes a key that the caller names.
///
/// # Errors
/// [`KmsError::Validation`] when the members contradict each other.
pub(crate) fn ignores_ciphertext(
    dry_run: bool,
    modifiers: &[DryRunModifier],
    key_id: Option<&str>,
) -> Result<bool, KmsError> {
    let ignores = modifiers.contains(&DryRunModifier::IgnoreCiphertext);
    let invalid = |message: &str| Err(KmsError::Validation(message.to_owned()));
    match (ignores, dry_run, key_id) {
        (false, ..) => Ok(false),
        (true, false, _) => invalid("DryRunModifiers can only be specified together with DryRun."),
        (true, true, None) => invalid("The modifier IGNORE_CIPHERTEXT can only be specified together with a key."),
        (true, true, Some(_)) => Ok(true),
    }
}

impl DecryptInput {
    fn algorithm(&self) -> EncryptionAlgorithm {
        self.encryption_algorithm.unwrap_or(EncryptionAlgorithm::SymmetricDefault)
    }

    fn source(&self) -> CiphertextRef<'_> {
        CiphertextRef {
            blob: self.ciphertext_blob.as_ref(),
            key_id: self.key_id.as_deref(),
            algorithm: self.algorithm(),
        }
    }

    fn need<'n>(&'n self, found: &'n Found, call: &'n Call<'_, Kms>) -> Need<'n> {
        let usage = GrantUse::Crypto(GrantOperation::Decrypt, &self.encryption_context);
        let need = found.need_of(ACTION, Some(&usage), call);
        access::describe_encryption(need, self.algorithm(), &self.encryption_context)
    }
}

/// Decrypts a ciphertext. It names its key; a key that the caller names must be the same.
///
/// Source: AWS KMS API Reference, Decrypt.
pub(crate) struct Decrypt;

const ACTION: &str = "kms:Decrypt";

impl Operation for Decrypt {
    type Service = Kms;
    const NAME: &'static str = "Decrypt";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = DecryptInput;
    type Output = DecryptOutput;
    type Target = Found;

    async fn find(input: &DecryptInput, call: &Call<'_, Kms>) -> Result<Found, KmsError> {
        let found = input.source().find(ACTION, &input.grant_tokens, call).await?;
        found.unless_concealed(|found| input.need(found, call), call).await?;
        Ok(found)
    }

    fn needs<'n>(input: &'n DecryptInput, found: Option<&'n Found>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        match found {
            Some(found) => vec![input.need(found, call)],
            None => input.source().need_of_missing(ACTION, call).into_iter().collect(),
        }
    }

    fn run(
        input: DecryptInput,
        target: Permit<Found>,
        call: &Call<'_, Kms>,
    ) -> impl Future<Output = Result<DecryptOutput, KmsError>> + Send {
        async move {
            let mut found = target.into_inner();
            found.begin(Self::NAME, call).await?;
            let (key, algorithm) = (&found.key, input.algorithm());
            check_use(key, algorithm, Self::NAME)?;
            refuse_recipient(input.recipient.as_ref())?;
            if ignores_ciphertext(input.dry_run, &input.dry_run_modifiers, input.key_id.as_deref())? {
                return Err(KmsError::DryRun);
            }
            let opened = input.source().open(key, &input.encryption_context, Self::NAME, call).await?;
            end_dry_run(input.dry_run)?;
            let (plaintext, key_material_id) = opened;
            found.end(Self::NAME, call);
            Ok(DecryptOutput { key_id: key.arn.clone(), plaintext, encryption_algorithm: algorithm, key_material_id })
        }
    }
}
