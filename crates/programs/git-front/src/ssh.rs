//! Git over SSH: connections, who is behind them, and the commands that they run.
//!
//! Serves Git's commands alone: no shell, no terminal, no forwarding. Refuses to know what a transfer says.
//!
//! Source: RFC 4252 to 4254; gitprotocol-pack, "SSH Transport"; AWS CodeCommit User Guide, "Setup for SSH connections".

mod connection;
mod host_key;
mod places;
mod running;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use codecommit::transfer::Transfers;
use russh::server::Config;
use russh::{MethodKind, MethodSet, SshId};
use service::ports::Authority;
use tokio::net::TcpListener;
use wire::Timestamp;

pub use host_key::HostKey;
pub use running::Running;

/// How long a client may do nothing: it makes deltas, and its user reads a question about our host key.
const IDLE_MAX: Duration = Duration::from_mins(10);

/// How often a client that is silent is asked whether it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Keys that a client may offer: agents hold many.
const ATTEMPTS_MAX: usize = 20;

/// Git over SSH.
pub struct GitSsh {
    transfers: Transfers,
    authority: Arc<dyn Authority>,
    region: String,
    clock: fn() -> Timestamp,
}

impl GitSsh {
    /// Git over SSH for the callers that `authority` knows. `region` is that of repositories.
    #[must_use]
    pub fn new(transfers: Transfers, authority: Arc<dyn Authority>, region: String, clock: fn() -> Timestamp) -> Self {
        Self { transfers, authority, region, clock }
    }

    /// Serves connections until it is stopped.
    #[must_use]
    pub fn serve(self, listener: TcpListener, host_key: &HostKey) -> Running {
        let mut methods = MethodSet::empty();
        methods.push(MethodKind::PublicKey);
        let config = Config {
            server_id: SshId::Standard("SSH-2.0-sealstack".into()),
            methods,
            auth_rejection_time: Duration::from_millis(200),
            auth_rejection_time_initial: Some(Duration::ZERO),
            keys: vec![host_key.private_key().clone()],
            max_auth_attempts: ATTEMPTS_MAX,
            inactivity_timeout: Some(IDLE_MAX),
            keepalive_interval: Some(KEEP_ALIVE),
            keepalive_max: 20,
            nodelay: true,
            ..Config::default()
        };
        Running::start(Arc::new(self), listener, Arc::new(config))
    }
}

/// The address of a listener; none for one that broke.
#[must_use]
pub fn address(listener: &TcpListener) -> Option<SocketAddr> {
    listener.local_addr().ok()
}
