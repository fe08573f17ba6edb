//! Where tests keep their blobs, and what is in them.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use crypto::Key256;
use futures_util::TryStreamExt;

use crate::{Blob, BlobError, BlobId, Blobs, Owner, Written};

/// A directory of blobs that goes away with its test.
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) blobs: Blobs,
}

impl Place {
    pub(super) fn new() -> Self {
        Self::with(|path| Blobs::in_directory(path).unwrap())
    }

    pub(super) fn with(open: impl FnOnce(&Path) -> Blobs) -> Self {
        let path = std::env::temp_dir().join(format!("sealstack-blobs-{}", BlobId::generate()));
        Self { blobs: open(&path), path }
    }

    pub(super) async fn write(&self, content: &[u8]) -> Written {
        write(&self.blobs, &[content]).await.unwrap()
    }

    pub(super) fn file(&self, id: &BlobId) -> PathBuf {
        self.path.join(id.path())
    }

    /// Changes the bytes of a blob's file.
    pub(super) fn edit(&self, id: &BlobId, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.file(id)).unwrap();
        change(&mut bytes);
        fs::write(self.file(id), bytes).unwrap();
    }

    /// All files, drafts as well.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        files(&self.path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

pub(super) fn owner() -> Owner {
    Owner::new(&Key256::from_slice(&[7; 32]).unwrap(), b"the owner")
}

/// Content in which no two chunks are the same.
pub(super) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8 ^ (place >> 16) as u8).collect()
}

pub(super) async fn write(blobs: &Blobs, pieces: &[&[u8]]) -> Result<Written, BlobError> {
    let mut draft = blobs.draft(&owner()).await?;
    for piece in pieces {
        draft.write(Bytes::copy_from_slice(piece)).await?;
    }
    draft.finish().await
}

pub(super) async fn read(blob: &Blob, range: std::ops::Range<u64>) -> Result<Vec<u8>, BlobError> {
    let pieces: Vec<Bytes> = blob.read(range)?.try_collect().await?;
    assert!(pieces.iter().all(|piece| !piece.is_empty()) || pieces.len() == 1, "no empty piece");
    Ok(pieces.concat())
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
