//! IAM as a module: the last uses of access keys are in memory for up to a minute.

use std::sync::Arc;
use std::time::Duration;

use ::iam::Iam;
use jobs::{Job, Scope};

use super::Module;

/// How often the last uses of access keys are written.
const LAST_USES_PERIOD: Duration = Duration::from_secs(60);

/// The module of IAM.
pub(crate) fn module(iam: &Arc<Iam>) -> Module {
    let (written, flushed) = (Arc::clone(iam), Arc::clone(iam));
    let write = Job::new("write-last-uses", Scope::EachServer, LAST_USES_PERIOD, move || {
        let iam = Arc::clone(&written);
        async move { iam.flush_last_uses().await.map(|()| 0) }
    });
    Module::of(iam).with_jobs([write]).flushed_by(move || {
        let iam = Arc::clone(&flushed);
        async move {
            if let Err(error) = iam.flush_last_uses().await {
                tracing::warn!(%error, "the last uses of access keys since a minute ago are not written");
            }
        }
    })
}
