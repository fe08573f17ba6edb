//! KMS as a module: keys that are due, domain keys and key stores, each a job.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use ::kms::{DomainRotation, Kms, KmsError};
use jobs::{Job, Scope};
use service::{OperatorEvent, Trail};
use store::{Store, StoreError};
use tokio::sync::Notify;

use super::Module;
use crate::clock;
use crate::durable_state::own_uid;
use crate::error::ServerError;
use crate::steady::Steady;

/// How often keys whose waiting period is over are destroyed.
const DESTRUCTION_PERIOD: Duration = Duration::from_secs(60);

/// How often domain keys are replaced that have served their time, and key material is wrapped again that still needs
/// their predecessors.
const DOMAIN_KEYS_PERIOD: Duration = Duration::from_secs(3600);

/// How often keys that are due get new material.
const ROTATION_PERIOD: Duration = Duration::from_secs(300);

/// How often imported material that has expired, and is not used any more, is removed.
const EXPIRY_PERIOD: Duration = Duration::from_secs(30);

/// How often keys in tokens that nobody needs are destroyed, and interrupted connections are continued.
const KEY_STORES_PERIOD: Duration = Duration::from_secs(10);

/// How often the last usages of keys are written.
const LAST_USAGES_PERIOD: Duration = Duration::from_secs(60);

/// KMS and what its jobs need.
#[derive(Clone)]
pub(crate) struct KmsModule {
    kms: Arc<Kms>,
    store: Store,
    trail: Trail,
    steady: Arc<Steady>,
    /// Notified when key material has to be wrapped under new domain keys.
    rewrap: Arc<Notify>,
}

impl KmsModule {
    pub(crate) fn new(kms: Arc<Kms>, store: Store, trail: Trail, steady: Arc<Steady>) -> Self {
        Self { kms, store, trail, steady, rewrap: Arc::default() }
    }

    /// KMS, for services that call it.
    pub(crate) fn service(&self) -> Arc<Kms> {
        Arc::clone(&self.kms)
    }

    /// The module of KMS. A region's domain key serves for `domain_key_days`.
    pub(crate) fn module(&self, domain_key_days: u32) -> Module {
        let turn_over =
            self.job("turn-over-domain-keys", Scope::OneServer, DOMAIN_KEYS_PERIOD, move |this| async move {
                this.turn_over_domain_keys(domain_key_days).await
            });
        let jobs =
            [
                turn_over.woken_by(Arc::clone(&self.rewrap)),
                // What destroys goes by a time that does not jump ahead.
                self.job("destroy-keys", Scope::OneServer, DESTRUCTION_PERIOD, |this| async move {
                    this.destroy_due().await
                }),
                self.job("tend-key-stores", Scope::OneServer, KEY_STORES_PERIOD, |this| async move {
                    this.kms.tend_key_stores(this.steady.now()).await
                }),
                self.job("rotate-keys", Scope::OneServer, ROTATION_PERIOD, |this| async move {
                    this.kms.rotate_due(clock::now()).await
                }),
                self.job("remove-expired-material", Scope::OneServer, EXPIRY_PERIOD, |this| async move {
                    this.kms.expire_due(this.steady.now()).await
                }),
                self.job("write-last-usages", Scope::EachServer, LAST_USAGES_PERIOD, |this| async move {
                    this.kms.flush_last_usages().await.map(|_| 0)
                }),
            ];
        let kms = Arc::clone(&self.kms);
        Module::of(&self.kms).with_jobs(jobs).flushed_by(move || {
            let kms = Arc::clone(&kms);
            async move {
                if let Err(error) = kms.flush_last_usages().await {
                    tracing::warn!(%error, "the last usages of keys since a minute ago are not written");
                }
            }
        })
    }

    /// Gives a new domain key to every region, and has all that the old ones wrap wrapped again in the background. `uid`
    /// is the user who wants it. Returns how many there are.
    pub(crate) async fn rotate_domain_keys(&self, uid: u32) -> Result<usize, ServerError> {
        let rotated = self.kms.rotate_domain_keys(self.steady.now()).await?;
        self.rewrap.notify_one();
        self.record_rotations(&rotated, uid).await;
        Ok(rotated.len())
    }

    async fn turn_over_domain_keys(&self, days: u32) -> Result<usize, KmsError> {
        let turnover = self.kms.turn_over_domain_keys(self.steady.now(), days).await?;
        self.record_rotations(&turnover.rotated, own_uid()).await;
        Ok(turnover.rewrapped + turnover.dropped)
    }

    async fn destroy_due(&self) -> Result<usize, KmsError> {
        let destroyed = self.kms.destroy_due(self.steady.now()).await?;
        if destroyed > 0 {
            // Destroyed means gone from the database's log as well.
            let store = self.store.clone();
            let emptied = tokio::task::spawn_blocking(move || store.checkpoint()).await;
            emptied.unwrap_or(Err(StoreError::Panicked))?;
        }
        Ok(destroyed)
    }

    async fn record_rotations(&self, rotated: &[DomainRotation], uid: u32) {
        for DomainRotation { region, generation } in rotated {
            let parameters = format!(r#"{{"region":"{region}","generation":{generation}}}"#);
            let parameters = Some(parameters.as_str());
            let event = OperatorEvent { time: clock::now(), name: "RotateDomainKey", uid, parameters, error: None };
            if let Err(error) = self.trail.record_operator(&event).await {
                tracing::error!(region, %error, "the rotation of a domain key is not in the audit log");
            }
        }
    }

    fn job<F, E>(
        &self,
        name: &'static str,
        scope: Scope,
        period: Duration,
        run: impl Fn(Self) -> F + Send + Sync + 'static,
    ) -> Job
    where
        F: Future<Output = Result<usize, E>> + Send + 'static,
        E: Display,
    {
        let this = self.clone();
        Job::new(name, scope, period, move || run(this.clone()))
    }
}
