//! Last uses of keys: recorded in memory by each cryptographic operation, and written to the store from time to time.
//!
//! Recording costs a short lock on the key's own slot, and no allocation after the first. A server that is killed loses
//! what it had not written yet; the audit trail has it all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use service::Call;
use store::{Record, StoreError};
use wire::Timestamp;

use crate::Kms;
use crate::record::{KeyRecord, LiveKey};

wire::text_enum! {
    /// A cryptographic operation that uses a key.
    pub(crate) enum Usage {
        Decrypt = "Decrypt",
        DeriveSharedSecret = "DeriveSharedSecret",
        Encrypt = "Encrypt",
        GenerateDataKey = "GenerateDataKey",
        GenerateDataKeyPair = "GenerateDataKeyPair",
        GenerateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext",
        GenerateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext",
        GenerateMac = "GenerateMac",
        ReEncrypt = "ReEncrypt",
        Sign = "Sign",
        Verify = "Verify",
        VerifyMac = "VerifyMac",
        Encapsulate = "Encapsulate",
        Decapsulate = "Decapsulate",
    }
}

/// How many last usages are written in one transaction.
const WRITTEN_AT_ONCE: usize = 500;

const DAY_MILLIS: i64 = 86_400_000;

/// A key's last usage, stored under its account, region and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastUsage {
    pub(crate) at: Timestamp,
    pub(crate) usage: Usage,
    pub(crate) request_id: String,
    pub(crate) event_id: String,
}

impl Record for LastUsage {
    const COLLECTION: &'static str = "kms-last-usage";
}

/// A key's last usage in memory, as long as the key is cached.
#[derive(Default)]
pub(crate) struct Slot {
    noted: Mutex<Option<LastUsage>>,
    /// Whether it stands among those that are to be written.
    pending: AtomicBool,
}

impl Slot {
    fn noted(&self) -> MutexGuard<'_, Option<LastUsage>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slots that have something to be written, by the account, region and id of their keys.
#[derive(Default)]
pub(crate) struct LastUsages(Mutex<HashMap<(String, String), Arc<Slot>>>);

impl LastUsages {
    fn pending(&self) -> MutexGuard<'_, HashMap<(String, String), Arc<Slot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(key: &KeyRecord) -> (String, String) {
    (key.domain(), key.id.clone())
}

impl Kms {
    /// Records that a call has used a key.
    pub(crate) fn used(&self, key: &LiveKey, usage: Usage, call: &Call<'_, Self>) {
        let slot = &key.last_usage;
        match &mut *slot.noted() {
            // Calls end in another order than that in which they came.
            Some(noted) if noted.at > call.now => return,
            Some(noted) => {
                (noted.at, noted.usage) = (call.now, usage);
                call.request_id.clone_into(&mut noted.request_id);
                call.event_id.clone_into(&mut noted.event_id);
            }
            none => {
                let (request_id, event_id) = (call.request_id.to_owned(), call.event_id.to_owned());
                *none = Some(LastUsage { at: call.now, usage, request_id, event_id });
            }
        }
        // Whoever clears this sees the usage that was recorded before.
        if !slot.pending.swap(true, Ordering::AcqRel) {
            self.last_usages.pending().insert(place(&key.record), Arc::clone(slot));
        }
    }

    /// A key's last usage, written or not.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn last_usage(&self, key: &LiveKey) -> Result<Option<LastUsage>, StoreError> {
        if let Some(noted) = &*key.last_usage.noted() {
            return Ok(Some(noted.clone()));
        }
        let (domain, id) = place(&key.record);
        let slot = self.last_usages.pending().get(&(domain.clone(), id.clone())).cloned();
        if let Some(noted) = slot.and_then(|slot| slot.noted().clone()) {
            return Ok(Some(noted));
        }
        self.store.read(move |tx| tx.get::<LastUsage>(&domain, &id)).await
    }

    /// How many whole days ago a key was last used, or made if it never was.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn idle_days(&self, key: &LiveKey, now: Timestamp) -> Result<i64, StoreError> {
        let since = self.last_usage(key).await?.map_or(key.record.created, |last| last.at);
        Ok((now.millis() - since.millis()).max(0) / DAY_MILLIS)
    }

    /// Writes the usages recorded since the last call. Returns for how many keys.
    ///
    /// # Errors
    /// Those of the store; what is not written yet is tried again by the next call.
    pub async fn flush_last_usages(&self) -> Result<usize, StoreError> {
        let slots: Vec<_> = self.last_usages.pending().iter().map(|(key, slot)| (key.clone(), slot.clone())).collect();
        for slots in slots.chunks(WRITTEN_AT_ONCE) {
            let noted: Vec<_> =
                slots.iter().filter_map(|(key, slot)| Some((key.clone(), slot.noted().clone()?))).collect();
            let written = noted.clone();
            self.store
                .write(move |tx| {
                    let names: Vec<_> = written.iter().map(|((domain, id), _)| (&**domain, &**id)).collect();
                    tx.prefetch::<KeyRecord>(&names)?;
                    tx.prefetch::<LastUsage>(&names)?;
                    for ((domain, id), last) in &written {
                        // A key destroyed meanwhile leaves nothing behind; and another server may have written a
                        // later use.
                        if tx.get::<KeyRecord>(domain, id)?.is_some()
                            && tx.get::<LastUsage>(domain, id)?.is_none_or(|known| known.at <= last.at)
                        {
                            tx.put(domain, id, last)?;
                        }
                    }
                    Ok::<_, StoreError>(())
                })
                .await?;
            let mut pending = self.last_usages.pending();
            for (key, last) in &noted {
                let Some(slot) = pending.get(key) else { continue };
                slot.pending.store(false, Ordering::Release);
                if slot.noted().as_ref() == Some(last) {
                    pending.remove(key);
                } else {
                    slot.pending.store(true, Ordering::Release);
                }
            }
        }
        Ok(slots.len())
    }
}
