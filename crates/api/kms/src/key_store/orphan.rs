//! Keys in tokens that no record needs: of KMS keys that were destroyed, or that were never finished. They are
//! destroyed as soon as their store is connected.

use crate::ports::Cause;
use serde::{Deserialize, Serialize};
use store::{Record, StoreError, Tx};
use wire::Timestamp;

use super::create_key::ExternalKeyClaim;
use crate::Kms;
use crate::error::{During, KmsError};
use crate::record::key_store::find;
use crate::record::{ConnectionState, KeyRecord, KeyStoreRecord, Origin};

const BATCH: usize = 100;

/// Such a key, stored under its store.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct OrphanRecord {
    account: String,
    region: String,
    store: String,
    pub(super) key: String,
    /// When it is to be destroyed.
    after: Timestamp,
}

impl Record for OrphanRecord {
    const COLLECTION: &'static str = "kms-orphan-key";
}

impl OrphanRecord {
    pub(super) fn new(store: &KeyStoreRecord, key: String, after: Timestamp) -> Self {
        let (account, region) = (store.account.clone(), store.region.clone());
        Self { account, region, store: store.id.clone(), key, after }
    }

    fn path(&self) -> String {
        crate::record::path(&self.account, &self.region, &self.store)
    }

    pub(super) fn put(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.put(&self.path(), &self.key, self)
    }
}

/// Takes a key that is being destroyed out of its store. A key in a token is to be destroyed there too; an external key
/// is its owner's, and only free for another KMS key.
///
/// # Errors
/// Those of the store of records.
pub(crate) fn release(record: &KeyRecord, now: Timestamp, tx: &mut Tx<'_>) -> Result<(), KmsError> {
    let Some(held) = &record.held else { return Ok(()) };
    let domain = record.domain();
    let mut store = find(tx, &domain, &held.store)?;
    if record.origin == Origin::ExternalKeyStore {
        tx.delete::<ExternalKeyClaim>(&store.path(), &held.key)?;
    } else {
        OrphanRecord::new(&store, held.key.clone(), now).put(tx)?;
    }
    store.keys = store.keys.saturating_sub(1);
    Ok(tx.put(&domain, &store.id, &store)?)
}

impl Kms {
    /// Destroys keys in tokens that no record needs, and resumes connecting stores that a stopped server had started to
    /// connect. Returns how many keys it destroyed. To be called from time to time.
    ///
    /// # Errors
    /// Those of the store of records. What a token refuses is tried again by the next call.
    pub async fn tend_key_stores(&self, now: Timestamp) -> Result<usize, KmsError> {
        let (mut destroyed, mut after) = (0, None);
        loop {
            let page = self.store.read(move |tx| tx.scan_collection::<OrphanRecord>(after.as_ref(), BATCH)).await;
            let page = page.map_err(KmsError::from)?;
            for orphan in page.items.into_iter().filter(|orphan| orphan.after <= now) {
                destroyed += usize::from(self.destroy_orphan(orphan).await?);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.resume().await?;
        Ok(destroyed)
    }

    async fn destroy_orphan(&self, orphan: OrphanRecord) -> Result<bool, KmsError> {
        let domain = crate::record::domain(&orphan.account, &orphan.region);
        let store = self.key_store_records.get(&domain, &orphan.store).await?;
        let Some(store) = store.filter(|store| store.is_connected()) else { return Ok(false) };
        let Ok(connected) = self.connected(&store, During::Use, &unattended(&store)).await else { return Ok(false) };
        if let Err(error) = connected.destroy_key(&orphan.key).await {
            tracing::warn!(store = store.id, key = orphan.key, cause = ?error, "a key in a token is not destroyed yet");
            return Ok(false);
        }
        tracing::info!(store = store.id, key = orphan.key, "destroyed in its token");
        let path = orphan.path();
        self.store.write(move |tx| Ok::<_, KmsError>(tx.delete::<OrphanRecord>(&path, &orphan.key).map(drop)?)).await?;
        Ok(true)
    }

    async fn resume(&self) -> Result<(), KmsError> {
        let mut after = None;
        loop {
            let page = self.store.read(move |tx| tx.scan_collection::<KeyStoreRecord>(after.as_ref(), BATCH)).await;
            let page = page.map_err(KmsError::from)?;
            for store in page.items.iter().filter(|store| store.connection == ConnectionState::Connecting) {
                // One that is under way already is waited for, not doubled.
                self.attempt(store, &unattended(store)).await;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// The cause of background work.
fn unattended(store: &KeyStoreRecord) -> Cause {
    Cause {
        principal_arn: crate::record::reference::account_arn(&store.account).to_string(),
        operation: "KmsHealthCheck",
        request_id: uuid::Uuid::new_v4().to_string(),
        region: store.region.clone(),
    }
}
