//! Key specs, usages and origins, and which go together. Knows names only.

use crypto::ecdh::Curve;
use crypto::{Hash, PairKind};

wire::text_enum! {
    /// The type of a key's material.
    pub enum KeySpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256k1 = "ECC_SECG_P256K1",
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
        MlDsa44 = "ML_DSA_44",
        MlDsa65 = "ML_DSA_65",
        MlDsa87 = "ML_DSA_87",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }
}

wire::text_enum! {
    /// The cryptographic operations that a key is for.
    pub enum KeyUsage {
        SignVerify = "SIGN_VERIFY",
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        KeyAgreement = "KEY_AGREEMENT",
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }
}

wire::text_enum! {
    /// Where a key's material comes from.
    pub enum Origin {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        AwsCloudHsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

wire::text_enum! {
    /// Who manages a key.
    pub(crate) enum KeyManager {
        Aws = "AWS",
        Customer = "CUSTOMER",
    }
}

wire::text_enum! {
    /// The length of a data key.
    pub(crate) enum DataKeySpec {
        Aes256 = "AES_256",
        Aes128 = "AES_128",
    }
}

wire::text_enum! {
    /// The kind of a data key pair.
    pub(crate) enum DataKeyPairSpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256k1 = "ECC_SECG_P256K1",
        Sm2 = "SM2",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }
}

wire::text_enum! {
    /// A check that a dry run leaves out.
    pub(crate) enum DryRunModifier {
        IgnoreCiphertext = "IGNORE_CIPHERTEXT",
    }
}

wire::text_enum! {
    /// How an answer's secrets would be encrypted for an enclave.
    pub(crate) enum KeyEncryptionMechanism {
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
    }
}

wire::shape! {
    /// The enclave for which an answer's secrets would be encrypted.
    pub(crate) struct RecipientInfo {
        "KeyEncryptionAlgorithm" key_encryption_algorithm: KeyEncryptionMechanism, optional, [];
        "AttestationDocument" attestation_document: wire::Blob, optional, [wire::shape::Rule::Length(1, 262_144)];
    }
}

impl KeySpec {
    /// The kind of key pair that such a key is; none if it is symmetric.
    pub(crate) const fn pair_kind(self) -> Option<PairKind> {
        match self {
            Self::Rsa2048 => Some(PairKind::Rsa2048),
            Self::Rsa3072 => Some(PairKind::Rsa3072),
            Self::Rsa4096 => Some(PairKind::Rsa4096),
            Self::EccNistP256 => Some(PairKind::P256),
            Self::EccNistP384 => Some(PairKind::P384),
            Self::EccNistP521 => Some(PairKind::P521),
            Self::EccSecgP256k1 => Some(PairKind::Secp256k1),
            Self::EccNistEdwards25519 => Some(PairKind::Ed25519),
            Self::MlDsa44 => Some(PairKind::MlDsa44),
            Self::MlDsa65 => Some(PairKind::MlDsa65),
            Self::MlDsa87 => Some(PairKind::MlDsa87),
            Self::MlKem512 => Some(PairKind::MlKem512),
            Self::MlKem768 => Some(PairKind::MlKem768),
            Self::MlKem1024 => Some(PairKind::MlKem1024),
            Self::SymmetricDefault | Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 | Self::Sm2 => None,
        }
    }

    /// Whether material of this spec can be imported.
    ///
    /// Source: AWS KMS Developer Guide, "Importing key material for AWS KMS keys".
    pub(crate) const fn can_be_imported(self) -> bool {
        let made_here_only = matches!(
            self,
            Self::MlDsa44
                | Self::MlDsa65
                | Self::MlDsa87
                | Self::MlKem512
                | Self::MlKem768
                | Self::MlKem1024
                | Self::Sm2
        );
        !made_here_only
    }

    /// The hash of an HMAC key.
    pub(crate) const fn mac_hash(self) -> Option<Hash> {
        match self {
            Self::Hmac224 => Some(Hash::Sha224),
            Self::Hmac256 => Some(Hash::Sha256),
            Self::Hmac384 => Some(Hash::Sha384),
            Self::Hmac512 => Some(Hash::Sha512),
            _ => None,
        }
    }

    /// The length of a symmetric key in bytes: an HMAC key is as long as its digest.
    pub(crate) fn secret_length(self) -> usize {
        self.mac_hash().map_or(32, Hash::length)
    }

    /// The curve on which such a key agrees on secrets.
    pub(crate) const fn agreement_curve(self) -> Option<Curve> {
        match self {
            Self::EccNistP256 => Some(Curve::P256),
            Self::EccNistP384 => Some(Curve::P384),
            Self::EccNistP521 => Some(Curve::P521),
            _ => None,
        }
    }

    /// The usages that a key of this spec can have.
    ///
    /// Source: AWS KMS API Reference, CreateKey, `KeyUsage`.
    pub(crate) const fn usages(self) -> &'static [KeyUsage] {
        match self {
            Self::SymmetricDefault => &[KeyUsage::EncryptDecrypt],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[KeyUsage::EncryptDecrypt, KeyUsage::SignVerify],
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 => {
                &[KeyUsage::SignVerify, KeyUsage::KeyAgreement]
            }
            Self::EccSecgP256k1 | Self::EccNistEdwards25519 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => {
                &[KeyUsage::SignVerify]
            }
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => &[KeyUsage::GenerateVerifyMac],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => &[KeyUsage::EncapsulateDecapsulate],
            // Only in China, where Sealstack claims no Region.
            Self::Sm2 => &[],
        }
    }

    /// The length of an RSA modulus in bytes.
    pub(crate) const fn modulus_length(self) -> Option<usize> {
        match self {
            Self::Rsa2048 => Some(256),
            Self::Rsa3072 => Some(384),
            Self::Rsa4096 => Some(512),
            _ => None,
        }
    }

    /// Whether the private key takes about a millisecond or more for each use.
    pub(crate) const fn is_slow_to_use(self) -> bool {
        matches!(self, Self::Rsa3072 | Self::Rsa4096)
    }
}

impl DataKeyPairSpec {
    /// The key spec of the same name.
    pub(crate) const fn key_spec(self) -> KeySpec {
        match self {
            Self::Rsa2048 => KeySpec::Rsa2048,
            Self::Rsa3072 => KeySpec::Rsa3072,
            Self::Rsa4096 => KeySpec::Rsa4096,
            Self::EccNistP256 => KeySpec::EccNistP256,
            Self::EccNistP384 => KeySpec::EccNistP384,
            Self::EccNistP521 => KeySpec::EccNistP521,
            Self::EccSecgP256k1 => KeySpec::EccSecgP256k1,
            Self::Sm2 => KeySpec::Sm2,
            Self::EccNistEdwards25519 => KeySpec::EccNistEdwards25519,
            Self::MlKem512 => KeySpec::MlKem512,
            Self::MlKem768 => KeySpec::MlKem768,
            Self::MlKem1024 => KeySpec::MlKem1024,
        }
    }
}
