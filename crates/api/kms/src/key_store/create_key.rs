//! Keys that are made in a key store, or joined to one that is there.

use serde::{Deserialize, Serialize};
use service::Call;
use store::{Record, Tx};
use wire::Timestamp;

use super::cause;
use super::orphan::OrphanRecord;
use crate::Kms;
use crate::error::{During, KeyStoreFault, KmsError};
use crate::record::key_store::find;
use crate::record::{Held, KeyRecord, KeySpec, Origin};

/// How long after its making a key in a token is destroyed if nobody has taken it by then: longer than any call lasts.
const ORPHANED_AFTER_MILLIS: i64 = 3_600_000;

/// Which KMS key has an external key, stored under the store and the external key's name.
#[derive(Serialize, Deserialize)]
pub(super) struct ExternalKeyClaim {
    key_id: String,
}

impl Record for ExternalKeyClaim {
    const COLLECTION: &'static str = "kms-external-key";
}

/// The members of `CreateKey` that are about key stores.
pub(crate) struct Wanted {
    pub(crate) origin: Origin,
    pub(crate) spec: KeySpec,
    pub(crate) store: Option<String>,
    pub(crate) external_key: Option<String>,
    pub(crate) multi_region: bool,
}

impl Wanted {
    /// Checks members that exclude each other.
    ///
    /// # Errors
    /// [`KmsError::Validation`], [`KmsError::Unsupported`].
    pub(crate) fn check(&self) -> Result<(), KmsError> {
        let invalid = |message: String| Err(KmsError::Validation(message));
        let origin = self.origin;
        let held = matches!(origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore);
        match (held, &self.store) {
            (true, None) => return invalid(format!("CustomKeyStoreId is required with Origin {origin}.")),
            (false, Some(_)) => return invalid(format!("CustomKeyStoreId is not valid with Origin {origin}.")),
            _ => {}
        }
        match (origin == Origin::ExternalKeyStore, &self.external_key) {
            (true, None) => return invalid(format!("XksKeyId is required with Origin {origin}.")),
            (false, Some(_)) => return invalid(format!("XksKeyId is not valid with Origin {origin}.")),
            _ => {}
        }
        if held && self.spec != KeySpec::SymmetricDefault {
            let spec = self.spec;
            return Err(KmsError::Unsupported(format!("KeySpec {spec} is not supported in a custom key store.")));
        }
        if held && self.multi_region {
            return Err(KmsError::Unsupported("A key in a custom key store cannot be a multi-Region key.".to_owned()));
        }
        Ok(())
    }

    /// Generates the key in its store, or checks that it is there, and records its place in `record`. Does nothing for
    /// a key whose material is stored here.
    ///
    /// # Errors
    /// [`KeyStoreFault`].
    pub(crate) async fn hold(&self, record: &mut KeyRecord, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let Some(id) = &self.store else { return Ok(()) };
        let kms = &**call.service;
        let store = kms.key_store_records.get(&record.domain(), id).await?;
        let store = store.ok_or_else(|| KmsError::from(KeyStoreFault::NotFound { text: id.clone() }))?;
        if store.origin() != self.origin {
            return Err(KmsError::Validation(format!(
                "Origin {} is not valid for a custom key store of type {}.",
                self.origin,
                store.place.kind()
            )));
        }
        let cause = cause("CreateKey", call);
        let connected = kms.connected(&store, During::CreateKey, &cause).await?;
        let refused = |error| KmsError::from(KeyStoreFault::Refused { during: During::CreateKey, error });
        let key = match &self.external_key {
            Some(key) => {
                connected.check_key(key, &cause).await.map_err(refused)?;
                key.clone()
            }
            None => {
                let key = record.arn();
                // UseStamp before it is made: whatever happens in between, it is destroyed unless the record takes it.
                let after = Timestamp::from_millis(call.now.millis() + ORPHANED_AFTER_MILLIS);
                let orphan = OrphanRecord::new(&store, key.clone(), after);
                kms.store.write(move |tx| Ok::<_, KmsError>(orphan.put(tx)?)).await?;
                connected.make_key(&key).await.map_err(refused)?;
                key
            }
        };
        record.held = Some(Held { store: id.clone(), key });
        Ok(())
    }
}

/// Takes what [`Wanted::hold`] made into the store, in the transaction that makes the key's record.
///
/// # Errors
/// [`KeyStoreFault`], also when the store was disconnected or deleted meanwhile.
pub(crate) fn take(record: &KeyRecord, tx: &mut Tx<'_>) -> Result<(), KmsError> {
    let Some(held) = &record.held else { return Ok(()) };
    let domain = record.domain();
    let mut store = find(tx, &domain, &held.store)?;
    if !store.is_connected() {
        return Err(KeyStoreFault::State { id: store.id, state: store.connection.as_str() }.into());
    }
    let path = store.path();
    if record.origin == Origin::ExternalKeyStore {
        if tx.get::<ExternalKeyClaim>(&path, &held.key)?.is_some() {
            return Err(KeyStoreFault::KeyInUse { key: held.key.clone() }.into());
        }
        tx.put(&path, &held.key, &ExternalKeyClaim { key_id: record.id.clone() })?;
    } else {
        tx.delete::<OrphanRecord>(&path, &held.key)?;
    }
    store.keys += 1;
    Ok(tx.put(&domain, &store.id, &store)?)
}
