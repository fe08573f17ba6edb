//! Imported material that goes: by `DeleteImportedKeyMaterial`, or because it has expired.

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;
use wire::Timestamp;

use crate::Kms;
use crate::access::{Found, KeyMaterialOutput, KeyRef};
use crate::error::KmsError;
use crate::material::family::{Domains, Family};
use crate::record::schedule::upkeep;
use crate::record::{Due, Job, KeyRecord, KeySpec, MaterialId, domain, schedule};
use crate::rules::{KEY_ID, MATERIAL_ID_LENGTH, MATERIAL_ID_PATTERN};

wire::shape! {
    pub(crate) struct DeleteImportedKeyMaterialInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "KeyMaterialId" key_material_id: String, optional, [MATERIAL_ID_LENGTH, MATERIAL_ID_PATTERN];
    }
}

/// Deletes imported material at once. What it encrypted can be decrypted again when the same is imported again.
///
/// Source: AWS KMS API Reference, DeleteImportedKeyMaterial.
pub(crate) struct DeleteImportedKeyMaterial;

impl ResourceOperation for DeleteImportedKeyMaterial {
    type On = Found;
    const NAME: &'static str = "DeleteImportedKeyMaterial";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteImportedKeyMaterialInput;
    type Output = KeyMaterialOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (kms, key, now) = (&**call.service, &found.key, call.now);
        let named = match input.key_material_id {
            // The rules let nothing else pass.
            Some(text) => Some(MaterialId::try_from(text).map_err(|reason| KmsError::Validation(reason.to_owned()))?),
            None => None,
        };
        let change = move |family: &mut Family, _: &Domains, tx: &mut Tx<'_>| {
            family.key.remove_expired(now);
            let id = named.or(family.key.current);
            if let Some(id) = id {
                delete(family, id)?;
            }
            family.key.settle();
            schedule::add(tx, Job::Expiry, &family.key, family.key.next_expiry())?;
            Ok(id)
        };
        let id = kms.change_family(call, Self::NAME, &key.record, &[], change).await?;
        kms.empty_log("deleted").await;
        Ok(KeyMaterialOutput {
            key_id: key.arn.clone(),
            key_material_id: id.filter(|_| key.record.spec == KeySpec::SymmetricDefault).map(|id| id.to_string()),
        })
    }
}

/// Deletes material. What waits for a rotation was never the key's: a primary key forgets it, in every Region.
fn delete(family: &mut Family, id: MaterialId) -> Result<(), KmsError> {
    if family.key.pending == Some(id) && family.key.leads() {
        for member in family.members_mut() {
            member.pending = None;
            member.materials.retain(|material| material.id != id);
        }
        return Ok(());
    }
    let arn = family.key.arn();
    let material = family.key.material_mut(id);
    material.ok_or_else(|| KmsError::MaterialNotFound { id: id.to_string(), arn })?.remove();
    Ok(())
}

impl Kms {
    /// Removes all imported material that has expired. Returns of how many keys. To be called from time to time; what
    /// has expired is not used in the meantime either.
    ///
    /// # Errors
    /// Those of the store, the last one if several keys failed. What failed is tried again by the next call.
    pub async fn expire_due(&self, now: Timestamp) -> Result<usize, KmsError> {
        let work = |due| self.expire_one(due, now);
        let (expired, outcome) = schedule::work_off(&self.store, Job::Expiry, now, work).await?;
        if expired > 0 {
            self.empty_log("expired").await;
        }
        outcome.map(|()| expired)
    }

    async fn expire_one(&self, due: Due, now: Timestamp) -> Result<bool, KmsError> {
        let expired = self
            .store
            .write(move |tx| {
                schedule::done(tx, Job::Expiry, &due)?;
                let place = domain(&due.account, &due.region);
                let Some(mut record) = tx.get::<KeyRecord>(&place, &due.key_id)? else { return Ok(None) };
                let removed = record.remove_expired(now);
                schedule::add(tx, Job::Expiry, &record, record.next_expiry())?;
                tx.put(&place, &due.key_id, &record)?;
                if removed {
                    tx.record(&upkeep("DeleteExpiredKeyMaterial", &record, now))?;
                }
                Ok::<_, KmsError>(removed.then(|| record.arn()))
            })
            .await?;
        if let Some(arn) = &expired {
            tracing::info!(key = arn, "expired key material is removed");
        }
        Ok(expired.is_some())
    }

    /// Empties the database's log, in which wrapped material that is gone would otherwise last.
    pub(crate) async fn empty_log(&self, gone: &str) {
        let store = self.store.clone();
        let emptied = tokio::task::spawn_blocking(move || store.checkpoint()).await;
        if !matches!(emptied, Ok(Ok(()))) {
            tracing::warn!("the database's log still holds wrapped key material that is {gone}");
        }
    }
}
