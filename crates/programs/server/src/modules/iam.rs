//! IAM as a module: the last uses of access keys are in memory for up to a minute.

use std::sync::Arc;
use std::time::Duration;

use ::iam::Iam;
use jobs::{Job, Scope};

use super::Module;

/// How often the last uses of access keys are written.
const LAST_USES_PERIOD: Duration = Duration::from_secs(60);

/// How often SSH keys without a recorded owner are looked for: those of older versions, after an upgrade.
const SSH_KEYS_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);

/// The module of IAM.
pub(crate) fn module(iam: &Arc<Iam>) -> Module {
    let (written, flushed, indexed) = (Arc::clone(iam), Arc::clone(iam), Arc::clone(iam));
    let write = Job::new("write-last-uses", Scope::EachServer, LAST_USES_PERIOD, move || {
        let iam = Arc::clone(&written);
        async move { iam.flush_last_uses().await.map(|()| 0) }
    });
    let index = Job::new("index-ssh-keys", Scope::OneServer, SSH_KEYS_PERIOD, move || {
        let iam = Arc::clone(&indexed);
        async move { iam.index_ssh_keys().await }
    });
    Module::of(iam).with_jobs([write, index]).flushed_by(move || {
        let iam = Arc::clone(&flushed);
        async move {
            if let Err(error) = iam.flush_last_uses().await {
                tracing::warn!(%error, "the last uses of access keys since a minute ago are not written");
            }
        }
    })
}
