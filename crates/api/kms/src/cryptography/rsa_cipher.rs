//! Encrypting and decrypting with RSA keys. Their ciphertexts are what the standard says and name no key.

use std::sync::Arc;

use crypto::CryptoError;
use crypto::rsa::Padding;
use wire::{Blob, SecretBlob};
use zeroize::Zeroizing;

use crate::Kms;
use crate::error::KmsError;
use crate::record::{BlobError, EncryptionAlgorithm, EncryptionContext, LiveKey, Material, PublicMaterial};

/// Encrypts `plaintext` with the public key, which takes no secret.
///
/// # Errors
/// [`KmsError::Validation`] for an encryption context or a plaintext that is too long.
pub(crate) fn encrypt(
    key: &LiveKey,
    algorithm: EncryptionAlgorithm,
    padding: Padding,
    context: &EncryptionContext,
    plaintext: &[u8],
) -> Result<Blob, KmsError> {
    refuse_context(context)?;
    let PublicMaterial::Encrypting(public) = key.current()?.public(key)? else { return Err(no_rsa(key)) };
    public.encrypt(padding, plaintext).map(Blob).map_err(|error| match error {
        CryptoError::Length { .. } => KmsError::Validation(format!(
            "Algorithm {algorithm} and key spec {} cannot encrypt data larger than {} bytes.",
            key.record.spec,
            plaintext_max(key, padding)
        )),
        other => KmsError::Damaged(format!("{}: {other}", key.arn)),
    })
}

/// Decrypts what was encrypted with the public key, here or anywhere.
///
/// # Errors
/// [`KmsError::InvalidCiphertext`]; [`KmsError::Validation`] for an encryption context.
pub(crate) async fn decrypt(
    kms: &Kms,
    key: &Arc<LiveKey>,
    padding: Padding,
    context: &EncryptionContext,
    ciphertext: &[u8],
) -> Result<SecretBlob, KmsError> {
    refuse_context(context)?;
    kms.material(key, key.current()?).await?;
    if key.record.spec.is_slow_to_use() {
        let (key, ciphertext) = (Arc::clone(key), ciphertext.to_vec());
        return kms.slow_key_use.run(move || opened(&key, padding, &ciphertext)).await;
    }
    opened(key, padding, ciphertext)
}

/// Decrypts with the private key, which is ready.
fn opened(key: &LiveKey, padding: Padding, ciphertext: &[u8]) -> Result<SecretBlob, KmsError> {
    let Some(Material::Decrypting(private)) = key.current()?.peek() else { return Err(no_rsa(key)) };
    let opened = private.decrypt(padding, ciphertext);
    let plaintext = opened.map_err(|_| KmsError::InvalidCiphertext(BlobError::NotAuthentic))?;
    Ok(SecretBlob(Zeroizing::new(plaintext.expose().to_vec())))
}

/// How many bytes fit into one ciphertext (RFC 8017, section 7.1.1).
fn plaintext_max(key: &LiveKey, padding: Padding) -> usize {
    let digest = if padding == Padding::OaepSha1 { 20 } else { 32 };
    key.record.spec.modulus_length().unwrap_or_default().saturating_sub(2 * digest + 2)
}

fn refuse_context(context: &EncryptionContext) -> Result<(), KmsError> {
    if context.is_empty() {
        return Ok(());
    }
    Err(KmsError::Validation("An encryption context is valid only with a symmetric encryption KMS key.".to_owned()))
}

fn no_rsa(key: &LiveKey) -> KmsError {
    KmsError::Damaged(format!("{} is no RSA key that encrypts", key.arn))
}
