//! Events that wait for delivery: queued with the change that they are about, brought to their destinations at least once, and to
//! each destination in order. Knows neither what an event says nor how a destination is reached.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store::{Indexed, ReadTx, Record, Store, StoreError, Tx};
use wire::Timestamp;

use crate::maybe_ready::BoxFuture;
use crate::ports::EventDelivery;

/// How many events are read at once.
const BATCH: usize = 100;

/// How many destinations wait at most that are passed over in one run.
const PASSED_OVER_MAX: usize = 10_000;

/// After so many failures an event is abandoned, which takes about three days.
const FAILURES_MAX: u32 = 80;

/// The longest time between two attempts, in milliseconds.
const PAUSE_MAX: i64 = 60 * 60 * 1000;

/// The events that wait, in the order in which they happened: one ordered index.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DeliveryEntry {
    /// The destination.
    #[serde(rename = "d")]
    destination: String,
}

impl Indexed for DeliveryEntry {
    const NAME: &'static str = "delivery";
}

/// An event that waits, stored by its place in the order.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DeliveryRecord {
    destination: String,
    /// The whole message, JSON.
    message: String,
    /// How often it was tried in vain.
    failures: u32,
    /// When it may be tried again.
    due: Timestamp,
}

impl Record for DeliveryRecord {
    const COLLECTION: &'static str = "delivery";
}

/// The number of the last event that was queued.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DeliveryCounter {
    last: u64,
}

impl Record for DeliveryCounter {
    const COLLECTION: &'static str = "delivery-counter";
}

/// The events of all services, and the ways to their destinations.
#[derive(Clone)]
pub struct Deliveries {
    store: Store,
    ways: Arc<dyn EventDelivery>,
}

impl Deliveries {
    /// Events in `store`, which `ways` brings to their destinations.
    #[must_use]
    pub const fn new(store: Store, ways: Arc<dyn EventDelivery>) -> Self {
        Self { store, ways }
    }

    /// Queues an event, in the transaction of the change that it is about.
    ///
    /// # Errors
    /// Those of the store.
    pub fn queue(tx: &mut Tx<'_>, destination: &str, message: String, now: Timestamp) -> Result<(), StoreError> {
        let last = tx.get::<DeliveryCounter>("", "")?.map_or(0, |counter| counter.last) + 1;
        tx.put("", "", &DeliveryCounter { last })?;
        let place = format!("{last:016x}");
        let destination = destination.to_owned();
        tx.index_mut::<DeliveryEntry>("").put(place.as_bytes(), &DeliveryEntry { destination: destination.clone() })?;
        tx.put("", &place, &DeliveryRecord { destination, message, failures: 0, due: now })
    }

    /// Delivers the events that are due. Returns how many were taken by their destinations.
    ///
    /// An event that was delivered and whose removal failed is delivered again. Events of one destination stay in order:
    /// as long as the first one waits, so do the others.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn deliver_due(&self, now: Timestamp) -> Result<usize, StoreError> {
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
    async fn deliver_one(&self, key: &[u8], now: Timestamp, delivered: &mut usize) -> Result<bool, StoreError> {
        let place = String::from_utf8_lossy(key).into_owned();
        let found = place.clone();
        let record = self.store.read(move |tx| tx.get::<DeliveryRecord>("", &found)).await?;
        let Some(mut record) = record else { return Ok(true) };
        if record.due > now {
            return Ok(false);
        }
        match self.ways.deliver(&record.destination, &record.message).await {
            Ok(()) => *delivered += 1,
            Err(reason) if record.failures >= FAILURES_MAX => {
                tracing::warn!(destination = record.destination, reason, "an event is given up");
            }
            Err(reason) => {
                tracing::debug!(destination = record.destination, reason, "an event waits");
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

/// Ways to nowhere: no destination is mapped.
pub struct Nowhere;

impl EventDelivery for Nowhere {
    fn deliver<'a>(&'a self, destination: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { Err(format!("no endpoint is configured for {destination}")) })
    }
}
