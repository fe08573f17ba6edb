use std::time::Duration;

use jobs::{Job, Jobs, Scope};
use service::{Observer as _, Seen};

use super::*;

fn text(meters: Meters) -> String {
    text_with(meters, History::default())
}

fn text_with(meters: Meters, jobs: History) -> String {
    Metrics::new(Sources {
        meters: Arc::new(meters),
        front: Statistics::default(),
        jobs,
        data: "/".into(),
        state: Box::new(|| State {
            audit_healthy: true,
            audit_waiting_bytes: 7,
            outbox_waiting: 2,
            transactions: 5,
            commits: 3,
            clock_ahead: 604_800,
        }),
    })
    .text()
}

fn call(error: Option<&str>, micros: u64) -> Seen<'_> {
    Seen { service: "-", operation: "-", index: None, error, elapsed: Duration::from_micros(micros) }
}

#[test]
fn every_part_of_the_server_has_its_lines() {
    let text = text(Meters::new());
    for line in [
        "sealstack_connections_accepted_total 0",
        "sealstack_connections_open 0",
        "sealstack_connections_closed_total{over=\"head\"} 0",
        "sealstack_connections_closed_total{over=\"crowd\"} 0",
        "sealstack_bodies_refused_total{reason=\"too_large\"} 0",
        "sealstack_audit_healthy 1",
        "sealstack_audit_waiting_bytes 7",
        "sealstack_clock_jump_seconds 604800",
        "sealstack_store_transactions_total 5",
        "sealstack_store_commits_total 3",
        concat!("sealstack_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    for gauge in ["sealstack_resident_memory_bytes ", "sealstack_disk_free_bytes "] {
        assert!(text.contains(gauge), "{gauge} in\n{text}");
    }
}

#[test]
fn calls_are_counted_by_outcome_and_time() {
    let meters = Meters::new();
    meters.seen(&call(None, 50));
    meters.seen(&call(None, 51));
    meters.seen(&call(Some("AccessDeniedException"), 6_000_000));
    let text = text(meters);
    for line in [
        "sealstack_requests_total{service=\"-\",operation=\"-\",error=\"\"} 2",
        "sealstack_requests_total{service=\"-\",operation=\"-\",error=\"AccessDeniedException\"} 1",
        "sealstack_request_duration_seconds_count{service=\"-\",operation=\"-\"} 3",
        "sealstack_request_duration_seconds_sum{service=\"-\",operation=\"-\"} 6.000101",
        "sealstack_request_duration_seconds_bucket{le=\"0.000025\",service=\"-\",operation=\"-\"} 0",
        "sealstack_request_duration_seconds_bucket{le=\"0.00005\",service=\"-\",operation=\"-\"} 1",
        "sealstack_request_duration_seconds_bucket{le=\"0.0001\",service=\"-\",operation=\"-\"} 2",
        "sealstack_request_duration_seconds_bucket{le=\"5.0\",service=\"-\",operation=\"-\"} 2",
        "sealstack_request_duration_seconds_bucket{le=\"+Inf\",service=\"-\",operation=\"-\"} 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_are_counted_and_their_last_run_is_shown() {
    let (history, hour) = (History::default(), Duration::from_secs(3600));
    let mut jobs = Jobs::recorded_in(history.clone());
    jobs.start(Job::new("break", Scope::OneServer, hour, || std::future::ready(Err::<usize, _>("a secret reason"))));
    jobs.start(Job::new("work", Scope::EachServer, hour, || async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        Ok::<_, &str>(7)
    }));
    let before = text_with(Meters::new(), history.clone());
    assert!(before.lines().any(|line| line == "sealstack_job_runs_total{job=\"work\"} 0"), "{before}");
    assert!(!before.contains("sealstack_job_last_failed{"), "{before}");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let text = text_with(Meters::new(), history);
    for line in [
        "sealstack_job_runs_total{job=\"break\"} 1",
        "sealstack_job_failures_total{job=\"break\"} 1",
        "sealstack_job_last_failed{job=\"break\"} 1.0",
        "sealstack_job_runs_total{job=\"work\"} 1",
        "sealstack_job_failures_total{job=\"work\"} 0",
        "sealstack_job_last_failed{job=\"work\"} 0.0",
        "sealstack_job_last_duration_seconds{job=\"work\"} 1.5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(text.contains("sealstack_job_last_end_timestamp_seconds{job=\"work\"} "), "{text}");
    assert!(!text.contains("secret"), "{text}");
}
