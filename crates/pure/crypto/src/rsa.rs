//! RSA encryption of short secrets: OAEP and PKCS#1 v1.5, with keys from PEM or DER.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use rustls::pki_types::pem::{PemObject as _, SectionKind};

use crate::der::private_key_info;
use crate::{CryptoError, SecretBytes};

/// How a secret is padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// PKCS#1 v1.5 (RFC 8017, section 7.2). Whoever can tell a failed decryption from a successful one many times over
    /// can decrypt: keep it for messages that exist.
    Pkcs1,
    /// OAEP with SHA-1 for both hash and mask.
    OaepSha1,
    /// OAEP with SHA-256 for both hash and mask.
    OaepSha256,
    /// OAEP with SHA-384 for both hash and mask.
    OaepSha384,
    /// OAEP with SHA-512 for both hash and mask.
    OaepSha512,
}

impl Padding {
    fn oaep(self) -> Option<&'static OaepAlgorithm> {
        match self {
            Self::Pkcs1 => None,
            Self::OaepSha1 => Some(&OAEP_SHA1_MGF1SHA1),
            Self::OaepSha256 => Some(&OAEP_SHA256_MGF1SHA256),
            Self::OaepSha384 => Some(&OAEP_SHA384_MGF1SHA384),
            Self::OaepSha512 => Some(&OAEP_SHA512_MGF1SHA512),
        }
    }
}

/// A public key of 2048 to 8192 bits.
pub struct RsaPublicKey(PublicEncryptingKey);

impl RsaPublicKey {
    /// Reads a SubjectPublicKeyInfo in PEM or DER.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn read(encoded: &[u8]) -> Result<Self, CryptoError> {
        let der = der_of(encoded, &[SectionKind::PublicKey])?;
        Ok(Self(PublicEncryptingKey::from_der(der.expose()).map_err(|_| CryptoError::Key)?))
    }

    /// The modulus's length in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.0.key_size_bits()
    }

    /// Encrypts `secret`.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when the padding leaves no room for it.
    pub fn encrypt(&self, padding: Padding, secret: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut out = vec![0; self.0.key_size_bytes()];
        let encrypted = match padding.oaep() {
            Some(algorithm) => OaepPublicEncryptingKey::new(self.0.clone())
                .and_then(|key| key.encrypt(algorithm, secret, &mut out, None).map(|written| written.len())),
            None => Pkcs1PublicEncryptingKey::new(self.0.clone())
                .and_then(|key| key.encrypt(secret, &mut out).map(|written| written.len())),
        };
        out.truncate(encrypted.map_err(|_| CryptoError::Length { bytes: secret.len() })?);
        Ok(out)
    }
}

/// A private key of 2048 to 8192 bits.
pub struct RsaPrivateKey(PrivateDecryptingKey);

impl RsaPrivateKey {
    /// Reads a PKCS#8 or PKCS#1 key that is not encrypted, in PEM or DER.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn read(encoded: &[u8]) -> Result<Self, CryptoError> {
        let der = der_of(encoded, &[SectionKind::PrivateKey, SectionKind::RsaPrivateKey])?;
        let wrapped = || PrivateDecryptingKey::from_pkcs8(private_key_info(&RSA_ENCRYPTION, der.expose()).expose());
        let key = PrivateDecryptingKey::from_pkcs8(der.expose()).or_else(|_| wrapped());
        Ok(Self(key.map_err(|_| CryptoError::Key)?))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> RsaPublicKey {
        RsaPublicKey(self.0.public_key())
    }

    /// Decrypts a secret.
    ///
    /// # Errors
    /// [`CryptoError::NotAuthentic`], whatever was wrong.
    pub fn decrypt(&self, padding: Padding, ciphertext: &[u8]) -> Result<SecretBytes, CryptoError> {
        let mut out = SecretBytes::from(vec![0; self.0.key_size_bytes()]);
        let decrypted = match padding.oaep() {
            Some(algorithm) => OaepPrivateDecryptingKey::new(self.0.clone())
                .and_then(|key| key.decrypt(algorithm, ciphertext, out.expose_mut(), None).map(|secret| secret.len())),
            None => Pkcs1PrivateDecryptingKey::new(self.0.clone())
                .and_then(|key| key.decrypt(ciphertext, out.expose_mut()).map(|secret| secret.len())),
        };
        out.truncate(decrypted.map_err(|_| CryptoError::NotAuthentic)?);
        Ok(out)
    }
}

/// The DER of the first PEM section of one of the kinds, or the input when it isn't PEM.
fn der_of(encoded: &[u8], kinds: &[SectionKind]) -> Result<SecretBytes, CryptoError> {
    if !encoded.trim_ascii_start().starts_with(b"-----BEGIN ") {
        return Ok(SecretBytes::from(encoded));
    }
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(encoded);
    let found = sections.flatten().find(|(kind, _)| kinds.contains(kind));
    found.map(|(_, der)| SecretBytes::from(der)).ok_or(CryptoError::Key)
}

/// `SEQUENCE { OBJECT rsaEncryption, NULL }` (RFC 8017, appendix A.1).
const RSA_ENCRYPTION: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

#[cfg(test)]
mod tests;
