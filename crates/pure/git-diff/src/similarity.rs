//! How much of one file is in another.
//!
//! Owns git's estimate: lines, or 64 bytes at a time, that both have, wherever they stand. Refuses to know names.

use std::collections::HashMap;

use crate::is_binary;

/// The score of equal files.
pub(crate) const SCORE_MAX: u64 = 60_000;
/// Bytes of the longest piece.
const PIECE_BYTES_MAX: u32 = 64;
/// Pieces are distinguished by hashes below this prime.
const HASHES: u32 = 107_927;

/// The pieces of a file: how many bytes there are of each, in the order of their hashes.
pub(crate) struct Pieces {
    bytes: u64,
    pieces: Vec<(u32, u64)>,
}

impl Pieces {
    pub(crate) fn of(content: &[u8]) -> Self {
        let is_text = !is_binary(content);
        let mut counts: HashMap<u32, u64> = HashMap::new();
        let (mut low, mut high, mut length) = (0_u32, 0_u32, 0_u32);
        let mut bytes = content.iter().peekable();
        let hash = |low: u32, high: u32| low.wrapping_add(high.wrapping_mul(0x61)) % HASHES;
        while let Some(byte) = bytes.next() {
            // A line of a text is the same with either end.
            if is_text && *byte == b'\r' && bytes.peek() == Some(&&b'\n') {
                continue;
            }
            (low, high) = ((low << 7) ^ (high >> 25), (high << 7) ^ (low >> 25));
            low = low.wrapping_add(u32::from(*byte));
            length += 1;
            if length < PIECE_BYTES_MAX && *byte != b'\n' {
                continue;
            }
            *counts.entry(hash(low, high)).or_default() += u64::from(length);
            (low, high, length) = (0, 0, 0);
        }
        if length > 0 {
            *counts.entry(hash(low, high)).or_default() += u64::from(length);
        }
        let mut pieces: Vec<(u32, u64)> = counts.into_iter().collect();
        pieces.sort_unstable();
        Self { bytes: content.len() as u64, pieces }
    }

    /// The score of two files, of [`SCORE_MAX`].
    pub(crate) fn score(&self, other: &Self) -> u64 {
        let mut common = 0;
        let mut others = other.pieces.iter().peekable();
        for (hash, bytes) in &self.pieces {
            while others.next_if(|(other, _)| other < hash).is_some() {}
            if let Some((_, other)) = others.next_if(|(other, _)| other == hash) {
                common += bytes.min(other);
            }
        }
        (common * SCORE_MAX).checked_div(self.bytes.max(other.bytes)).unwrap_or(0)
    }
}

/// Whether files of these sizes can have that score.
pub(crate) fn can_score(one: u64, other: u64, score: u64) -> bool {
    let (larger, smaller) = (one.max(other), one.min(other));
    u128::from(larger) * u128::from(SCORE_MAX - score) >= u128::from(larger - smaller) * u128::from(SCORE_MAX)
}
