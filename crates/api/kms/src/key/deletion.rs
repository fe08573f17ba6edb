//! Deletion of keys: scheduled, cancelled, and done when it is due.

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::Timestamp;
use wire::shape::Rule;

use crate::Kms;
use crate::access::{Found, KeyIdInput, KeyIdOutput, KeyRef};
use crate::error::KmsError;
use crate::key_store;
use crate::record::schedule::upkeep;
use crate::record::{
    AliasRecord, Due, GrantRecord, Job, KeyCount, KeyRecord, KeyState, LastUsage, domain, path, schedule,
};
use crate::rules::KEY_ID;

/// The waiting period in days when the caller does not state one.
const WINDOW_DAYS: i32 = 30;

/// How many grants are removed in one transaction.
const GRANTS_AT_ONCE: usize = 500;

wire::shape! {
    pub(crate) struct ScheduleKeyDeletionInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "PendingWindowInDays" pending_window_in_days: i32, optional, [Rule::Range(7, 30)];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScheduleKeyDeletionOutput {
    key_id: String,
    /// None as long as the key has replicas, which have to go first.
    deletion_date: Option<Timestamp>,
    key_state: KeyState,
    pending_window_in_days: i32,
}

/// Disables a key, and schedules its destruction.
pub(crate) struct ScheduleKeyDeletion;

impl ResourceOperation for ScheduleKeyDeletion {
    type On = Found;
    const NAME: &'static str = "ScheduleKeyDeletion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ScheduleKeyDeletionInput;
    type Output = ScheduleKeyDeletionOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id).asking_idleness()
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        let days = input.pending_window_in_days.unwrap_or(WINDOW_DAYS);
        need.with("kms:ScheduleKeyDeletionPendingWindowInDays", days)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let days = input.pending_window_in_days.unwrap_or(WINDOW_DAYS);
        let now = call.now;
        let change = move |record: &mut KeyRecord, tx: &mut Tx<'_>| {
            plan(record, days, now, tx)?;
            Ok((record.state, record.destroyed_at))
        };
        let (key_state, deletion_date) = call.service.change(call, Self::NAME, &found.key, change).await?;
        let key_id = found.key.arn.clone();
        Ok(ScheduleKeyDeletionOutput { key_id, deletion_date, key_state, pending_window_in_days: days })
    }
}

/// Plans a key's destruction in so many days, or in so many days after that of its last replica.
fn plan(record: &mut KeyRecord, days: i32, now: Timestamp, tx: &mut Tx<'_>) -> Result<(), KmsError> {
    if record.leads() && record.related_regions().next().is_some() {
        record.state = KeyState::PendingReplicaDeletion;
        record.deletion_window_days = Some(days);
        return Ok(());
    }
    record.state = KeyState::PendingDeletion;
    record.deletion_window_days = None;
    record.destroyed_at = Some(now.plus_days(i64::from(days)));
    Ok(schedule::add(tx, Job::Deletion, record, record.destroyed_at)?)
}

/// Cancels a key's destruction. The key stays disabled.
pub(crate) struct CancelKeyDeletion;

impl ResourceOperation for CancelKeyDeletion {
    type On = Found;
    const NAME: &'static str = "CancelKeyDeletion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = KeyIdInput;
    type Output = KeyIdOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(_: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (now, arn) = (call.now, found.key.arn.clone());
        let change = move |record: &mut KeyRecord, _: &mut Tx<'_>| {
            // Its destruction may have started: too late.
            if record.destroyed_at.is_some_and(|at| at <= now) {
                return Err(KmsError::KeyNotFound { arn });
            }
            record.state = KeyState::Disabled;
            record.destroyed_at = None;
            record.deletion_window_days = None;
            record.remove_expired(now);
            Ok(())
        };
        call.service.change(call, Self::NAME, &found.key, change).await?;
        Ok(KeyIdOutput { key_id: found.key.arn.clone() })
    }
}

impl Kms {
    /// Destroys every key whose time has come: its material, policy and tags, its aliases, its grants. Returns how
    /// many. To be called from time to time.
    ///
    /// # Errors
    /// Those of the store, the last one if several keys failed. What failed is tried again by the next call.
    pub async fn destroy_due(&self, now: Timestamp) -> Result<usize, KmsError> {
        let work = |due| self.destroy_one(due, now);
        let (destroyed, outcome) = schedule::work_off(&self.store, Job::Deletion, now, work).await?;
        if destroyed > 0 {
            self.empty_log("destroyed").await;
        }
        outcome.map(|()| destroyed)
    }

    async fn destroy_one(&self, due: Due, now: Timestamp) -> Result<bool, KmsError> {
        while self.remove_grants(due.clone(), now).await? {}
        let destroyed = self
            .store
            .write(move |tx| {
                schedule::done(tx, Job::Deletion, &due)?;
                let Some(record) = doomed(tx, &due, now)? else { return Ok(None) };
                let domain = record.domain();
                for alias in &record.aliases {
                    tx.delete::<AliasRecord>(&domain, alias)?;
                }
                tx.delete::<KeyRecord>(&domain, &record.id)?;
                tx.delete::<LastUsage>(&domain, &record.id)?;
                KeyCount::decrease(tx, &domain)?;
                leave_relatives(&record, now, tx)?;
                key_store::release(&record, now, tx)?;
                tx.record(&upkeep("DeleteKey", &record, now))?;
                Ok::<_, KmsError>(Some(record.arn()))
            })
            .await?;
        if let Some(arn) = &destroyed {
            tracing::info!(key = arn, "destroyed");
        }
        Ok(destroyed.is_some())
    }

    /// Removes some of a doomed key's grants. Returns whether there may be more.
    async fn remove_grants(&self, due: Due, now: Timestamp) -> Result<bool, KmsError> {
        self.store
            .write(move |tx| {
                if doomed(tx, &due, now)?.is_none() {
                    return Ok(false);
                }
                let path = path(&due.account, &due.region, &due.key_id);
                let page = tx.page::<GrantRecord>(&path, None, GRANTS_AT_ONCE)?;
                for grant in &page.items {
                    grant.remove(tx)?;
                }
                Ok(page.next.is_some())
            })
            .await
    }
}

/// Removes a destroyed key from its relatives' lists. A primary key that waited for its last replica starts its own
/// waiting period.
fn leave_relatives(gone: &KeyRecord, now: Timestamp, tx: &mut Tx<'_>) -> Result<(), KmsError> {
    for region in gone.related_regions() {
        let place = domain(&gone.account, region);
        let Some(mut relative) = tx.get::<KeyRecord>(&place, &gone.id)? else { continue };
        if let Some(relatives) = &mut relative.multi_region {
            relatives.replicas.remove(&gone.region);
        }
        if let (KeyState::PendingReplicaDeletion, Some(days)) = (relative.state, relative.deletion_window_days) {
            plan(&mut relative, days, now, tx)?;
        }
        tx.put(&place, &gone.id, &relative)?;
    }
    Ok(())
}

/// The key that is due, if it still is to be destroyed.
fn doomed(tx: &Tx<'_>, due: &Due, now: Timestamp) -> Result<Option<KeyRecord>, KmsError> {
    let record = tx.get::<KeyRecord>(&domain(&due.account, &due.region), &due.key_id)?;
    Ok(record.filter(|record| {
        record.state == KeyState::PendingDeletion && record.destroyed_at == Some(due.at) && due.at <= now
    }))
}
