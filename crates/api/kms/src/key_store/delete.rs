//! Deleting a key store: it must hold no keys, and be disconnected.

use service::{AuditClass, Call, Permit, ResourceOperation};

use super::connection::StoreIdInput;
use super::orphan::OrphanRecord;
use crate::Kms;
use crate::access::Account;
use crate::error::{KeyStoreFault, KmsError};
use crate::record::key_store::find;
use crate::record::{ConnectionState, KeyStoreRecord, PlaceClaim, domain};

/// Deletes a key store. Neither the token nor the proxy hears of it.
///
/// Source: AWS KMS API Reference, DeleteCustomKeyStore.
pub(crate) struct DeleteCustomKeyStore;

impl ResourceOperation for DeleteCustomKeyStore {
    type On = Account;
    const NAME: &'static str = "DeleteCustomKeyStore";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = StoreIdInput;
    type Output = ();

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let domain = domain(call.account(), call.region);
        let (path, left) = call
            .write(&call.service.store, move |tx| {
                let record = find(tx, &domain, &input.id)?;
                if record.keys > 0 {
                    return Err(KmsError::from(KeyStoreFault::HasKeys { id: record.id, keys: record.keys }));
                }
                if record.connection != ConnectionState::Disconnected {
                    return Err(KeyStoreFault::State { id: record.id, state: record.connection.as_str() }.into());
                }
                let (parent, name) = record.place.claim(&record.region);
                tx.delete::<PlaceClaim>(&parent, &name)?;
                let path = record.path();
                let left = tx.all::<OrphanRecord>(&path)?;
                for orphan in &left {
                    tx.delete::<OrphanRecord>(&path, &orphan.key)?;
                }
                tx.delete::<KeyStoreRecord>(&domain, &record.id)?;
                Ok((path, left))
            })
            .await?;
        for orphan in left {
            tracing::warn!(store = path, key = orphan.key, "left in the token of a deleted key store");
        }
        call.service.connections.forget(&path);
        Ok(())
    }
}
