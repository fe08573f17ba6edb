//! Finds deltas: what of a target is in a base already.
//!
//! Blocks of 16 bytes of the base are found by their hash; a match grows in both directions from there.

use super::form::write_size;

/// The length of the base's indexed blocks, and so of the shortest copy.
const BLOCK: usize = 16;

/// Blocks that share a hash, beyond which more are forgotten: bases of one repeated line have thousands.
const SAME_HASH_MAX: u32 = 64;

/// A match of this length is not compared with others.
const GOOD_MATCH: usize = 4096;

/// The longest copy and insertion of one instruction.
const COPY_MAX: usize = 0x1_0000;
const INSERT_MAX: usize = 0x7f;

/// Where each block of a base is.
pub struct DeltaIndex {
    /// The first block of each hash, counted from 1; 0 is none.
    heads: Vec<u32>,
    /// The next block of the same hash, for each block.
    next: Vec<u32>,
    shift: u32,
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)
}

/// Two 64-bit words of a block, mixed. The high bits are the best ones.
fn hash(low: u64, high: u64) -> u64 {
    (low.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ high.rotate_left(29)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

impl DeltaIndex {
    /// Indexes a base. It takes half of the base's size in memory, about.
    #[must_use]
    pub fn new(base: &[u8]) -> Self {
        // Copies have 32 bits for their place.
        let blocks = (base.len().min(u32::MAX as usize) / BLOCK).min(u32::MAX as usize - 1);
        let bits = (blocks.max(16)).next_power_of_two().trailing_zeros();
        let (mut heads, mut next) = (vec![0_u32; 1 << bits], vec![0_u32; blocks]);
        let (mut counts, mut before) = (vec![0_u8; 1 << bits], None);
        let shift = 64 - bits;
        for block in (0..blocks).rev() {
            let (Some(low), Some(high)) = (word(base, block * BLOCK), word(base, block * BLOCK + 8)) else { continue };
            let slot = (hash(low, high) >> shift) as usize;
            let after = next.get(block + 1).copied().unwrap_or_default();
            let (Some(head), Some(link), Some(count)) =
                (heads.get_mut(slot), next.get_mut(block), counts.get_mut(slot))
            else {
                continue;
            };
            if before == Some((low, high)) && *head as usize == block + 2 {
                // In a run of equal blocks the first one finds the whole run: it takes the place of the others.
                (*link, *head) = (after, block as u32 + 1);
            } else if u32::from(*count) < SAME_HASH_MAX {
                *count += 1;
                (*link, *head) = (*head, block as u32 + 1);
            }
            before = Some((low, high));
        }
        Self { heads, next, shift }
    }

    /// The bytes that the index takes in memory, its base not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        4 * (self.heads.len() + self.next.len())
    }
}

/// The length of what two places have in common, from there on.
fn common(one: &[u8], other: &[u8]) -> usize {
    let mut length = 0;
    for (one, other) in one.chunks_exact(8).zip(other.chunks_exact(8)) {
        let (Some(one), Some(other)) = (word(one, 0), word(other, 0)) else { break };
        if one != other {
            return length + ((one ^ other).trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let rest = one.get(length..).unwrap_or_default().iter().zip(other.get(length..).unwrap_or_default());
    length + rest.take_while(|(one, other)| one == other).count()
}

/// A delta that makes `target` of the base that was indexed; `None` when it would take more than `bytes_max` bytes.
#[must_use]
pub fn create(index: &DeltaIndex, base: &[u8], target: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes_max.min(target.len() / 8 + 64));
    write_size(base.len() as u64, &mut out);
    write_size(target.len() as u64, &mut out);
    // Bytes from `start` to `at` are in no copy.
    let (mut start, mut at) = (0, 0);
    while let (Some(low), Some(high)) = (word(target, at), word(target, at + 8)) {
        let Some((from, length)) = index.longest(base, target, at, (low, high)) else {
            at += 1;
            if out.len() + (at - start) > bytes_max {
                return None;
            }
            continue;
        };
        let before = base.get(..from).unwrap_or_default().iter().rev();
        let pending = target.get(start..at).unwrap_or_default().iter().rev();
        let back = before.zip(pending).take_while(|(one, other)| one == other).count();
        insert(target.get(start..at - back).unwrap_or_default(), &mut out);
        copy(from - back, length + back, &mut out);
        at += length;
        start = at;
        if out.len() > bytes_max {
            return None;
        }
    }
    insert(target.get(start..).unwrap_or_default(), &mut out);
    (out.len() <= bytes_max).then_some(out)
}

impl DeltaIndex {
    /// The place and length of the longest match with the target from `at` on, which begins with that block.
    fn longest(&self, base: &[u8], target: &[u8], at: usize, block: (u64, u64)) -> Option<(usize, usize)> {
        let slot = (hash(block.0, block.1) >> self.shift) as usize;
        let (mut link, mut best, mut best_length) = (self.heads.get(slot).copied()?, 0, 0);
        while let Some(number) = (link as usize).checked_sub(1) {
            let from = number * BLOCK;
            if word(base, from) == Some(block.0) && word(base, from + 8) == Some(block.1) {
                let rest = (base.get(from + BLOCK..).unwrap_or_default(), target.get(at + BLOCK..).unwrap_or_default());
                let length = BLOCK + common(rest.0, rest.1);
                if length > best_length {
                    (best, best_length) = (from, length);
                    if length >= GOOD_MATCH {
                        break;
                    }
                }
            }
            link = self.next.get(number).copied().unwrap_or_default();
        }
        (best_length > 0).then_some((best, best_length))
    }
}

fn insert(bytes: &[u8], out: &mut Vec<u8>) {
    for piece in bytes.chunks(INSERT_MAX) {
        out.push(piece.len() as u8);
        out.extend_from_slice(piece);
    }
}

fn copy(mut from: usize, mut length: usize, out: &mut Vec<u8>) {
    while length > 0 {
        let piece = length.min(COPY_MAX);
        let opcode_at = out.len();
        let mut opcode = 0x80;
        out.push(opcode);
        let numbers = from as u64 | ((piece % COPY_MAX) as u64) << 32;
        for bit in 0..7 {
            let byte = (numbers >> (8 * bit)) as u8;
            if byte != 0 {
                opcode |= 1 << bit;
                out.push(byte);
            }
        }
        if let Some(place) = out.get_mut(opcode_at) {
            *place = opcode;
        }
        (from, length) = (from + piece, length - piece);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DeltaIndex, create};
    use crate::apply;

    /// Text as files have it: lines of which many are alike.
    fn text(lines: std::ops::Range<u32>) -> Vec<u8> {
        lines.flat_map(|line| format!("line {} of a file, {}\n", line, line * 7919 % 1013).into_bytes()).collect()
    }

    #[test]
    fn a_changed_line_makes_a_short_delta() {
        let base = text(0..1000);
        let target = [&text(0..500)[..], b"a line that is new\n", &text(501..990), &text(100..110)].concat();
        let delta = create(&DeltaIndex::new(&base), &base, &target, target.len()).expect("a delta");
        assert!(delta.len() < 60, "{}", delta.len());
        assert_eq!(apply(&base, &delta, 1 << 20).expect("a result"), target);
        assert_eq!(create(&DeltaIndex::new(&base), &base, &target, 30), None);
        // More than one instruction can copy.
        let base = text(0..20_000);
        let delta = create(&DeltaIndex::new(&base), &base, &base, base.len()).expect("a delta");
        assert!(delta.len() < 100, "{}", delta.len());
        assert_eq!(apply(&base, &delta, 1 << 20).expect("a result"), base);
    }

    #[test]
    fn bases_of_one_byte_and_empty_ones_have_deltas() {
        for (base, target) in [(0, 0), (0, 5), (5, 0), (15, 15), (16, 16), (100_000, 90_000), (90_000, 100_000)] {
            let (base, target) = (vec![b'a'; base], vec![b'a'; target]);
            let delta = create(&DeltaIndex::new(&base), &base, &target, 1 << 20).expect("a delta");
            assert!(delta.len() < 40, "{} {} {}", base.len(), target.len(), delta.len());
            assert_eq!(apply(&base, &delta, 1 << 20).expect("a result"), target);
        }
    }

    proptest! {
        #[test]
        fn what_a_delta_makes_is_the_target(
            base in prop::collection::vec(0..3_u8, 0..2000),
            edits in prop::collection::vec((0..2000_usize, 0..2000_usize, any::<u8>()), 0..12),
        ) {
            let mut target = base.clone();
            for (from, to, byte) in edits {
                let (from, to) = (from.min(target.len()), to.min(target.len()));
                let piece: Vec<u8> = target.iter().skip(from.min(to)).take(50).copied().chain([byte]).collect();
                target.splice(to..to, piece);
            }
            let delta = create(&DeltaIndex::new(&base), &base, &target, 1 << 20).expect("a delta");
            prop_assert_eq!(apply(&base, &delta, 1 << 20).expect("a result"), target);
        }
    }
}
