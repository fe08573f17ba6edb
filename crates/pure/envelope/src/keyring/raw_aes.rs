//! Data keys under a raw AES key that the caller holds.

use crypto::aead::{AeadKey, Algorithm, NONCE_LENGTH, TAG_LENGTH};
use crypto::{CryptoError, SecretBytes, random_bytes};

use super::{Attempts, KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapped, Unwrapping, Wrapping, data_key};
use crate::EncryptedDataKey;
use crate::data_key::RAW_AES_LENGTHS;

/// A raw AES key that wraps data keys with AES-GCM.
///
/// Source: AWS Encryption SDK Specification, Raw AES Keyring.
pub struct RawAesKeyring {
    namespace: String,
    name: String,
    key: AeadKey,
}

impl RawAesKeyring {
    /// A keyring of one key of 16, 24 or 32 bytes. Messages name it by `namespace` and `name`.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when the key has another length.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, key: &[u8]) -> Result<Self, CryptoError> {
        let algorithm = match key.len() {
            16 => Algorithm::Aes128Gcm,
            24 => Algorithm::Aes192Gcm,
            _ => Algorithm::Aes256Gcm,
        };
        Ok(Self { namespace: namespace.into(), name: name.into(), key: AeadKey::new(algorithm, key)? })
    }

    fn describe(&self) -> String {
        format!("raw AES key {}/{}", self.namespace, self.name)
    }

    /// The nonce of an encrypted data key that this key may have made.
    fn nonce<'a>(&self, key: &'a EncryptedDataKey) -> Option<&'a [u8; NONCE_LENGTH]> {
        if key.provider_id != self.namespace {
            return None;
        }
        let (rest, nonce) = key.provider_info.split_last_chunk()?;
        (rest.strip_suffix(&RAW_AES_LENGTHS)? == self.name.as_bytes()).then_some(nonce)
    }

    fn wrap_now(&self, keys: &mut Wrapping<'_>) -> Result<(), KeyFailure> {
        let failed = |reason| KeyFailure::new(self.describe(), reason);
        let aad = keys.context().serialize().map_err(|error| failed(KeyFailureReason::Other(error.into())))?;
        let mut nonce = [0; NONCE_LENGTH];
        random_bytes(&mut nonce);
        let mut wrapped = SecretBytes::from(keys.data_key_or_random().expose());
        let tag = self.key.seal_in_place(&nonce, &aad, wrapped.expose_mut());
        let tag = tag.map_err(|error| failed(KeyFailureReason::Other(error.into())))?;
        keys.push(EncryptedDataKey {
            provider_id: self.namespace.clone(),
            provider_info: [self.name.as_bytes(), &RAW_AES_LENGTHS, &nonce].concat(),
            ciphertext: [wrapped.expose(), &tag].concat(),
        });
        Ok(())
    }

    fn open_now(&self, keys: &Unwrapping<'_>) -> Result<Unwrapped, Vec<KeyFailure>> {
        let mut attempts = Attempts::new(self.describe());
        let aad = match keys.context().serialize() {
            Ok(aad) => aad,
            Err(error) => {
                attempts.failed(KeyFailureReason::Other(error.into()));
                return Err(attempts.exhausted());
            }
        };
        for (index, key) in keys.encrypted().iter().enumerate() {
            let Some(nonce) = self.nonce(key) else { continue };
            let Some((wrapped, tag)) = key.ciphertext.split_last_chunk::<TAG_LENGTH>() else {
                attempts.failed(KeyFailureReason::Malformed("it is shorter than its tag"));
                continue;
            };
            let mut opened = SecretBytes::from(wrapped);
            if self.key.open_in_place(nonce, &aad, opened.expose_mut(), tag).is_err() {
                attempts.failed(KeyFailureReason::NotAuthentic);
                continue;
            }
            match data_key(keys.suite(), opened) {
                Ok(data_key) => return Ok(attempts.opened(index, data_key)),
                Err(reason) => attempts.failed(reason),
            }
        }
        Err(attempts.exhausted())
    }
}

impl Keyring for RawAesKeyring {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        let wrapped = self.wrap_now(keys);
        Box::pin(std::future::ready(wrapped))
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        let opened = self.open_now(keys);
        Box::pin(std::future::ready(opened))
    }
}
