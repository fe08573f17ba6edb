//! A summary of a database's standing that is stored elsewhere, so that an older or another copy of it is detected.

use store::{Digest, Standing};

/// A database's standing without its witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The number of its commits.
    pub version: u64,
    /// The digest of its rows.
    pub digest: Digest,
    /// How many changes it recorded.
    pub recorded: u64,
}

/// How a database compares with an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It is what the anchor says, or was changed since.
    Continues,
    /// It is older.
    Older,
    /// It was committed as often, and holds other rows.
    Other,
}

impl Anchor {
    /// The anchor of a standing.
    #[must_use]
    pub const fn of(standing: &Standing) -> Self {
        Self { version: standing.version, digest: standing.digest, recorded: standing.recorded }
    }

    /// How a database with this standing compares with the anchor.
    #[must_use]
    pub fn compare(&self, standing: &Standing) -> Comparison {
        match standing.version.cmp(&self.version) {
            std::cmp::Ordering::Less => Comparison::Older,
            std::cmp::Ordering::Equal if standing.digest != self.digest => Comparison::Other,
            _ => Comparison::Continues,
        }
    }

    /// Its 64 bytes: version, digest, number of records, and zeros.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let fields = [&self.version.to_be_bytes()[..], &self.digest.to_bytes(), &self.recorded.to_be_bytes()].concat();
        bytes.iter_mut().zip(fields).for_each(|(out, byte)| *out = byte);
        bytes
    }

    /// The anchor of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk::<8>()?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let (recorded, _) = rest.split_first_chunk::<8>()?;
        Some(Self {
            version: u64::from_be_bytes(*version),
            digest: Digest::from_bytes(digest),
            recorded: u64::from_be_bytes(*recorded),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_compared_by_version_and_digest() {
        let standing = |version, digest: u8| Standing {
            version,
            digest: Digest::from_bytes(&[digest; 32]),
            recorded: 3,
            witness: Vec::new(),
        };
        let anchor = Anchor::of(&standing(7, 1));
        assert_eq!(Anchor::from_bytes(&anchor.to_bytes()), Some(anchor));
        for (found, expect) in [
            (standing(7, 1), Comparison::Continues),
            (standing(8, 2), Comparison::Continues),
            (standing(6, 1), Comparison::Older),
            (standing(7, 2), Comparison::Other),
        ] {
            assert_eq!(anchor.compare(&found), expect);
        }
    }
}
