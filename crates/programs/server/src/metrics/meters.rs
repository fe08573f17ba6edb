//! The calls of every operation: how many, how they ended, how long they took.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use service::{Observer, Seen, Service};

/// Upper bounds of the latency histogram, in microseconds; slower calls fall into a last bucket without a bound.
const BOUNDS_MICROS: [u64; 16] = [
    25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
];

/// Label of a service or an operation that was not recognised.
const UNKNOWN: &str = "-";

/// A meter for every operation of every service.
pub(crate) struct Meters {
    /// In the order of the services' tables.
    services: Vec<(&'static str, Vec<(&'static str, Meter)>)>,
    /// Calls that reached no operation.
    unknown: Meter,
}

/// One operation's calls.
#[derive(Default)]
struct Meter {
    /// Errors by name. Rare, and of few kinds: names are the program's own, never a caller's.
    failed: Mutex<BTreeMap<String, u64>>,
    elapsed_nanos: AtomicU64,
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
}

impl Meters {
    /// Meters of no service.
    pub(crate) fn new() -> Self {
        Self { services: Vec::new(), unknown: Meter::default() }
    }

    /// With meters for the operations of `S`.
    pub(crate) fn with<S: Service>(mut self) -> Self {
        let meters = S::operations().iter().map(|entry| (entry.name, Meter::default())).collect();
        self.services.push((S::NAME, meters));
        self
    }

    pub(super) fn encode(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_requests(out)?;
        self.encode_latencies(out)
    }

    fn encode_requests(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Calls, by service, operation and error; the error is empty for those that succeeded";
        let mut encoder = out.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for (service, operation, meter) in self.used() {
            let failed = meter.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // A call that fails while this is read may be among the failed before it is among all.
            let succeeded = (String::new(), meter.calls().saturating_sub(failed.values().sum()));
            for (error, calls) in std::iter::once(succeeded).chain(failed) {
                let labels = [("service", service), ("operation", operation), ("error", error.as_str())];
                encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&calls, None)?;
            }
        }
        Ok(())
    }

    fn encode_latencies(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "From the whole request to the whole answer";
        let mut encoder =
            out.encode_descriptor("request_duration", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (service, operation, meter) in self.used() {
            let bounds = BOUNDS_MICROS.iter().map(|&bound| Duration::from_micros(bound).as_secs_f64());
            let counts = meter.buckets.iter().map(|count| count.load(Ordering::Relaxed));
            let buckets: Vec<_> = bounds.chain([f64::INFINITY]).zip(counts).collect();
            let count = buckets.iter().map(|(_, count)| count).sum();
            let sum = Duration::from_nanos(meter.elapsed_nanos.load(Ordering::Relaxed)).as_secs_f64();
            let labels = [("service", service), ("operation", operation)];
            encoder.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    /// The meters that have counted something, in a stable order.
    fn used(&self) -> Vec<(&'static str, &'static str, &Meter)> {
        let known = self
            .services
            .iter()
            .flat_map(|(service, meters)| meters.iter().map(move |(operation, meter)| (*service, *operation, meter)));
        let all = known.chain([(UNKNOWN, UNKNOWN, &self.unknown)]);
        let mut used: Vec<_> = all.filter(|(_, _, meter)| meter.calls() > 0).collect();
        used.sort_unstable_by_key(|(service, operation, _)| (*service, *operation));
        used
    }
}

impl Observer for Meters {
    fn seen(&self, call: &Seen<'_>) {
        let service = self.services.iter().find(|(service, _)| *service == call.service);
        let meter = service.zip(call.index).and_then(|((_, meters), index)| meters.get(index));
        meter.map_or(&self.unknown, |(_, meter)| meter).count(call.error, call.elapsed);
    }
}

impl Meter {
    fn count(&self, error: Option<&str>, elapsed: Duration) {
        if let Some(error) = error {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            match failed.get_mut(error) {
                Some(calls) => *calls += 1,
                None => {
                    failed.insert(error.to_owned(), 1);
                }
            }
        }
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed_nanos.fetch_add(nanos, Ordering::Relaxed);
        let micros = nanos.div_ceil(1000);
        let bucket = BOUNDS_MICROS.partition_point(|&bound| bound < micros);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All calls, however they ended.
    fn calls(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}
