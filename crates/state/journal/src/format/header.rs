//! A segment's header: which segment it is, and what came before it.

use crypto::{Key256, sealed};

use super::fields::Fields;
use super::{Chain, JournalId, Keys, Malformed, Version};

const MAGIC: &[u8; 8] = b"SEALJRNL";
const PLAIN_BYTES: usize = 8 + 2 + 4 + 16;
const SEALED_BYTES: usize = 8 + 32 + 8 + 1 + 8 + MARKED_BYTES;
const MARKED_BYTES: usize = 8;

/// The length of a header.
pub(crate) const HEADER_BYTES: usize = PLAIN_BYTES + SEALED_BYTES + sealed::OVERHEAD;

/// The length of a header of `version`; none is longer than [`HEADER_BYTES`].
pub(crate) const fn header_bytes(version: Version) -> usize {
    match version {
        Version::One => HEADER_BYTES - MARKED_BYTES,
        Version::Two => HEADER_BYTES,
    }
}

/// The header of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u32,
    pub(crate) journal: JournalId,
    /// The sequence that its first record has.
    pub(crate) first_sequence: u64,
    /// The chain that its first record follows.
    pub(crate) before: Chain,
    pub(crate) opened_at: u64,
    pub(crate) beginning: Beginning,
    /// How many bytes of an incomplete frame were cut off the previous segment.
    pub(crate) torn_bytes: u64,
    /// How many of the records before are marked.
    pub(crate) marked: u64,
}

/// Why a segment was begun. What a restart found amiss stays on record here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Beginning {
    /// It is the journal's first.
    First = 0,
    /// The previous one was full or old.
    Rotated = 1,
    /// A crash left an incomplete frame at the end of the previous one.
    Torn = 2,
    /// The head had an end behind all that there was.
    TailMissing = 3,
    /// There were segments but no head.
    HeadMissing = 4,
}

impl Beginning {
    const ALL: [Self; 5] = [Self::First, Self::Rotated, Self::Torn, Self::TailMissing, Self::HeadMissing];
}

impl Header {
    pub(crate) fn seal(&self, keys: &Keys) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&(Version::CURRENT as u16).to_be_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.journal);
        let mut fields = Vec::with_capacity(SEALED_BYTES);
        fields.extend_from_slice(&self.first_sequence.to_be_bytes());
        fields.extend_from_slice(&self.before);
        fields.extend_from_slice(&self.opened_at.to_be_bytes());
        fields.push(self.beginning as u8);
        fields.extend_from_slice(&self.torn_bytes.to_be_bytes());
        fields.extend_from_slice(&self.marked.to_be_bytes());
        let sealed = sealed::seal(&keys.segment(&self.journal, self.number), &out, &fields);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens the header at the front of `bytes`, and yields its frames' version and key along with it.
    pub(crate) fn open(keys: &Keys, bytes: &[u8]) -> Result<(Self, Version, Key256), Malformed> {
        let (plain, sealed) = bytes.split_at_checked(PLAIN_BYTES).ok_or(Malformed)?;
        let mut fields = Fields::new(plain);
        if fields.array()? != *MAGIC {
            return Err(Malformed);
        }
        let version = Version::of(fields.u16()?)?;
        let sealed = sealed.get(..header_bytes(version) - PLAIN_BYTES).ok_or(Malformed)?;
        let number = fields.u32()?;
        let journal = fields.array()?;
        let key = keys.segment(&journal, number);
        let opened = sealed::open(&key, plain, sealed).map_err(|_| Malformed)?;
        let mut fields = Fields::new(opened.expose());
        let header = Self {
            number,
            journal,
            first_sequence: fields.u64()?,
            before: fields.array()?,
            opened_at: fields.u64()?,
            beginning: {
                let byte = fields.u8()?;
                Beginning::ALL.into_iter().find(|beginning| *beginning as u8 == byte).ok_or(Malformed)?
            },
            torn_bytes: fields.u64()?,
            marked: if version == Version::One { 0 } else { fields.u64()? },
        };
        fields.end()?;
        Ok((header, version, key))
    }
}
