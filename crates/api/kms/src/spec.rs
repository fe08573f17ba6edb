//! What kinds of key there are, and which algorithms go with them. Knows names only.

wire::text_enum! {
    /// What a key is made of.
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
    /// What a key may be used for.
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
    /// How a ciphertext is made.
    pub(crate) enum EncryptionAlgorithm {
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        Sm2Pke = "SM2PKE",
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
    /// What a dry run leaves out.
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
    /// The algorithms with which such a key encrypts.
    #[must_use]
    pub(crate) const fn encryption_algorithms(self) -> &'static [EncryptionAlgorithm] {
        match self {
            Self::SymmetricDefault => &[EncryptionAlgorithm::SymmetricDefault],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => {
                &[EncryptionAlgorithm::RsaesOaepSha1, EncryptionAlgorithm::RsaesOaepSha256]
            }
            Self::Sm2 => &[EncryptionAlgorithm::Sm2Pke],
            _ => &[],
        }
    }
}
