//! Delivery of the events of repositories and buckets, as a job.

use std::time::Duration;

use jobs::{Job, Scope};
use service::Deliveries;

use crate::clock;

/// How often events that wait are delivered.
const PERIOD: Duration = Duration::from_secs(1);

/// Delivers events. On one server, so that each destination gets them in order.
pub(crate) fn job(deliveries: Deliveries) -> Job {
    Job::new("deliver-events", Scope::OneServer, PERIOD, move || {
        let deliveries = deliveries.clone();
        async move { deliveries.deliver_due(clock::now()).await }
    })
}
