//! Where the parts meet: which services there are, who authorises for them, what is counted and what runs beside.

use std::sync::Arc;

use blobs::Blobs;
use cloudtrail::CloudTrail;
use codecommit::transfer::Transfers;
use codecommit::{Addresses, CodeCommit};
use front::Statistics;
use front::pages::HealthProblem;
use git::Git;
use git_front::ssh::GitSsh;
use git_front::{GitHttp, Tokens};
use iam::{Iam, Sts};
use jobs::{History, Job};
use kms::{Kms, ServiceDataKeys};
use s3::S3;
use service::ports::{Authority, DataKeys, EventDelivery, Principals};
use service::{Core, Deliveries, Gateway, Head, Hosts, Observer, Performer, Regions, Reply, Trail};

use crate::application::{Api, Arriving};
use crate::clock;
use crate::data_dir::Layout;
use crate::durable_state::DurableState;
use crate::error::ServerError;
use crate::key_stores::Configured;
use crate::metrics::{Metrics, Sources, State};
use crate::modules::kms::KmsModule;
use crate::modules::{self, Flush, Module, Mounted};
use crate::repositories::Repositories;
use crate::triggers::Destinations;

/// The server's name and version for clients of Git.
const AGENT: &str = concat!("sealstack/", env!("CARGO_PKG_VERSION"));

/// The surroundings of the services: their configuration, and what is measured around them.
pub(crate) struct Surroundings<'a> {
    /// The ways to the destinations of triggers.
    pub(crate) triggers: Arc<Destinations>,
    pub(crate) key_stores: Arc<Configured>,
    pub(crate) regions: &'a Regions,
    /// Days for which a region's domain key serves.
    pub(crate) domain_key_days: u32,
    pub(crate) front: Statistics,
    pub(crate) history: History,
    /// The Region of repositories.
    pub(crate) region: &'a str,
    /// The storage of the packs of repositories.
    pub(crate) blobs: Blobs,
    /// The names under which buckets have hosts.
    pub(crate) hosts: Hosts,
    /// The URL reported to clients.
    pub(crate) url: &'a str,
    /// The port of Git over SSH, if it is served.
    pub(crate) ssh_port: Option<u16>,
}

/// The services, for what runs beside the requests.
pub(crate) struct Services {
    kms: KmsModule,
    flushes: Vec<Flush>,
    repositories: Arc<Repositories>,
    /// Git over SSH, until it is served.
    ssh: Option<GitSsh>,
}

/// The services, for the requests.
pub(crate) struct Backend {
    gateway: Gateway,
    git: GitHttp,
    trail: Trail,
    metrics: Metrics,
}

/// Makes every service over what lasts, one gateway to them, and the jobs that run beside them.
pub(crate) fn join(
    durable_state: &DurableState,
    layout: &Layout,
    surroundings: Surroundings<'_>,
) -> (Services, Backend, Vec<Job>) {
    let DurableState { store, journal, trail, audit_key, steady, .. } = durable_state;
    let Surroundings {
        key_stores,
        regions,
        domain_key_days,
        front,
        history,
        region,
        url,
        blobs,
        ssh_port,
        triggers,
        hosts,
    } = surroundings;
    let iam = Arc::new(Iam::new(store.clone()).with_provider_keys(layout.provider_keys()));
    let kms = Kms::new(store.clone(), Arc::clone(&iam) as Arc<dyn Principals>);
    let kms = Arc::new(kms.with_key_stores(key_stores).in_regions(regions.clone()));
    let kms = KmsModule::new(kms, store.clone(), trail.clone(), Arc::clone(steady));
    let mut modules = vec![
        kms.module(domain_key_days),
        Module::of(&Arc::new(Sts::new(Arc::clone(&iam)))),
        modules::iam::module(&iam),
        Module::of(&Arc::new(CloudTrail::new(layout.audit(), Arc::clone(audit_key)))),
    ];

    // CodeCommit and S3 call KMS as their own callers, and those calls are counted as well.
    let meters = Arc::new(modules::meters(&modules).with::<CodeCommit>().with::<S3>());
    let observer: Arc<dyn Observer> = Arc::clone(&meters) as _;
    let authority = Arc::clone(&iam) as Arc<dyn Authority>;
    let core = Core::new(Arc::clone(&authority), trail.clone(), observer, clock::now).in_regions(regions.clone());
    let core = Arc::new(core);
    let data_keys: Arc<dyn DataKeys> = Arc::new(ServiceDataKeys::new(Performer::new(Arc::clone(&core), kms.service())));
    let s3 = Arc::new(S3::new(
        store.clone(),
        buckets::Contents::new(store.clone(), blobs.clone()),
        iam as Arc<dyn Principals>,
        Arc::clone(&data_keys),
    ));
    let git = Git::new(store.clone(), blobs.clone(), git::Settings::default());
    let codecommit = CodeCommit::new(store.clone(), git.clone(), data_keys);
    let triggers = triggers as Arc<dyn EventDelivery>;
    let codecommit = codecommit.with_trigger_delivery(Arc::clone(&triggers));
    let codecommit = Arc::new(codecommit.with_addresses(Addresses { ssh_port, ..Addresses::default() }));
    let performer = Performer::new(Arc::clone(&core), Arc::clone(&codecommit));
    let transfers = Transfers::new(performer, git.clone(), AGENT);
    let repositories = Arc::new(Repositories {
        transfers: transfers.clone(),
        authority: Arc::clone(&authority),
        trail: trail.clone(),
        steady: Arc::clone(steady),
    });
    let tokens = Tokens::default();
    let ssh = GitSsh::new(transfers.clone(), Arc::clone(&authority), region.to_owned(), clock::now);
    let ssh = ssh.with_lfs(url, tokens.clone());
    let http = GitHttp::new(transfers, authority, region.to_owned(), clock::now).with_tokens(tokens);
    modules.push(modules::codecommit::module(&codecommit, git, Arc::clone(steady)));
    modules.push(modules::s3::module(&s3, Arc::clone(steady)));
    let Mounted { gateway, mut jobs, flushes } = modules::mount(modules, Gateway::new(core).with_hosts(hosts));
    jobs.extend(modules::storage::jobs(durable_state));
    jobs.push(modules::deliveries::job(Deliveries::new(store.clone(), triggers)));
    jobs.push(modules::storage::sweep(durable_state, blobs));

    let (counted, audited, timed) = (store.clone(), journal.clone(), Arc::clone(steady));
    let metrics = Metrics::new(Sources {
        meters,
        front,
        jobs: history,
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
    (
        Services { kms, flushes, repositories, ssh: Some(ssh) },
        Backend { gateway, git: http, trail: trail.clone(), metrics },
        jobs,
    )
}

impl Services {
    /// Gives a new domain key to every region. Returns how many there are.
    pub(crate) async fn rotate_domain_keys(&self, uid: u32) -> Result<usize, ServerError> {
        self.kms.rotate_domain_keys(uid).await
    }

    /// The repositories, for operators.
    pub(crate) fn repositories(&self) -> Arc<Repositories> {
        Arc::clone(&self.repositories)
    }

    /// Git over SSH, for whoever serves it. Once.
    pub(crate) const fn take_ssh(&mut self) -> Option<GitSsh> {
        self.ssh.take()
    }

    /// Writes what is only in memory, before the end.
    pub(crate) async fn finish(&self) {
        for flush in &self.flushes {
            flush().await;
        }
    }
}

impl Api for Backend {
    async fn serve(&self, head: Head<'_>, body: Arriving<'_>) -> Reply {
        self.gateway.serve(head, body).await
    }

    fn is_below_name(&self, head: &Head<'_>) -> bool {
        self.gateway.is_below_name(head)
    }

    fn git(&self) -> Option<&GitHttp> {
        Some(&self.git)
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
