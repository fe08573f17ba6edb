//! Fetches, pushes and archives of Git's clients, over streams of bytes: the same over HTTP and over SSH.
//!
//! Owns what a transfer needs of its caller, and the order of what is said. Its bytes are `git-wire`'s, objects and
//! references `git`'s. Refuses to know connections.
//!
//! Source: gitprotocol-pack, gitprotocol-v2; AWS CodeCommit User Guide.

mod archive;
mod discovery;
mod error;
mod output;
mod packets;
mod progress;
pub(crate) mod publication;
mod push;
pub(crate) mod record;
mod upkeep;
mod upload;

use std::net::IpAddr;
use std::sync::Arc;

use git::{Git, Repository};
use git_object::fsck;
use service::{Behalf, Caller, Performer, RequestOrigin};
use wire::Fault;

use crate::CodeCommit;
use crate::PushedTo;
use crate::access::{GitPull, GitPullInput, GitPush, GitPushInput, PushedRef};

pub use archive::archive;
pub use discovery::Discovery;
pub use error::TransferError;
pub use output::Output;
pub use packets::{ByteSource, Packets};
pub use push::Push;
use record::{About, Pushed, Record};
pub use record::{Carrier, Permitted};
pub use upload::Upload;

/// A client of Git: who it is, and whence it calls.
#[derive(Clone)]
pub struct Client {
    /// Who authenticated.
    pub caller: Arc<Caller>,
    /// The Region of the repository.
    pub region: String,
    /// The client's address.
    pub ip: IpAddr,
    /// Whether the connection is encrypted.
    pub secure: bool,
    /// The host and port that it called, if it said so.
    pub host: Option<String>,
    /// The client's name and version, empty if it said none.
    pub user_agent: String,
    /// How it reaches the server.
    pub carrier: Carrier,
}

impl Client {
    fn origin(&self) -> RequestOrigin<'_> {
        let (host, user_agent) = (self.host.as_deref(), self.user_agent.as_str());
        RequestOrigin { ip: self.ip, secure: self.secure, host, user_agent, via: None }
    }

    /// The repository for transfers of this client, which leaves turns to others. An operator's go as they come.
    fn shares(&self, repository: Repository) -> Repository {
        match self.carrier {
            Carrier::Host => repository,
            Carrier::Http | Carrier::Ssh => repository.shared_by(self.caller.principal.arn.as_str(), &network(self.ip)),
        }
    }
}

/// The network of an address: one host has as many addresses of IPv6 as it likes.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("{:x}", ip.to_bits() >> 64),
    }
}

/// The transfers of a server. Clones are the same.
#[derive(Clone)]
pub struct Transfers {
    performer: Performer<CodeCommit>,
    git: Git,
    agent: Arc<str>,
    /// Exceptions to push checks.
    rules: Arc<fsck::Options>,
}

impl Transfers {
    /// Transfers from and to the repositories of `git`, for callers who may perform `GitPull` or `GitPush`. `agent` is the
    /// server's name and version as clients see it, such as `sealstack/1.0`.
    #[must_use]
    pub fn new(performer: Performer<CodeCommit>, git: Git, agent: &str) -> Self {
        Self { performer, git, agent: agent.into(), rules: Arc::default() }
    }

    /// The same that let pass what `rules` say, for pushes that an operator answers for.
    #[must_use]
    pub fn with_rules(&self, rules: fsck::Options) -> Self {
        Self { rules: Arc::new(rules), ..self.clone() }
    }

    /// Opens a repository for reading.
    ///
    /// # Errors
    /// [`TransferError::Refused`] when there is none, or when the client may not have it or its key; those of `git`.
    pub async fn pull(&self, client: &Client, name: &str) -> Result<Permitted, TransferError> {
        let origin = client.origin();
        let behalf = Behalf { caller: &client.caller, region: &client.region, origin: &origin };
        let input = GitPullInput { repository_name: name.to_owned() };
        let (pulled, unrecorded) = self.performer.perform_unrecorded::<GitPull>(behalf, input).await?;
        let record = Record::new(unrecorded, about(client, &pulled.name, &pulled.id));
        let repository = self.git.open(&pulled.id, &pulled.key).await?;
        Ok(Permitted::new(client.shares(repository), record))
    }

    /// Opens a repository for writing beside its references, as of large files and locks: on behalf of a push to
    /// `reference`, if the client says so.
    ///
    /// # Errors
    /// As for [`pull`](Self::pull).
    pub async fn push_beside(
        &self,
        client: &Client,
        name: &str,
        reference: Option<String>,
    ) -> Result<Permitted, TransferError> {
        let reference = reference.map(|name| PushedRef { name, commit: None, fast_forward: Some(true) });
        let (repository, pushed, record) = self.open_for_push(client, name, reference.into_iter().collect()).await?;
        match pushed.refusals.into_iter().flatten().next() {
            Some(words) => {
                let error = Fault::sender("AccessDeniedException", words).into();
                let about = record.about().clone();
                record.failed(&error, &Pushed { about, capabilities: Vec::new(), pack: false }, Vec::new())?;
                Err(error)
            }
            None => Ok(Permitted::new(repository, record)),
        }
    }

    /// Opens a repository for writing. With references: says as well which of them the client may not change.
    async fn open_for_push(
        &self,
        client: &Client,
        name: &str,
        references: Vec<PushedRef>,
    ) -> Result<(Repository, PushedTo, Record), TransferError> {
        let origin = client.origin();
        let behalf = Behalf { caller: &client.caller, region: &client.region, origin: &origin };
        let input = GitPushInput { repository_name: name.to_owned(), references };
        let (pushed, unrecorded) = self.performer.perform_unrecorded::<GitPush>(behalf, input).await?;
        let record = Record::new(unrecorded, about(client, &pushed.name, &pushed.id));
        let repository = self.git.open(&pushed.id, &pushed.key).await?;
        Ok((client.shares(repository), pushed, record))
    }
}

fn about(client: &Client, name: &str, id: &str) -> About {
    About { protocol: client.carrier, repository_name: name.to_owned(), repository_id: id.to_owned() }
}

#[cfg(test)]
mod tests;
