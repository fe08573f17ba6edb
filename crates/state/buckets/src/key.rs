//! The key of an object's content. Knows neither how it is wrapped nor by whom.

use blobs::Owner;
use crypto::{Key256, SecretBytes, kdf, sealed};

use crate::{Bucket, BucketsError};

/// The label of the keys of a second layer, one for each blob.
const LAYER: &[u8] = b"sealstack object layer 1";

/// Begins the associated data of a content in a row.
const ROW: &[u8] = b"sealstack object row\0";

/// 256 random bits under which a version's content is sealed, or twice as many for two layers. Each version has its own.
pub struct ObjectKey {
    outer: Key256,
    inner: Option<Key256>,
}

impl ObjectKey {
    /// A new key, for one layer.
    #[must_use]
    pub fn generate() -> Self {
        Self::new(Key256::random(), None)
    }

    /// Two new keys, for two layers.
    #[must_use]
    pub fn generate_doubled() -> Self {
        Self::new(Key256::random(), Some(Key256::random()))
    }

    /// The key that was unwrapped; with `inner` there are two layers.
    #[must_use]
    pub const fn new(outer: Key256, inner: Option<Key256>) -> Self {
        Self { outer, inner }
    }

    /// The key of the layer that lies on the disk, for wrapping it.
    #[must_use]
    pub const fn outer(&self) -> &Key256 {
        &self.outer
    }

    /// The key of the layer below, if there are two.
    #[must_use]
    pub const fn inner(&self) -> Option<&Key256> {
        self.inner.as_ref()
    }

    /// The owner of the blobs that are sealed under this key.
    #[must_use]
    pub fn owner(&self, bucket: &Bucket) -> Owner {
        Owner::new(&self.outer, &bucket.to_bytes())
    }

    /// The key of a blob's second layer.
    pub(crate) fn layer_key(inner: &Key256, blob: &blobs::BlobId) -> Key256 {
        kdf::derive(inner, LAYER, &blob.to_bytes())
    }

    /// Seals a content that goes into a row.
    pub(crate) fn seal_row(&self, bucket: &Bucket, content: &[u8]) -> Vec<u8> {
        let bound = [ROW, &bucket.to_bytes()].concat();
        match &self.inner {
            Some(inner) => sealed::seal(&self.outer, &bound, &sealed::seal(inner, &bound, content)),
            None => sealed::seal(&self.outer, &bound, content),
        }
    }

    /// Opens a content that was in a row.
    pub(crate) fn open_row(&self, bucket: &Bucket, content: &[u8]) -> Result<SecretBytes, BucketsError> {
        let bound = [ROW, &bucket.to_bytes()].concat();
        let outer = sealed::open(&self.outer, &bound, content).map_err(|_| BucketsError::NotAuthentic)?;
        match &self.inner {
            Some(inner) => sealed::open(inner, &bound, outer.expose()).map_err(|_| BucketsError::NotAuthentic),
            None => Ok(outer),
        }
    }
}
