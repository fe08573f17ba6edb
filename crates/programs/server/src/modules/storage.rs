//! Jobs of what lasts: the database, the audit log and the anchors of both, and the time that they know.

use std::sync::Arc;
use std::time::Duration;

use jobs::{Job, Scope};

use crate::clock;
use crate::durable_state::DurableState;
use crate::error::ServerError;

/// How often the clock is checked for a jump.
const CLOCK_PERIOD: Duration = Duration::from_secs(60);

/// How often events of changes that the audit log could not take are offered to it again, and those removed from the
/// outbox that it has.
const OUTBOX_PERIOD: Duration = Duration::from_secs(1);

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
