//! Reads single entries of a pack that lies somewhere in pieces.

use std::sync::Arc;

use git_object::ObjectFormat;

use crate::entry::ENTRY_HEADER_BYTES_MAX;
use crate::inflate::Bad;
use crate::{EntryHeader, Inflater, PackError, ReadError};

/// Bytes that are there to be read at any place: a pack from its header on, or an index.
pub trait ReadAt: Sync {
    /// Reads bytes from `offset` on to the beginning of `into`: as many as are available, at least one unless the end
    /// is reached. Returns how many.
    ///
    /// # Errors
    /// The source's own.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError>;
}

impl ReadAt for [u8] {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let length = rest.len().min(into.len());
        into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Ok(length)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        self.as_slice().read_at(offset, into)
    }
}

impl<R: ReadAt + ?Sized> ReadAt for &R {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        (**self).read_at(offset, into)
    }
}

impl<R: ReadAt + Send + ?Sized> ReadAt for Arc<R> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        (**self).read_at(offset, into)
    }
}

/// Fills `into` as far as the source goes. Returns how far.
pub(crate) fn read_full<R: ReadAt + ?Sized>(source: &R, offset: u64, into: &mut [u8]) -> Result<usize, PackError> {
    let mut done = 0;
    while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match source.read_at(offset.saturating_add(done as u64), rest).map_err(PackError::Read)? {
            0 => break,
            length => done += length.min(rest.len()),
        }
    }
    Ok(done)
}

/// Fills all of `into`.
pub(crate) fn read_exact<R: ReadAt + ?Sized>(source: &R, offset: u64, into: &mut [u8]) -> Result<(), PackError> {
    if read_full(source, offset, into)? == into.len() { Ok(()) } else { Err(PackError::Truncated) }
}

/// Bytes of an entry read at once.
const PIECE_BYTES: usize = 32 << 10;

/// Bytes expanded at once of an object that is not taken whole.
const STREAM_BYTES: usize = 64 << 10;

/// A reader of entries whose memory serves one after the other. One thread has one.
pub struct EntryReader {
    format: ObjectFormat,
    inflater: Inflater,
    packed: Vec<u8>,
}

impl EntryReader {
    /// A reader of packs of that format.
    #[must_use]
    pub fn new(format: ObjectFormat) -> Self {
        Self { format, inflater: Inflater::new(), packed: Vec::new() }
    }

    /// The header of the entry at `offset`, and its length.
    ///
    /// # Errors
    /// [`PackError::EntryHeader`], [`PackError::Truncated`], [`PackError::Read`].
    pub fn header<R: ReadAt + ?Sized>(&mut self, source: &R, offset: u64) -> Result<(EntryHeader, usize), PackError> {
        let mut bytes = [0; ENTRY_HEADER_BYTES_MAX];
        let length = read_full(source, offset, &mut bytes)?;
        let bytes = bytes.get(..length).unwrap_or_default();
        EntryHeader::decode(self.format, bytes, offset)?.ok_or(PackError::Truncated)
    }

    /// The entry at `offset`, whole: a delta as it is, not applied. `out` is replaced by its inflated bytes, at most
    /// `bytes_max`. `end` is where the entry ends at the latest: the next entry, or the end of the pack if that is not known.
    ///
    /// # Errors
    /// [`PackError::TooLarge`], [`PackError::EntryHeader`], [`PackError::EntryBytes`], [`PackError::Inflate`],
    /// [`PackError::Truncated`], [`PackError::Read`].
    pub fn entry<R: ReadAt + ?Sized>(
        &mut self,
        source: &R,
        offset: u64,
        end: u64,
        bytes_max: u64,
        out: &mut Vec<u8>,
    ) -> Result<EntryHeader, PackError> {
        out.clear();
        let (header, length) = self.begin(source, offset, end)?;
        if header.size > bytes_max {
            return Err(PackError::TooLarge { offset, bytes: header.size, max: bytes_max });
        }
        let (mut at, mut skip) = (offset, length);
        loop {
            let input = self.packed.get(skip..).unwrap_or_default();
            let progress = self.inflater.whole(input, header.size, out).map_err(|bad| bad.at(offset, header.size))?;
            if progress.ended {
                return Ok(header);
            }
            at += self.packed.len() as u64;
            skip = 0;
            self.fill(source, at, end)?;
        }
    }

    /// As [`EntryReader::entry`], but in pieces that `each` takes one by one: for objects that are too large for memory.
    ///
    /// # Errors
    /// Those of [`EntryReader::entry`]. What `each` was given before is to be discarded then.
    pub fn stream<R: ReadAt + ?Sized>(
        &mut self,
        source: &R,
        offset: u64,
        end: u64,
        each: &mut dyn FnMut(&[u8]) -> Result<(), ReadError>,
    ) -> Result<EntryHeader, PackError> {
        let (header, length) = self.begin(source, offset, end)?;
        let mut out = vec![0; STREAM_BYTES];
        let (mut at, mut skip, mut made) = (offset, length, 0_u64);
        loop {
            let input = self.packed.get(skip..).unwrap_or_default();
            let (progress, length) = self.inflater.piece(input, &mut out).map_err(|bad| bad.at(offset, header.size))?;
            made += length as u64;
            if made > header.size || progress.ended && made != header.size {
                return Err(PackError::EntryBytes { offset, declared: header.size });
            }
            each(out.get(..length).unwrap_or_default()).map_err(PackError::Read)?;
            if progress.ended {
                return Ok(header);
            }
            skip += progress.taken;
            if skip >= self.packed.len() && length < out.len() {
                at += self.packed.len() as u64;
                skip = 0;
                self.fill(source, at, end)?;
            }
        }
    }

    /// Reads the first piece of an entry and its header.
    fn begin<R: ReadAt + ?Sized>(
        &mut self,
        source: &R,
        offset: u64,
        end: u64,
    ) -> Result<(EntryHeader, usize), PackError> {
        self.fill(source, offset, end)?;
        self.inflater.restart();
        EntryHeader::decode(self.format, &self.packed, offset)?.ok_or(PackError::Truncated)
    }

    fn fill<R: ReadAt + ?Sized>(&mut self, source: &R, at: u64, end: u64) -> Result<(), PackError> {
        let length = end.saturating_sub(at).min(PIECE_BYTES as u64) as usize;
        self.packed.resize(length, 0);
        let found = read_full(source, at, &mut self.packed)?;
        self.packed.truncate(found);
        if found == 0 { Err(PackError::Truncated) } else { Ok(()) }
    }
}

impl Bad {
    /// The error of an entry.
    pub(crate) fn at(self, offset: u64, declared: u64) -> PackError {
        match self {
            Self::Stream => PackError::Inflate { offset },
            Self::Size => PackError::EntryBytes { offset, declared },
        }
    }
}

#[cfg(test)]
mod tests {
    use git_object::{Kind, ObjectFormat};

    use super::{EntryReader, ReadAt};
    use crate::{Deflater, EntryHeader, EntryKind, PackError, ReadError};

    /// Hands out three bytes at a time.
    struct Slow(Vec<u8>);

    impl ReadAt for Slow {
        fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
            let length = into.len().min(3);
            self.0.read_at(offset, &mut into[..length])
        }
    }

    #[test]
    fn an_entry_is_read_whole_and_in_pieces() {
        let mut state = 1_u32;
        let content: Vec<u8> = (0..200_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 28) as u8
            })
            .collect();
        let mut pack = b"some bytes".to_vec();
        let header = EntryHeader { kind: EntryKind::Object(Kind::Blob), size: content.len() as u64 };
        header.encode(&mut pack);
        Deflater::new().deflate(&content, &mut pack);
        pack.extend_from_slice(b"more bytes");
        let (source, end) = (Slow(pack.clone()), pack.len() as u64);
        let (mut reader, mut out) = (EntryReader::new(ObjectFormat::Sha1), Vec::new());
        assert_eq!(reader.header(&source, 10).expect("a header").0, header);
        assert_eq!(reader.entry(&source, 10, end, 1 << 20, &mut out).expect("an entry"), header);
        assert_eq!(out, content);
        let mut pieces = Vec::new();
        let each = &mut |piece: &[u8]| {
            pieces.extend_from_slice(piece);
            Ok(())
        };
        assert_eq!(reader.stream(&source, 10, end, each).expect("an entry"), header);
        assert_eq!(pieces, content);
        let refused = reader.entry(&source, 10, end, 199_999, &mut out);
        assert!(matches!(refused, Err(PackError::TooLarge { offset: 10, bytes: 200_000, max: 199_999 })));
        let cut = reader.entry(&source, 10, end - 20, 1 << 20, &mut out);
        assert!(matches!(cut, Err(PackError::Truncated)));
    }
}
