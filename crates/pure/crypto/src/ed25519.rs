//! Ed25519 in its pure and its prehashed form, from and to encoded keys.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};

use crate::{CryptoError, SecretBytes, aws_lc};

/// A private key.
pub(crate) struct Ed25519Key {
    pair: Ed25519KeyPair,
    /// The seed and the public key, as the prehashed form takes them.
    private: SecretBytes,
}

impl Ed25519Key {
    /// A new random key.
    pub(crate) fn generate() -> Result<Self, CryptoError> {
        Self::of(Ed25519KeyPair::generate().map_err(|_| CryptoError::Key)?)
    }

    /// Reads a PKCS#8 key.
    pub(crate) fn read(pkcs8: &[u8]) -> Result<Self, CryptoError> {
        Self::of(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| CryptoError::Key)?)
    }

    fn of(pair: Ed25519KeyPair) -> Result<Self, CryptoError> {
        // The structure without a public key ends with the seed (RFC 8410, section 7).
        let document = pair.to_pkcs8v1().map_err(|_| CryptoError::Key)?;
        let seed = document.as_ref().last_chunk::<32>().ok_or(CryptoError::Key)?;
        let mut private = SecretBytes::with_capacity(64);
        private.extend(seed);
        private.extend(pair.public_key().as_ref());
        Ok(Self { pair, private })
    }

    /// The key in PKCS#8, without its public key: OpenSSL reads no other form.
    pub(crate) fn pkcs8(&self) -> Result<SecretBytes, CryptoError> {
        Ok(SecretBytes::from(self.pair.to_pkcs8v1().map_err(|_| CryptoError::Key)?.as_ref()))
    }

    /// The public key as a SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Result<Vec<u8>, CryptoError> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(|_| CryptoError::Key)?;
        Ok(der.as_ref().to_vec())
    }

    /// Signs a message as it is.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(self.pair.try_sign(message).map_err(|_| CryptoError::Key)?.as_ref().to_vec())
    }

    /// Signs the SHA-512 digest of a message.
    pub(crate) fn sign_prehashed(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let private = self.private.expose().try_into().map_err(|_| CryptoError::Key)?;
        Ok(aws_lc::ed25519ph_sign(private, message)?.to_vec())
    }
}

/// A public key.
pub(crate) struct Ed25519PublicKey {
    key: ParsedPublicKey,
    raw: [u8; 32],
}

impl Ed25519PublicKey {
    /// Reads a SubjectPublicKeyInfo, which ends with the key.
    pub(crate) fn read(spki: &[u8]) -> Result<Self, CryptoError> {
        let key = ParsedPublicKey::new(&ED25519, spki).map_err(|_| CryptoError::Key)?;
        let raw = *spki.last_chunk().ok_or(CryptoError::Key)?;
        Ok(Self { key, raw })
    }

    /// Verifies a signature over a message as it is.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.key.verify_sig(message, signature).map_err(|_| CryptoError::NotAuthentic)
    }

    /// Verifies a signature over the SHA-512 digest of a message.
    pub(crate) fn verify_prehashed(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let signature = signature.try_into().map_err(|_| CryptoError::NotAuthentic)?;
        aws_lc::ed25519ph_verify(&self.raw, message, signature)
    }
}
