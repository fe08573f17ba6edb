//! Key pairs of every kind as bytes: a private key in PKCS#8, its public key as a SubjectPublicKeyInfo, both in DER.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
};

use crate::aws_lc::{MlDsa, MlKem};
use crate::ed25519::Ed25519Key;
use crate::ml_dsa::MlDsaKey;
use crate::{CryptoError, SecretBytes};

/// The kind of a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairKind {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// The NIST curve P-256.
    P256,
    /// The NIST curve P-384.
    P384,
    /// The NIST curve P-521.
    P521,
    /// The curve secp256k1.
    Secp256k1,
    /// The Edwards curve of Ed25519.
    Ed25519,
    /// ML-DSA-44.
    MlDsa44,
    /// ML-DSA-65.
    MlDsa65,
    /// ML-DSA-87.
    MlDsa87,
    /// ML-KEM-512.
    MlKem512,
    /// ML-KEM-768.
    MlKem768,
    /// ML-KEM-1024.
    MlKem1024,
}

/// The families of kinds, with what tells their members apart.
enum Family {
    Rsa(KeySize),
    Curve(&'static EcdsaSigningAlgorithm),
    Ed25519,
    MlDsa(MlDsa),
    MlKem(MlKem),
}

impl PairKind {
    fn family(self) -> Family {
        match self {
            Self::Rsa2048 => Family::Rsa(KeySize::Rsa2048),
            Self::Rsa3072 => Family::Rsa(KeySize::Rsa3072),
            Self::Rsa4096 => Family::Rsa(KeySize::Rsa4096),
            Self::P256 => Family::Curve(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::P384 => Family::Curve(&ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::P521 => Family::Curve(&ECDSA_P521_SHA512_ASN1_SIGNING),
            Self::Secp256k1 => Family::Curve(&ECDSA_P256K1_SHA256_ASN1_SIGNING),
            Self::Ed25519 => Family::Ed25519,
            Self::MlDsa44 => Family::MlDsa(MlDsa::MlDsa44),
            Self::MlDsa65 => Family::MlDsa(MlDsa::MlDsa65),
            Self::MlDsa87 => Family::MlDsa(MlDsa::MlDsa87),
            Self::MlKem512 => Family::MlKem(MlKem::MlKem512),
            Self::MlKem768 => Family::MlKem(MlKem::MlKem768),
            Self::MlKem1024 => Family::MlKem(MlKem::MlKem1024),
        }
    }

    /// The parameter set of ML-DSA, if it is one.
    pub(crate) fn ml_dsa(self) -> Option<MlDsa> {
        if let Family::MlDsa(set) = self.family() { Some(set) } else { None }
    }

    /// The parameter set of ML-KEM, if it is one.
    pub(crate) fn ml_kem(self) -> Option<MlKem> {
        if let Family::MlKem(set) = self.family() { Some(set) } else { None }
    }

    /// ECDSA on the curve with the hash of its strength, if it is a Weierstrass curve.
    pub(crate) fn ecdsa(self) -> Option<&'static EcdsaSigningAlgorithm> {
        if let Family::Curve(algorithm) = self.family() { Some(algorithm) } else { None }
    }

    /// Whether making a pair takes so long that nothing should wait for it that has not asked for one.
    #[must_use]
    pub const fn is_slow_to_make(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }
}

/// A key pair, encoded.
pub struct KeyPair {
    /// The private key in PKCS#8.
    pub private: SecretBytes,
    /// The public key as a SubjectPublicKeyInfo.
    pub public: Vec<u8>,
}

impl KeyPair {
    /// A new random pair. RSA takes up to some seconds.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the provider cannot make one.
    pub fn generate(kind: PairKind) -> Result<Self, CryptoError> {
        match kind.family() {
            Family::Rsa(size) => Self::of_rsa(&rsa::KeyPair::generate(size).map_err(|_| CryptoError::Key)?),
            Family::Curve(algorithm) => {
                Self::of_curve(&EcdsaKeyPair::generate(algorithm).map_err(|_| CryptoError::Key)?)
            }
            Family::Ed25519 => Self::of_ed25519(&Ed25519Key::generate()?),
            Family::MlDsa(set) => Self::of_ml_dsa(&MlDsaKey::generate(set)?),
            Family::MlKem(set) => set.generate(),
        }
    }

    /// Reads a PKCS#8 key that is not encrypted, in DER. What comes out is encoded as [`generate`](Self::generate) does
    /// it, whatever variant came in.
    ///
    /// # Errors
    /// [`CryptoError::Key`], also for a key of another kind.
    pub fn read(kind: PairKind, pkcs8: &[u8]) -> Result<Self, CryptoError> {
        match kind.family() {
            Family::Rsa(size) => {
                let key = rsa::KeyPair::from_pkcs8(pkcs8).map_err(|_| CryptoError::Key)?;
                if key.public_modulus_len() != size.len() {
                    return Err(CryptoError::Key);
                }
                Self::of_rsa(&key)
            }
            Family::Curve(algorithm) => {
                Self::of_curve(&EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map_err(|_| CryptoError::Key)?)
            }
            Family::Ed25519 => Self::of_ed25519(&Ed25519Key::read(pkcs8)?),
            Family::MlDsa(set) => Self::of_ml_dsa(&MlDsaKey::read(set, pkcs8)?),
            Family::MlKem(set) => set.read(pkcs8),
        }
    }

    fn of_rsa(key: &rsa::KeyPair) -> Result<Self, CryptoError> {
        let private: Pkcs8V1Der<'_> = key.as_der().map_err(|_| CryptoError::Key)?;
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| CryptoError::Key)?;
        Ok(Self { private: SecretBytes::from(private.as_ref()), public: public.as_ref().to_vec() })
    }

    fn of_curve(key: &EcdsaKeyPair) -> Result<Self, CryptoError> {
        let private = key.to_pkcs8v1().map_err(|_| CryptoError::Key)?;
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| CryptoError::Key)?;
        Ok(Self { private: SecretBytes::from(private.as_ref()), public: public.as_ref().to_vec() })
    }

    fn of_ed25519(key: &Ed25519Key) -> Result<Self, CryptoError> {
        Ok(Self { private: key.pkcs8()?, public: key.spki()? })
    }

    fn of_ml_dsa(key: &MlDsaKey) -> Result<Self, CryptoError> {
        Ok(Self { private: key.pkcs8()?, public: key.spki()? })
    }
}

#[cfg(test)]
mod tests;
