//! Signing with stored keys, and verifying: RSA, ECDSA, Ed25519 and ML-DSA behind one face.
//!
//! Which scheme goes with which key and kind of message is checked here; which of them anybody may use is not known.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256K1_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, EcdsaKeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaParameters, RsaSignatureEncoding,
    UnparsedPublicKey,
};

use crate::aws_lc::MU_LENGTH;
use crate::ed25519::{Ed25519Key, Ed25519PublicKey};
use crate::ml_dsa::{MlDsaKey, MlDsaPublicKey};
use crate::{CryptoError, Hash, PairKind};

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1(Hash),
    /// RSASSA-PSS, the mask from the same hash and a salt as long as its digest (RFC 8017, section 8.1).
    RsaPss(Hash),
    /// ECDSA with DER signatures. The hash is the one of the curve's strength.
    Ecdsa(Hash),
    /// Ed25519 over the message itself.
    Ed25519,
    /// Ed25519ph: over the message's SHA-512 digest, which is computed here.
    Ed25519ph,
    /// ML-DSA with an empty context.
    MlDsa,
}

/// The input of a signature.
#[derive(Clone, Copy)]
pub enum Message<'a> {
    /// A message.
    Raw(&'a [u8]),
    /// The digest of a message, for RSA and ECDSA.
    Digest(&'a [u8]),
    /// The message representative μ of FIPS 204, for ML-DSA.
    Mu(&'a [u8]),
}

impl Message<'_> {
    /// The digest that RSA and ECDSA sign.
    fn digest(self, hash: Hash) -> Result<Digest, CryptoError> {
        match self {
            Self::Raw(message) => Ok(digest::digest(hash.algorithm(), message)),
            Self::Digest(digest) => Digest::import_less_safe(digest, hash.algorithm())
                .map_err(|_| CryptoError::Length { bytes: digest.len() }),
            Self::Mu(_) => Err(CryptoError::Key),
        }
    }
}

/// The representative, if it has the length of one.
fn representative(mu: &[u8]) -> Result<&[u8; MU_LENGTH], CryptoError> {
    mu.try_into().map_err(|_| CryptoError::Length { bytes: mu.len() })
}

/// The hash that ECDSA takes on a curve.
const fn hash_of(kind: PairKind) -> Option<Hash> {
    match kind {
        PairKind::P256 | PairKind::Secp256k1 => Some(Hash::Sha256),
        PairKind::P384 => Some(Hash::Sha384),
        PairKind::P521 => Some(Hash::Sha512),
        _ => None,
    }
}

/// A private key that signs.
pub struct SigningKey(Private);

enum Private {
    Rsa(rsa::KeyPair),
    Ecdsa(Hash, EcdsaKeyPair),
    Ed25519(Ed25519Key),
    MlDsa(MlDsaKey),
}

impl SigningKey {
    /// Reads a PKCS#8 key in DER.
    ///
    /// # Errors
    /// [`CryptoError::Key`], also for a key of another kind or one that does not sign.
    pub fn read(kind: PairKind, pkcs8: &[u8]) -> Result<Self, CryptoError> {
        if let Some((algorithm, hash)) = kind.ecdsa().zip(hash_of(kind)) {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map_err(|_| CryptoError::Key)?;
            return Ok(Self(Private::Ecdsa(hash, pair)));
        }
        if let Some(set) = kind.ml_dsa() {
            return Ok(Self(Private::MlDsa(MlDsaKey::read(set, pkcs8)?)));
        }
        match kind {
            PairKind::Rsa2048 | PairKind::Rsa3072 | PairKind::Rsa4096 => {
                Ok(Self(Private::Rsa(rsa::KeyPair::from_pkcs8(pkcs8).map_err(|_| CryptoError::Key)?)))
            }
            PairKind::Ed25519 => Ok(Self(Private::Ed25519(Ed25519Key::read(pkcs8)?))),
            _ => Err(CryptoError::Key),
        }
    }

    /// Signs.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for a digest or representative of another length; [`CryptoError::Key`] when scheme, key
    /// and kind of message do not go together.
    pub fn sign(&self, scheme: Scheme, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        match (&self.0, scheme, message) {
            (Private::Rsa(key), Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash), _) => {
                let encoding = encoding(scheme).ok_or(CryptoError::Key)?;
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign_digest(encoding, &message.digest(hash)?, &mut signature).map_err(|_| CryptoError::Key)?;
                Ok(signature)
            }
            (Private::Ecdsa(own, key), Scheme::Ecdsa(hash), _) if *own == hash => {
                let signature = key.sign_digest(&message.digest(hash)?).map_err(|_| CryptoError::Key)?;
                Ok(signature.as_ref().to_vec())
            }
            (Private::Ed25519(key), Scheme::Ed25519, Message::Raw(message)) => key.sign(message),
            (Private::Ed25519(key), Scheme::Ed25519ph, Message::Raw(message)) => key.sign_prehashed(message),
            (Private::MlDsa(key), Scheme::MlDsa, Message::Raw(message)) => key.sign(message),
            (Private::MlDsa(key), Scheme::MlDsa, Message::Mu(mu)) => key.sign_mu(representative(mu)?),
            _ => Err(CryptoError::Key),
        }
    }
}

/// A public key that verifies.
pub struct VerifyingKey(Public);

enum Public {
    /// Kept encoded: the provider parses it together with the scheme.
    Rsa(Vec<u8>),
    Ecdsa(Hash, ParsedPublicKey),
    Ed25519(Ed25519PublicKey),
    MlDsa(MlDsaPublicKey),
}

impl VerifyingKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// [`CryptoError::Key`], also for a key of another kind or one that does not verify.
    pub fn read(kind: PairKind, spki: &[u8]) -> Result<Self, CryptoError> {
        if let Some(set) = kind.ml_dsa() {
            return Ok(Self(Public::MlDsa(MlDsaPublicKey::read(set, spki)?)));
        }
        let (algorithm, hash) = match kind {
            PairKind::Rsa2048 | PairKind::Rsa3072 | PairKind::Rsa4096 => {
                UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, spki).parse().map_err(|_| CryptoError::Key)?;
                return Ok(Self(Public::Rsa(spki.to_vec())));
            }
            PairKind::Ed25519 => return Ok(Self(Public::Ed25519(Ed25519PublicKey::read(spki)?))),
            PairKind::P256 => (&ECDSA_P256_SHA256_ASN1, Hash::Sha256),
            PairKind::P384 => (&ECDSA_P384_SHA384_ASN1, Hash::Sha384),
            PairKind::P521 => (&ECDSA_P521_SHA512_ASN1, Hash::Sha512),
            PairKind::Secp256k1 => (&ECDSA_P256K1_SHA256_ASN1, Hash::Sha256),
            _ => return Err(CryptoError::Key),
        };
        let key = ParsedPublicKey::new(algorithm, spki).map_err(|_| CryptoError::Key)?;
        Ok(Self(Public::Ecdsa(hash, key)))
    }

    /// Verifies a signature.
    ///
    /// # Errors
    /// [`CryptoError::NotAuthentic`] when it is not one; those of [`SigningKey::sign`].
    pub fn verify(&self, scheme: Scheme, message: Message<'_>, signature: &[u8]) -> Result<(), CryptoError> {
        match (&self.0, scheme, message) {
            (Public::Rsa(spki), Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash), _) => {
                let parameters = parameters(scheme).ok_or(CryptoError::Key)?;
                let verified =
                    UnparsedPublicKey::new(parameters, spki).verify_digest(&message.digest(hash)?, signature);
                verified.map_err(|_| CryptoError::NotAuthentic)
            }
            (Public::Ecdsa(own, key), Scheme::Ecdsa(hash), _) if *own == hash => {
                let verified = key.verify_digest_sig(&message.digest(hash)?, signature);
                verified.map_err(|_| CryptoError::NotAuthentic)
            }
            (Public::Ed25519(key), Scheme::Ed25519, Message::Raw(message)) => key.verify(message, signature),
            (Public::Ed25519(key), Scheme::Ed25519ph, Message::Raw(message)) => {
                key.verify_prehashed(message, signature)
            }
            (Public::MlDsa(key), Scheme::MlDsa, Message::Raw(message)) => key.verify(message, signature),
            (Public::MlDsa(key), Scheme::MlDsa, Message::Mu(mu)) => key.verify_mu(representative(mu)?, signature),
            _ => Err(CryptoError::Key),
        }
    }
}

fn encoding(scheme: Scheme) -> Option<&'static RsaSignatureEncoding> {
    match scheme {
        Scheme::RsaPkcs1(Hash::Sha256) => Some(&RSA_PKCS1_SHA256),
        Scheme::RsaPkcs1(Hash::Sha384) => Some(&RSA_PKCS1_SHA384),
        Scheme::RsaPkcs1(Hash::Sha512) => Some(&RSA_PKCS1_SHA512),
        Scheme::RsaPss(Hash::Sha256) => Some(&RSA_PSS_SHA256),
        Scheme::RsaPss(Hash::Sha384) => Some(&RSA_PSS_SHA384),
        Scheme::RsaPss(Hash::Sha512) => Some(&RSA_PSS_SHA512),
        _ => None,
    }
}

fn parameters(scheme: Scheme) -> Option<&'static RsaParameters> {
    match scheme {
        Scheme::RsaPkcs1(Hash::Sha256) => Some(&RSA_PKCS1_2048_8192_SHA256),
        Scheme::RsaPkcs1(Hash::Sha384) => Some(&RSA_PKCS1_2048_8192_SHA384),
        Scheme::RsaPkcs1(Hash::Sha512) => Some(&RSA_PKCS1_2048_8192_SHA512),
        Scheme::RsaPss(Hash::Sha256) => Some(&RSA_PSS_2048_8192_SHA256),
        Scheme::RsaPss(Hash::Sha384) => Some(&RSA_PSS_2048_8192_SHA384),
        Scheme::RsaPss(Hash::Sha512) => Some(&RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
