//! Ed25519 public keys. AWS takes none; people have hardly any other.
//!
//! Source: RFC 8709, section 4; RFC 8410, section 4.

use super::public_key::field;

/// The prefix of the key in PEM's DER: the algorithm, and a string of 256 bits.
const INFO: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 public key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ed25519Key([u8; 32]);

impl Ed25519Key {
    pub(super) const ALGORITHM: &str = "ssh-ed25519";

    /// The key of SSH's fields behind the algorithm's name.
    pub(super) fn from_fields(fields: &[u8]) -> Option<Self> {
        let (key, rest) = field(fields)?;
        if rest.is_empty() { Some(Self(key.try_into().ok()?)) } else { None }
    }

    /// The key of a SubjectPublicKeyInfo.
    pub(super) fn from_info(der: &[u8]) -> Option<Self> {
        Some(Self(der.strip_prefix(INFO)?.try_into().ok()?))
    }

    pub(super) fn fields(&self) -> Vec<Vec<u8>> {
        vec![self.0.to_vec()]
    }

    pub(super) fn info(&self) -> Vec<u8> {
        [INFO, &self.0].concat()
    }
}
