//! Background jobs: each runs again and again, logs what it did, and survives its own failures.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// How long after the start jobs run first: the first requests have the machine to themselves.
const FIRST: Duration = Duration::from_secs(1);

/// The jobs of a server; dropping it ends them, between two runs or in the middle of one.
#[derive(Default)]
pub(crate) struct Jobs {
    tasks: JoinSet<()>,
}

impl Jobs {
    /// Runs `job` every `period`. It returns how many things it did.
    pub(crate) fn every<F, E>(&mut self, period: Duration, name: &'static str, job: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<usize, E>> + Send,
        E: Display,
    {
        self.every_or_when(period, Arc::default(), name, job);
    }

    /// The same, and also when somebody asks for it.
    pub(crate) fn every_or_when<F, E>(
        &mut self,
        period: Duration,
        asked: Arc<Notify>,
        name: &'static str,
        job: impl Fn() -> F + Send + 'static,
    ) where
        F: Future<Output = Result<usize, E>> + Send,
        E: Display,
    {
        self.always(async move {
            let mut interval = tokio::time::interval_at(Instant::now() + FIRST, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = interval.tick() => {}
                    () = asked.notified() => {}
                }
                match job().await {
                    Ok(0) => {}
                    Ok(count) => tracing::info!(count, "{name}"),
                    Err(error) => tracing::error!(%error, "{name} failed and will be tried again"),
                }
            }
        });
    }

    /// Runs something that never ends.
    pub(crate) fn always(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends all jobs, and returns once they have ended.
    pub(crate) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_job_runs_on_after_it_failed() {
        let runs = Arc::new(AtomicUsize::new(0));
        let mut jobs = Jobs::default();
        let counted = Arc::clone(&runs);
        jobs.every(Duration::from_secs(60), "testing", move || {
            let run = counted.fetch_add(1, Ordering::Relaxed);
            async move { if run == 0 { Err("the first time") } else { Ok(run) } }
        });
        tokio::time::sleep(Duration::from_secs(130)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        jobs.stop().await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    }
}
