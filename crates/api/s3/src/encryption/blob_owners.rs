//! Who owns the blobs of objects, for checks without a caller: the server opens the keys that are wrapped under a bucket's own
//! key (SSE-S3), and no others.

use std::collections::HashMap;
use std::sync::OnceLock;

use blobs::{Owner, Reference};
use buckets::{BlobOwner, BucketsError, ObjectKey, Protection};
use crypto::sealed;
use store::{ReadTx, Store, StoreError};

use super::bound_to;
use crate::record::{BucketRecord, BucketSecret};

/// How many buckets' records are read at once.
const RECORDS: usize = 1000;

/// The owners of blobs whose keys the server can open by itself, as the store has them when the first is asked for.
#[derive(Default)]
pub struct BlobOwners {
    /// The keys of buckets by the buckets' ids.
    secrets: OnceLock<HashMap<String, BucketSecret>>,
}

impl BlobOwners {
    /// The owner of a blob; `None` if only a caller can open its key, or no object has it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find(&self, store: &Store, reference: &Reference) -> Result<Option<Owner>, StoreError> {
        let reference = reference.clone();
        let found = store.read(move |tx| BlobOwner::find(tx, &reference)).await;
        let BlobOwner { bucket, protection } = match found {
            Ok(Some(found)) => found,
            Err(BucketsError::Store(error)) => return Err(error),
            // A damaged row is for the check of the database.
            Ok(None) | Err(_) => return Ok(None),
        };
        let Protection::Bucket(wrapped) = protection else { return Ok(None) };
        let id = bucket.to_string();
        let secret = self.secrets(store).await?.get(&id).and_then(|secret| secret.key().ok());
        let opened = secret.and_then(|secret| sealed::open_key(&secret, &bound_to(&id), &wrapped.0).ok());
        Ok(opened.map(|key| ObjectKey::new(key, None).owner(&bucket)))
    }

    async fn secrets(&self, store: &Store) -> Result<&HashMap<String, BucketSecret>, StoreError> {
        if let Some(known) = self.secrets.get() {
            return Ok(known);
        }
        let read = store.read(all_secrets).await?;
        Ok(self.secrets.get_or_init(|| read))
    }
}

/// The keys of all buckets.
fn all_secrets(tx: &ReadTx<'_>) -> Result<HashMap<String, BucketSecret>, StoreError> {
    let mut secrets = HashMap::new();
    let mut after = None;
    loop {
        let page = tx.scan_collection::<BucketRecord>(after.as_ref(), RECORDS)?;
        secrets.extend(page.items.into_iter().map(|record| (record.id, record.secret)));
        after = page.next;
        if after.is_none() {
            return Ok(secrets);
        }
    }
}
