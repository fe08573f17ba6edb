//! Parses a pack as its bytes arrive. Keeps where each entry is, and names whole objects on the way.
//!
//! Refuses to know where the bytes go: the caller stores those reported as entries. Deltas are left to the resolver.

use std::ops::Range;

use crc_fast::{CrcAlgorithm, Digest};
use git_object::{Checksum, Hasher, Kind, ObjectFormat, ObjectId, hash_object};

use crate::entry::ENTRY_HEADER_BYTES_MAX;
use crate::table::{NONE, Table};
use crate::{EntryHeader, EntryKind, Inflater, PACK_HEADER_BYTES, PackError, decode_pack_header, result_bytes};

/// Blobs and deltas of more bytes are expanded in pieces.
const WHOLE_BYTES: u64 = 1 << 20;

/// Bytes expanded at once of a larger one.
const PIECE_BYTES: usize = 64 << 10;

/// Limits of a pack.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Objects of a pack.
    pub objects_max: u32,
    /// Bytes of a blob.
    pub blob_bytes_max: u64,
    /// Bytes of a commit, a tree or a tag: these are taken whole into memory.
    pub object_bytes_max: u64,
    /// Bytes of a blob that is a delta, and of its base: these are whole in memory as well. Git makes no deltas of larger
    /// files (`core.bigFileThreshold`).
    pub delta_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            objects_max: u32::MAX - 1,
            blob_bytes_max: 2 << 30,
            object_bytes_max: 64 << 20,
            delta_bytes_max: 512 << 20,
        }
    }
}

impl Limits {
    /// The limit for an object of that kind which is an entry of its own.
    #[must_use]
    pub fn whole(&self, kind: Kind) -> u64 {
        if kind == Kind::Blob { self.blob_bytes_max } else { self.object_bytes_max }
    }

    /// The limit for an object of that kind that is made by a delta, or is a delta's base.
    #[must_use]
    pub fn delta(&self, kind: Kind) -> u64 {
        self.whole(kind).min(self.delta_bytes_max)
    }
}

/// Takes the objects that a pack has whole, in the order of their entries.
pub trait Sink {
    /// Why an object is refused.
    type Error;

    /// A commit, a tree or a tag.
    ///
    /// # Errors
    /// The object is refused, and the pack with it.
    fn object(&mut self, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Self::Error>;

    /// A blob of `size` bytes, with its content unless it is large.
    ///
    /// # Errors
    /// The object is refused, and the pack with it.
    fn blob(&mut self, id: &ObjectId, size: u64, bytes: Option<&[u8]>) -> Result<(), Self::Error>;
}

/// Why a pack was refused: by what it is, or by the one who looked at its objects.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E> {
    /// The pack is wrong.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The sink or the visitor refused an object.
    #[error("{0}")]
    Object(E),
}

/// A pack that was scanned to its end.
pub struct Scanned {
    /// Its entries.
    pub table: Table,
    /// The hash at its end, which is that of the bytes before.
    pub checksum: ObjectId,
}

enum State {
    Header,
    /// Between entries, or within the header of one.
    Entry,
    /// Within the stream of an entry that is expanded as a whole.
    Whole(EntryHeader),
    /// Within the stream of a large blob, which is hashed, or of a large delta, which is only measured.
    Pieces {
        header: EntryHeader,
        made: u64,
        hasher: Option<Box<Hasher>>,
    },
    Trailer,
    End,
}

/// A parser of a pack that arrives in pieces of any size.
pub struct Scanner {
    limits: Limits,
    state: State,
    /// The beginning of a header that did not arrive whole.
    pending: Vec<u8>,
    left: u32,
    declared: Option<u32>,
    /// Where the next byte is in the pack.
    offset: u64,
    /// Where the base of the present offset delta is.
    base: u32,
    checksum: Checksum,
    /// Whether the trailer has arrived and is right.
    checked: bool,
    crc: Digest,
    inflater: Inflater,
    out: Vec<u8>,
    table: Table,
}

impl Scanner {
    /// A scanner for a pack of that format.
    #[must_use]
    pub fn new(format: ObjectFormat, limits: Limits) -> Self {
        Self {
            limits,
            state: State::Header,
            pending: Vec::new(),
            left: 0,
            declared: None,
            offset: 0,
            base: NONE,
            checksum: Checksum::new(format),
            checked: false,
            crc: Digest::new(CrcAlgorithm::Crc32IsoHdlc),
            inflater: Inflater::new(),
            out: Vec::new(),
            table: Table::new(format),
        }
    }

    /// The number of objects that the header declares, once it has arrived.
    #[must_use]
    pub fn declared(&self) -> Option<u32> {
        self.declared
    }

    /// The number of entries that have arrived.
    #[must_use]
    pub fn received(&self) -> u32 {
        self.table.len()
    }

    /// Whether all of the pack has arrived: where a connection goes on, nothing else says where a pack ends.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.checked
    }

    /// Takes in the next bytes, and hands whole objects to `sink`. Returns which of the bytes belong to entries: those are
    /// what a store keeps, without the header and the trailer.
    ///
    /// # Errors
    /// [`Failure`]. The scanner is of no use then.
    pub fn push<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<Range<usize>, Failure<S::Error>> {
        let (mut at, mut from, mut to) = (0, 0, None);
        while at < bytes.len() {
            let header = matches!(self.state, State::Header);
            if to.is_none() && matches!(self.state, State::Trailer | State::End) {
                to = Some(at);
            }
            let taken = self.step(bytes.get(at..).unwrap_or_default(), sink)?;
            (at, self.offset) = (at + taken, self.offset + taken as u64);
            if header {
                from = at;
            }
        }
        let to = to.unwrap_or(bytes.len());
        if !self.checked {
            self.checksum.update(bytes.get(..to).unwrap_or_default());
        }
        if matches!(self.state, State::End) && !self.checked {
            self.checked = true;
            if self.checksum.clone().finish().as_bytes() != self.pending.as_slice() {
                return Err(PackError::Checksum.into());
            }
        }
        Ok(from..to.max(from))
    }

    /// Ends the pack.
    ///
    /// # Errors
    /// [`PackError::Truncated`].
    pub fn finish(self) -> Result<Scanned, PackError> {
        if !self.checked {
            return Err(PackError::Truncated);
        }
        Ok(Scanned { table: self.table, checksum: self.checksum.finish() })
    }

    /// Takes in some of the bytes, of which there is one at least. Returns how many.
    fn step<S: Sink>(&mut self, rest: &[u8], sink: &mut S) -> Result<usize, Failure<S::Error>> {
        match &mut self.state {
            State::Header => {
                let taken = gather(&mut self.pending, rest, PACK_HEADER_BYTES);
                if let Ok(header) = <&[u8; PACK_HEADER_BYTES]>::try_from(self.pending.as_slice()) {
                    let (objects, max) = (decode_pack_header(header)?, self.limits.objects_max);
                    if objects > max {
                        return Err(PackError::TooManyObjects { objects, max }.into());
                    }
                    (self.left, self.declared) = (objects, Some(objects));
                    self.pending.clear();
                    self.state = if objects == 0 { State::Trailer } else { State::Entry };
                }
                Ok(taken)
            }
            State::Entry => {
                let (taken, header) = self.entry_header(rest)?;
                self.crc.update(rest.get(..taken).unwrap_or_default());
                if let Some(header) = header {
                    self.begin(header)?;
                }
                Ok(taken)
            }
            State::Whole(header) => {
                let header = *header;
                let progress = self.inflater.whole(rest, header.size, &mut self.out);
                let progress = progress.map_err(|bad| bad.at(self.table.end(), header.size))?;
                self.crc.update(rest.get(..progress.taken).unwrap_or_default());
                if progress.ended {
                    let id = self.whole(&header, sink)?;
                    self.end(&header, id, progress.taken);
                }
                Ok(progress.taken)
            }
            State::Pieces { header, made, hasher } => {
                let header = *header;
                let piece = self.inflater.piece(rest, &mut self.out);
                let (progress, length) = piece.map_err(|bad| bad.at(self.table.end(), header.size))?;
                *made += length as u64;
                if *made > header.size || progress.ended && *made != header.size {
                    return Err(PackError::EntryBytes { offset: self.table.end(), declared: header.size }.into());
                }
                if let Some(hasher) = hasher {
                    hasher.update(self.out.get(..length).unwrap_or_default());
                }
                self.crc.update(rest.get(..progress.taken).unwrap_or_default());
                if progress.ended {
                    let id = hasher.take().map(|hasher| hasher.finish()).transpose().map_err(PackError::Collision)?;
                    if let Some(id) = &id {
                        sink.blob(id, header.size, None).map_err(Failure::Object)?;
                    }
                    self.end(&header, id, progress.taken);
                }
                Ok(progress.taken)
            }
            State::Trailer => {
                let length = self.table.format().id_bytes();
                let taken = gather(&mut self.pending, rest, length);
                if self.pending.len() == length {
                    self.state = State::End;
                }
                Ok(taken)
            }
            State::End => Err(PackError::Junk.into()),
        }
    }

    /// The header of an entry, once it is whole, and how many of the bytes belong to it.
    fn entry_header(&mut self, rest: &[u8]) -> Result<(usize, Option<EntryHeader>), PackError> {
        let (format, offset) = (self.table.format(), self.table.end());
        if self.pending.is_empty()
            && let Some((header, length)) = EntryHeader::decode(format, rest, offset)?
        {
            return Ok((length, Some(header)));
        }
        let before = self.pending.len();
        let taken = gather(&mut self.pending, rest, ENTRY_HEADER_BYTES_MAX);
        let Some((header, length)) = EntryHeader::decode(format, &self.pending, offset)? else {
            return Ok((taken, None));
        };
        self.pending.clear();
        Ok((length.saturating_sub(before), Some(header)))
    }

    /// Begins the stream of an entry.
    fn begin(&mut self, header: EntryHeader) -> Result<(), PackError> {
        let offset = self.table.end();
        let max = match header.kind {
            EntryKind::Object(kind) => self.limits.whole(kind),
            // A delta may be larger than what it makes, but not by much.
            EntryKind::OffsetDelta { .. } | EntryKind::ReferenceDelta { .. } => {
                self.limits.delta_bytes_max.saturating_add(self.limits.delta_bytes_max / 8 + 64)
            }
        };
        if header.size > max {
            return Err(PackError::TooLarge { offset, bytes: header.size, max });
        }
        self.base = match header.kind {
            EntryKind::OffsetDelta { distance } => {
                let base = offset.checked_sub(distance).and_then(|base| self.table.at(base));
                base.ok_or(PackError::BaseOffset { offset })?
            }
            _ => NONE,
        };
        self.inflater.restart();
        self.out.clear();
        let blob = match header.kind {
            EntryKind::Object(Kind::Blob) => true,
            EntryKind::Object(_) => false,
            _ => header.size > WHOLE_BYTES,
        };
        self.state = if blob && header.size > WHOLE_BYTES {
            self.out.resize(PIECE_BYTES, 0);
            let object = matches!(header.kind, EntryKind::Object(_));
            let hasher = object.then(|| Box::new(Hasher::object(self.table.format(), Kind::Blob, header.size)));
            State::Pieces { header, made: 0, hasher }
        } else {
            State::Whole(header)
        };
        Ok(())
    }

    /// Looks at an entry that was expanded as a whole.
    fn whole<S: Sink>(&mut self, header: &EntryHeader, sink: &mut S) -> Result<Option<ObjectId>, Failure<S::Error>> {
        let EntryKind::Object(kind) = header.kind else {
            let offset = self.table.end();
            let (_, bytes) = result_bytes(&self.out).map_err(|cause| PackError::Delta { offset, cause })?;
            let max = self.limits.delta_bytes_max;
            return if bytes > max { Err(PackError::TooLarge { offset, bytes, max }.into()) } else { Ok(None) };
        };
        let id = hash_object(self.table.format(), kind, &self.out).map_err(PackError::Collision)?;
        if kind == Kind::Blob {
            sink.blob(&id, header.size, Some(&self.out)).map_err(Failure::Object)?;
        } else {
            sink.object(&id, kind, &self.out).map_err(Failure::Object)?;
        }
        Ok(Some(id))
    }

    /// Notes an entry that ends after `taken` more bytes.
    fn end(&mut self, header: &EntryHeader, id: Option<ObjectId>, taken: usize) {
        let crc32 = self.crc.finalize_reset() as u32;
        self.table.push(header.kind, id.as_ref(), self.base, crc32, self.offset + taken as u64);
        self.left -= 1;
        self.state = if self.left == 0 { State::Trailer } else { State::Entry };
        // One large object does not keep its memory to the end.
        if self.out.capacity() as u64 > 2 * WHOLE_BYTES {
            self.out = Vec::new();
        }
    }
}

/// Adds bytes until there are `length`. Returns how many were added.
fn gather(pending: &mut Vec<u8>, rest: &[u8], length: usize) -> usize {
    let taken = rest.len().min(length.saturating_sub(pending.len()));
    pending.extend_from_slice(rest.get(..taken).unwrap_or_default());
    taken
}
