//! The eleven algorithm suites, and which of them a commitment policy lets be used.

use std::fmt;
use std::str::FromStr;

use crypto::aead::Algorithm;
use crypto::hkdf::Hash;
use crypto::signature::Ecdsa;

/// Algorithms of a message: encryption, key derivation, commitment and signature.
///
/// The names are those of the specification without their common parts: every suite has 12-byte nonces and 16-byte
/// tags.
///
/// Source: AWS Encryption SDK Specification, Algorithm Suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum AlgorithmSuite {
    /// 0014: AES-128-GCM under the data key itself.
    Aes128Gcm,
    /// 0046: AES-192-GCM under the data key itself.
    Aes192Gcm,
    /// 0078: AES-256-GCM under the data key itself.
    Aes256Gcm,
    /// 0114: AES-128-GCM under a derived key.
    Aes128GcmHkdfSha256,
    /// 0146: AES-192-GCM under a derived key.
    Aes192GcmHkdfSha256,
    /// 0178: AES-256-GCM under a derived key.
    Aes256GcmHkdfSha256,
    /// 0214: AES-128-GCM under a derived key, signed.
    Aes128GcmHkdfSha256EcdsaP256,
    /// 0346: AES-192-GCM under a derived key, signed.
    Aes192GcmHkdfSha384EcdsaP384,
    /// 0378: AES-256-GCM under a derived key, signed.
    Aes256GcmHkdfSha384EcdsaP384,
    /// 0478: AES-256-GCM under a derived key that the header commits to.
    Aes256GcmHkdfSha512CommitKey,
    /// 0578: AES-256-GCM under a derived key that the header commits to, signed. The default.
    #[default]
    Aes256GcmHkdfSha512CommitKeyEcdsaP384,
}

/// How the key of a message comes from its data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derivation {
    /// It is the data key.
    Identity,
    /// HKDF.
    Hkdf(Hash),
}

impl AlgorithmSuite {
    /// Every suite, by rising identifier.
    pub const ALL: [Self; 11] = [
        Self::Aes128Gcm,
        Self::Aes192Gcm,
        Self::Aes256Gcm,
        Self::Aes128GcmHkdfSha256,
        Self::Aes192GcmHkdfSha256,
        Self::Aes256GcmHkdfSha256,
        Self::Aes128GcmHkdfSha256EcdsaP256,
        Self::Aes192GcmHkdfSha384EcdsaP384,
        Self::Aes256GcmHkdfSha384EcdsaP384,
        Self::Aes256GcmHkdfSha512CommitKey,
        Self::Aes256GcmHkdfSha512CommitKeyEcdsaP384,
    ];

    /// The identifier that headers carry.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::Aes128Gcm => 0x0014,
            Self::Aes192Gcm => 0x0046,
            Self::Aes256Gcm => 0x0078,
            Self::Aes128GcmHkdfSha256 => 0x0114,
            Self::Aes192GcmHkdfSha256 => 0x0146,
            Self::Aes256GcmHkdfSha256 => 0x0178,
            Self::Aes128GcmHkdfSha256EcdsaP256 => 0x0214,
            Self::Aes192GcmHkdfSha384EcdsaP384 => 0x0346,
            Self::Aes256GcmHkdfSha384EcdsaP384 => 0x0378,
            Self::Aes256GcmHkdfSha512CommitKey => 0x0478,
            Self::Aes256GcmHkdfSha512CommitKeyEcdsaP384 => 0x0578,
        }
    }

    /// The suite with the identifier `id`, if there is one.
    #[must_use]
    pub fn from_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.id() == id)
    }

    /// The name by which the AWS Encryption CLI knows the suite.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "AES_128_GCM_IV12_TAG16",
            Self::Aes192Gcm => "AES_192_GCM_IV12_TAG16",
            Self::Aes256Gcm => "AES_256_GCM_IV12_TAG16",
            Self::Aes128GcmHkdfSha256 => "AES_128_GCM_IV12_TAG16_HKDF_SHA256",
            Self::Aes192GcmHkdfSha256 => "AES_192_GCM_IV12_TAG16_HKDF_SHA256",
            Self::Aes256GcmHkdfSha256 => "AES_256_GCM_IV12_TAG16_HKDF_SHA256",
            Self::Aes128GcmHkdfSha256EcdsaP256 => "AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256",
            Self::Aes192GcmHkdfSha384EcdsaP384 => "AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384",
            Self::Aes256GcmHkdfSha384EcdsaP384 => "AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384",
            Self::Aes256GcmHkdfSha512CommitKey => "AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
            Self::Aes256GcmHkdfSha512CommitKeyEcdsaP384 => "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384",
        }
    }

    /// The version of the message format, 1 or 2.
    #[must_use]
    pub const fn format_version(self) -> u8 {
        if self.commits() { 2 } else { 1 }
    }

    /// Whether headers commit to the one key that opens them.
    #[must_use]
    pub const fn commits(self) -> bool {
        matches!(self, Self::Aes256GcmHkdfSha512CommitKey | Self::Aes256GcmHkdfSha512CommitKeyEcdsaP384)
    }

    /// Whether messages end with a signature.
    #[must_use]
    pub const fn signs(self) -> bool {
        self.signature().is_some()
    }

    /// The length of the data key in bytes.
    #[must_use]
    pub const fn data_key_length(self) -> usize {
        match self.aead() {
            Algorithm::Aes128Gcm => 16,
            Algorithm::Aes192Gcm => 24,
            Algorithm::Aes256Gcm => 32,
        }
    }

    pub(crate) const fn aead(self) -> Algorithm {
        match self {
            Self::Aes128Gcm | Self::Aes128GcmHkdfSha256 | Self::Aes128GcmHkdfSha256EcdsaP256 => Algorithm::Aes128Gcm,
            Self::Aes192Gcm | Self::Aes192GcmHkdfSha256 | Self::Aes192GcmHkdfSha384EcdsaP384 => Algorithm::Aes192Gcm,
            Self::Aes256Gcm
            | Self::Aes256GcmHkdfSha256
            | Self::Aes256GcmHkdfSha384EcdsaP384
            | Self::Aes256GcmHkdfSha512CommitKey
            | Self::Aes256GcmHkdfSha512CommitKeyEcdsaP384 => Algorithm::Aes256Gcm,
        }
    }

    pub(crate) const fn derivation(self) -> Derivation {
        match self {
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => Derivation::Identity,
            Self::Aes128GcmHkdfSha256
            | Self::Aes192GcmHkdfSha256
            | Self::Aes256GcmHkdfSha256
            | Self::Aes128GcmHkdfSha256EcdsaP256 => Derivation::Hkdf(Hash::Sha256),
            Self::Aes192GcmHkdfSha384EcdsaP384 | Self::Aes256GcmHkdfSha384EcdsaP384 => Derivation::Hkdf(Hash::Sha384),
            Self::Aes256GcmHkdfSha512CommitKey | Self::Aes256GcmHkdfSha512CommitKeyEcdsaP384 => {
                Derivation::Hkdf(Hash::Sha512)
            }
        }
    }

    pub(crate) const fn signature(self) -> Option<Ecdsa> {
        match self {
            Self::Aes128GcmHkdfSha256EcdsaP256 => Some(Ecdsa::P256Sha256),
            Self::Aes192GcmHkdfSha384EcdsaP384
            | Self::Aes256GcmHkdfSha384EcdsaP384
            | Self::Aes256GcmHkdfSha512CommitKeyEcdsaP384 => Some(Ecdsa::P384Sha384),
            _ => None,
        }
    }
}

impl fmt::Display for AlgorithmSuite {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// The text names no algorithm suite.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name or the identifier of an algorithm suite")]
pub struct UnknownSuite(pub String);

impl FromStr for AlgorithmSuite {
    type Err = UnknownSuite;

    /// Reads a suite's name, or its identifier as four hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, UnknownSuite> {
        let named = Self::ALL.into_iter().find(|suite| suite.name() == text);
        let digits = || u16::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok();
        named.or_else(|| digits().and_then(Self::from_id)).ok_or_else(|| UnknownSuite(text.to_owned()))
    }
}

/// Whether suites without key commitment may be used.
///
/// Without commitment, whoever makes a message can make it open to different plaintexts under different data keys.
///
/// Source: AWS Encryption SDK Specification, Commitment Policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CommitmentPolicy {
    /// Encrypts without commitment, decrypts everything: for readers that predate it.
    ForbidEncryptAllowDecrypt,
    /// Encrypts with commitment, decrypts everything: while old messages are around.
    RequireEncryptAllowDecrypt,
    /// Encrypts and decrypts with commitment alone. The default.
    #[default]
    RequireEncryptRequireDecrypt,
}

impl CommitmentPolicy {
    /// The suite to encrypt with when none is asked for.
    #[must_use]
    pub const fn default_suite(self) -> AlgorithmSuite {
        match self {
            Self::ForbidEncryptAllowDecrypt => AlgorithmSuite::Aes256GcmHkdfSha384EcdsaP384,
            Self::RequireEncryptAllowDecrypt | Self::RequireEncryptRequireDecrypt => {
                AlgorithmSuite::Aes256GcmHkdfSha512CommitKeyEcdsaP384
            }
        }
    }

    /// Whether messages may be encrypted with `suite`.
    #[must_use]
    pub const fn lets_encrypt(self, suite: AlgorithmSuite) -> bool {
        match self {
            Self::ForbidEncryptAllowDecrypt => !suite.commits(),
            Self::RequireEncryptAllowDecrypt | Self::RequireEncryptRequireDecrypt => suite.commits(),
        }
    }

    /// Whether messages of `suite` may be decrypted.
    #[must_use]
    pub const fn lets_decrypt(self, suite: AlgorithmSuite) -> bool {
        match self {
            Self::ForbidEncryptAllowDecrypt | Self::RequireEncryptAllowDecrypt => true,
            Self::RequireEncryptRequireDecrypt => suite.commits(),
        }
    }
}

impl fmt::Display for CommitmentPolicy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::ForbidEncryptAllowDecrypt => "forbid-encrypt-allow-decrypt",
            Self::RequireEncryptAllowDecrypt => "require-encrypt-allow-decrypt",
            Self::RequireEncryptRequireDecrypt => "require-encrypt-require-decrypt",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_found_by_identifier_and_name() {
        for suite in AlgorithmSuite::ALL {
            assert_eq!(AlgorithmSuite::from_id(suite.id()), Some(suite));
            assert_eq!(suite.name().parse(), Ok(suite));
            assert_eq!(format!("{:04x}", suite.id()).parse(), Ok(suite));
            assert_eq!(format!("{:#06X}", suite.id()).replace("0X", "0x").parse(), Ok(suite));
        }
        assert_eq!(AlgorithmSuite::from_id(0), None);
        assert_eq!("AES".parse::<AlgorithmSuite>(), Err(UnknownSuite("AES".to_owned())));
    }

    #[test]
    fn a_policy_allows_its_own_default_and_what_it_says() {
        use CommitmentPolicy::*;
        for policy in [ForbidEncryptAllowDecrypt, RequireEncryptAllowDecrypt, RequireEncryptRequireDecrypt] {
            assert!(policy.lets_encrypt(policy.default_suite()) && policy.lets_decrypt(policy.default_suite()));
        }
        let (old, new) = (AlgorithmSuite::Aes256GcmHkdfSha256, AlgorithmSuite::Aes256GcmHkdfSha512CommitKey);
        let cases = [
            (ForbidEncryptAllowDecrypt, [true, false, true, true]),
            (RequireEncryptAllowDecrypt, [false, true, true, true]),
            (RequireEncryptRequireDecrypt, [false, true, false, true]),
        ];
        for (policy, expected) in cases {
            let allowed = [
                policy.lets_encrypt(old),
                policy.lets_encrypt(new),
                policy.lets_decrypt(old),
                policy.lets_decrypt(new),
            ];
            assert_eq!(allowed, expected, "{policy}");
        }
    }
}
