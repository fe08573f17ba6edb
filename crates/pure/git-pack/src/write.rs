//! Writes packs: new objects, entries of other packs, deltas. Refuses to know where the bytes go.

use git_object::{Checksum, Kind, ObjectFormat, ObjectId};

use crate::read::read_full;
use crate::{Deflater, EntryHeader, EntryKind, PACK_HEADER_BYTES, PackError, ReadAt, Table, encode_pack_header};

/// A pack being written. Each call appends to a buffer, which the caller passes on and empties as it likes.
pub struct Writer {
    checksum: Checksum,
    crc: crc_fast::Digest,
    deflater: Deflater,
    offset: u64,
    entry: u64,
}

impl Writer {
    /// Begins a pack of `objects` objects.
    #[must_use]
    pub fn new(format: ObjectFormat, objects: u32, out: &mut Vec<u8>) -> Self {
        let mut checksum = Checksum::new(format);
        let header = encode_pack_header(objects);
        checksum.update(&header);
        out.extend_from_slice(&header);
        Self {
            checksum,
            crc: crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc),
            deflater: Deflater::new(),
            offset: PACK_HEADER_BYTES as u64,
            entry: PACK_HEADER_BYTES as u64,
        }
    }

    /// Where the next entry begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes an entry: a whole object's content, or a delta. Returns where it begins.
    pub fn entry(&mut self, kind: EntryKind, content: &[u8], out: &mut Vec<u8>) -> u64 {
        let from = self.begin(EntryHeader { kind, size: content.len() as u64 }, out);
        let at = out.len();
        self.deflater.deflate(content, out);
        self.account(out.get(at..).unwrap_or_default());
        from
    }

    /// Writes an entry whose compressed content is there already, as in another pack or from [`Deflater`]. Returns where
    /// it begins.
    pub fn compressed(&mut self, header: EntryHeader, stream: &[u8], out: &mut Vec<u8>) -> u64 {
        let from = self.begin(header, out);
        self.piece(stream, out);
        from
    }

    /// Begins an entry whose compressed content follows in pieces. Returns where it begins.
    pub fn begin(&mut self, header: EntryHeader, out: &mut Vec<u8>) -> u64 {
        (self.entry, self.crc) = (self.offset, crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc));
        let at = out.len();
        header.encode(out);
        self.account(out.get(at..).unwrap_or_default());
        self.entry
    }

    /// Writes the next piece of an entry's compressed content.
    pub fn piece(&mut self, stream: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(stream);
        self.account(stream);
    }

    /// The CRC-32 of the last entry, for an index.
    #[must_use]
    pub fn crc32(&self) -> u32 {
        self.crc.finalize() as u32
    }

    /// Writes the trailer, and returns it: the pack's checksum.
    pub fn finish(self, out: &mut Vec<u8>) -> ObjectId {
        let checksum = self.checksum.finish();
        out.extend_from_slice(checksum.as_bytes());
        checksum
    }

    fn account(&mut self, bytes: &[u8]) {
        self.checksum.update(bytes);
        self.crc.update(bytes);
        self.offset += bytes.len() as u64;
    }
}

impl Table {
    /// Writes a whole object as a further entry behind the last one, and notes it: so the bases of a thin pack are added.
    /// The header's number of objects and the trailer change with it: see [`checksum`].
    pub fn complete(&mut self, id: &ObjectId, kind: Kind, content: &[u8], deflater: &mut Deflater, out: &mut Vec<u8>) {
        let at = out.len();
        EntryHeader { kind: EntryKind::Object(kind), size: content.len() as u64 }.encode(out);
        deflater.deflate(content, out);
        let entry = out.get(at..).unwrap_or_default();
        self.append(id, kind, crc_fast::crc32_iso_hdlc(entry), self.end() + entry.len() as u64);
    }
}

/// The checksum of a pack of `objects` objects whose entries lie in `source` from offset 12 to `end`.
///
/// # Errors
/// [`PackError::Read`], [`PackError::Truncated`].
pub fn checksum<R: ReadAt + ?Sized>(
    format: ObjectFormat,
    objects: u32,
    source: &R,
    end: u64,
) -> Result<ObjectId, PackError> {
    let (mut checksum, mut at, mut piece) = (Checksum::new(format), PACK_HEADER_BYTES as u64, vec![0; 256 << 10]);
    checksum.update(&encode_pack_header(objects));
    while at < end {
        let length = (end - at).min(piece.len() as u64) as usize;
        let piece = piece.get_mut(..length).unwrap_or_default();
        if read_full(source, at, piece)? < length {
            return Err(PackError::Truncated);
        }
        checksum.update(piece);
        at += length as u64;
    }
    Ok(checksum.finish())
}
