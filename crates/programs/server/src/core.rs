//! Everything that opens with the root key: the database, the audit log, the services over them and their jobs.
//!
//! Sealed, open or closed. Knows nothing of sockets; who may ask for what is the admin socket's.

use std::sync::Arc;

use front::{CertificateSource, Front};
use jobs::{History, Jobs};
use seal::{Gathering, Progress, Share};
use service::{Hosts, Regions};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::application::AwsHttp;
use crate::authority;
use crate::backup;
use crate::blob_place;
use crate::config::{AuditConfig, Config};
use crate::data_dir::Layout;
use crate::durable_state::{DurableState, Rotated};
use crate::error::ServerError;
use crate::first_start::{self, FirstStart, World};
use crate::gate::Gate;
use crate::host_key;
use crate::key_stores::Configured;
use crate::repositories::Repositories;
use crate::rows;
use crate::steady::ClockJump;
use crate::triggers::Destinations;
use crate::wiring::{self, Backend, Services, Surroundings};

/// The front before the services of this server.
pub(crate) type ServerFront = Front<AwsHttp<Gate<Backend>>>;

/// The parts of the server that open with the root key.
pub(crate) struct Core {
    layout: Layout,
    audit: AuditConfig,
    world: World,
    domain_key_days: u32,
    /// The kind of seal that is configured.
    sealed_by: Option<seal::Kind>,
    key_stores: Arc<Configured>,
    regions: Regions,
    /// The Region reported to clients.
    region: String,
    /// The URL reported to clients.
    url: String,
    hosts: Hosts,
    /// The ways to the destinations of triggers.
    triggers: Arc<Destinations>,
    /// The place of blobs, if it is not the usual one.
    blobs: Option<String>,
    /// Where Git is served over SSH, until it is.
    ssh: Mutex<Option<TcpListener>>,
    /// The names in the local authority's certificate; none with a certificate of the operator's own.
    names: Option<Vec<String>>,
    front: Arc<ServerFront>,
    history: History,
    state: Mutex<State>,
}

enum State {
    /// Shares of the root key are awaited.
    Sealed(Gathering),
    Open(Box<Open>),
    Closed,
}

struct Open {
    durable_state: DurableState,
    ssh: Option<git_front::ssh::Running>,
    wired: Services,
    jobs: Jobs,
}

/// Outcome of a share.
pub(crate) enum Unsealing {
    /// More are needed.
    Awaiting(Progress),
    /// The server is open: now, or since before.
    Done,
}

impl Core {
    /// A core that awaits shares, or one that is about to be opened.
    pub(crate) fn new(
        layout: &Layout,
        config: &Config,
        key_stores: Arc<Configured>,
        names: Option<Vec<String>>,
        front: Arc<ServerFront>,
        history: History,
        gathering: Option<Gathering>,
    ) -> Self {
        let state = gathering.map_or(State::Closed, State::Sealed);
        let (world, sealed_by) = (World::from(config), config.seal.kind.map(seal::Kind::from));
        let (layout, audit, domain_key_days) = (layout.clone(), config.audit.clone(), config.domain_key_days);
        let (regions, state) = (config.regions.clone(), Mutex::new(state));
        let (region, blobs, ssh) = (config.region.clone(), config.blobs.clone(), Mutex::default());
        Self {
            layout,
            audit,
            world,
            domain_key_days,
            sealed_by,
            key_stores,
            regions,
            region,
            url: String::new(),
            hosts: Hosts::default(),
            triggers: Arc::default(),
            blobs,
            ssh,
            names,
            front,
            history,
            state,
        }
    }

    /// The same with the ways to the destinations of triggers.
    pub(crate) fn with_triggers(mut self, triggers: Arc<Destinations>) -> Self {
        self.triggers = triggers;
        self
    }

    /// The same at the URL reported to clients, and with Git over SSH on `ssh`.
    pub(crate) fn at(mut self, url: &str, ssh: Option<TcpListener>) -> Self {
        url.clone_into(&mut self.url);
        self.ssh = Mutex::new(ssh);
        self
    }

    /// The same with names under which buckets have hosts.
    pub(crate) fn with_hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Puts the services over what was opened, and lets requests through to them.
    pub(crate) async fn start_services(&self, durable_state: DurableState) -> Result<Option<FirstStart>, ServerError> {
        self.start_services_locked(&mut *self.state.lock().await, durable_state).await
    }

    async fn start_services_locked(
        &self,
        state: &mut State,
        durable_state: DurableState,
    ) -> Result<Option<FirstStart>, ServerError> {
        let first_start = first_start::finish(&durable_state.store, &self.layout, &self.world).await?;
        let surroundings = Surroundings {
            key_stores: Arc::clone(&self.key_stores),
            regions: &self.regions,
            domain_key_days: self.domain_key_days,
            front: self.front.statistics(),
            history: self.history.clone(),
            region: &self.region,
            hosts: self.hosts.clone(),
            url: &self.url,
            triggers: Arc::clone(&self.triggers),
            blobs: blob_place::open(&self.layout, self.blobs.as_deref()).await?,
            ssh_port: self.ssh.lock().await.as_ref().and_then(git_front::ssh::address).map(|address| address.port()),
        };
        let (mut wired, backend, list) = wiring::join(&durable_state, &self.layout, surroundings);
        let mut jobs = Jobs::recorded_in(self.history.clone());
        list.into_iter().for_each(|job| jobs.start(job));
        if durable_state.anchoring().is_some() {
            jobs.start_once(rows::verify(durable_state.store.clone(), durable_state.trail.clone()));
        }
        let ssh = match (self.ssh.lock().await.take(), wired.take_ssh()) {
            (Some(listener), Some(git)) => {
                let host_key = host_key::open(&durable_state.store).await?;
                tracing::info!(
                    address = ?git_front::ssh::address(&listener),
                    fingerprint = host_key.fingerprint(),
                    "serving Git over SSH"
                );
                Some(git.serve(listener, &host_key))
            }
            _ => None,
        };
        self.front.application().0.open(backend);
        *state = State::Open(Box::new(Open { durable_state, wired, jobs, ssh }));
        Ok(first_start)
    }

    /// How many shares are awaited; `None` when it is not sealed.
    pub(crate) async fn awaiting(&self) -> Option<Progress> {
        match &*self.state.lock().await {
            State::Sealed(gathering) => gathering.progress(),
            State::Open(_) | State::Closed => None,
        }
    }

    /// Takes a share, and opens everything once there are enough. `uid` is the user who gave it.
    pub(crate) async fn unseal(&self, share: Share, uid: u32) -> Result<Unsealing, ServerError> {
        let mut state = self.state.lock().await;
        let State::Sealed(gathering) = &mut *state else { return Ok(Unsealing::Done) };
        let Some(key) = gathering.add(share)? else {
            let progress = gathering.progress().ok_or(ServerError::Misunderstood)?;
            return Ok(Unsealing::Awaiting(progress));
        };
        // Right or wrong, they have done what they can.
        gathering.reset();
        let opened = DurableState::open(&self.layout, &Arc::new(seal::SealConfig::Shares(key)), &self.audit).await;
        let durable_state = opened.map_err(|error| match error {
            ServerError::Seal(seal::SealError::WrongShares) => seal::ShareError::Forged.into(),
            error => error,
        })?;
        if let Some(names) = &self.names {
            let authority = authority::open(&durable_state.store, &self.layout).await?;
            self.front.certificates().replace(CertificateSource::Local(authority, names.clone()))?;
        }
        durable_state.record("UnsealRootKey", uid, None, None).await?;
        self.start_services_locked(&mut state, durable_state).await?;
        tracing::info!("unsealed");
        Ok(Unsealing::Done)
    }

    /// Forgets the shares that were given.
    pub(crate) async fn forget_shares(&self) {
        if let State::Sealed(gathering) = &mut *self.state.lock().await {
            gathering.reset();
        }
    }

    /// Replaces the root key and its seal while the server serves.
    pub(crate) async fn rotate_root(
        &self,
        current: seal::SealConfig,
        next: seal::SealConfig,
        uid: u32,
    ) -> Result<Rotated, ServerError> {
        // Locked to the end: one rotation at a time, and the server's end waits for it.
        let state = self.state.lock().await;
        let State::Open(open) = &*state else { return Err(ServerError::Sealed) };
        let rotated = open.durable_state.rotate_root(&self.layout, &Arc::new(current), next, uid).await?;
        tracing::info!(generation = rotated.generation, "the root key and its seal were replaced");
        Ok(Rotated { configured: self.sealed_by, ..rotated })
    }

    /// Replaces the domain keys; what they wrap is wrapped again in the background. Returns how many there are.
    pub(crate) async fn rotate_domain_keys(&self, uid: u32) -> Result<usize, ServerError> {
        let state = self.state.lock().await;
        let State::Open(open) = &*state else { return Err(ServerError::Sealed) };
        open.wired.rotate_domain_keys(uid).await
    }

    /// The repositories, for what operators do to them.
    pub(crate) async fn repositories(&self) -> Result<Arc<Repositories>, ServerError> {
        let state = self.state.lock().await;
        let State::Open(open) = &*state else { return Err(ServerError::Sealed) };
        Ok(open.wired.repositories())
    }

    /// The jump of the clock that is not believed, if there is one.
    pub(crate) async fn clock_jump(&self) -> Result<Option<ClockJump>, ServerError> {
        let state = self.state.lock().await;
        let State::Open(open) = &*state else { return Err(ServerError::Sealed) };
        Ok(open.durable_state.steady.jump())
    }

    /// Believes the clock, as `uid` wants. Returns the jump that was not believed before.
    pub(crate) async fn accept_clock(&self, uid: u32) -> Result<Option<ClockJump>, ServerError> {
        let state = self.state.lock().await;
        let State::Open(open) = &*state else { return Err(ServerError::Sealed) };
        let Some(jump) = open.durable_state.steady.jump() else { return Ok(None) };
        let parameters = format!(r#"{{"known":"{}","clock":"{}"}}"#, jump.known.iso8601(), jump.clock.iso8601());
        // First: what cannot be audited does not happen.
        open.durable_state.record("AcceptClock", uid, Some(&parameters), None).await?;
        open.durable_state.steady.accept().await?;
        tracing::warn!(uid, clock = jump.clock.iso8601(), "an operator accepted the clock: what is due is destroyed");
        Ok(Some(jump))
    }

    /// Makes the key that authenticates backups, unless it exists.
    pub(crate) async fn prepare_backup(&self) -> Result<(), ServerError> {
        let state = self.state.lock().await;
        let State::Open(open) = &*state else { return Err(ServerError::Sealed) };
        open.durable_state.store.keyring().key(backup::KEY).await?;
        Ok(())
    }

    /// Authenticates a backup by its manifest's digest, and records that `uid` made it. Returns the tag.
    pub(crate) async fn authenticate_backup(
        &self,
        manifest_digest: &[u8; 32],
        uid: u32,
    ) -> Result<[u8; 32], ServerError> {
        let state = self.state.lock().await;
        let State::Open(open) = &*state else { return Err(ServerError::Sealed) };
        let parameters = format!(r#"{{"manifestSha256":"{}"}}"#, crypto::hex::encode(manifest_digest));
        open.durable_state.record("CreateBackup", uid, Some(&parameters), None).await?;
        let key = open.durable_state.store.keyring().key(backup::KEY).await?;
        Ok(backup::tag(&key, manifest_digest))
    }

    /// Writes everything out and closes it. Requests must have ended, and the last of `self`'s front be the caller's.
    pub(crate) async fn close(self: Arc<Self>) -> Result<(), ServerError> {
        let state = std::mem::replace(&mut *self.state.lock().await, State::Closed);
        let State::Open(open) = state else { return Ok(()) };
        let Open { durable_state, wired, jobs, ssh } = *open;
        if let Some(ssh) = ssh {
            ssh.stop().await;
        }
        jobs.stop().await;
        wired.finish().await;
        // The services hold the database open, and so does the gate that leads to them.
        drop((wired, self));
        durable_state.close().await
    }
}
