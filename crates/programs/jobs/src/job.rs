//! A job as a value.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

/// The servers on which a job runs, where several share their state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On each: what it does concerns the server itself, such as its certificate or its disk.
    EachServer,
    /// On one of them at a time: what it does concerns what they share, such as keys that are due.
    OneServer,
}

/// The outcome of a run: how many things it did, or why it failed, for the log.
pub(crate) type Outcome = Result<usize, String>;

type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Something that runs again and again.
pub struct Job {
    pub(crate) name: &'static str,
    pub(crate) scope: Scope,
    pub(crate) period: Duration,
    pub(crate) wake: Option<Arc<Notify>>,
    pub(crate) run: Box<dyn Fn() -> Running + Send + Sync>,
}

impl Job {
    /// A job that runs every `period`. `name` is in the imperative, in lower case with hyphens, such as `rotate-keys`: it
    /// is in the log and in the metrics. `run` returns how many things it did.
    pub fn new<F, E>(
        name: &'static str,
        scope: Scope,
        period: Duration,
        run: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<usize, E>> + Send + 'static,
        E: Display,
    {
        let run = move || -> Running {
            let running = run();
            Box::pin(async move { running.await.map_err(|error| error.to_string()) })
        };
        Self { name, scope, period, wake: None, run: Box::new(run) }
    }

    /// The same job, which also runs when `wake` is notified.
    #[must_use]
    pub fn woken_by(self, wake: Arc<Notify>) -> Self {
        Self { wake: Some(wake), ..self }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The servers on which it runs.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, scope, period, .. } = self;
        out.debug_struct("Job")
            .field("name", name)
            .field("scope", scope)
            .field("period", period)
            .finish_non_exhaustive()
    }
}
