//! Where the parts meet: which services there are, who authorises for them, what is counted and what runs beside.

use std::sync::Arc;
use std::time::Duration;

use cloudtrail::CloudTrail;
use front::Statistics;
use front::pages::HealthProblem;
use iam::{Iam, Sts};
use kms::{DomainRotation, Kms};
use service::ports::{Authority, Principals};
use service::{Core, Gateway, Head, Observer, OperatorEvent, Regions, Reply, Trail};
use store::Store;
use tokio::sync::Notify;

use crate::application::{Api, Arriving};
use crate::clock;
use crate::data_dir::Layout;
use crate::durable_state::{Anchoring, DurableState, own_uid};
use crate::error::ServerError;
use crate::jobs::Jobs;
use crate::key_stores::Configured;
use crate::metrics::{Meters, Metrics, Sources, State};
use crate::rows;
use crate::steady::Steady;

/// How often it is looked whether the clock jumped.
const CLOCK_PERIOD: Duration = Duration::from_secs(60);

/// How often keys whose waiting period is over are destroyed.
const DESTRUCTION_PERIOD: Duration = Duration::from_secs(60);

/// How often it is looked whether a domain key has served its time, and what is left to be done for that.
const DOMAIN_KEYS_PERIOD: Duration = Duration::from_secs(3600);

/// How often keys that are due get new material.
const ROTATION_PERIOD: Duration = Duration::from_secs(300);

/// How often imported material that has expired, and is not used any more, is removed.
const EXPIRY_PERIOD: Duration = Duration::from_secs(30);

/// How often keys in tokens that nobody needs are destroyed, and interrupted connections gone on with.
const KEY_STORES_PERIOD: Duration = Duration::from_secs(10);

/// How often events of changes that the audit log could not take are offered to it again, and those removed from the
/// outbox that it has.
const OUTBOX_PERIOD: Duration = Duration::from_secs(1);

/// How often it is looked whether the anchors have something new to say.
const ANCHOR_PERIOD: Duration = Duration::from_secs(1);

/// How often the last usages of keys are written.
const LAST_USAGES_PERIOD: Duration = Duration::from_secs(60);

/// How often the last uses of access keys are written.
const LAST_USES_PERIOD: Duration = Duration::from_secs(60);

/// The services, for what runs beside the requests.
pub(crate) struct Services {
    iam: Arc<Iam>,
    kms: Arc<Kms>,
    store: Store,
    trail: Trail,
    anchoring: Option<Anchoring>,
    steady: Arc<Steady>,
    /// Told when there is something to be wrapped under new domain keys.
    domain_keys: Arc<Notify>,
}

/// The services, for the requests.
pub(crate) struct Backend {
    gateway: Gateway,
    trail: Trail,
    metrics: Metrics,
}

/// Makes every service over what lasts, and one gateway to them.
pub(crate) fn join(
    durable_state: &DurableState,
    layout: &Layout,
    (key_stores, regions): (Arc<Configured>, &Regions),
    front: Statistics,
) -> (Services, Backend) {
    let DurableState { store, journal, trail: audit, audit_key, steady, .. } = durable_state;
    let iam = Arc::new(Iam::new(store.clone()).with_provider_keys(layout.provider_keys()));
    let sts = Arc::new(Sts::new(Arc::clone(&iam)));
    let kms = Kms::new(store.clone(), Arc::clone(&iam) as Arc<dyn Principals>);
    let kms = Arc::new(kms.with_key_stores(key_stores).in_regions(regions.clone()));

    let trail = Arc::new(CloudTrail::new(layout.audit(), Arc::clone(audit_key)));

    let meters = Arc::new(Meters::new().with::<Kms>().with::<Sts>().with::<Iam>().with::<CloudTrail>());
    let authority: Arc<dyn Authority> = Arc::clone(&iam) as _;
    let observer: Arc<dyn Observer> = Arc::clone(&meters) as _;
    let core = Core::new(authority, audit.clone(), observer, clock::now).in_regions(regions.clone());
    let gateway = Gateway::new(Arc::new(core)).with(Arc::clone(&kms)).with(sts).with(Arc::clone(&iam)).with(trail);

    let (counted, audited, timed) = (store.clone(), journal.clone(), Arc::clone(steady));
    let metrics = Metrics::new(Sources {
        meters,
        front,
        data: layout.root().to_owned(),
        state: Box::new(move || {
            let writes = counted.write_counts();
            State {
                audit_healthy: audited.healthy(),
                audit_waiting_bytes: audited.waiting_bytes(),
                outbox_waiting: writes.events_waiting,
                transactions: writes.closures,
                commits: writes.commits,
                clock_ahead: timed.jump().map_or(0, |jump| jump.clock.millis() - jump.known.millis()) / 1000,
            }
        }),
    });
    let (store, trail, domain_keys) = (store.clone(), audit.clone(), Arc::default());
    let (anchoring, steady) = (durable_state.anchoring(), Arc::clone(steady));
    let wired = Services { iam, kms, store, trail, anchoring, steady, domain_keys };
    (wired, Backend { gateway, trail: audit.clone(), metrics })
}

impl Services {
    /// Adds what the services do by themselves.
    pub(crate) fn schedule(&self, jobs: &mut Jobs, domain_key_days: u32) {
        let (kms, trail, asked) = (Arc::clone(&self.kms), self.trail.clone(), Arc::clone(&self.domain_keys));
        let (steady, name) = (Arc::clone(&self.steady), "wrapping key material under new domain keys");
        jobs.every_or_when(DOMAIN_KEYS_PERIOD, asked, name, move || {
            let (kms, trail, steady) = (Arc::clone(&kms), trail.clone(), Arc::clone(&steady));
            async move {
                let turnover = kms.turn_over_domain_keys(steady.now(), domain_key_days).await?;
                record_rotations(&trail, &turnover.rotated, own_uid()).await;
                Ok::<_, kms::KmsError>(turnover.rewrapped + turnover.dropped)
            }
        });
        // What destroys goes by a time that does not jump ahead.
        let steady = Arc::clone(&self.steady);
        jobs.every(CLOCK_PERIOD, "watching the clock", move || {
            let steady = Arc::clone(&steady);
            async move { steady.tick().await.map(|()| 0) }
        });
        let (kms, store, steady) = (Arc::clone(&self.kms), self.store.clone(), Arc::clone(&self.steady));
        jobs.every(DESTRUCTION_PERIOD, "destroying keys", move || {
            let (kms, store, steady) = (Arc::clone(&kms), store.clone(), Arc::clone(&steady));
            async move {
                let destroyed = kms.destroy_due(steady.now()).await?;
                if destroyed > 0 {
                    // Destroyed means gone from the database's log as well.
                    let emptied = tokio::task::spawn_blocking(move || store.checkpoint()).await;
                    emptied.unwrap_or(Err(store::StoreError::Panicked))?;
                }
                Ok::<_, kms::KmsError>(destroyed)
            }
        });
        let (store, trail) = (self.store.clone(), self.trail.clone());
        jobs.every(OUTBOX_PERIOD, "moving events from the outbox to the audit log", move || {
            let (store, trail) = (store.clone(), trail.clone());
            async move {
                trail.record_suppressed(clock::now())?;
                if store.write_counts().events_waiting > 0 {
                    store.tidy().await?;
                }
                Ok::<_, ServerError>(0)
            }
        });
        if let Some(anchoring) = self.anchoring.clone() {
            jobs.always(rows::verify(self.store.clone(), self.trail.clone()));
            jobs.every(ANCHOR_PERIOD, "writing the anchors", move || {
                let anchoring = anchoring.clone();
                async move { anchoring.keep().await.map(|()| 0) }
            });
        }
        let (kms, steady) = (Arc::clone(&self.kms), Arc::clone(&self.steady));
        jobs.every(KEY_STORES_PERIOD, "tending custom key stores", move || {
            let (kms, steady) = (Arc::clone(&kms), Arc::clone(&steady));
            async move { kms.tend_key_stores(steady.now()).await }
        });
        let kms = Arc::clone(&self.kms);
        jobs.every(ROTATION_PERIOD, "rotating keys", move || {
            let kms = Arc::clone(&kms);
            async move { kms.rotate_due(clock::now()).await }
        });
        let (kms, steady) = (Arc::clone(&self.kms), Arc::clone(&self.steady));
        jobs.every(EXPIRY_PERIOD, "removing expired key material", move || {
            let (kms, steady) = (Arc::clone(&kms), Arc::clone(&steady));
            async move { kms.expire_due(steady.now()).await }
        });
        let kms = Arc::clone(&self.kms);
        jobs.every(LAST_USAGES_PERIOD, "writing the last usages of keys", move || {
            let kms = Arc::clone(&kms);
            async move { kms.flush_last_usages().await.map(|_| 0) }
        });
        let iam = Arc::clone(&self.iam);
        jobs.every(LAST_USES_PERIOD, "writing the last uses of access keys", move || {
            let iam = Arc::clone(&iam);
            async move { iam.flush_last_uses().await.map(|()| 0) }
        });
    }

    /// Gives a new domain key to every region, and has all that the old ones wrap wrapped anew in the background. `uid`
    /// is the user who wants it. Returns how many there are.
    pub(crate) async fn rotate_domain_keys(&self, uid: u32) -> Result<usize, ServerError> {
        let rotated = self.kms.rotate_domain_keys(self.steady.now()).await?;
        self.domain_keys.notify_one();
        record_rotations(&self.trail, &rotated, uid).await;
        Ok(rotated.len())
    }

    /// Writes what is only in memory, before the end.
    pub(crate) async fn finish(&self) {
        if let Err(error) = self.kms.flush_last_usages().await {
            tracing::warn!(%error, "the last usages of keys since a minute ago are not written");
        }
        if let Err(error) = self.iam.flush_last_uses().await {
            tracing::warn!(%error, "the last uses of access keys since a minute ago are not written");
        }
    }
}

async fn record_rotations(trail: &Trail, rotated: &[DomainRotation], uid: u32) {
    for DomainRotation { region, generation } in rotated {
        let parameters = format!(r#"{{"region":"{region}","generation":{generation}}}"#);
        let parameters = Some(parameters.as_str());
        let action = OperatorEvent { time: clock::now(), name: "RotateDomainKey", uid, parameters, error: None };
        if let Err(error) = trail.record_operator(&action).await {
            tracing::error!(region, %error, "the rotation of a domain key is not in the audit log");
        }
    }
}

impl Api for Backend {
    async fn serve(&self, head: Head<'_>, body: Arriving<'_>) -> Reply {
        self.gateway.serve(head, body).await
    }

    fn health_problem(&self) -> Option<HealthProblem> {
        if self.trail.is_stopped() {
            return Some(HealthProblem::unavailable("the database was changed while no server ran: see the log"));
        }
        (!self.trail.healthy()).then_some(HealthProblem::unavailable("the audit log cannot be written"))
    }

    fn metrics(&self) -> String {
        self.metrics.text()
    }
}
