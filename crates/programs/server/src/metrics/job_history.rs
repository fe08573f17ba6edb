//! The runs of background jobs. Errors are in the log only: their words are for people, and may name anything.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use jobs::{History, Run};
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

pub(super) fn encode(history: &History, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let jobs = history.all();
    count(out, "job_runs", "Runs of background jobs that have ended", &jobs, |run| run.runs)?;
    count(out, "job_failures", "Runs of background jobs that failed", &jobs, |run| run.failures)?;
    let seconds = Some(&Unit::Seconds);
    let (name, help) = ("job_last_end_timestamp", "When the last run of a background job ended, since 1970");
    last(out, (name, help, seconds), &jobs, |end, _| end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64())?;
    let (name, help) = ("job_last_duration", "How long the last run of a background job took");
    last(out, (name, help, seconds), &jobs, |_, run| run.last_duration.as_secs_f64())?;
    let (name, help) = ("job_last_failed", "Whether the last run of a background job failed");
    last(out, (name, help, None), &jobs, |_, run| f64::from(u8::from(run.last_error.is_some())))
}

fn count(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    jobs: &[(&'static str, Run)],
    of: impl Fn(&Run) -> u64,
) -> fmt::Result {
    let mut encoder = out.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (job, run) in jobs {
        let labels = [("job", *job)];
        encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&of(run), None)?;
    }
    Ok(())
}

/// A gauge of the last run, for jobs that have had one.
fn last(
    out: &mut DescriptorEncoder<'_>,
    (name, help, unit): (&str, &str, Option<&Unit>),
    jobs: &[(&'static str, Run)],
    of: impl Fn(SystemTime, &Run) -> f64,
) -> fmt::Result {
    let mut encoder = out.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (job, run) in jobs {
        let Some(end) = run.last_end else { continue };
        let labels = [("job", *job)];
        encoder.encode_family(&labels)?.encode_gauge(&of(end, run))?;
    }
    Ok(())
}
