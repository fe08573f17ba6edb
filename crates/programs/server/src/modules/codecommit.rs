//! CodeCommit as a module: events of triggers that wait, and what deleted repositories leave behind, each a job.

use std::sync::Arc;
use std::time::Duration;

use ::codecommit::CodeCommit;
use jobs::{Job, Scope};

use super::Module;
use crate::clock;

/// How often events of triggers are delivered.
const DELIVERY_PERIOD: Duration = Duration::from_secs(1);

/// How often records of deleted repositories are removed.
const PURGE_PERIOD: Duration = Duration::from_secs(60);

/// The module of CodeCommit.
pub(crate) fn module(codecommit: &Arc<CodeCommit>) -> Module {
    let (delivering, purging) = (Arc::clone(codecommit), Arc::clone(codecommit));
    let deliver = Job::new("deliver-triggers", Scope::OneServer, DELIVERY_PERIOD, move || {
        let codecommit = Arc::clone(&delivering);
        async move { codecommit.deliver_triggers(clock::now()).await }
    });
    let purge = Job::new("purge-repositories", Scope::OneServer, PURGE_PERIOD, move || {
        let codecommit = Arc::clone(&purging);
        async move { codecommit.purge_repositories().await }
    });
    Module::of(codecommit).with_jobs([deliver, purge])
}
