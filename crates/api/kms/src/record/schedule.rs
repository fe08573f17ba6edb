//! Scheduled work on keys, stored by day, so that finding due work reads nothing else.

use serde::{Deserialize, Serialize};
use service::Upkeep;
use store::{Record, Store, StoreError, Tx};
use wire::Timestamp;

use crate::error::KmsError;
use crate::record::KeyRecord;

/// The kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Destroy the key.
    Deletion,
    /// Give it new material.
    Rotation,
    /// Remove imported material that has expired.
    Expiry,
}

/// Something to be done to a key, stored under its kind and day. It stands until it is worked off: one that the key's
/// record no longer confirms by then is dropped.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) key_id: String,
    pub(crate) at: Timestamp,
}

impl Record for Due {
    const COLLECTION: &'static str = "kms-due";
}

/// The first day that may still have something to do, stored by the kind of job.
#[derive(Serialize, Deserialize)]
struct FirstDay {
    day: i64,
}

impl Record for FirstDay {
    const COLLECTION: &'static str = "kms-first-due-day";
}

const DAY_MILLIS: i64 = 86_400_000;

const BATCH: usize = 500;

impl Job {
    const fn name(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::Rotation => "rotation",
            Self::Expiry => "expiry",
        }
    }

    fn parent(self, day: i64) -> String {
        format!("{}/{day}", self.name())
    }
}

const fn day(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY_MILLIS)
}

/// Plans `job` for the key, if there is a time for it.
///
/// # Errors
/// Those of the store.
pub(crate) fn add(tx: &mut Tx<'_>, job: Job, key: &KeyRecord, at: Option<Timestamp>) -> Result<(), StoreError> {
    let Some(at) = at else { return Ok(()) };
    let day = day(at);
    if tx.get::<FirstDay>("", job.name())?.is_none_or(|first| first.day > day) {
        tx.put("", job.name(), &FirstDay { day })?;
    }
    let due = Due { account: key.account.clone(), region: key.region.clone(), key_id: key.id.clone(), at };
    tx.put(&job.parent(day), &key.path(), &due)
}

/// Removes work that is done.
///
/// # Errors
/// Those of the store.
pub(crate) fn done(tx: &mut Tx<'_>, job: Job, due: &Due) -> Result<(), StoreError> {
    tx.delete::<Due>(&job.parent(day(due.at)), &due.path())?;
    Ok(())
}

/// The audit record of scheduled work on a key.
pub(crate) fn upkeep(name: &str, key: &KeyRecord, now: Timestamp) -> Vec<u8> {
    let (time, source) = (now, <crate::Kms as service::Service>::EVENT_SOURCE);
    let (region, account, resources) = (&key.region, &key.account, &[key.arn().to_string()]);
    Upkeep { time, source, name, region, account, resources }.to_bytes()
}

impl Due {
    fn path(&self) -> String {
        crate::record::path(&self.account, &self.region, &self.key_id)
    }
}

/// Does `work` for all that is due by `now`. Returns how often there was something to do, and the last failure; failed
/// work is tried again by the next call.
///
/// # Errors
/// Those of the store.
pub(crate) async fn work_off<F: Future<Output = Result<bool, KmsError>>>(
    store: &Store,
    job: Job,
    now: Timestamp,
    work: impl Fn(Due) -> F,
) -> Result<(usize, Result<(), KmsError>), StoreError> {
    let (mut count, mut outcome) = (0, Ok(()));
    for due in due(store, job, now).await? {
        match work(due).await {
            Ok(done) => count += usize::from(done),
            Err(error) => outcome = Err(error),
        }
    }
    advance(store, job, now).await?;
    Ok((count, outcome))
}

/// All that is due by `now`, the oldest days first.
///
/// # Errors
/// Those of the store.
async fn due(store: &Store, job: Job, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    store
        .read(move |tx| {
            let Some(first) = tx.get::<FirstDay>("", job.name())? else { return Ok(Vec::new()) };
            let mut all = Vec::new();
            for day in first.day..=day(now) {
                let mut after = None;
                loop {
                    let page = tx.page::<Due>(&job.parent(day), after.as_ref(), BATCH)?;
                    all.extend(page.items.into_iter().filter(|due| due.at <= now));
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            Ok(all)
        })
        .await
}

/// Records that nothing is left of the days before `now`.
///
/// # Errors
/// Those of the store.
async fn advance(store: &Store, job: Job, now: Timestamp) -> Result<(), StoreError> {
    let today = day(now);
    store
        .write(move |tx| match tx.get::<FirstDay>("", job.name())? {
            Some(first) if first.day < today => {
                // Something may have been planned for a past day since the days were looked through.
                for day in first.day..today {
                    if !tx.page::<Due>(&job.parent(day), None, 1)?.items.is_empty() {
                        return if day > first.day { tx.put("", job.name(), &FirstDay { day }) } else { Ok(()) };
                    }
                }
                tx.put("", job.name(), &FirstDay { day: today })
            }
            _ => Ok(()),
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> KeyRecord {
        crate::record::key::tests::record("111122223333", "us-east-1", id)
    }

    async fn add_at(store: &Store, job: Job, id: &str, at: i64) {
        let key = key(id);
        store.write(move |tx| add(tx, job, &key, Some(Timestamp::from_millis(at)))).await.expect("is planned");
    }

    async fn due_ids(store: &Store, job: Job, now: i64) -> Vec<String> {
        let due = due(store, job, Timestamp::from_millis(now)).await.expect("reads");
        due.into_iter().map(|due| due.key_id).collect()
    }

    #[tokio::test]
    async fn what_is_due_is_found_whenever_it_was_planned() {
        let store = Store::open_in_memory().expect("a store");
        assert!(due_ids(&store, Job::Rotation, 100 * DAY_MILLIS).await.is_empty());
        add_at(&store, Job::Rotation, "later", 5 * DAY_MILLIS + 7).await;
        add_at(&store, Job::Rotation, "sooner", 3 * DAY_MILLIS).await;
        assert!(due_ids(&store, Job::Rotation, 3 * DAY_MILLIS - 1).await.is_empty());
        assert_eq!(due_ids(&store, Job::Rotation, 5 * DAY_MILLIS + 6).await, ["sooner"]);
        assert_eq!(due_ids(&store, Job::Rotation, 5 * DAY_MILLIS + 7).await, ["sooner", "later"]);
        assert!(due_ids(&store, Job::Deletion, 100 * DAY_MILLIS).await.is_empty());
    }

    #[tokio::test]
    async fn days_are_left_behind_only_when_nothing_of_them_is_left() {
        let store = Store::open_in_memory().expect("a store");
        add_at(&store, Job::Deletion, "one", DAY_MILLIS).await;
        add_at(&store, Job::Deletion, "two", 2 * DAY_MILLIS).await;
        let now = Timestamp::from_millis(9 * DAY_MILLIS);
        let all = due(&store, Job::Deletion, now).await.expect("reads");
        let one = all.iter().find(|due| due.key_id == "one").expect("is due").clone();
        store.write(move |tx| done(tx, Job::Deletion, &one)).await.expect("is struck off");
        advance(&store, Job::Deletion, now).await.expect("advances");
        assert_eq!(due_ids(&store, Job::Deletion, now.millis()).await, ["two"]);
        // Planned for a day that was left behind.
        add_at(&store, Job::Deletion, "past", DAY_MILLIS).await;
        assert_eq!(due_ids(&store, Job::Deletion, now.millis()).await, ["past", "two"]);
    }
}
