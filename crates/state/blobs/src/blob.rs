//! A blob that is open for reading. Knows neither its owner's name nor who reads.

use std::ops::Range;
use std::sync::Arc;

use crypto::{SecretBytes, Sha256};

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

    /// Fills `bytes` with the content from `offset` on. For threads that may block; nothing is read ahead.
    ///
    /// # Errors
    /// [`BlobError::OutOfRange`] when the content ends before; as for [`crate::Blobs::blob`].
    pub fn read_at(&self, offset: u64, mut bytes: &mut [u8]) -> Result<(), BlobError> {
        let plaintext_bytes = self.plaintext_bytes();
        let out_of_range = || BlobError::OutOfRange { id: self.id(), plaintext_bytes };
        let end = offset.checked_add(bytes.len() as u64).filter(|end| *end <= plaintext_bytes);
        let (end, chunk_bytes) = (end.ok_or_else(out_of_range)?, CHUNK_BYTES as u64);
        let (mut at, last) = (offset, self.0.layout().last());
        while at < end {
            let first = at / chunk_bytes;
            let opened;
            let (content, next) = if first == last {
                (&self.0.last()[..], end)
            } else {
                let chunks = first..end.div_ceil(chunk_bytes).min(first + self.0.batch()).min(last);
                let next = end.min(chunks.end * chunk_bytes);
                opened = SecretBytes::from(self.0.read(chunks)?);
                (opened.expose(), next)
            };
            // Both lie within what was read, whose length fits.
            let from = (at - first * chunk_bytes) as usize;
            let (to, rest) = bytes.split_at_mut((next - at) as usize);
            to.copy_from_slice(content.get(from..from + to.len()).ok_or_else(out_of_range)?);
            (bytes, at) = (rest, next);
        }
        Ok(())
    }

    /// Opens every chunk. Blocks.
    pub(crate) fn check(&self) -> Result<Contents, BlobError> {
        let layout = self.0.layout();
        let mut digest = Sha256::new();
        let mut next = 0;
        while next < layout.chunks {
            let end = layout.chunks.min(next + self.0.batch());
            digest.update(&self.0.read(next..end)?);
            next = end;
        }
        Ok(Contents {
            plaintext_bytes: layout.plaintext_bytes,
            sealed_bytes: layout.sealed_bytes(),
            sha256: digest.finish(),
        })
    }
}
