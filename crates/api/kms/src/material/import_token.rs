//! Import tokens: a wrapping key's private half, sealed for the one key that it was made for. Nothing is stored: the
//! caller keeps the token, and only the Region that gave it out can open it.
//!
//! Sealed under a key derived from the Region's key for tokens, with the key's ARN as associated data: when it expires
//! in milliseconds (8, big-endian), the wrapping algorithm (1), the private key in PKCS#8.

use crypto::rsa::RsaPrivateKey;
use crypto::{Key256, SecretBytes, kdf, sealed};
use wire::Timestamp;

use crate::error::KmsError;
use crate::material::wrapping::WrappingAlgorithm;

/// How to unwrap what comes with a token.
pub(crate) struct ImportToken {
    pub(crate) algorithm: WrappingAlgorithm,
    pub(crate) key: RsaPrivateKey,
}

fn derived(tokens: &Key256) -> Key256 {
    kdf::derive(tokens, b"sealstack kms import token 1", &[])
}

fn associated(arn: &str) -> Vec<u8> {
    [b"kms import token\0", arn.as_bytes()].concat()
}

/// A token for the key at `arn`, around the wrapping key's private half.
pub(crate) fn seal(
    tokens: &Key256,
    arn: &str,
    algorithm: WrappingAlgorithm,
    private: &SecretBytes,
    valid_to: Timestamp,
) -> Result<Vec<u8>, KmsError> {
    let number = algorithm.number().ok_or_else(|| KmsError::Damaged(format!("no token carries {algorithm}")))?;
    let mut content = SecretBytes::with_capacity(9 + private.len());
    content.extend(&valid_to.millis().to_be_bytes());
    content.extend(&[number]);
    content.extend(private.expose());
    Ok(sealed::seal(&derived(tokens), &associated(arn), content.expose()))
}

/// Opens a token for the key at `arn`.
///
/// # Errors
/// [`KmsError::InvalidImportToken`], [`KmsError::ExpiredImportToken`].
pub(crate) fn open(tokens: &Key256, arn: &str, token: &[u8], now: Timestamp) -> Result<ImportToken, KmsError> {
    let content = sealed::open(&derived(tokens), &associated(arn), token).map_err(|_| KmsError::InvalidImportToken)?;
    let parts = content.expose().split_first_chunk::<8>().and_then(|(valid_to, rest)| {
        let (number, private) = rest.split_first()?;
        Some((Timestamp::from_millis(i64::from_be_bytes(*valid_to)), *number, private))
    });
    let (valid_to, number, private) = parts.ok_or(KmsError::InvalidImportToken)?;
    if valid_to <= now {
        return Err(KmsError::ExpiredImportToken);
    }
    let algorithm = WrappingAlgorithm::of_number(number).ok_or(KmsError::InvalidImportToken)?;
    let key = RsaPrivateKey::read(private).map_err(|_| KmsError::InvalidImportToken)?;
    Ok(ImportToken { algorithm, key })
}
