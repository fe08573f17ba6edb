//! When access keys were last used: noted in memory by each call, written to the store now and then.
//!
//! A use is remembered to the minute, so that a key in constant use costs the hot path one comparison.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use store::{Record, Store, StoreError};
use wire::Timestamp;

use crate::access_key::{self, AccessKey};

/// The last use of an access key, under its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastUse {
    pub(crate) at: Timestamp,
    /// The service's name in the credential scope.
    pub(crate) service: String,
    pub(crate) region: String,
}

impl Record for LastUse {
    const COLLECTION: &'static str = "iam.access-key-use";
}

/// What a key was last noted with: the minute and a hash of the service.
#[derive(Default)]
pub(crate) struct Noted(AtomicU64);

/// Uses that are not written yet, by access key.
#[derive(Default)]
pub(crate) struct LastUses {
    pending: Mutex<HashMap<String, LastUse>>,
    hasher: RandomState,
}

impl LastUses {
    /// Notes a use, unless the last one noted was in the same minute and service.
    pub(crate) fn note<'a>(
        &self,
        noted: &Noted,
        access_key_id: &str,
        service: &str,
        at: Timestamp,
        region: impl FnOnce() -> &'a str,
    ) {
        let minute = u64::try_from(at.millis() / 60_000).unwrap_or_default();
        let stamp = (minute << 32) | (self.hasher.hash_one(service) & 0xffff_ffff);
        if noted.0.load(Ordering::Relaxed) == stamp {
            return;
        }
        noted.0.store(stamp, Ordering::Relaxed);
        let last = LastUse { at, service: service.to_owned(), region: region().to_owned() };
        self.pending().insert(access_key_id.to_owned(), last);
    }

    /// The last use of an access key, written or not.
    pub(crate) async fn get(&self, store: &Store, access_key_id: &str) -> Result<Option<LastUse>, StoreError> {
        let pending = self.pending().get(access_key_id).cloned();
        if pending.is_some() {
            return Ok(pending);
        }
        let id = access_key_id.to_owned();
        store.read(move |tx| tx.get::<LastUse>(access_key::PARENT, &id)).await
    }

    /// Writes what was noted since the last time.
    pub(crate) async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let pending = self.pending().clone();
        if pending.is_empty() {
            return Ok(());
        }
        let written = pending.clone();
        store
            .write(move |tx| {
                for (id, last) in &pending {
                    // A key deleted meanwhile leaves nothing behind.
                    if tx.get::<AccessKey>(access_key::PARENT, id)?.is_some() {
                        tx.put(access_key::PARENT, id, last)?;
                    }
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        self.pending().retain(|id, last| written.get(id) != Some(last));
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<String, LastUse>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
