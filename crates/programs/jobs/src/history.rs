//! How jobs went: their runs, failures and last run, for a program's metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::job::Outcome;

/// The history of all jobs of a program, by name. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct History(Arc<Mutex<BTreeMap<&'static str, Run>>>);

/// The runs of one job since the program started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// How often it ran.
    pub runs: u64,
    /// How often it failed.
    pub failures: u64,
    /// When its last run ended; `None` before its first has.
    pub last_end: Option<SystemTime>,
    /// How long its last run took.
    pub last_duration: Duration,
    /// Why its last run failed; `None` if it succeeded.
    pub last_error: Option<String>,
}

impl History {
    /// The runs of each job, in the order of their names.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, Run)> {
        self.lock().iter().map(|(name, run)| (*name, run.clone())).collect()
    }

    /// Lists a job that has not run yet.
    pub(crate) fn list(&self, name: &'static str) {
        self.lock().entry(name).or_default();
    }

    /// Records a run that has just ended.
    pub(crate) fn record(&self, name: &'static str, duration: Duration, outcome: &Outcome) {
        let mut all = self.lock();
        let run = all.entry(name).or_default();
        run.runs += 1;
        run.failures += u64::from(outcome.is_err());
        run.last_end = Some(SystemTime::now());
        run.last_duration = duration;
        run.last_error = outcome.as_ref().err().cloned();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
