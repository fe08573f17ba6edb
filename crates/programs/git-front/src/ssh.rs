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
use git_wire::lfs::Action;
use russh::server::Config;
use russh::{MethodKind, MethodSet, SshId};
use service::Caller;
use service::ports::Authority;
use tokio::net::TcpListener;
use wire::Timestamp;

use crate::tokens::{SCHEME, SECONDS, Tokens};

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
    /// The beginning of HTTPS addresses, and the tokens with which they are called.
    lfs: Option<(String, Tokens)>,
}

impl GitSsh {
    /// Git over SSH for the callers that `authority` knows. `region` is that of repositories.
    #[must_use]
    pub fn new(transfers: Transfers, authority: Arc<dyn Authority>, region: String, clock: fn() -> Timestamp) -> Self {
        Self { transfers, authority, region, clock, lfs: None }
    }

    /// The same that leads clients of Git LFS to `https`, such as `https://git.example.com`, with a token of `tokens`.
    #[must_use]
    pub fn with_lfs(mut self, https: &str, tokens: Tokens) -> Self {
        self.lfs = Some((https.trim_end_matches('/').to_owned(), tokens));
        self
    }

    /// Output of `git-lfs-authenticate`: where to go with which headers.
    fn lfs_credentials(&self, caller: &Arc<Caller>, repository: &str) -> Option<Vec<u8>> {
        let (https, tokens) = self.lfs.as_ref()?;
        let token = tokens.issue(caller, repository, (self.clock)())?;
        let action = Action {
            href: format!("{https}/v1/repos/{repository}.git/info/lfs"),
            header: [("Authorization".to_owned(), format!("{SCHEME}{token}"))].into(),
            expires_in: SECONDS.unsigned_abs(),
        };
        serde_json::to_vec(&action).ok()
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
