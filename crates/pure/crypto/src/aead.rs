//! AES-GCM with the caller's nonce, in place.
//!
//! Refuses to choose nonces: the caller makes sure that no nonce is used twice under a key.

mod out_of_place;

use aws_lc_rs::aead;

use crate::{CryptoError, Key256};

/// The length of a nonce in bytes.
pub const NONCE_LENGTH: usize = 12;

/// The length of a tag in bytes.
pub const TAG_LENGTH: usize = 16;

/// AES-GCM by the length of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// A key of 16 bytes.
    Aes128Gcm,
    /// A key of 24 bytes.
    Aes192Gcm,
    /// A key of 32 bytes.
    Aes256Gcm,
}

/// An expanded AES-GCM key.
pub struct AeadKey(aead::LessSafeKey);

impl AeadKey {
    /// Expands a key.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when the key's length is not the algorithm's.
    pub fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self, CryptoError> {
        let algorithm = match algorithm {
            Algorithm::Aes128Gcm => &aead::AES_128_GCM,
            Algorithm::Aes192Gcm => &aead::AES_192_GCM,
            Algorithm::Aes256Gcm => &aead::AES_256_GCM,
        };
        let key = aead::UnboundKey::new(algorithm, key).map_err(|_| CryptoError::Length { bytes: key.len() })?;
        Ok(Self(aead::LessSafeKey::new(key)))
    }

    /// Expands a key for AES-256-GCM.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the length is the type's")]
    pub fn aes256(key: &Key256) -> Self {
        Self::new(Algorithm::Aes256Gcm, key.expose()).expect("AES-256-GCM takes 32 bytes")
    }

    /// Encrypts `data` in place and returns the tag over it and `aad`.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when `data` is longer than GCM takes, 64 GiB.
    pub fn seal_in_place(
        &self,
        nonce: &[u8; NONCE_LENGTH],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_LENGTH], CryptoError> {
        let nonce = aead::Nonce::assume_unique_for_key(*nonce);
        let bytes = data.len();
        let sealed = self.0.seal_in_place_separate_tag(nonce, aead::Aad::from(aad), data);
        let tag = sealed.map_err(|_| CryptoError::Length { bytes })?;
        tag.as_ref().try_into().map_err(|_| CryptoError::Length { bytes: tag.as_ref().len() })
    }

    /// Decrypts `data` in place if `tag` is the one over it and `aad`. On an error `data` holds nothing of use.
    ///
    /// # Errors
    /// [`CryptoError::NotAuthentic`].
    pub fn open_in_place(
        &self,
        nonce: &[u8; NONCE_LENGTH],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_LENGTH],
    ) -> Result<(), CryptoError> {
        let nonce = aead::Nonce::assume_unique_for_key(*nonce);
        match self.0.open_in_place_separate_tag(nonce, aead::Aad::from(aad), tag, data) {
            Ok(_) => Ok(()),
            Err(_) => Err(CryptoError::NotAuthentic),
        }
    }
}

#[cfg(test)]
mod tests;
