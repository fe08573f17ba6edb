//! Data keys under a raw RSA key pair that the caller holds, or one half of it.

use crypto::CryptoError;
use crypto::rsa::{Padding, RsaPrivateKey, RsaPublicKey};

use super::{Attempts, KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapped, Unwrapping, Wrapping};
use crate::{DataKey, EncryptedDataKey};

/// A raw RSA key pair. With the public half alone it encrypts, with the private half alone it decrypts.
///
/// Source: AWS Encryption SDK Specification, Raw RSA Keyring.
pub struct RawRsaKeyring {
    namespace: String,
    name: String,
    padding: Padding,
    public: Option<RsaPublicKey>,
    private: Option<RsaPrivateKey>,
}

impl RawRsaKeyring {
    /// A keyring without a key yet. Messages name it by `namespace` and `name`, but not by its padding.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>, padding: Padding) -> Self {
        Self { namespace: namespace.into(), name: name.into(), padding, public: None, private: None }
    }

    /// Adds the public key, a SubjectPublicKeyInfo in PEM or DER.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn with_public_key(mut self, encoded: &[u8]) -> Result<Self, CryptoError> {
        self.public = Some(RsaPublicKey::read(encoded)?);
        Ok(self)
    }

    /// Adds the private key, PKCS#8 or PKCS#1 in PEM or DER, and no public key: such a keyring decrypts only.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn with_private_key(mut self, encoded: &[u8]) -> Result<Self, CryptoError> {
        self.private = Some(RsaPrivateKey::read(encoded)?);
        Ok(self)
    }

    fn describe(&self) -> String {
        format!("raw RSA key {}/{}", self.namespace, self.name)
    }

    fn wrap_now(&self, keys: &mut Wrapping<'_>) -> Result<(), KeyFailure> {
        let failed = |reason| KeyFailure::new(self.describe(), reason);
        let public = self.public.as_ref();
        let public =
            public.ok_or_else(|| failed(KeyFailureReason::Incapable("it has no public key to encrypt with")))?;
        let ciphertext = public.encrypt(self.padding, keys.data_key_or_random().expose());
        let ciphertext = ciphertext.map_err(|error| failed(KeyFailureReason::Other(error.into())))?;
        keys.push(EncryptedDataKey {
            provider_id: self.namespace.clone(),
            provider_info: self.name.clone().into_bytes(),
            ciphertext,
        });
        Ok(())
    }

    fn open_now(&self, keys: &Unwrapping<'_>) -> Result<Unwrapped, Vec<KeyFailure>> {
        let mut attempts = Attempts::new(self.describe());
        let Some(private) = &self.private else {
            attempts.failed(KeyFailureReason::Incapable("it has no private key to decrypt with"));
            return Err(attempts.exhausted());
        };
        for (index, key) in keys.of_provider(&self.namespace) {
            if key.provider_info != self.name.as_bytes() {
                continue;
            }
            // Nothing tells wrong padding from a key of the wrong length: that difference would open other ciphertexts.
            let opened = private.decrypt(self.padding, &key.ciphertext).ok();
            match opened.and_then(|opened| DataKey::new(keys.suite(), opened)) {
                Some(data_key) => return Ok(attempts.opened(index, data_key)),
                None => attempts.failed(KeyFailureReason::NotAuthentic),
            }
        }
        Err(attempts.exhausted())
    }
}

impl Keyring for RawRsaKeyring {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        let wrapped = self.wrap_now(keys);
        Box::pin(std::future::ready(wrapped))
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        let opened = self.open_now(keys);
        Box::pin(std::future::ready(opened))
    }
}
