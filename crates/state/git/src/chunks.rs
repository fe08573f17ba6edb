//! Opened chunks of packs, in a cache of bounded size that is zeroised as it is emptied. Blocks; knows no packs.

use std::sync::Arc;

use blobs::{Blob, BlobError, BlobId, CHUNK_BYTES};
use crypto::SecretBytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// What an entry takes besides its chunk, about, in bytes.
const ENTRY_BYTES: u64 = 128;

/// Chunks of all repositories that were read last. Clones are the same.
#[derive(Clone)]
pub(crate) struct Chunks(Arc<Cache<Key, Arc<SecretBytes>, ByLength>>);

type Key = (BlobId, u64);

#[derive(Clone)]
struct ByLength;

impl Weighter<Key, Arc<SecretBytes>> for ByLength {
    fn weight(&self, _: &Key, chunk: &Arc<SecretBytes>) -> u64 {
        chunk.len() as u64 + ENTRY_BYTES
    }
}

impl Chunks {
    /// A cache that holds `bytes_max` bytes of chunks.
    pub(crate) fn new(bytes_max: u64) -> Self {
        let chunks = usize::try_from(bytes_max / CHUNK_BYTES as u64).unwrap_or(usize::MAX).max(16);
        Self(Arc::new(Cache::with_weighter(chunks, bytes_max, ByLength)))
    }

    /// The chunk `number` of a blob. Of several threads that miss the same chunk, one opens it.
    pub(crate) fn chunk(&self, blob: &Blob, number: u64) -> Result<Arc<SecretBytes>, BlobError> {
        self.0.get_or_insert_with(&(blob.id(), number), || blob.chunk(number).map(Arc::new))
    }

    /// Fills `bytes` with a blob's content from `offset` on.
    pub(crate) fn read_at(&self, blob: &Blob, offset: u64, mut bytes: &mut [u8]) -> Result<(), BlobError> {
        let mut at = offset;
        while !bytes.is_empty() {
            let chunk = self.chunk(blob, at / CHUNK_BYTES as u64)?;
            // The remainder is less than a chunk.
            let from = (at % CHUNK_BYTES as u64) as usize;
            let found = chunk.expose().get(from..).filter(|found| !found.is_empty());
            let found =
                found.ok_or(BlobError::OutOfRange { id: blob.id(), plaintext_bytes: blob.plaintext_bytes() })?;
            let (now, rest) = bytes.split_at_mut(found.len().min(bytes.len()));
            now.copy_from_slice(found.get(..now.len()).unwrap_or_default());
            at += now.len() as u64;
            bytes = rest;
        }
        Ok(())
    }
}
