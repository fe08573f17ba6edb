//! The job that brings waiting events to their destinations: at least once, and to each destination in order.

use std::collections::BTreeSet;
use std::ops::Bound;

use store::{ReadTx, Tx};
use wire::Timestamp;

use crate::CodeCommit;
use crate::error::CodeCommitError;
use crate::reference::{DeliveryEntry, DeliveryRecord};

/// How many events are read at once.
const BATCH: usize = 100;

/// How many destinations wait at most that are passed over in one run.
const PASSED_OVER_MAX: usize = 10_000;

/// After so many failures an event is abandoned, which takes about three days.
const FAILURES_MAX: u32 = 80;

/// The longest time between two attempts, in milliseconds.
const PAUSE_MAX: i64 = 60 * 60 * 1000;

impl CodeCommit {
    /// Delivers the events of triggers that are due. Returns how many were taken by their destinations.
    ///
    /// An event that was delivered and whose removal failed is delivered again. Events of one destination stay in order:
    /// as long as the first one waits, so do the others.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn deliver_triggers(&self, now: Timestamp) -> Result<usize, CodeCommitError> {
        let (mut after, mut held, mut delivered) = (None, BTreeSet::new(), 0);
        loop {
            let from: Option<Vec<u8>> = after.take();
            let page = move |tx: &ReadTx<'_>| {
                let from = from.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
                tx.index::<DeliveryEntry>("")?.range(&[], from, BATCH)
            };
            let page = self.store.read(page).await?;
            for (key, entry) in &page.items {
                if !held.contains(&entry.destination) && !self.deliver_one(key, now, &mut delivered).await? {
                    held.insert(entry.destination.clone());
                }
            }
            after = page.items.last().map(|(key, _)| key.clone());
            if !page.more || held.len() > PASSED_OVER_MAX {
                return Ok(delivered);
            }
        }
    }

    /// Delivers one event if it is due. Returns whether the next one of its destination may follow.
    async fn deliver_one(&self, key: &[u8], now: Timestamp, delivered: &mut usize) -> Result<bool, CodeCommitError> {
        let place = String::from_utf8_lossy(key).into_owned();
        let found = place.clone();
        let record = self.store.read(move |tx| tx.get::<DeliveryRecord>("", &found)).await?;
        let Some(mut record) = record else { return Ok(true) };
        if record.due > now {
            return Ok(false);
        }
        match self.delivery.deliver(&record.destination, &record.message).await {
            Ok(()) => *delivered += 1,
            Err(reason) if record.failures >= FAILURES_MAX => {
                tracing::warn!(destination = record.destination, reason, "an event of a trigger is given up");
            }
            Err(reason) => {
                tracing::debug!(destination = record.destination, reason, "an event of a trigger waits");
                let pause = 1000_i64.checked_shl(record.failures).unwrap_or(PAUSE_MAX).clamp(1000, PAUSE_MAX);
                record.failures += 1;
                record.due = Timestamp::from_millis(now.millis().saturating_add(pause));
                self.store.write(move |tx| tx.put("", &place, &record)).await?;
                return Ok(false);
            }
        }
        let key = key.to_vec();
        let removed = move |tx: &mut Tx<'_>| {
            tx.index_mut::<DeliveryEntry>("").remove(&key)?;
            tx.delete::<DeliveryRecord>("", &place)
        };
        self.store.write(removed).await?;
        Ok(true)
    }
}
