//! Opened chunks of packs, in a cache of bounded size that is zeroised as it is emptied. Blocks; knows no packs.

use std::sync::Arc;

use blobs::{Blob, BlobError, BlobId, CHUNK_BYTES};
use crypto::SecretBytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Approximate bytes of an entry besides its chunk.
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

#[cfg(test)]
mod tests {
    use blobs::{Blobs, Owner};
    use bytes::Bytes;
    use crypto::Key256;

    use super::Chunks;

    #[test]
    fn any_part_of_a_blob_is_read_through_a_small_cache() {
        let dir = std::env::temp_dir().join(format!("sealstack-git-chunks-{}", std::process::id()));
        let blobs = Blobs::in_directory(&dir).unwrap();
        let owner = Owner::new(&Key256::random(), b"the owner");
        let content: Vec<u8> = (0..3_000_000_u32).map(|at| ((at / 7) ^ (at >> 13)) as u8).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let written = runtime.block_on(async {
            let mut draft = blobs.draft(&owner).await.unwrap();
            draft.write(Bytes::from(content.clone())).await.unwrap();
            draft.finish().await.unwrap()
        });
        let blob = blobs.blob_blocking(&owner, &written.id).unwrap();
        let chunks = Chunks::new(300_000);
        for (offset, length) in [(0, 3_000_000), (65_535, 2), (65_536, 65_536), (2_999_999, 1), (1, 0), (3_000_000, 0)]
        {
            let mut bytes = vec![0; length];
            chunks.read_at(&blob, offset as u64, &mut bytes).unwrap();
            assert!(bytes == content[offset..offset + length], "{offset}");
            assert!(chunks.0.weight() <= 300_000);
        }
        assert!(chunks.read_at(&blob, 2_999_999, &mut [0; 2]).is_err());
        let _ = std::fs::remove_dir_all(&dir);
    }
}
