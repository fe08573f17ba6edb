//! Metrics of the server, in the OpenMetrics text format.
//!
//! Counting a call takes no lock and no allocation: every operation's meters are made at start.

mod job_history;
mod meters;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use front::{Statistics, Traffic};
use jobs::History;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

pub(crate) use meters::Meters;

use crate::disk::Space;

/// Everything that is measured.
pub(crate) struct Metrics {
    registry: Registry,
}

/// Sources of what is measured, read at each scrape.
pub(crate) struct Sources {
    pub(crate) meters: Arc<Meters>,
    pub(crate) front: Statistics,
    pub(crate) jobs: History,
    /// The data directory.
    pub(crate) data: PathBuf,
    pub(crate) state: Box<dyn Fn() -> State + Send + Sync>,
}

/// The state of what lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// Whether the last write of the audit log succeeded.
    pub(crate) audit_healthy: bool,
    /// Bytes of audit records that wait to be written.
    pub(crate) audit_waiting_bytes: usize,
    /// Events of changes that are not on the audit log's disk yet.
    pub(crate) outbox_waiting: u64,
    /// Transactions committed to the database, and the commits that they shared.
    pub(crate) transactions: u64,
    pub(crate) commits: u64,
    /// Seconds by which the clock is ahead of the time that is known; 0 while it is believed.
    pub(crate) clock_ahead: i64,
}

impl Metrics {
    pub(crate) fn new(sources: Sources) -> Self {
        let mut registry = Registry::with_prefix("sealstack");
        registry.register_collector(Box::new(sources));
        Self { registry }
    }

    /// The text that a scrape gets.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        match text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            Err(fmt::Error) => {
                tracing::error!("the metrics could not be written");
                String::new()
            }
        }
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Sources")
    }
}

impl Collector for Sources {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        self.meters.encode(&mut out)?;
        self.connections(&mut out)?;
        self.durable_state(&mut out)?;
        job_history::encode(&self.jobs, &mut out)?;
        process(&mut out)
    }
}

impl Sources {
    fn connections(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Traffic { accepted, handshakes_failed, plain_refused, bodies_too_large, bodies_crowded_out } =
            self.front.traffic();
        counter(out, "connections_accepted", "Connections accepted", accepted)?;
        gauge(out, "connections_open", None, "Connections open now", self.front.open())?;
        let closed = self.front.closed();
        counters(
            out,
            ("connections_closed", "Connections closed because the client took too long, or to make room for others"),
            "over",
            &[
                ("head", &closed.head),
                ("body", &closed.body),
                ("answer", &closed.answer),
                ("idle", &closed.idle),
                ("crowd", &closed.crowded),
            ],
        )?;
        counter(out, "tls_handshakes_failed", "TLS handshakes that failed", handshakes_failed)?;
        counter(out, "plain_http_refused", "Connections refused for speaking plain HTTP", plain_refused)?;
        counters(
            out,
            ("bodies_refused", "Requests refused for their bodies"),
            "reason",
            &[("too_large", bodies_too_large), ("crowded_out", bodies_crowded_out)],
        )
    }

    fn durable_state(&self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let State { audit_healthy, audit_waiting_bytes, outbox_waiting, transactions, commits, clock_ahead } =
            (self.state)();
        let healthy = usize::from(audit_healthy);
        gauge(out, "audit_healthy", None, "Whether the last write of the audit log succeeded", healthy)?;
        let bytes = Some(&Unit::Bytes);
        gauge(out, "audit_waiting", bytes, "Audit records that are not yet written", audit_waiting_bytes)?;
        let waiting = usize::try_from(outbox_waiting).unwrap_or(usize::MAX);
        gauge(out, "outbox_waiting", None, "Events of changes that the audit log does not have yet", waiting)?;
        let (seconds, ahead) = (Some(&Unit::Seconds), usize::try_from(clock_ahead).unwrap_or_default());
        gauge(out, "clock_jump", seconds, "By how much the clock jumped ahead that is not believed", ahead)?;
        if let Ok(Space { free, .. }) = Space::of(&self.data) {
            let free = usize::try_from(free).unwrap_or(usize::MAX);
            gauge(out, "disk_free", bytes, "What the file system of the data directory has left", free)?;
        }
        counter(out, "store_transactions", "Transactions committed", &transactions.into())?;
        counter(out, "store_commits", "Commits, each of one transaction or several", &commits.into())
    }
}

/// Memory of the process, as far as the operating system reports it.
fn process(out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let bytes = Some(&Unit::Bytes);
    if let Some(resident) = resident_bytes() {
        gauge(out, "resident_memory", bytes, "Memory in use", resident)?;
    }
    let memory = crypto::locked_memory();
    gauge(out, "key_memory_locked", bytes, "Memory for keys that cannot be swapped out", memory.locked_bytes)?;
    gauge(out, "key_memory_unlocked", bytes, "Memory for keys that could not be locked", memory.unlocked_bytes)?;
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    out.encode_descriptor("build", "The running version", None, MetricType::Info)?.encode_info(&version)
}

/// The process's resident set, from the second number of `/proc/self/statm`; `None` where there is none.
fn resident_bytes() -> Option<usize> {
    let pages: usize = std::fs::read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size())
}

fn gauge(out: &mut DescriptorEncoder<'_>, name: &str, unit: Option<&Unit>, help: &str, value: usize) -> fmt::Result {
    out.encode_descriptor(name, help, unit, MetricType::Gauge)?.encode_gauge(&value)
}

fn counter(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: &AtomicU64) -> fmt::Result {
    let mut encoder = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    encoder.encode_counter::<NoLabelSet, _, u64>(&value.load(Ordering::Relaxed), None)
}

fn counters(
    out: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    label: &str,
    values: &[(&str, &AtomicU64)],
) -> fmt::Result {
    let mut encoder = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (text, value) in values {
        let labels = [(label, *text)];
        let mut family = encoder.encode_family(&labels)?;
        family.encode_counter::<NoLabelSet, _, u64>(&value.load(Ordering::Relaxed), None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
