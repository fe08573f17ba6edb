//! S3 as a module: rules of buckets that are carried out, and what nobody sees any more and takes long to remove, each a job.

use std::sync::Arc;
use std::time::Duration;

use ::s3::S3;
use jobs::{Job, Scope};

use super::Module;
use crate::steady::Steady;

/// How often is looked for buckets whose rules are to be carried out. Each has its turn once a day.
const LIFECYCLE_PERIOD: Duration = Duration::from_secs(60);

/// How often parts of removed objects and of aborted uploads are removed.
const PURGE_PERIOD: Duration = Duration::from_secs(10);

/// The module of S3.
pub(crate) fn module(s3: &Arc<S3>, steady: Arc<Steady>) -> Module {
    let (aging, purging) = (Arc::clone(s3), Arc::clone(s3));
    let lifecycle = Job::new("carry-out-lifecycles", Scope::OneServer, LIFECYCLE_PERIOD, move || {
        // By a clock that does not jump ahead: what has expired is gone.
        let (s3, now) = (Arc::clone(&aging), steady.now());
        async move { s3.carry_out_lifecycles(now).await }
    });
    let purge = Job::new("purge-objects", Scope::OneServer, PURGE_PERIOD, move || {
        let s3 = Arc::clone(&purging);
        async move { s3.purge().await }
    });
    Module::of(s3).with_jobs([lifecycle, purge])
}
