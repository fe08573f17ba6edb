//! A frame: a batch of entries, chained, compressed and sealed.

use std::io::Write as _;

use crypto::{Key256, sealed, sha256};
use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};

use super::fields::Fields;
use super::{Chain, Malformed, Position, Version};
use crate::RECORD_BYTES_MAX;

const LENGTH_BYTES: usize = 4;
const CHAIN_BYTES: usize = 32;
const SEQUENCE_BYTES: usize = 8;
const META_BYTES: usize = 8 + 4 + 8 + CHAIN_BYTES + CHAIN_BYTES + 4 + MARKED_BYTES;
const MARKED_BYTES: usize = 8;

/// The bit of an entry's length that says that it is marked.
const MARK: u32 = 1 << 31;
const _: () = assert!(RECORD_BYTES_MAX < MARK as usize, "no length has the mark's bit");

/// Tells frames from headers, which are sealed under the same key, and from frames of the other version.
const fn aad(version: Version) -> &'static [u8] {
    match version {
        Version::One => b"frame",
        Version::Two => b"frame 2",
    }
}

/// How much stands before the entries in a frame of `version`.
const fn meta_bytes(version: Version) -> usize {
    match version {
        Version::One => META_BYTES - MARKED_BYTES,
        Version::Two => META_BYTES,
    }
}

/// How much longer an entry is than its record, in bytes.
pub(crate) const ENTRY_OVERHEAD: usize = LENGTH_BYTES + CHAIN_BYTES + SEQUENCE_BYTES;

/// The most bytes of entries in one frame. Any one entry fits.
pub(crate) const FRAME_RAW_MAX: usize = 1 << 20;
const _: () = assert!(RECORD_BYTES_MAX + ENTRY_OVERHEAD <= FRAME_RAW_MAX, "any one entry fits");

/// The fewest bytes that follow a frame's length.
pub(crate) const FRAME_BYTES_MIN: usize = sealed::OVERHEAD + meta_bytes(Version::One);

/// The most bytes that follow a frame's length.
pub(crate) const FRAME_BYTES_MAX: usize = sealed::OVERHEAD + META_BYTES + get_maximum_output_size(FRAME_RAW_MAX);

/// Makes frames of entries.
pub(crate) struct Sealer {
    table: CompressTable,
    plaintext: Vec<u8>,
}

impl Sealer {
    pub(crate) fn new() -> Self {
        Self { table: CompressTable::large(), plaintext: Vec::new() }
    }

    /// Seals the entries at the front of `entries`, as many as one frame takes, and appends the frame to `out`.
    ///
    /// Writes each entry's link of the chain into it and moves `end` to the end of the frame. Yields how many bytes of
    /// `entries` were taken.
    pub(crate) fn seal(
        &mut self,
        key: &Key256,
        sealed_at: u64,
        end: &mut Position,
        entries: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, Malformed> {
        let Linked { taken, after, count, marked } = link(end.chain, entries)?;
        let marked = end.marked.checked_add(u64::from(marked)).ok_or(Malformed)?;
        let raw = entries.get(..taken).ok_or(Malformed)?;
        let first_sequence = end.sequence.checked_add(1).ok_or(Malformed)?;

        // Room is made when it is first needed, and is not wiped between frames: what is left in it is overwritten.
        let room = META_BYTES + get_maximum_output_size(taken);
        if self.plaintext.len() < room {
            self.plaintext.resize(room, 0);
        }
        let (mut meta, room) = self.plaintext.split_at_mut_checked(META_BYTES).ok_or(Malformed)?;
        let length = u32::try_from(taken).map_err(|_| Malformed)?;
        for field in [
            &first_sequence.to_be_bytes()[..],
            &count.to_be_bytes(),
            &sealed_at.to_be_bytes(),
            &end.chain,
            &after,
            &length.to_be_bytes(),
            &marked.to_be_bytes(),
        ] {
            meta.write_all(field).map_err(|_| Malformed)?;
        }
        let compressed = compress_into_with_table(raw, room, &mut self.table).map_err(|_| Malformed)?;
        let sealed =
            sealed::seal(key, aad(Version::CURRENT), self.plaintext.get(..META_BYTES + compressed).ok_or(Malformed)?);
        let length = u32::try_from(sealed.len()).map_err(|_| Malformed)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&sealed);
        end.offset += LENGTH_BYTES as u64 + u64::from(length);
        end.sequence += u64::from(count);
        end.chain = after;
        end.marked = marked;
        Ok(taken)
    }
}

/// The result of [`link`].
struct Linked {
    /// How many bytes of entries.
    taken: usize,
    /// The chain after the last.
    after: Chain,
    count: u32,
    /// How many of them are marked.
    marked: u32,
}

/// Writes the links of the chain into entries, as many as one frame takes.
fn link(mut chain: Chain, entries: &mut [u8]) -> Result<Linked, Malformed> {
    let (mut rest, mut taken, mut count, mut marked) = (entries, 0, 0, 0);
    while let Some((length, body)) = std::mem::take(&mut rest).split_first_chunk_mut::<LENGTH_BYTES>() {
        let (mark, length) = marked_length(*length);
        let length = CHAIN_BYTES + SEQUENCE_BYTES + length;
        if taken + LENGTH_BYTES + length > FRAME_RAW_MAX {
            break;
        }
        let (linked, next) = body.split_at_mut_checked(length).ok_or(Malformed)?;
        *linked.first_chunk_mut().ok_or(Malformed)? = chain;
        chain = sha256(linked);
        taken += LENGTH_BYTES + length;
        count += 1;
        marked += u32::from(mark);
        rest = next;
    }
    if count == 0 { Err(Malformed) } else { Ok(Linked { taken, after: chain, count, marked }) }
}

/// Whether an entry is marked, and the length of its record.
fn marked_length(length: [u8; LENGTH_BYTES]) -> (bool, usize) {
    let length = u32::from_be_bytes(length);
    (length & MARK != 0, (length & !MARK) as usize)
}

/// The head of a frame, about its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameInfo {
    pub(crate) first_sequence: u64,
    pub(crate) records: u32,
    pub(crate) sealed_at: u64,
    pub(crate) before: Chain,
    pub(crate) after: Chain,
    /// How many of the journal's records are marked up to the last of the frame.
    pub(crate) marked: u64,
}

impl FrameInfo {
    /// The sequence of the last record.
    pub(crate) const fn last_sequence(&self) -> u64 {
        self.first_sequence.saturating_add(self.records as u64).saturating_sub(1)
    }
}

/// Seals whatever `info` and `raw` say, as a forger with the key would.
#[cfg(test)]
pub(crate) fn seal_unchecked(key: &Key256, info: &FrameInfo, raw: &[u8]) -> Vec<u8> {
    let mut plaintext = Vec::new();
    plaintext.extend_from_slice(&info.first_sequence.to_be_bytes());
    plaintext.extend_from_slice(&info.records.to_be_bytes());
    plaintext.extend_from_slice(&info.sealed_at.to_be_bytes());
    plaintext.extend_from_slice(&info.before);
    plaintext.extend_from_slice(&info.after);
    plaintext.extend_from_slice(&(raw.len() as u32).to_be_bytes());
    plaintext.extend_from_slice(&info.marked.to_be_bytes());
    plaintext.extend_from_slice(&lz4_flex::block::compress(raw));
    let sealed = sealed::seal(key, aad(Version::CURRENT), &plaintext);
    [&(sealed.len() as u32).to_be_bytes(), &*sealed].concat()
}

/// An opened frame, its entries still compressed.
pub(crate) struct Frame {
    pub(crate) info: FrameInfo,
    raw_length: usize,
    /// How much of `plaintext` stands before the entries.
    meta_bytes: usize,
    plaintext: crypto::SecretBytes,
}

impl Frame {
    /// Opens the bytes that follow a frame's length.
    pub(crate) fn open(key: &Key256, version: Version, sealed: &[u8]) -> Result<Self, Malformed> {
        let plaintext = sealed::open(key, aad(version), sealed).map_err(|_| Malformed)?;
        let mut fields = Fields::new(plaintext.expose());
        let mut info = FrameInfo {
            first_sequence: fields.u64()?,
            records: fields.u32()?,
            sealed_at: fields.u64()?,
            before: fields.array()?,
            after: fields.array()?,
            marked: 0,
        };
        let raw_length = fields.u32()? as usize;
        if version != Version::One {
            info.marked = fields.u64()?;
        }
        // A frame without records or with an impossible sequence was never written.
        let last = info.first_sequence.checked_add(u64::from(info.records));
        if raw_length > FRAME_RAW_MAX || info.records == 0 || info.first_sequence == 0 || last.is_none() {
            return Err(Malformed);
        }
        Ok(Self { info, raw_length, meta_bytes: meta_bytes(version), plaintext })
    }

    /// Decompresses the entries into `raw`.
    pub(crate) fn entries<'a>(&self, raw: &'a mut Vec<u8>) -> Result<Entries<'a>, Malformed> {
        let compressed = self.plaintext.expose().get(self.meta_bytes..).ok_or(Malformed)?;
        raw.resize(self.raw_length, 0);
        match decompress_into(compressed, raw) {
            Ok(length) if length == self.raw_length => Ok(Entries(raw)),
            _ => Err(Malformed),
        }
    }
}

/// A record as it lies in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) before: &'a Chain,
    pub(crate) sequence: u64,
    pub(crate) marked: bool,
    pub(crate) record: &'a [u8],
    linked: &'a [u8],
}

impl Entry<'_> {
    /// Writes an entry to the end of `out`, its link of the chain still blank.
    pub(crate) fn write(out: &mut Vec<u8>, length: u32, marked: bool, sequence: u64, record: &[u8]) {
        let length = if marked { length | MARK } else { length };
        out.reserve(ENTRY_OVERHEAD + record.len());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&[0; CHAIN_BYTES]);
        out.extend_from_slice(&sequence.to_be_bytes());
        out.extend_from_slice(record);
    }

    /// The chain after this record.
    pub(crate) fn chain(&self) -> Chain {
        sha256(self.linked)
    }
}

/// The entries of a frame. Ends at the first that is malformed, and says so.
#[derive(Clone)]
pub(crate) struct Entries<'a>(&'a [u8]);

impl<'a> Entries<'a> {
    #[cfg(test)]
    pub(crate) const fn of(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    fn take(&mut self) -> Result<Entry<'a>, Malformed> {
        let mut fields = Fields::new(self.0);
        let (marked, length) = marked_length(fields.array()?);
        let linked = fields.slice(CHAIN_BYTES + SEQUENCE_BYTES + length)?;
        let (before, tail) = linked.split_first_chunk().ok_or(Malformed)?;
        let (sequence, record) = tail.split_first_chunk().ok_or(Malformed)?;
        self.0 = fields.rest();
        Ok(Entry { before, sequence: u64::from_be_bytes(*sequence), marked, record, linked })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let entry = self.take();
        if entry.is_err() {
            self.0 = &[];
        }
        Some(entry)
    }
}
