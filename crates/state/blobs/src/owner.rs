//! The owner that a blob is bound to, besides its id. Knows neither buckets nor repositories.

use std::sync::Arc;

use crypto::Key256;
use crypto::kdf::DerivationKey;

use crate::BlobId;

/// Names the key of a blob's version 1, so that no other use of the owner's key gives the same.
const LABEL: &[u8] = b"sealstack blob 1";

/// The key that blobs are sealed under, and bytes that say whose they are: a bucket's, a repository's.
///
/// A blob opens with the same key and the same bytes only.
#[derive(Clone)]
pub struct Owner(Arc<Bound>);

struct Bound {
    key: DerivationKey,
    name: Box<[u8]>,
}

impl Owner {
    /// An owner that is called `name`, whose blobs are sealed under keys derived from `key`.
    #[must_use]
    pub fn new(key: &Key256, name: &[u8]) -> Self {
        Self(Arc::new(Bound { key: DerivationKey::new(key), name: name.into() }))
    }

    pub(crate) fn name(&self) -> &[u8] {
        &self.0.name
    }

    /// The key of one blob alone.
    pub(crate) fn blob_key(&self, id: &BlobId) -> Key256 {
        self.0.key.derive(LABEL, &id.to_bytes())
    }
}
