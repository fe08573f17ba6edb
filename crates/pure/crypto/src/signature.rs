//! ECDSA over digests that the caller computed: short-lived signing keys, and verification under foreign public keys.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyCompressedBin};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair, UnparsedPublicKey,
};

use crate::CryptoError;

/// ECDSA by its curve and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecdsa {
    /// P-256 with SHA-256.
    P256Sha256,
    /// P-384 with SHA-384.
    P384Sha384,
}

impl Ecdsa {
    fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256Sha256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384Sha384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        }
    }

    fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256Sha256 => &ECDSA_P256_SHA256_ASN1,
            Self::P384Sha384 => &ECDSA_P384_SHA384_ASN1,
        }
    }

    fn digest(self, digest: &[u8]) -> Result<Digest, CryptoError> {
        let algorithm = match self {
            Self::P256Sha256 => &digest::SHA256,
            Self::P384Sha384 => &digest::SHA384,
        };
        Digest::import_less_safe(digest, algorithm).map_err(|_| CryptoError::Length { bytes: digest.len() })
    }
}

/// A private key for ECDSA, made here and never exported.
pub struct EcdsaKey {
    algorithm: Ecdsa,
    pair: EcdsaKeyPair,
}

impl EcdsaKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the provider cannot make one.
    pub fn generate(algorithm: Ecdsa) -> Result<Self, CryptoError> {
        let pair = EcdsaKeyPair::generate(algorithm.signing()).map_err(|_| CryptoError::Key)?;
        Ok(Self { algorithm, pair })
    }

    /// The curve and hash.
    #[must_use]
    pub const fn algorithm(&self) -> Ecdsa {
        self.algorithm
    }

    /// The public key as a compressed point (SEC 1, section 2.3.3).
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the provider cannot encode it.
    pub fn public_key(&self) -> Result<Vec<u8>, CryptoError> {
        let point: EcPublicKeyCompressedBin<'_> = self.pair.public_key().as_be_bytes().map_err(|_| CryptoError::Key)?;
        Ok(point.as_ref().to_vec())
    }

    /// Signs a digest of the algorithm's hash. The signature is DER, and its length varies by a few bytes.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when the digest is not of that hash.
    pub fn sign_digest(&self, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signature = self.pair.sign_digest(&self.algorithm.digest(digest)?).map_err(|_| CryptoError::Key)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// Verifies a DER signature over a digest under a public key: a point, compressed or not, or a SubjectPublicKeyInfo.
///
/// # Errors
/// [`CryptoError::NotAuthentic`], also for a key that cannot be read; [`CryptoError::Length`] for a digest of another
/// hash.
pub fn verify_digest(algorithm: Ecdsa, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let digest = algorithm.digest(digest)?;
    let verified = UnparsedPublicKey::new(algorithm.verification(), key).verify_digest(&digest, signature);
    verified.map_err(|_| CryptoError::NotAuthentic)
}

#[cfg(test)]
mod tests;
