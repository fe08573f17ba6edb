//! The layout of the files: what stands in a segment, in a frame and in the head. Owns every byte that lasts.
//! Knows neither files nor threads: it turns values into bytes and bytes into values, and never trusts a length.
//!
//! All numbers are big-endian. *Sealed* bytes are those of `crypto::sealed`, which derives a key of its own for every
//! message from a random salt, so that no nonce is ever used twice, whatever was written before a crash.
//!
//! ```text
//! directory   head.seal 00000001.seal 00000002.seal …
//!
//! segment     header, frame, frame, …
//! header      magic (8) ‖ version (2) ‖ segment number (4) ‖ journal id (16)
//!             ‖ sealed under the segment's key, bound to what precedes:
//!               first sequence (8) ‖ chain before (32) ‖ opened at (8) ‖ beginning (1) ‖ torn bytes (8)
//!               ‖ marked before (8)
//! frame       length (4) ‖ sealed under the segment's key, bound to "frame 2":
//!               first sequence (8) ‖ records (4) ‖ sealed at (8) ‖ chain before (32) ‖ chain after (32)
//!               ‖ entries' length (4) ‖ marked after (8) ‖ LZ4 block of the entries
//! entry       mark (1 bit), record's length (31 bits) ‖ chain before (32) ‖ sequence (8) ‖ record
//!
//! head        slot 0 at offset 0, slot 1 at offset 4096
//! slot        magic (8) ‖ version (2) ‖ slot (1) ‖ sealed under the head's key, bound to what precedes:
//!               counter (8) ‖ journal id (16) ‖ first segment kept (4) ‖ first sequence kept (8)
//!               ‖ segment (4) ‖ end offset (8) ‖ last sequence (8) ‖ chain (32) ‖ written at (8)
//!               ‖ marked (8) ‖ anchor (64)
//! ```
//!
//! *Marked* counts the marked records from the journal's beginning to that place. The *anchor* is the journal's user's;
//! all zeros are none.
//!
//! That is version 2, which is written. Version 1 had neither marks nor anchors: its headers, frames and slots lack the
//! fields named so, and its frames are bound to "frame". It is read as if nothing was marked. A segment is of one
//! version throughout, which its header says.
//!
//! The chain: `h₀ = SHA-256("sealstack journal" ‖ journal id)` and `hₙ = SHA-256(hₙ₋₁ ‖ sequence ‖ record)`. An entry
//! carries `hₙ₋₁` right before its sequence and record, so that the bytes hashed are the bytes as they lie.
//! Times are milliseconds since 1970. Keys are `kdf::derive(journal key, label, context)`.

mod fields;
mod frame;
mod header;
mod slot;

use crypto::{Key256, kdf, sha256};

pub(crate) use fields::Fields;
pub(crate) use frame::{ENTRY_OVERHEAD, Entry, FRAME_BYTES_MAX, FRAME_BYTES_MIN, Frame, Sealer};
#[cfg(test)]
pub(crate) use frame::{Entries, FrameInfo, seal_unchecked};
pub(crate) use header::{Beginning, HEADER_BYTES, Header, header_bytes};
pub(crate) use slot::{HeadAnchor, NO_ANCHOR, SLOT_BYTES, SLOT_SPACING, SLOTS, Slot};

/// A version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Version {
    /// Without marks and anchors.
    One = 1,
    Two = 2,
}

impl Version {
    /// The one that is written.
    pub(crate) const CURRENT: Self = Self::Two;

    pub(crate) const ALL: [Self; 2] = [Self::Two, Self::One];

    fn of(number: u16) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|version| *version as u16 == number).ok_or(Malformed)
    }
}

/// A link of the chain.
pub(crate) type Chain = [u8; 32];

/// Tells journals apart whose keys are the same.
pub(crate) type JournalId = [u8; 16];

/// Bytes that aren't of this format, or that weren't sealed under this key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The keys of one journal.
pub(crate) struct Keys(Key256);

impl Keys {
    pub(crate) fn new(journal: &Key256) -> Self {
        Self(journal.duplicate())
    }

    /// The key of one segment's header and frames.
    pub(crate) fn segment(&self, id: &JournalId, number: u32) -> Key256 {
        let mut context = [0; 20];
        let (front, back) = context.split_at_mut(id.len());
        front.copy_from_slice(id);
        back.copy_from_slice(&number.to_be_bytes());
        kdf::derive(&self.0, b"sealstack journal segment", &context)
    }

    /// The key of the head. It can't depend on the journal's id, which is read from there.
    pub(crate) fn head(&self) -> Key256 {
        kdf::derive(&self.0, b"sealstack journal head", &[])
    }
}

/// The chain before the first record.
pub(crate) fn genesis(id: &JournalId) -> Chain {
    let mut start = b"sealstack journal".to_vec();
    start.extend_from_slice(id);
    sha256(&start)
}

/// A place between two frames: everything up to it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The number of the segment.
    pub(crate) segment: u32,
    /// The offset in its file.
    pub(crate) offset: u64,
    /// The sequence of the last record before it; 0 before the first.
    pub(crate) sequence: u64,
    /// The chain after that record.
    pub(crate) chain: Chain,
    /// How many of the records up to it are marked.
    pub(crate) marked: u64,
}

impl Position {
    /// The sequence of the first record behind it.
    pub(crate) const fn next_sequence(&self) -> u64 {
        self.sequence.saturating_add(1)
    }
}

#[cfg(test)]
mod tests;
