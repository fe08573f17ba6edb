//! The report of a verification that found the log intact, worded for operators. Finds nothing itself.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use crypto::hex;

use crate::End;

/// An intact log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many records there are.
    pub records: u64,
    /// The sequence of the first record that is retained, were there one.
    pub first_sequence: u64,
    /// How many of the records up to the end are marked, counted from the journal's beginning.
    pub marked: u64,
    /// How many of those stood before the first record that is retained.
    pub marked_before: u64,
    /// The end of the log. Kept elsewhere, it proves to a later [`crate::verify_against`] that the log was only added
    /// to: nothing on this disk could prove that to somebody who fears that all of it was replaced by an older copy.
    pub end: Anchor,
    /// The segments that are retained, oldest first.
    pub segments: Vec<SegmentReport>,
    /// A finding that isn't damage but worth knowing.
    pub notes: Vec<Note>,
}

/// One segment of an intact log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentReport {
    /// Its number, which is its file's name.
    pub number: u32,
    /// How many records it has.
    pub records: u64,
    /// The sequence of its first record, were there one.
    pub first_sequence: u64,
    /// When it was begun.
    pub opened_at: SystemTime,
    /// When its last frame was sealed; when it was begun if it has none.
    pub sealed_at: SystemTime,
    /// The length of its file in bytes.
    pub bytes: u64,
}

/// A finding that isn't damage but worth knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A crash left part of a frame at the end of this segment, which the restart cut off. It was never synced.
    Torn {
        /// The number of the segment.
        segment: u32,
        /// How many bytes were cut off.
        bytes: u64,
    },
    /// Part of a frame stands at the end of the log: a writer is at work, or crashed there.
    Unfinished {
        /// The number of the segment.
        segment: u32,
        /// How many bytes there are.
        bytes: u64,
    },
    /// One of the head's two copies is damaged, as a loss of power may leave it. The other was used.
    HeadCopyDamaged,
    /// Retention has removed a record that was noted, so that it proves nothing any more.
    AnchorRetired,
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Torn { segment, bytes } => {
                write!(out, "segment {segment}: a crash left {bytes} bytes of an incomplete frame, which were cut off")
            }
            Self::Unfinished { segment, bytes } => {
                write!(out, "segment {segment}: {bytes} bytes of an incomplete frame stand at the end of the log")
            }
            Self::HeadCopyDamaged => out.write_str("head: one of its two copies is damaged; the other was used"),
            Self::AnchorRetired => out.write_str("the expected record was retired, so that it proves nothing"),
        }
    }
}

/// A record and the chain hash after it, which stands for that record and all before it.
///
/// Written `sequence:hash` with the hash in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The sequence of the record; 0 before the first.
    pub sequence: u64,
    /// The chain hash after it.
    pub chain: [u8; 32],
}

impl fmt::Display for Anchor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.sequence, hex::encode(&self.chain))
    }
}

/// A point of a log as it was recorded elsewhere, which [`crate::verify_against`] expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A record and its chain hash.
    Anchor(Anchor),
    /// An end, which has the journal and the count of marked records as well.
    End(End),
}

impl From<Anchor> for Expected {
    fn from(anchor: Anchor) -> Self {
        Self::Anchor(anchor)
    }
}

impl From<End> for Expected {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

/// A text that isn't an [`Anchor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a record's sequence, a colon and 64 hexadecimal digits")]
pub struct AnchorError;

impl FromStr for Anchor {
    type Err = AnchorError;

    fn from_str(text: &str) -> Result<Self, AnchorError> {
        let (sequence, hash) = text.split_once(':').ok_or(AnchorError)?;
        let chain = hex::decode(hash).ok_or(AnchorError)?;
        Ok(Self { sequence: sequence.parse().map_err(|_| AnchorError)?, chain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_reads_as_it_is_written() {
        let anchor = Anchor { sequence: 42, chain: std::array::from_fn(|index| index as u8 * 7) };
        assert_eq!(anchor.to_string().parse(), Ok(anchor));
    }

    #[test]
    fn what_is_not_an_anchor_is_refused() {
        let hash = "ab".repeat(32);
        for text in ["", ":", "7", "7:", "7:ab", &format!(":{hash}"), &format!("x:{hash}"), &format!("7:{hash}0")] {
            assert_eq!(text.parse::<Anchor>(), Err(AnchorError), "{text}");
        }
        assert_eq!(format!("7:+{}", &hash[1..]).parse::<Anchor>(), Err(AnchorError));
        assert_eq!(format!("7:é{}", &hash[2..]).parse::<Anchor>(), Err(AnchorError));
    }
}
