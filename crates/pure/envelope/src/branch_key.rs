//! Branch keys: keys between a KMS key and many data keys, so that the key service is asked once for all of them.

mod kms_store;
mod local;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crypto::{Key256, random_bytes};
pub use kms_store::{BranchKeyRecord, BranchKeyRecords, KmsBranchKeyStore, StoreKey};
pub use local::LocalBranchKeyRecords;

use crate::EncryptionContext;
use crate::keyring::Pending;
use crate::kms::KmsError;

/// The version of a branch key: a random UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BranchKeyVersion(pub [u8; 16]);

impl BranchKeyVersion {
    /// A new random version (RFC 9562, version 4).
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        random_bytes(&mut bytes);
        let mut bits = u128::from_be_bytes(bytes);
        bits = bits & !(0xf << 76) | 4 << 76;
        bits = bits & !(0b11 << 62) | 0b10 << 62;
        Self(bits.to_be_bytes())
    }
}

impl fmt::Display for BranchKeyVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                out.write_str("-")?;
            }
            write!(out, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for BranchKeyVersion {
    type Err = BranchKeyError;

    fn from_str(text: &str) -> Result<Self, BranchKeyError> {
        let malformed = BranchKeyError::Malformed("the version is not a UUID");
        let dashed = text.char_indices().all(|(at, letter)| matches!(at, 8 | 13 | 18 | 23) == (letter == '-'));
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        match u128::from_str_radix(&digits, 16) {
            Ok(bits) if dashed && text.len() == 36 && digits.len() == 32 => Ok(Self(bits.to_be_bytes())),
            _ => Err(malformed),
        }
    }
}

/// One version of a branch key.
pub struct BranchKey {
    /// The branch key's identifier.
    pub id: String,
    /// The version.
    pub version: BranchKeyVersion,
    /// The key.
    pub key: Key256,
    /// The caller's encryption context of the branch key, authenticated.
    pub context: EncryptionContext,
}

/// Why a store has no branch key to give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BranchKeyError {
    /// There is no such branch key or version.
    #[error("there is no such branch key")]
    NotFound,
    /// A branch key with this identifier exists already, or its active version was replaced in the meantime.
    #[error("another branch key was stored in the meantime")]
    Conflict,
    /// The record is malformed.
    #[error("the record is malformed: {0}")]
    Malformed(&'static str),
    /// The record is under a KMS key that this store does not use.
    #[error("the record is under {0}, which this store does not use")]
    OtherKey(String),
    /// The store cannot do this.
    #[error("{0}")]
    Incapable(&'static str),
    /// The key service refused.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// Any other cause.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// Where branch keys come from.
pub trait BranchKeyStore: Send + Sync {
    /// The version of a branch key that data keys are wrapped under.
    fn active<'a>(&'a self, id: &'a str) -> Pending<'a, Result<BranchKey, BranchKeyError>>;

    /// A version of a branch key, active or not.
    fn version<'a>(&'a self, id: &'a str, version: BranchKeyVersion) -> Pending<'a, Result<BranchKey, BranchKeyError>>;
}

impl<S: BranchKeyStore + ?Sized> BranchKeyStore for Arc<S> {
    fn active<'a>(&'a self, id: &'a str) -> Pending<'a, Result<BranchKey, BranchKeyError>> {
        (**self).active(id)
    }

    fn version<'a>(&'a self, id: &'a str, version: BranchKeyVersion) -> Pending<'a, Result<BranchKey, BranchKeyError>> {
        (**self).version(id, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_uuids() {
        let text = "83eec007-5659-4554-bf11-699b90f41ac6";
        let version: BranchKeyVersion = text.parse().unwrap();
        assert_eq!(version.0[..3], [0x83, 0xee, 0xc0]);
        assert_eq!(version.to_string(), text);
        for wrong in
            ["", "83eec0075659-4554-bf11-699b90f41ac6", &text[1..], &text.replace('8', "g"), &format!("{text}0")]
        {
            assert!(wrong.parse::<BranchKeyVersion>().is_err(), "{wrong}");
        }
        let random = BranchKeyVersion::random();
        assert_eq!((random.0[6] >> 4, random.0[8] >> 6), (4, 0b10));
        assert_ne!(random, BranchKeyVersion::random());
    }
}
