//! A blob that is open for reading. Knows neither its owner's name nor who reads.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use crypto::SecretBytes;

use crate::blobs::Contents;
use crate::frames::Frames;
use crate::place::Source;
use crate::{BlobError, BlobId, CHUNK_BYTES, Reading};

/// A blob whose length was found authentic. A file stays readable also if a sweep removes it meanwhile;
/// an object does not, and further reads fail with [`BlobError::Missing`].
#[derive(Clone)]
pub struct Blob(pub(crate) Arc<Frames<Source>>);

impl Blob {
    /// The blob's id.
    #[must_use]
    pub fn id(&self) -> BlobId {
        *self.0.id()
    }

    /// The length of the content in bytes.
    #[must_use]
    pub fn plaintext_bytes(&self) -> u64 {
        self.0.layout().plaintext_bytes
    }

    /// Streams the bytes of `range`. Only the chunks that it touches are read, at most 256 KiB of a file ahead,
    /// or 2 MiB of an object.
    ///
    /// # Errors
    /// [`BlobError::OutOfRange`].
    pub fn read(&self, range: Range<u64>) -> Result<Reading, BlobError> {
        let plaintext_bytes = self.plaintext_bytes();
        if range.start > range.end || range.end > plaintext_bytes {
            return Err(BlobError::OutOfRange { id: self.id(), plaintext_bytes });
        }
        Ok(Reading::new(Arc::clone(&self.0), range))
    }

    /// Streams all of the content.
    #[must_use]
    pub fn read_all(&self) -> Reading {
        Reading::new(Arc::clone(&self.0), 0..self.plaintext_bytes())
    }

    /// The content of the chunk `number`: [`CHUNK_BYTES`](crate::CHUNK_BYTES) bytes, or fewer for the last. For threads
    /// that may block, and for caches of chunks.
    ///
    /// # Errors
    /// [`BlobError::OutOfRange`] for a number behind the last chunk's; as for [`crate::Blobs::blob`].
    pub fn chunk(&self, number: u64) -> Result<SecretBytes, BlobError> {
        let layout = self.0.layout();
        if number >= layout.chunks {
            return Err(BlobError::OutOfRange { id: self.id(), plaintext_bytes: layout.plaintext_bytes });
        }
        if number == layout.last() {
            // It was read when the blob was opened.
            return Ok(SecretBytes::from(&self.0.last()[..]));
        }
        self.0.read(number..number + 1).map(SecretBytes::from)
    }

    /// The first bytes of `range`, as many as are read at once: at most 256 KiB of a file, or 2 MiB of an object. None for
    /// an empty range. For threads that may block; nothing is read ahead.
    ///
    /// # Errors
    /// [`BlobError::OutOfRange`]; as for [`crate::Blobs::blob`].
    pub fn piece(&self, range: Range<u64>) -> Result<Bytes, BlobError> {
        let plaintext_bytes = self.plaintext_bytes();
        let out_of_range = || BlobError::OutOfRange { id: self.id(), plaintext_bytes };
        let Range { start, end } = range;
        if start > end || end > plaintext_bytes {
            return Err(out_of_range());
        }
        let (chunk_bytes, last) = (CHUNK_BYTES as u64, self.0.layout().last());
        let first = start / chunk_bytes;
        let opened = if first >= last {
            // It was read when the blob was opened.
            self.0.last().clone()
        } else {
            let chunks = first..end.div_ceil(chunk_bytes).min(first + self.0.batch()).min(last);
            self.0.read(chunks)?.into()
        };
        // Both are within what was opened, whose length fits.
        let from = (start - first.min(last) * chunk_bytes) as usize;
        let to = opened.len().min(from.saturating_add(usize::try_from(end - start).unwrap_or(usize::MAX)));
        if from > to { Err(out_of_range()) } else { Ok(opened.slice(from..to)) }
    }

    /// Fills `bytes` with the content from `offset` on. For threads that may block; nothing is read ahead.
    ///
    /// # Errors
    /// [`BlobError::OutOfRange`] when the content ends before; as for [`crate::Blobs::blob`].
    pub fn read_at(&self, offset: u64, mut bytes: &mut [u8]) -> Result<(), BlobError> {
        let end = offset.saturating_add(bytes.len() as u64);
        let mut at = offset;
        while !bytes.is_empty() {
            let piece = self.piece(at..end)?;
            let (to, rest) = bytes.split_at_mut(piece.len().min(bytes.len()));
            to.iter_mut().zip(&piece).for_each(|(to, from)| *to = *from);
            (bytes, at) = (rest, at + piece.len() as u64);
        }
        Ok(())
    }

    /// Opens every chunk. Blocks.
    pub(crate) fn check(&self) -> Result<Contents, BlobError> {
        let layout = self.0.layout();
        let mut next = 0;
        while next < layout.chunks {
            let end = layout.chunks.min(next + self.0.batch());
            self.0.read(next..end)?;
            next = end;
        }
        Ok(Contents { plaintext_bytes: layout.plaintext_bytes, sealed_bytes: layout.sealed_bytes() })
    }
}
