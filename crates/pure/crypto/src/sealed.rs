//! Bytes sealed for storage: `version (1) ‖ salt (16) ‖ ciphertext ‖ tag (16)`.
//!
//! Each call derives its own AES-256-GCM key from a random salt, so a key seals any number of messages without a
//! nonce ever meeting the same key twice; that is also why the nonce is a constant.

use crate::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};
use crate::{CryptoError, Key256, SecretBytes, kdf, random_nonce};

/// The version that [`seal`] writes.
const VERSION: u8 = 1;

/// The KDF's label of that version, which binds the version byte to the key.
const LABEL: &[u8] = b"sealstack sealed 1";

const SALT_LENGTH: usize = 16;

/// Each derived key is used for one message, so one nonce serves them all.
const NONCE: [u8; NONCE_LENGTH] = [0; NONCE_LENGTH];

/// How many bytes longer than the plaintext the sealed bytes are.
pub const OVERHEAD: usize = 1 + SALT_LENGTH + TAG_LENGTH;

/// Seals `plaintext` under a key of its own derived from `key`, bound to `aad`.
#[must_use]
#[expect(clippy::expect_used, reason = "only a plaintext of more than 64 GiB is refused")]
pub fn seal(key: &Key256, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let salt: [u8; SALT_LENGTH] = random_nonce();
    let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD);
    sealed.push(VERSION);
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(plaintext);
    let (_, data) = sealed.split_at_mut(1 + SALT_LENGTH);
    let tag = message_key(key, &salt).seal_in_place(&NONCE, aad, data).expect("the plaintext is within GCM's bounds");
    sealed.extend_from_slice(&tag);
    sealed
}

/// Opens what [`seal`] made with the same `key` and `aad`.
///
/// # Errors
/// [`CryptoError::UnknownVersion`], [`CryptoError::NotAuthentic`].
pub fn open(key: &Key256, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, CryptoError> {
    let Parts { salt, data, tag } = parse(sealed)?;
    let mut plaintext = SecretBytes::from(data);
    message_key(key, salt).open_in_place(&NONCE, aad, plaintext.expose_mut(), tag)?;
    Ok(plaintext)
}

/// Opens a sealed key straight into locked memory.
///
/// # Errors
/// As for [`open`]; [`CryptoError::NotAuthentic`] as well when what was sealed is not 32 bytes long.
pub fn open_key(key: &Key256, aad: &[u8], sealed: &[u8]) -> Result<Key256, CryptoError> {
    let Parts { salt, data, tag } = parse(sealed)?;
    let data: &[u8; 32] = data.try_into().map_err(|_| CryptoError::NotAuthentic)?;
    let mut opened = Ok(());
    let plaintext = Key256::fill(|plaintext| {
        *plaintext = *data;
        opened = message_key(key, salt).open_in_place(&NONCE, aad, plaintext, tag);
    });
    opened.map(|()| plaintext)
}

/// Sealed bytes, taken apart.
struct Parts<'a> {
    salt: &'a [u8; SALT_LENGTH],
    data: &'a [u8],
    tag: &'a [u8; TAG_LENGTH],
}

fn parse(sealed: &[u8]) -> Result<Parts<'_>, CryptoError> {
    let (&version, rest) = sealed.split_first().ok_or(CryptoError::NotAuthentic)?;
    if version != VERSION {
        return Err(CryptoError::UnknownVersion { version });
    }
    let (salt, rest) = rest.split_first_chunk().ok_or(CryptoError::NotAuthentic)?;
    let (data, tag) = rest.split_last_chunk().ok_or(CryptoError::NotAuthentic)?;
    Ok(Parts { salt, data, tag })
}

fn message_key(key: &Key256, salt: &[u8; SALT_LENGTH]) -> AeadKey {
    AeadKey::aes256(&kdf::derive(key, LABEL, salt))
}

#[cfg(test)]
mod tests;
