//! Jobs of what lasts: the database, the audit log and the anchors of both, and the time that they know.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blobs::Blobs;
use jobs::{Job, Scope};

use crate::clock;
use crate::durable_state::DurableState;
use crate::error::ServerError;

/// How often the clock is checked for a jump.
const CLOCK_PERIOD: Duration = Duration::from_secs(60);

/// How often events of changes that the audit log could not take are offered to it again, and those removed from the
/// outbox that it has.
const OUTBOX_PERIOD: Duration = Duration::from_secs(1);

/// How often blobs that nothing refers to are removed, and how old they must be by then.
const SWEEP_PERIOD: Duration = Duration::from_secs(3600);

/// How often the anchors are written, if there is something new for them.
const ANCHOR_PERIOD: Duration = Duration::from_secs(1);

/// The jobs of what lasts.
pub(crate) fn jobs(durable_state: &DurableState) -> Vec<Job> {
    let DurableState { store, trail, steady, .. } = durable_state;
    let watched = Arc::clone(steady);
    let watch_clock = Job::new("watch-clock", Scope::EachServer, CLOCK_PERIOD, move || {
        let steady = Arc::clone(&watched);
        async move { steady.tick().await.map(|()| 0) }
    });
    let (store, trail) = (store.clone(), trail.clone());
    // The audit log is this server's own.
    let empty_outbox = Job::new("empty-outbox", Scope::EachServer, OUTBOX_PERIOD, move || {
        let (store, trail) = (store.clone(), trail.clone());
        async move {
            trail.record_suppressed(clock::now())?;
            if store.write_counts().events_waiting > 0 {
                store.tidy().await?;
            }
            Ok::<_, ServerError>(0)
        }
    });
    let write_anchors = durable_state.anchoring().map(|anchoring| {
        Job::new("write-anchors", Scope::EachServer, ANCHOR_PERIOD, move || {
            let anchoring = anchoring.clone();
            async move { anchoring.update().await.map(|()| 0) }
        })
    });
    [watch_clock, empty_outbox].into_iter().chain(write_anchors).collect()
}

/// Removes blobs that nothing refers to: what pushes left that broke off, and what repositories left that were removed.
pub(crate) fn sweep(durable_state: &DurableState, blobs: Blobs) -> Job {
    let (store, steady) = (durable_state.store.clone(), Arc::clone(&durable_state.steady));
    Job::new("sweep-blobs", Scope::EachServer, SWEEP_PERIOD, move || {
        let (blobs, store) = (blobs.clone(), store.clone());
        // By a clock that does not jump ahead: what is removed is gone.
        let now = u64::try_from(steady.now().millis()).unwrap_or_default();
        let before = (SystemTime::UNIX_EPOCH + Duration::from_millis(now)).checked_sub(SWEEP_PERIOD);
        async move {
            let swept = blobs.sweep(blobs::referenced(store), before.unwrap_or(SystemTime::UNIX_EPOCH)).await?;
            Ok::<_, ServerError>(usize::try_from(swept.blobs + swept.drafts).unwrap_or_default())
        }
    })
}
