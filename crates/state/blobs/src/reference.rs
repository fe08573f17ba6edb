//! Which blobs are referred to: an ordered index of the store, written in the transaction that makes a content visible.
//!
//! Every service that owns blobs writes here, so that sweeps, backups and checks need not know its records.

use std::ops::Bound;

use serde::{Deserialize, Serialize};
use store::{Indexed, ReadTx, Store, StoreError, Tx};
use tokio::runtime::Handle;

use crate::{BlobId, Written};

/// There is one index for all blobs.
const INDEX: &str = "";

/// An entry for a blob that something refers to. A blob has at most one: whoever shares it counts for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The service that the blob belongs to, such as `s3`: a constant of the program.
    #[serde(rename = "s")]
    pub service: String,
    /// The owner within that service, such as a bucket's id: what the service finds the blob's key by. At most 600 bytes.
    #[serde(rename = "o")]
    pub owner: String,
    /// The length of the sealed blob in bytes.
    #[serde(rename = "b")]
    pub sealed_bytes: u64,
}

impl Indexed for Reference {
    const NAME: &'static str = "blob";
}

impl Reference {
    /// Refers to a blob that was written, once the transaction is durable.
    ///
    /// # Errors
    /// [`StoreError::Exists`] for a blob that is referred to already; those of writing.
    pub fn insert(tx: &mut Tx<'_>, written: &Written, service: &str, owner: &str) -> Result<(), StoreError> {
        let sealed_bytes = written.contents.sealed_bytes;
        let reference = Self { service: service.to_owned(), owner: owner.to_owned(), sealed_bytes };
        tx.index_mut::<Self>(INDEX).insert(&written.id.to_bytes(), &reference)
    }

    /// Ends the reference to a blob: a sweep removes it some time later. Yields whether there was one.
    ///
    /// # Errors
    /// Those of writing.
    pub fn remove(tx: &mut Tx<'_>, id: &BlobId) -> Result<bool, StoreError> {
        tx.index_mut::<Self>(INDEX).remove(&id.to_bytes())
    }

    /// The reference to a blob, if there is one.
    ///
    /// # Errors
    /// Those of reading.
    pub fn find(tx: &ReadTx<'_>, id: &BlobId) -> Result<Option<Self>, StoreError> {
        tx.index::<Self>(INDEX)?.get(&id.to_bytes())
    }

    /// The first `limit` references after `after`, in the order of the blobs' ids. Fewer are the last.
    ///
    /// # Errors
    /// Those of reading.
    pub fn page(tx: &ReadTx<'_>, after: Option<BlobId>, limit: usize) -> Result<Vec<(BlobId, Self)>, StoreError> {
        let after = after.map(BlobId::to_bytes);
        let after = after.as_ref().map_or(Bound::Unbounded, |after| Bound::Excluded(&after[..]));
        let found = tx.index::<Self>(INDEX)?.range(&[], after, limit)?.items;
        // The index holds ids only, each written by `insert`.
        let id = |key: Vec<u8>| <[u8; BlobId::BYTES]>::try_from(key).ok().map(BlobId::from_bytes);
        Ok(found.into_iter().filter_map(|(key, reference)| Some((id(key)?, reference))).collect())
    }
}

/// Whether anything in `store` refers to a blob, for [`crate::Blobs::sweep`]. Answers true when it cannot tell.
pub fn referenced(store: Store) -> impl Fn(&BlobId) -> bool + Send + 'static {
    move |id| {
        let id = *id;
        // A sweep asks on a thread that may block, of a runtime.
        let Ok(runtime) = Handle::try_current() else { return true };
        let found = runtime.block_on(store.read(move |tx| Reference::find(tx, &id)));
        found.as_ref().map_or_else(
            |error| {
                tracing::warn!(%id, %error, "cannot tell whether anything refers to a blob, so it stays");
                true
            },
            Option::is_some,
        )
    }
}
