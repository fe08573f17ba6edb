//! When access keys and roles were last used: noted in memory by each call, written to the store now and then.
//!
//! A use is remembered to the minute, so that a key in constant use costs the hot path one comparison.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record, Store, StoreError};
use wire::Timestamp;

use crate::access_key::{self, AccessKey};
use crate::role::Role;

/// The last use of an access key or of a role, under its id and the parent of its record.
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

/// What is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    /// The access key with this id.
    AccessKey(String),
    /// A role, by its account and unique id.
    Role(String, String),
}

impl Used {
    fn place(&self) -> (&str, &str) {
        match self {
            Self::AccessKey(id) => (access_key::PARENT, id),
            Self::Role(account, id) => (account, id),
        }
    }

    /// Whether its record is still there.
    fn exists(&self, tx: &ReadTx<'_>) -> Result<bool, StoreError> {
        let (parent, id) = self.place();
        Ok(match self {
            Self::AccessKey(_) => tx.get::<AccessKey>(parent, id)?.is_some(),
            Self::Role(..) => tx.get::<Role>(parent, id)?.is_some(),
        })
    }
}

/// Uses that are not written yet.
#[derive(Default)]
pub(crate) struct LastUses {
    pending: Mutex<HashMap<Used, LastUse>>,
    hasher: RandomState,
}

impl LastUses {
    /// Notes a use, unless the last one noted was in the same minute and service.
    pub(crate) fn note<'a>(
        &self,
        noted: &Noted,
        used: impl FnOnce() -> Used,
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
        self.pending().insert(used(), last);
    }

    /// The last use, written or not.
    pub(crate) async fn get(&self, store: &Store, used: Used) -> Result<Option<LastUse>, StoreError> {
        let pending = self.pending().get(&used).cloned();
        if pending.is_some() {
            return Ok(pending);
        }
        store
            .read(move |tx| {
                let (parent, id) = used.place();
                tx.get::<LastUse>(parent, id)
            })
            .await
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
                for (used, last) in &pending {
                    // What was deleted meanwhile leaves nothing behind.
                    if used.exists(tx)? {
                        let (parent, id) = used.place();
                        tx.put(parent, id, last)?;
                    }
                }
                Ok::<_, StoreError>(())
            })
            .await?;
        self.pending().retain(|used, last| written.get(used) != Some(last));
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Used, LastUse>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
