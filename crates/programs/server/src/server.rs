//! A server from its start to its end: the order in which parts are opened, and closed again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use front::{CertificateSource, Certificates, Front, Listener, Serving, Workers};
use jobs::{History, Job, Jobs, Scope};
use pki::LocalAuthority;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;

use crate::admin::Admin;
use crate::application::AwsHttp;
use crate::aws_profile::{self, Endpoint};
use crate::config::Config;
use crate::core::Core;
use crate::data_dir::DataDir;
use crate::disk::Watch;
use crate::durable_state::DurableState;
use crate::error::ServerError;
use crate::first_start::FirstStart;
use crate::key_stores::Configured;
use crate::seed::Seed;
use crate::triggers::Destinations;
use crate::{authority, host_names, root_seal};

/// Descriptors that are not connections: the database, the audit log, timers.
const DESCRIPTORS_RESERVED: u64 = 64;

/// How often the certificate is checked.
const CERTIFICATE_PERIOD: Duration = Duration::from_secs(60);

/// How often the free space of the disk is checked.
const DISK_PERIOD: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    address: SocketAddr,
    endpoint: Endpoint,
    first_start: Option<FirstStart>,
    ephemeral: bool,
    sealed: bool,
    serving: Serving,
    admin: Admin,
    jobs: Jobs,
    core: Arc<Core>,
    // Released last: nobody else may open what is in it before it is closed.
    data_dir: DataDir,
}

/// Runs a server until SIGTERM or SIGINT. `announce` is called once it answers.
///
/// A second signal ends it without waiting for running requests.
///
/// # Errors
/// Every [`ServerError`].
pub fn run(config: Config, announce: impl FnOnce(&Server)) -> Result<(), ServerError> {
    front::process::harden();
    let config = fit_descriptors(config);
    front::process::run(|| Server::start(config), announce, Server::stop)
}

impl Server {
    /// Opens or makes everything in the data directory, and answers requests once this returns.
    ///
    /// # Errors
    /// Every [`ServerError`].
    pub async fn start(config: Config) -> Result<Self, ServerError> {
        // Before anything is made: a mistake in it is reported at once.
        if let Some(file) = &config.seed {
            Seed::read(file)?;
        }
        let data_dir = if config.ephemeral { DataDir::ephemeral()? } else { DataDir::create(&config.data)? };
        // Before anything is made: a taken port is the commonest reason not to start.
        let listener = Listener::bind(config.listen)?;
        let ssh = match config.ssh_listen {
            Some(address) => Some(
                TcpListener::bind(address)
                    .await
                    .map_err(|cause| ServerError::System { action: "listen for Git over SSH", cause })?,
            ),
            None => None,
        };
        let (address, workers) = (listener.address(), Workers::start(config.workers)?);
        let layout = data_dir.layout();
        let (durable_state, gathering) = if config.ephemeral {
            (Some(DurableState::in_memory(layout, &config.audit).await?), None)
        } else {
            match root_seal::source(layout, &config.seal)? {
                root_seal::SealSource::Ready(seal) => {
                    (Some(DurableState::open(layout, &Arc::new(seal), &config.audit).await?), None)
                }
                root_seal::SealSource::People(gathering) => (None, Some(gathering)),
            }
        };

        let mut names = config.tls.names.clone();
        if !address.ip().is_unspecified() {
            names.push(address.ip().to_string());
        }
        let certificates = Arc::new(Certificates::new(match (&config.tls.own, &durable_state) {
            (Some(own), _) => CertificateSource::Own(own.clone()),
            (None, Some(durable_state)) => {
                CertificateSource::Local(authority::open(&durable_state.store, layout).await?, names.clone())
            }
            // The authority's key is sealed as well. What stands in for it lets those in who look at nothing but health.
            (None, None) => CertificateSource::Local(
                LocalAuthority::create(SystemTime::now()).map_err(ServerError::Certificate)?,
                names.clone(),
            ),
        })?);
        let endpoint = Endpoint {
            url: config.endpoint_url.clone().unwrap_or_else(|| aws_profile::local_url(address)),
            ca_bundle: config.tls.own.is_none().then(|| layout.ca_certificate()),
            region: config.region.clone(),
        };

        let hosts = host_names::hosts(&config.tls.names, &endpoint.url, &config.region);
        let front = Front::new(AwsHttp::default(), Arc::clone(&certificates), config.limits, config.allow_plain_http);
        let front = Arc::new(front);
        let sealed = gathering.is_some();
        let names = config.tls.own.is_none().then_some(names);
        let history = History::default();
        let key_stores = Arc::new(Configured::new(&config.key_stores)?);
        let triggers = Arc::new(Destinations::new(&config.triggers)?);
        let core = Core::new(layout, &config, key_stores, names, Arc::clone(&front), history.clone(), gathering);
        let core = Arc::new(core.at(&endpoint.url, ssh).with_triggers(triggers).with_hosts(hosts));
        let first_start = match durable_state {
            Some(durable_state) => core.start_services(durable_state).await?,
            None => None,
        };
        let mut jobs = Jobs::recorded_in(history);
        jobs.start(Job::new("renew-certificate", Scope::EachServer, CERTIFICATE_PERIOD, move || {
            std::future::ready(certificates.renew(SystemTime::now()).map(usize::from))
        }));
        let (disk, data) = (Watch::default(), layout.root().to_owned());
        jobs.start(Job::new("watch-disk", Scope::EachServer, DISK_PERIOD, move || {
            std::future::ready(disk.look(&data).map(|()| 0))
        }));
        let admin = Admin::listen(layout, Arc::clone(&core))?;
        let serving = front.serve(listener, workers);
        // Last: whoever waits for the profile finds a server that answers.
        aws_profile::write_config(layout, &endpoint)?;

        let ephemeral = config.ephemeral;
        let server = Self { address, endpoint, first_start, ephemeral, sealed, serving, admin, jobs, core, data_dir };
        server.log_startup(&config);
        Ok(server)
    }

    /// Where it listens, with the port that it got.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its endpoint, for clients' configuration.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The account and credentials that were made, if this was the first start in its directory.
    #[must_use]
    pub const fn first_start(&self) -> Option<&FirstStart> {
        self.first_start.as_ref()
    }

    /// Whether everything is in memory only.
    #[must_use]
    pub const fn ephemeral(&self) -> bool {
        self.ephemeral
    }

    /// Whether it awaited shares of its root key when it started.
    #[must_use]
    pub const fn started_sealed(&self) -> bool {
        self.sealed
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data_dir.layout().root().to_owned()
    }

    /// Takes no more requests, finishes those that are running, and writes everything out.
    ///
    /// # Errors
    /// [`ServerError::Store`] and [`ServerError::Journal`] when something could not be written out. What was
    /// acknowledged is durable in any case.
    pub async fn stop(self) -> Result<(), ServerError> {
        let Self { serving, admin, jobs, core, data_dir, .. } = self;
        let drained = serving.drain().await;
        jobs.stop().await;
        admin.stop().await;
        let closed = core.close().await;
        drained.stop().await;
        drop(data_dir);
        closed?;
        tracing::info!("stopped");
        Ok(())
    }

    fn log_startup(&self, config: &Config) {
        let (address, url) = (self.address, &self.endpoint.url);
        tracing::info!(%address, url, data = %self.data().display(), "listening");
        if config.ephemeral {
            tracing::info!("everything is kept in memory and ends with this server");
        }
        if self.sealed {
            tracing::warn!("the root key is sealed: every call is refused until its shares are given");
        }
        if config.allow_plain_http && !address.ip().is_loopback() {
            tracing::warn!("plain HTTP is answered on {address}: plaintext keys cross the network readable");
        }
        let memory = crypto::locked_memory();
        if memory.unlocked_bytes > 0 {
            tracing::warn!("keys may be swapped to disk: raise the limit of locked memory (ulimit -l)");
        }
    }
}

/// Raises the limit of descriptors as far as it goes, and takes no more connections than it allows.
fn fit_descriptors(mut config: Config) -> Config {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(config.limits.connections_max).unwrap_or(u64::MAX).saturating_add(DESCRIPTORS_RESERVED);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
        if setrlimit(Resource::Nofile, rustix::process::Rlimit { current: Some(raised), ..limit }).is_ok() {
            limit.current = Some(raised);
        }
    }
    if let Some(current) = limit.current.filter(|&current| current < wanted) {
        let fitting = usize::try_from(current.saturating_sub(DESCRIPTORS_RESERVED)).unwrap_or(usize::MAX).max(1);
        tracing::warn!(connections_max = fitting, "fewer connections than configured: raise the limit of open files");
        config.limits.connections_max = fitting;
    }
    config
}
