//! Contents: written before anything refers to them, in memory for a row or as a blob, sealed under the object's key.
//! Knows no keys of objects and no versions.

use std::sync::Arc;

use blobs::{Blobs, Draft, Owner, Written};
use bytes::Bytes;
use crypto::hex;
use store::Store;

use crate::hashing::Hashing;
use crate::layer::Sealing;
use crate::{Bucket, BucketsError, ObjectKey};

/// The longest content that goes into the row of its version, in bytes: with it, a PUT is one commit, shared with others, and no
/// file.
pub const INLINE_BYTES_MAX: usize = 16 * 1024;

/// How contents of all buckets are written and read. Clones are the same.
#[derive(Clone)]
pub struct Contents {
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
}

/// Which entity tag a content gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Etag {
    /// The MD5 digest of the content.
    Md5,
    /// Random digits.
    Random,
}

/// A content that is being written; dropped before [`ContentWriter::finish`] succeeded, it leaves nothing.
pub struct ContentWriter {
    blobs: Blobs,
    bucket: Bucket,
    key: Arc<ObjectKey>,
    owner: Option<Owner>,
    inline_bytes_max: usize,
    /// Content that may go into a row.
    pending: Vec<u8>,
    draft: Option<Draft>,
    layer: Option<Sealing>,
    hashing: Option<Hashing>,
    bytes: u64,
}

/// A content that was written and that nothing refers to yet.
///
/// No sweep of this process removes it until this is dropped: drop it once the version that has it is durable.
#[must_use = "a content that no version has is swept"]
pub struct NewContent {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its entity tag, without quotes: 32 hexadecimal digits.
    pub etag: String,
    pub(crate) placed: Placed,
}

pub(crate) enum Placed {
    Row(Vec<u8>),
    Blob(Written),
}

impl Contents {
    /// Contents in the rows of `store` and in `blobs`.
    #[must_use]
    pub const fn new(store: Store, blobs: Blobs) -> Self {
        Self { store, blobs }
    }

    /// Begins a content of an object of `bucket`.
    #[must_use]
    pub fn writer(&self, bucket: &Bucket, key: &Arc<ObjectKey>, etag: Etag) -> ContentWriter {
        ContentWriter {
            blobs: self.blobs.clone(),
            bucket: *bucket,
            key: Arc::clone(key),
            owner: None,
            inline_bytes_max: INLINE_BYTES_MAX,
            pending: Vec::new(),
            draft: None,
            layer: None,
            hashing: (etag == Etag::Md5).then(Hashing::new),
            bytes: 0,
        }
    }

    /// Begins a part of an upload to `bucket`, which is a blob however short it is.
    #[must_use]
    pub fn part_writer(&self, bucket: &Bucket, key: &Arc<ObjectKey>, etag: Etag) -> ContentWriter {
        ContentWriter { inline_bytes_max: 0, ..self.writer(bucket, key, etag) }
    }
}

impl ContentWriter {
    /// Appends to the content.
    ///
    /// # Errors
    /// Those of writing a blob, after which the content is lost.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), BucketsError> {
        self.bytes += bytes.len() as u64;
        if let Some(hashing) = &mut self.hashing {
            hashing.update(bytes.clone()).await?;
        }
        if self.draft.is_none() && self.pending.len() + bytes.len() <= self.inline_bytes_max {
            self.pending.extend_from_slice(&bytes);
            return Ok(());
        }
        if self.draft.is_none() {
            self.begin().await?;
        }
        self.append(bytes).await
    }

    /// Makes the content durable, or ready for its row.
    ///
    /// # Errors
    /// Those of writing a blob.
    pub async fn finish(mut self) -> Result<NewContent, BucketsError> {
        if self.draft.is_none() && self.inline_bytes_max == 0 {
            self.begin().await?;
        }
        let etag = async |hashing: Option<Hashing>| match hashing {
            Some(hashing) => Ok(hex::encode(&hashing.finish().await?)),
            None => Ok(hex::encode(&crypto::random_nonce::<16>())),
        };
        let Some(mut draft) = self.draft else {
            let placed = Placed::Row(self.key.seal_row(&self.bucket, &self.pending));
            return Ok(NewContent { bytes: self.bytes, etag: etag(self.hashing).await?, placed });
        };
        if let Some(layer) = self.layer {
            draft.write(layer.finish()?).await?;
        }
        // The digest of the rest is computed while the blob becomes durable.
        let (etag, written) = futures_util::future::join(etag(self.hashing), draft.finish()).await;
        let (etag, written): (Result<_, BucketsError>, _) = (etag, written?);
        Ok(NewContent { bytes: self.bytes, etag: etag?, placed: Placed::Blob(written) })
    }

    /// Begins the blob, with what was gathered for a row.
    async fn begin(&mut self) -> Result<(), BucketsError> {
        let owner = self.owner.get_or_insert_with(|| self.key.owner(&self.bucket));
        let draft = self.blobs.draft(owner).await?;
        self.layer = self.key.inner().map(|inner| Sealing::new(inner, &draft.id()));
        self.draft = Some(draft);
        let pending = std::mem::take(&mut self.pending);
        self.append(pending.into()).await
    }

    async fn append(&mut self, mut bytes: Bytes) -> Result<(), BucketsError> {
        let Some(draft) = &mut self.draft else { return Err(BucketsError::Interrupted) };
        let Some(layer) = &mut self.layer else { return Ok(draft.write(bytes).await?) };
        while !bytes.is_empty() {
            if let Some(frame) = layer.write(&mut bytes)? {
                draft.write(frame).await?;
            }
        }
        Ok(())
    }
}
