//! A slot of the head: up to where the log is known to be on the disk, and from where on it is retained.

use crypto::{Key256, sealed};

use super::fields::Fields;
use super::{JournalId, Malformed, Position, Version};

const MAGIC: &[u8; 8] = b"SEALHEAD";
const PLAIN_BYTES: usize = 8 + 2 + 1;
const SEALED_BYTES: usize = 8 + 16 + 4 + 8 + 4 + 8 + 8 + 32 + 8 + ADDED_BYTES;
/// The fields that version 2 has added.
const ADDED_BYTES: usize = 8 + 64;

/// The value that the journal's user stores beside the end.
pub(crate) type HeadAnchor = [u8; 64];

/// The value that stands for none.
pub(crate) const NO_ANCHOR: HeadAnchor = [0; 64];

/// The length of a slot.
pub(crate) const SLOT_BYTES: usize = PLAIN_BYTES + SEALED_BYTES + sealed::OVERHEAD;

/// How far apart slots stand, so that no write touches the block of another.
pub(crate) const SLOT_SPACING: u64 = 4096;

/// How many slots there are.
pub(crate) const SLOTS: u8 = 2;

/// One copy of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Grows by one with every slot written; the higher one is the newer.
    pub(crate) counter: u64,
    pub(crate) journal: JournalId,
    /// The oldest segment that retention has left.
    pub(crate) first_segment: u32,
    /// The sequence that the first record in it has.
    pub(crate) first_sequence: u64,
    /// Everything up to here was synced when the slot was written.
    pub(crate) end: Position,
    pub(crate) written_at: u64,
    /// The value that the journal's user stores beside the end.
    pub(crate) anchor: HeadAnchor,
}

impl Slot {
    /// Which slot a counter belongs in.
    pub(crate) const fn place(counter: u64) -> u8 {
        if counter.is_multiple_of(2) { 0 } else { 1 }
    }

    pub(crate) fn seal(&self, key: &Key256) -> Vec<u8> {
        let mut out = plain(Version::CURRENT, Self::place(self.counter));
        let mut fields = Vec::with_capacity(SEALED_BYTES);
        fields.extend_from_slice(&self.counter.to_be_bytes());
        fields.extend_from_slice(&self.journal);
        fields.extend_from_slice(&self.first_segment.to_be_bytes());
        fields.extend_from_slice(&self.first_sequence.to_be_bytes());
        fields.extend_from_slice(&self.end.segment.to_be_bytes());
        fields.extend_from_slice(&self.end.offset.to_be_bytes());
        fields.extend_from_slice(&self.end.sequence.to_be_bytes());
        fields.extend_from_slice(&self.end.chain);
        fields.extend_from_slice(&self.written_at.to_be_bytes());
        fields.extend_from_slice(&self.end.marked.to_be_bytes());
        fields.extend_from_slice(&self.anchor);
        let sealed = sealed::seal(key, &out, &fields);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens the slot that stands in `place`, at the front of `bytes`.
    pub(crate) fn open(key: &Key256, place: u8, bytes: &[u8]) -> Result<Self, Malformed> {
        let (front, sealed) = bytes.split_at_checked(PLAIN_BYTES).ok_or(Malformed)?;
        let version = Version::ALL.into_iter().find(|version| front == plain(*version, place)).ok_or(Malformed)?;
        let length = SLOT_BYTES - PLAIN_BYTES - if version == Version::One { ADDED_BYTES } else { 0 };
        let sealed = sealed.get(..length).ok_or(Malformed)?;
        let opened = sealed::open(key, front, sealed).map_err(|_| Malformed)?;
        let mut fields = Fields::new(opened.expose());
        let mut slot = Self {
            counter: fields.u64()?,
            journal: fields.array()?,
            first_segment: fields.u32()?,
            first_sequence: fields.u64()?,
            end: Position {
                segment: fields.u32()?,
                offset: fields.u64()?,
                sequence: fields.u64()?,
                chain: fields.array()?,
                marked: 0,
            },
            written_at: fields.u64()?,
            anchor: NO_ANCHOR,
        };
        if version != Version::One {
            slot.end.marked = fields.u64()?;
            slot.anchor = fields.array()?;
        }
        fields.end()?;
        Ok(slot)
    }
}

fn plain(version: Version, place: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(SLOT_BYTES);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&(version as u16).to_be_bytes());
    out.push(place);
    out
}
