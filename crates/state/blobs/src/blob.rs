//! A blob that is open for reading. Knows neither its owner's name nor who reads.

use std::ops::Range;
use std::sync::Arc;

use crypto::Sha256;

use crate::blobs::Contents;
use crate::frames::Frames;
use crate::place::Source;
use crate::{BlobError, BlobId, Reading};

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
