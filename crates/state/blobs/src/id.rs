//! The random name of a blob. Knows nothing of its content.

use std::fmt;
use std::path::PathBuf;

use crypto::hex;

/// The name of a blob: 16 random bytes, written as 32 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId([u8; Self::BYTES]);

impl BlobId {
    /// The length in bytes.
    pub const BYTES: usize = 16;

    /// Generates an id that no other blob has.
    pub(crate) fn generate() -> Self {
        Self(crypto::random_nonce())
    }

    /// The id from its bytes, as a record stores them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The id that `text` is, as it is displayed; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode_lower(text).map(Self)
    }

    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// The blob's file, relative to the directory of all blobs. For whoever copies files, sealed as they are.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let name = self.to_string();
        PathBuf::from(shelf_name(self.shelf())).join(name)
    }

    /// The number of the subdirectory that the blob's file is in.
    pub(crate) const fn shelf(&self) -> u8 {
        let [first, ..] = self.0;
        first
    }
}

/// The name of a subdirectory.
pub(crate) fn shelf_name(shelf: u8) -> String {
    format!("{shelf:02x}")
}

impl fmt::Display for BlobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "BlobId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_what_it_is_written_as_and_from_nothing_else() {
        let id = BlobId::generate();
        assert_eq!(BlobId::parse(&id.to_string()), Some(id));
        assert_eq!(BlobId::from_bytes(id.to_bytes()), id);
        assert_ne!(BlobId::generate(), id);
        for text in ["", "00", &"0".repeat(31), &"A".repeat(32), &"0".repeat(33), &format!("{}/", "0".repeat(31))] {
            assert_eq!(BlobId::parse(text), None, "{text}");
        }
        let known = BlobId::from_bytes([0x0a; 16]);
        assert_eq!(known.path(), PathBuf::from("0a/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"));
    }
}
