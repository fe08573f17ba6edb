//! Material ready for use: unwrapped, parsed once and cached, in the form that the key's spec and usage ask for.

use crypto::ecdh::EcdhPrivateKey;
use crypto::kdf::DerivationKey;
use crypto::kem::{DecapsulationKey, EncapsulationKey};
use crypto::rsa::{RsaPrivateKey, RsaPublicKey};
use crypto::signing::{SigningKey, VerifyingKey};
use crypto::{CryptoError, Key256, MacKey};

use crate::record::{KeySpec, KeyUsage};

/// A secret, ready for what its key is for.
pub(crate) enum Material {
    /// The backing key of a symmetric encryption key. It stands here itself: every data key passes by.
    Backing(DerivationKey),
    /// An HMAC key.
    Mac(Box<MacKey>),
    /// A private key that signs.
    Signing(Box<SigningKey>),
    /// A private key that decrypts.
    Decrypting(Box<RsaPrivateKey>),
    /// A private key for key agreement.
    Agreeing(Box<EcdhPrivateKey>),
    /// A private key that decapsulates.
    Decapsulating(Box<DecapsulationKey>),
}

impl Material {
    /// Makes a secret of this spec ready for this usage.
    ///
    /// # Errors
    /// [`CryptoError::Key`], [`CryptoError::Length`] when it is no such secret.
    pub(crate) fn read(spec: KeySpec, usage: KeyUsage, secret: &[u8]) -> Result<Self, CryptoError> {
        if let Some(hash) = spec.mac_hash() {
            return Ok(Self::Mac(Box::new(MacKey::new(hash, secret))));
        }
        let Some(kind) = spec.pair_kind() else {
            return Ok(Self::Backing(DerivationKey::new(&Key256::from_slice(secret)?)));
        };
        match usage {
            KeyUsage::SignVerify => Ok(Self::Signing(Box::new(SigningKey::read(kind, secret)?))),
            KeyUsage::EncryptDecrypt => Ok(Self::Decrypting(Box::new(RsaPrivateKey::read(secret)?))),
            KeyUsage::KeyAgreement => {
                let curve = spec.agreement_curve().ok_or(CryptoError::Key)?;
                Ok(Self::Agreeing(Box::new(EcdhPrivateKey::read(curve, secret)?)))
            }
            KeyUsage::EncapsulateDecapsulate => {
                Ok(Self::Decapsulating(Box::new(DecapsulationKey::read(kind, secret)?)))
            }
            KeyUsage::GenerateVerifyMac => Err(CryptoError::Key),
        }
    }
}

/// A public key, ready for what its key is for. It needs no secret.
pub(crate) enum PublicMaterial {
    /// It verifies.
    Verifying(VerifyingKey),
    /// It encrypts.
    Encrypting(RsaPublicKey),
    /// It encapsulates.
    Encapsulating(EncapsulationKey),
}

impl PublicMaterial {
    /// Makes a public key of this spec ready for this usage.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when it is no such key, or none that does anything by itself.
    pub(crate) fn read(spec: KeySpec, usage: KeyUsage, spki: &[u8]) -> Result<Self, CryptoError> {
        let kind = spec.pair_kind().ok_or(CryptoError::Key)?;
        match usage {
            KeyUsage::SignVerify => Ok(Self::Verifying(VerifyingKey::read(kind, spki)?)),
            KeyUsage::EncryptDecrypt => Ok(Self::Encrypting(RsaPublicKey::read(spki)?)),
            KeyUsage::EncapsulateDecapsulate => Ok(Self::Encapsulating(EncapsulationKey::read(kind, spki)?)),
            KeyUsage::KeyAgreement | KeyUsage::GenerateVerifyMac => Err(CryptoError::Key),
        }
    }
}
