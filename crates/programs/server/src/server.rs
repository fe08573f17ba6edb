//! A server from its start to its end: the order in which parts are opened, and closed again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use crypto::tls::LocalAuthority;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::admin::Admin;
use crate::aws_profile::{self, Endpoint};
use crate::config::Config;
use crate::connection_limiter::ConnectionLimiter;
use crate::core::Core;
use crate::data_dir::DataDir;
use crate::disk::Watch;
use crate::durable_state::DurableState;
use crate::error::ServerError;
use crate::first_start::FirstStart;
use crate::gate::Gate;
use crate::jobs::Jobs;
use crate::key_stores::Configured;
use crate::listener::Listener;
use crate::seed::Seed;
use crate::site::{Site, Traffic};
use crate::tls::{CertificateSource, Certificates};
use crate::wiring::Backend;
use crate::workers::Workers;
use crate::{authority, root_seal};

/// Threads for what blocks outside of calls: the start, background jobs, the end.
const BLOCKING_THREADS_MAX: usize = 4;

/// Descriptors that are not connections: the database, the audit log, timers.
const DESCRIPTORS_RESERVED: u64 = 64;

/// How often the certificate is looked at.
const CERTIFICATE_PERIOD: Duration = Duration::from_secs(60);

/// How often the room on the disk is looked at.
const DISK_PERIOD: Duration = Duration::from_secs(60);

/// A running server.
pub struct Server {
    address: SocketAddr,
    endpoint: Endpoint,
    first_start: Option<FirstStart>,
    ephemeral: bool,
    sealed: bool,
    site: Arc<Site<Gate<Backend>>>,
    workers: Arc<Workers>,
    accepting: JoinHandle<()>,
    admin: Admin,
    jobs: Jobs,
    core: Arc<Core>,
    grace: Duration,
    // Given up last: nobody else may open what is in it before it is closed.
    data_dir: DataDir,
}

/// Runs a server until SIGTERM or SIGINT. `announce` is called once it answers.
///
/// A second signal ends it without waiting for running requests.
///
/// # Errors
/// Every [`ServerError`].
pub fn run(config: Config, announce: impl FnOnce(&Server)) -> Result<(), ServerError> {
    // Whatever is made from here on is the owner's alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    if let Err(error) = crypto::hardening::harden_process() {
        tracing::warn!(%error, "core dumps and debuggers could not be shut out");
    }
    let config = fit_descriptors(config);

    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let server = Server::start(config).await?;
        announce(&server);
        let name = signals.next().await;
        tracing::info!("{name}: finishing what is running, taking nothing more");
        tokio::select! {
            stopped = server.stop() => stopped,
            name = signals.next() => {
                tracing::warn!("{name} again: ending at once");
                Ok(())
            }
        }
    })
}

/// The runtime of this thread: for the port, background jobs and the admin socket. Connections live on the workers.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, ServerError> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().max_blocking_threads(BLOCKING_THREADS_MAX).thread_name("sealstack-job");
    builder.build().map_err(|cause| ServerError::System { action: "start threads", cause })
}

impl Server {
    /// Opens or makes everything in the data directory, and answers requests once this returns.
    ///
    /// # Errors
    /// Every [`ServerError`].
    pub async fn start(config: Config) -> Result<Self, ServerError> {
        // Before anything is made: a mistake in it is told at once.
        if let Some(file) = &config.seed {
            Seed::read(file)?;
        }
        let data_dir = if config.ephemeral { DataDir::ephemeral()? } else { DataDir::create(&config.data)? };
        // Before anything is made: a taken port is the commonest reason not to start.
        let listener = Listener::bind(config.listen)?;
        let (address, workers) = (listener.address(), Arc::new(Workers::start(config.workers)?));
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

        let (connections, traffic) = (ConnectionLimiter::new(config.limits), Arc::<Traffic>::default());
        let bounds = (config.limits, config.allow_plain_http);
        let site = Site::new(Gate::default(), Arc::clone(&certificates), bounds, Arc::clone(&connections), traffic);
        let site = Arc::new(site);
        let sealed = gathering.is_some();
        let names = config.tls.own.is_none().then_some(names);
        let key_stores = Arc::new(Configured::new(&config.key_stores)?);
        let core = Arc::new(Core::new(layout, &config, key_stores, names, Arc::clone(&site), gathering));
        let first_start = match durable_state {
            Some(durable_state) => core.start_services(durable_state).await?,
            None => None,
        };
        let mut jobs = Jobs::default();
        jobs.always(async move { connections.sweep().await });
        jobs.every(CERTIFICATE_PERIOD, "renewing the certificate", move || {
            std::future::ready(certificates.renew(SystemTime::now()).map(usize::from))
        });
        let (disk, data) = (Watch::default(), layout.root().to_owned());
        jobs.every(DISK_PERIOD, "looking at the disk", move || std::future::ready(disk.look(&data).map(|()| 0)));
        let admin = Admin::listen(layout, Arc::clone(&core))?;
        let accepting = tokio::spawn(listener.accept(Arc::clone(&site), Arc::clone(&workers)));
        // Last: whoever waits for the profile finds a server that answers.
        aws_profile::write_config(layout, &endpoint)?;

        let (grace, ephemeral) = (config.limits.shutdown_timeout, config.ephemeral);
        let server = Self {
            address,
            endpoint,
            first_start,
            ephemeral,
            sealed,
            site,
            workers,
            accepting,
            admin,
            jobs,
            core,
            grace,
            data_dir,
        };
        server.log_startup(&config);
        Ok(server)
    }

    /// Where it listens, with the port that it got.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients need to know to reach it.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What was made, if this was the first start in its directory.
    #[must_use]
    pub const fn first_start(&self) -> Option<&FirstStart> {
        self.first_start.as_ref()
    }

    /// Whether everything is kept in memory.
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
        let Self { site, workers, accepting, admin, jobs, core, grace, data_dir, .. } = self;
        site.draining.store(true, Ordering::Relaxed);
        accepting.abort();
        // It was just told to end; however it ended, the port is free.
        let _ = accepting.await;
        site.connections.drain(grace).await;
        jobs.stop().await;
        admin.stop().await;
        drop(site);
        let closed = core.close().await;
        if let Some(workers) = Arc::into_inner(workers) {
            workers.stop().await;
        }
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

/// What asks the server to end.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, ServerError> {
        let listen = |kind| signal(kind).map_err(|cause| ServerError::System { action: "hand over signals", cause });
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
