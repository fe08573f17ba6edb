//! Large files that clients store beside a repository's objects, by their SHA-256: Git LFS's. Each is a sealed blob.
//! Knows no wire.

use blobs::{Blob, BlobId, Draft};
use bytes::Bytes;
use crypto::Sha256;
use serde::{Deserialize, Serialize};
use store::Indexed;

use crate::git::SERVICE;
use crate::{GitError, Repository};

/// A large file. Its key is its SHA-256.
#[derive(Serialize, Deserialize)]
pub(crate) struct LargeRecord {
    #[serde(rename = "b")]
    blob: String,
    #[serde(rename = "n")]
    bytes: u64,
}

impl Indexed for LargeRecord {
    const NAME: &'static str = "git-large";
}

impl LargeRecord {
    pub(crate) fn blob_id(&self) -> Option<BlobId> {
        BlobId::parse(&self.blob)
    }
}

/// A large file on its way in. Dropped before it is finished, it leaves nothing.
pub struct LargeDraft {
    repository: Repository,
    draft: Draft,
    digest: Sha256,
    expected: [u8; 32],
    bytes: u64,
}

impl Repository {
    /// The lengths of large files, in bytes; `None` for those that are not there.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn large_bytes(&self, digests: Vec<[u8; 32]>) -> Result<Vec<Option<u64>>, GitError> {
        let id = self.0.id.clone();
        let read = self.0.git.0.store.read(move |tx| {
            let index = tx.index::<LargeRecord>(&id)?;
            digests.iter().map(|digest| Ok(index.get(digest)?.map(|record| record.bytes))).collect()
        });
        read.await
    }

    /// A large file; `None` if it is not there.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn large(&self, digest: [u8; 32]) -> Result<Option<Blob>, GitError> {
        let (id, git) = (self.0.id.clone(), &self.0.git.0);
        let read = git.store.read(move |tx| tx.index::<LargeRecord>(&id)?.get(&digest));
        let Some(record) = read.await? else { return Ok(None) };
        let blob = record.blob_id().ok_or(GitError::damaged("a large file has no blob"))?;
        Ok(Some(git.blobs.blob(&self.0.owner, &blob).await?))
    }

    /// Begins to store a large file of that SHA-256.
    ///
    /// # Errors
    /// Those of writing.
    pub async fn store_large(&self, expected: [u8; 32]) -> Result<LargeDraft, GitError> {
        let draft = self.0.git.0.blobs.draft(&self.0.owner).await?;
        Ok(LargeDraft { repository: self.clone(), draft, digest: Sha256::new(), expected, bytes: 0 })
    }
}

impl LargeDraft {
    /// Takes in the next bytes.
    ///
    /// # Errors
    /// [`GitError::BadRequest`] for more than a file may have; those of writing.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), GitError> {
        self.bytes += bytes.len() as u64;
        let most = self.repository.0.git.0.settings.blob_bytes_max;
        if self.bytes > most {
            return Err(GitError::BadRequest { reason: format!("a file can have {most} bytes") });
        }
        self.digest.update(&bytes);
        Ok(self.draft.write(bytes).await?)
    }

    /// Makes the file durable. One that is there already stays as it is.
    ///
    /// # Errors
    /// [`GitError::BadRequest`] when its SHA-256 is another; [`GitError::NotFound`] when the repository was removed; those of
    /// writing.
    pub async fn finish(self) -> Result<(), GitError> {
        let Self { repository, draft, digest, expected, bytes } = self;
        if digest.finish() != expected {
            return Err(GitError::BadRequest { reason: "the content is not that of its SHA-256".to_owned() });
        }
        let written = draft.finish().await?;
        let (inner, record) = (&repository.0, LargeRecord { blob: written.id.to_string(), bytes });
        let id = inner.id.clone();
        let stored = inner.git.0.store.write(move |tx| {
            if tx.get::<crate::record::Meta>("", &id)?.is_none() {
                return Err(GitError::NotFound);
            }
            if tx.index::<LargeRecord>(&id)?.get(&expected)?.is_none() {
                tx.index_mut::<LargeRecord>(&id).insert(&expected, &record)?;
                blobs::Reference::insert(tx, &written, SERVICE, &id)?;
            }
            // Back to the caller, so that no sweep comes before the transaction is durable.
            Ok(written)
        });
        stored.await.map(drop)
    }
}
