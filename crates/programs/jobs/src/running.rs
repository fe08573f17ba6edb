//! Running jobs: each runs again and again, logs and records how it went, and survives its own failures.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::history::History;
use crate::job::Job;

/// How long after the start jobs run first: the first requests have the machine to themselves.
const FIRST: Duration = Duration::from_secs(1);

/// The running jobs of a program; dropping it ends them, between two runs or in the middle of one.
#[derive(Debug, Default)]
pub struct Jobs {
    tasks: JoinSet<()>,
    history: History,
}

impl Jobs {
    /// No jobs yet, which will record their runs in `history`.
    #[must_use]
    pub fn recorded_in(history: History) -> Self {
        Self { tasks: JoinSet::new(), history }
    }

    /// Runs a job from now on. Has to be called on a runtime.
    ///
    /// Both scopes run: this server shares its state with no other.
    pub fn start(&mut self, job: Job) {
        let history = self.history.clone();
        history.list(job.name);
        let Job { name, period, wake, run, .. } = job;
        // Nobody notifies one that is only here.
        let wake = wake.unwrap_or_else(|| Arc::new(Notify::new()));
        self.tasks.spawn(async move {
            let mut interval = tokio::time::interval_at(Instant::now() + FIRST, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = interval.tick() => {}
                    () = wake.notified() => {}
                }
                let begun = Instant::now();
                let outcome = run().await;
                let elapsed = begun.elapsed();
                history.record(name, elapsed, &outcome);
                match outcome {
                    Ok(0) => tracing::trace!(job = name, ?elapsed, "a job had nothing to do"),
                    Ok(count) => tracing::info!(job = name, count, ?elapsed, "a job did its work"),
                    Err(error) => tracing::error!(job = name, error, ?elapsed, "a job failed and will be tried again"),
                }
            }
        });
    }

    /// Runs something once, to its end or until the jobs end.
    pub fn start_once(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends all jobs, and returns once they have ended.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::job::Scope;

    const PERIOD: Duration = Duration::from_secs(60);

    /// A job that counts its runs, of which the first fails.
    fn counting(runs: &Arc<AtomicUsize>) -> Job {
        let runs = Arc::clone(runs);
        Job::new("count", Scope::OneServer, PERIOD, move || {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::time::sleep(Duration::from_secs(2)).await;
                if run == 0 { Err("the first time") } else { Ok(run) }
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_runs_on_after_it_failed_and_until_it_is_stopped() {
        let runs = Arc::new(AtomicUsize::new(0));
        let mut jobs = Jobs::default();
        jobs.start(counting(&runs));
        tokio::time::sleep(Duration::from_secs(130)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        jobs.stop().await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_jobs_runs_failures_and_last_run_are_recorded() {
        let history = History::default();
        let mut jobs = Jobs::recorded_in(history.clone());
        jobs.start(counting(&Arc::default()));
        let run = || history.all().into_iter().map(|(name, run)| (name, run.runs, run.failures)).collect::<Vec<_>>();
        assert_eq!(run(), [("count", 0, 0)]);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(run(), [("count", 1, 1)]);
        let (_, failed) = history.all().remove(0);
        assert_eq!(failed.last_error.as_deref(), Some("the first time"));
        assert_eq!(failed.last_duration, Duration::from_secs(2));
        tokio::time::sleep(PERIOD).await;
        assert_eq!(run(), [("count", 2, 1)]);
        let (_, succeeded) = history.all().remove(0);
        assert!(succeeded.last_error.is_none() && succeeded.last_end.is_some(), "{succeeded:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_is_woken_does_not_wait_for_its_time() {
        let (runs, wake) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let mut jobs = Jobs::default();
        jobs.start(counting(&runs).woken_by(Arc::clone(&wake)));
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        wake.notify_one();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    }
}
