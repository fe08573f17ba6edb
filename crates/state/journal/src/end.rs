//! The end of the log as a value to be stored elsewhere, to find later whether the log still goes on from there.
//! Knows its bytes, not what is done with them.

use std::io::Write as _;

use crate::Anchor;
use crate::format::{Fields, JournalId, Malformed, Position};

/// A place in a journal up to which everything was on the disk.
///
/// Stored elsewhere, such as in a database, it lets [`crate::continues`] tell at once, and [`crate::verify_against`] in
/// full, that the log was only added to since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Tells journals apart; random.
    pub journal: [u8; 16],
    /// The number of the segment.
    pub segment: u32,
    /// The offset in its file.
    pub offset: u64,
    /// The sequence of the last record before it; 0 before the first.
    pub sequence: u64,
    /// The chain hash after that record.
    pub chain: [u8; 32],
    /// How many of the records up to it are marked.
    pub marked: u64,
}

impl End {
    /// The length of [`Self::to_bytes`].
    pub const BYTES: usize = 16 + 4 + 8 + 8 + 32 + 8;

    pub(crate) const fn new(journal: JournalId, position: &Position) -> Self {
        let Position { segment, offset, sequence, chain, marked } = *position;
        Self { journal, segment, offset, sequence, chain, marked }
    }

    /// The fields in their order, numbers big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let mut rest = &mut bytes[..];
        for field in [
            &self.journal[..],
            &self.segment.to_be_bytes(),
            &self.offset.to_be_bytes(),
            &self.sequence.to_be_bytes(),
            &self.chain,
            &self.marked.to_be_bytes(),
        ] {
            // The fields are as long as the array.
            let _ = rest.write_all(field);
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] made; `None` if the length isn't [`Self::BYTES`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::parse(bytes).ok()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(bytes);
        let end = Self {
            journal: fields.array()?,
            segment: fields.u32()?,
            offset: fields.u64()?,
            sequence: fields.u64()?,
            chain: fields.array()?,
            marked: fields.u64()?,
        };
        fields.end()?;
        Ok(end)
    }

    /// The last record, and the chain hash after it.
    #[must_use]
    pub const fn anchor(&self) -> Anchor {
        Anchor { sequence: self.sequence, chain: self.chain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_reads_as_it_is_written_and_at_no_other_length() {
        let bytes: [u8; End::BYTES] = std::array::from_fn(|index| index as u8 + 1);
        let end = End::from_bytes(&bytes).unwrap();
        assert_eq!(end.to_bytes(), bytes);
        assert_eq!((end.segment, end.journal[15], end.chain[0]), (0x1112_1314, 16, 37));
        for length in 0..End::BYTES {
            assert_eq!(End::from_bytes(&bytes[..length]), None);
        }
        assert_eq!(End::from_bytes(&[0; End::BYTES + 1]), None);
    }
}
