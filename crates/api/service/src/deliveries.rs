//! Events that wait for delivery: queued with the change that they are about, brought to their destinations at least once, and to
//! each destination in order. Knows neither what an event says nor how a destination is reached.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::{Indexed, ReadTx, Record, Store, StoreError, Tx};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use wire::Timestamp;

use crate::maybe_ready::BoxFuture;
use crate::ports::EventDelivery;

/// How many events are read at once.
const BATCH: usize = 100;

/// How many destinations a run serves at most, and how many events of each.
const DESTINATIONS_MAX: usize = 10_000;
const EVENTS_MAX: usize = 100;

/// How long a run waits for destinations. Slow ones go on beside the runs that follow.
const RUN: Duration = Duration::from_secs(2);

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
    /// Destinations to which events are on their way.
    busy: Arc<Mutex<HashSet<String>>>,
}

/// A destination to which events are on their way, until this is dropped.
struct Claim {
    deliveries: Deliveries,
    destination: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.deliveries.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.destination);
    }
}

impl Deliveries {
    /// Events in `store`, which `ways` brings to their destinations.
    #[must_use]
    pub fn new(store: Store, ways: Arc<dyn EventDelivery>) -> Self {
        Self { store, ways, busy: Arc::default() }
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

    /// Delivers the events that are due, to all destinations at once. Returns how many were taken within two seconds: what
    /// takes longer goes on, and holds up its own destination alone.
    ///
    /// An event that was delivered and whose removal failed is delivered again. Events of one destination stay in order:
    /// as long as the first one waits, so do the others.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn deliver_due(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut running = JoinSet::new();
        for (destination, events) in self.waiting().await? {
            if let Some(claim) = self.claim(destination) {
                running.spawn(claim.deliver(events, now));
            }
        }
        let (until, mut delivered) = (Instant::now() + RUN, 0);
        while let Ok(Some(ended)) = timeout_at(until, running.join_next()).await {
            // A panic is in the log already.
            delivered += ended.unwrap_or(Ok(0))?;
        }
        running.detach_all();
        Ok(delivered)
    }

    /// The places of events that wait, by destination, in their order.
    async fn waiting(&self) -> Result<BTreeMap<String, Vec<Vec<u8>>>, StoreError> {
        let (mut after, mut waiting) = (None, BTreeMap::<String, Vec<Vec<u8>>>::new());
        loop {
            let from: Option<Vec<u8>> = after.take();
            let page = move |tx: &ReadTx<'_>| {
                let from = from.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
                tx.index::<DeliveryEntry>("")?.range(&[], from, BATCH)
            };
            let page = self.store.read(page).await?;
            after = page.items.last().map(|(key, _)| key.clone());
            for (key, entry) in page.items {
                let events = waiting.entry(entry.destination).or_default();
                if events.len() < EVENTS_MAX {
                    events.push(key);
                }
            }
            if !page.more || waiting.len() >= DESTINATIONS_MAX {
                return Ok(waiting);
            }
        }
    }

    /// A destination for deliveries; `None` while others are on their way to it.
    fn claim(&self, destination: String) -> Option<Claim> {
        let free = self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(destination.clone());
        free.then(|| Claim { deliveries: self.clone(), destination })
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
                tracing::warn!(destination = record.destination, reason, "an event is dropped");
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

impl Claim {
    /// Delivers events of the destination, in order, up to the first that it does not take. Returns how many it took.
    async fn deliver(self, events: Vec<Vec<u8>>, now: Timestamp) -> Result<usize, StoreError> {
        let mut delivered = 0;
        for key in events {
            let delivery = self.deliveries.deliver_one(&key, now, &mut delivered).await;
            let goes_on = delivery.inspect_err(|error| {
                tracing::error!(%error, destination = self.destination, "events could not be delivered");
            });
            if !goes_on? {
                break;
            }
        }
        Ok(delivered)
    }
}

/// Ways to nowhere: no destination is mapped.
pub struct Nowhere;

impl EventDelivery for Nowhere {
    fn deliver<'a>(&'a self, destination: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move { Err(format!("no endpoint is configured for {destination}")) })
    }
}
