//! Chunks, read from where they lie and opened. Knows neither directories nor tasks.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use bytes::Bytes;

use crate::draft::BATCH_BYTES;
use crate::format::{self, CHUNK_BYTES, Cipher, FRAME_BYTES, HEADER_BYTES, Layout};
use crate::{BlobError, BlobId, Owner};

/// Sealed bytes that are read from any place.
pub(crate) trait FrameSource {
    fn length(&self) -> io::Result<u64>;

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;

    /// How many chunks should be read at once.
    fn batch(&self) -> u64 {
        (BATCH_BYTES / CHUNK_BYTES) as u64
    }
}

impl FrameSource for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, bytes, offset)
    }
}

impl FrameSource for &[u8] {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)?.get(..bytes.len()));
        bytes.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// A sealed blob whose header and last chunk were found authentic, and with them its length.
pub(crate) struct Frames<S> {
    id: BlobId,
    source: S,
    cipher: Cipher,
    layout: Layout,
    /// The content of the last chunk.
    last: Bytes,
}

impl<S: FrameSource> Frames<S> {
    /// Reads header and last chunk. A file that was cut, extended or renamed fails here.
    pub(crate) fn open(source: S, owner: &Owner, id: &BlobId) -> Result<Self, BlobError> {
        let io = |cause| read_failed(id, cause);
        let layout = Layout::of_sealed(source.length().map_err(io)?);
        let mut header = [0; HEADER_BYTES];
        source.read_exact_at(&mut header, 0).map_err(io)?;
        format::check_header(id, &header)?;
        let layout = layout.ok_or(BlobError::NotAuthentic { id: *id })?;
        let mut frames = Self { id: *id, source, cipher: Cipher::new(owner, id), layout, last: Bytes::new() };
        frames.last = frames.read(layout.last()..layout.chunks)?.into();
        Ok(frames)
    }

    pub(crate) const fn id(&self) -> &BlobId {
        &self.id
    }

    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) const fn last(&self) -> &Bytes {
        &self.last
    }

    /// How many chunks should be read at once.
    pub(crate) fn batch(&self) -> u64 {
        self.source.batch()
    }

    /// The content of `chunks`, which must not be beyond the last. Blocks.
    pub(crate) fn read(&self, chunks: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let place = self.layout.frames(&chunks);
        let length = usize::try_from(place.end - place.start).map_err(|_| BlobError::NotAuthentic { id: self.id })?;
        let mut sealed = vec![0; length];
        self.source.read_exact_at(&mut sealed, place.start).map_err(|cause| read_failed(&self.id, cause))?;
        let mut plaintext = Vec::with_capacity(length);
        for (number, frame) in chunks.zip(sealed.chunks(FRAME_BYTES)) {
            let opened = self.cipher.open(number, number == self.layout.last(), frame, &mut plaintext);
            opened.map_err(|_| BlobError::NotAuthentic { id: self.id })?;
        }
        Ok(plaintext)
    }
}

/// A file that ends too early, or an object of another length, is not what was written: blobs never change.
fn read_failed(id: &BlobId, cause: io::Error) -> BlobError {
    match cause.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => BlobError::NotAuthentic { id: *id },
        // An object that was swept while it was read.
        io::ErrorKind::NotFound => BlobError::Missing { id: *id },
        _ => BlobError::Io { action: "read", path: id.path(), cause },
    }
}
