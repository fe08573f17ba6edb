//! Algorithms by name, and which of them go with which keys. Knows names only; what they do is in `crypto`.

use crypto::Hash;
use crypto::rsa::Padding;
use crypto::signing::Scheme;

use crate::error::KmsError;
use crate::record::{KeySpec, KeyUsage, LiveKey};

wire::text_enum! {
    /// How a ciphertext is made.
    pub(crate) enum EncryptionAlgorithm {
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        Sm2Pke = "SM2PKE",
    }
}

wire::text_enum! {
    /// How a signature is made.
    pub(crate) enum SigningAlgorithm {
        RsassaPssSha256 = "RSASSA_PSS_SHA_256",
        RsassaPssSha384 = "RSASSA_PSS_SHA_384",
        RsassaPssSha512 = "RSASSA_PSS_SHA_512",
        RsassaPkcs1Sha256 = "RSASSA_PKCS1_V1_5_SHA_256",
        RsassaPkcs1Sha384 = "RSASSA_PKCS1_V1_5_SHA_384",
        RsassaPkcs1Sha512 = "RSASSA_PKCS1_V1_5_SHA_512",
        EcdsaSha256 = "ECDSA_SHA_256",
        EcdsaSha384 = "ECDSA_SHA_384",
        EcdsaSha512 = "ECDSA_SHA_512",
        Sm2Dsa = "SM2DSA",
        MlDsaShake256 = "ML_DSA_SHAKE_256",
        Ed25519Sha512 = "ED25519_SHA_512",
        Ed25519PhSha512 = "ED25519_PH_SHA_512",
    }
}

wire::text_enum! {
    /// How a message authentication code is made.
    pub(crate) enum MacAlgorithm {
        HmacSha224 = "HMAC_SHA_224",
        HmacSha256 = "HMAC_SHA_256",
        HmacSha384 = "HMAC_SHA_384",
        HmacSha512 = "HMAC_SHA_512",
    }
}

wire::text_enum! {
    /// How a secret is agreed on.
    pub(crate) enum KeyAgreementAlgorithm {
        Ecdh = "ECDH",
    }
}

wire::text_enum! {
    /// How a secret is encapsulated.
    pub(crate) enum EncapsulationAlgorithm {
        MlKem = "ML_KEM",
    }
}

/// The algorithms of a usage.
pub(crate) trait Algorithm: Copy + PartialEq + 'static {
    /// The usage of the keys that they are for.
    const USAGE: KeyUsage;

    /// Those that go with a spec.
    fn with(spec: KeySpec) -> &'static [Self];

    /// The name.
    fn name(self) -> &'static str;
}

/// The algorithms that a key is for: none if it is for something else.
pub(crate) fn algorithms_of<A: Algorithm>(spec: KeySpec, usage: KeyUsage) -> &'static [A] {
    if usage == A::USAGE { A::with(spec) } else { &[] }
}

/// Whether a key is for this operation, and goes with this algorithm.
///
/// # Errors
/// [`KmsError::InvalidKeyUsage`], [`KmsError::IncompatibleAlgorithm`].
pub(crate) fn check_use<A: Algorithm>(key: &LiveKey, algorithm: A, operation: &'static str) -> Result<(), KmsError> {
    let record = &key.record;
    if record.usage != A::USAGE {
        return Err(KmsError::InvalidKeyUsage { arn: key.arn.clone(), usage: record.usage, operation });
    }
    if !A::with(record.spec).contains(&algorithm) {
        return Err(KmsError::IncompatibleAlgorithm { algorithm: algorithm.name(), spec: record.spec });
    }
    Ok(())
}

macro_rules! algorithm {
    ($name:ident for $usage:ident { $($($spec:ident)|+ => $algorithms:expr,)* }) => {
        impl Algorithm for $name {
            const USAGE: KeyUsage = KeyUsage::$usage;

            fn with(spec: KeySpec) -> &'static [Self] {
                match spec {
                    $($(KeySpec::$spec)|+ => $algorithms,)*
                    _ => &[],
                }
            }

            fn name(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

// Source: AWS KMS Developer Guide, "Key spec reference".
algorithm!(EncryptionAlgorithm for EncryptDecrypt {
    SymmetricDefault => &[Self::SymmetricDefault],
    Rsa2048 | Rsa3072 | Rsa4096 => &[Self::RsaesOaepSha1, Self::RsaesOaepSha256],
});
algorithm!(SigningAlgorithm for SignVerify {
    Rsa2048 | Rsa3072 | Rsa4096 => &[
        Self::RsassaPkcs1Sha256,
        Self::RsassaPkcs1Sha384,
        Self::RsassaPkcs1Sha512,
        Self::RsassaPssSha256,
        Self::RsassaPssSha384,
        Self::RsassaPssSha512,
    ],
    EccNistP256 | EccSecgP256k1 => &[Self::EcdsaSha256],
    EccNistP384 => &[Self::EcdsaSha384],
    EccNistP521 => &[Self::EcdsaSha512],
    EccNistEdwards25519 => &[Self::Ed25519Sha512, Self::Ed25519PhSha512],
    MlDsa44 | MlDsa65 | MlDsa87 => &[Self::MlDsaShake256],
});
algorithm!(MacAlgorithm for GenerateVerifyMac {
    Hmac224 => &[Self::HmacSha224],
    Hmac256 => &[Self::HmacSha256],
    Hmac384 => &[Self::HmacSha384],
    Hmac512 => &[Self::HmacSha512],
});
algorithm!(KeyAgreementAlgorithm for KeyAgreement {
    EccNistP256 | EccNistP384 | EccNistP521 => &[Self::Ecdh],
});
algorithm!(EncapsulationAlgorithm for EncapsulateDecapsulate {
    MlKem512 | MlKem768 | MlKem1024 => &[Self::MlKem],
});

impl EncryptionAlgorithm {
    /// How RSA pads for it; none if it is not RSA's.
    pub(crate) const fn padding(self) -> Option<Padding> {
        match self {
            Self::RsaesOaepSha1 => Some(Padding::OaepSha1),
            Self::RsaesOaepSha256 => Some(Padding::OaepSha256),
            Self::SymmetricDefault | Self::Sm2Pke => None,
        }
    }
}

impl SigningAlgorithm {
    /// The scheme in `crypto`; `None` for SM2, which no key is for.
    pub(crate) const fn scheme(self) -> Option<Scheme> {
        match self {
            Self::RsassaPssSha256 => Some(Scheme::RsaPss(Hash::Sha256)),
            Self::RsassaPssSha384 => Some(Scheme::RsaPss(Hash::Sha384)),
            Self::RsassaPssSha512 => Some(Scheme::RsaPss(Hash::Sha512)),
            Self::RsassaPkcs1Sha256 => Some(Scheme::RsaPkcs1(Hash::Sha256)),
            Self::RsassaPkcs1Sha384 => Some(Scheme::RsaPkcs1(Hash::Sha384)),
            Self::RsassaPkcs1Sha512 => Some(Scheme::RsaPkcs1(Hash::Sha512)),
            Self::EcdsaSha256 => Some(Scheme::Ecdsa(Hash::Sha256)),
            Self::EcdsaSha384 => Some(Scheme::Ecdsa(Hash::Sha384)),
            Self::EcdsaSha512 => Some(Scheme::Ecdsa(Hash::Sha512)),
            Self::MlDsaShake256 => Some(Scheme::MlDsa),
            Self::Ed25519Sha512 => Some(Scheme::Ed25519),
            Self::Ed25519PhSha512 => Some(Scheme::Ed25519ph),
            Self::Sm2Dsa => None,
        }
    }
}

#[cfg(test)]
mod tests;
