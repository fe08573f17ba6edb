//! CodeCommit as a module: what deleted repositories leave behind, and the maintenance of repositories, each a job.

use std::sync::Arc;
use std::time::Duration;

use ::codecommit::CodeCommit;
use git::{Git, Maintenance};
use jobs::{Job, Scope};

use super::Module;
use crate::repositories::UntilDropped;
use crate::steady::Steady;

/// How often records of deleted repositories are removed.
const PURGE_PERIOD: Duration = Duration::from_secs(60);

/// How often is looked for repositories that were opened and need maintenance.
const MAINTENANCE_PERIOD: Duration = Duration::from_secs(10);

/// The module of CodeCommit, whose repositories are `git`'s.
pub(crate) fn module(codecommit: &Arc<CodeCommit>, git: Git, steady: Arc<Steady>) -> Module {
    let purging = Arc::clone(codecommit);
    let purge = Job::new("purge-repositories", Scope::OneServer, PURGE_PERIOD, move || {
        let codecommit = Arc::clone(&purging);
        async move { codecommit.purge_repositories().await }
    });
    Module::of(codecommit).with_jobs([purge, maintain(git, steady)])
}

/// Maintains repositories that callers opened lately. On each server, since each has the keys of its own callers.
fn maintain(git: Git, steady: Arc<Steady>) -> Job {
    Job::new("maintain-repositories", Scope::EachServer, MAINTENANCE_PERIOD, move || {
        let git = git.clone();
        // By a clock that does not jump ahead: objects that nothing led to for long enough are gone afterwards.
        let now = steady.now().millis() / 1000;
        async move {
            let running = UntilDropped::default();
            git.maintain_due(&Maintenance::default(), now, running.go_on()).await
        }
    })
}
