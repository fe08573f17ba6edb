//! An object of a bucket as sealed bytes that are read from any place. Knows nothing of the bytes.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::bucket::Bucket;
use crate::BlobId;
use crate::format::FRAME_BYTES;
use crate::frames::FrameSource;

/// How many chunks are read in one request: 2 MiB, which outweighs the way there and back.
const BATCH: u64 = 32;

/// An object whose length and end were read.
pub(crate) struct Object {
    bucket: Arc<Bucket>,
    id: BlobId,
    length: u64,
    tail: Bytes,
}

impl Object {
    /// Reads length and end of a blob's object, in one request.
    pub(crate) fn open(bucket: &Arc<Bucket>, id: &BlobId) -> io::Result<Self> {
        let (tail, length) = bucket.tail(id, FRAME_BYTES)?;
        Ok(Self { bucket: Arc::clone(bucket), id: *id, length, tail })
    }
}

impl FrameSource for Object {
    fn length(&self) -> io::Result<u64> {
        Ok(self.length)
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset.checked_add(bytes.len() as u64).filter(|end| *end <= self.length);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let tail_start = self.length - self.tail.len() as u64;
        if offset >= tail_start {
            return (&*self.tail).read_exact_at(bytes, offset - tail_start);
        }
        let found = self.bucket.range(&self.id, offset..end, self.length)?;
        if found.len() != bytes.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        bytes.copy_from_slice(&found);
        Ok(())
    }

    fn batch(&self) -> u64 {
        BATCH
    }
}
