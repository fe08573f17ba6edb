//! Operators' commands on repositories: on this host, for a caller whose access key they prove to hold.
//!
//! Owns who the caller is and the order of what is done. What the caller may is CodeCommit's; the socket is the admin's.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use codecommit::transfer::{Carrier, Client, Output, Packets, TransferError, Transfers};
use git::{GitError, Maintenance, MaintenanceProgress, Swapped, Verified};
use git_object::{ObjectFormat, ObjectId, fsck};
use git_wire::{Service, Version, clean, error_line};
use serde_json::json;
use service::ports::{Authority, CredentialError, Proof};
use service::{OperatorEvent, Trail};
use wire::SecretBlob;

use crate::clock;
use crate::error::ServerError;
use crate::steady::Steady;

/// The host that commands sign: none that a client of Git could be sent to.
pub const SIGNED_HOST: &str = "admin.sock";

/// Objects of an import that are let pass whatever is wrong with them, at most.
pub const LET_PASS_MAX: usize = 800;

/// The repositories of a server, for operators.
pub(crate) struct Repositories {
    pub(crate) transfers: Transfers,
    pub(crate) authority: Arc<dyn Authority>,
    pub(crate) trail: Trail,
    pub(crate) steady: Arc<Steady>,
}

/// An import as an operator wants it.
pub(crate) struct Import<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: Option<String>,
    /// The KMS key, if it is not to be the usual one.
    pub(crate) key: Option<String>,
    /// Ids of objects that are let pass.
    pub(crate) let_pass: &'a [String],
    /// How many pushes follow.
    pub(crate) pushes: u32,
    /// The operator's user.
    pub(crate) uid: u32,
}

/// Ends what runs on other threads when it is dropped.
#[derive(Default)]
pub(crate) struct UntilDropped(Arc<AtomicBool>);

impl UntilDropped {
    /// Says whether to go on.
    pub(crate) fn go_on(&self) -> impl Fn() -> bool + Clone + Send + Sync + 'static {
        let dropped = Arc::clone(&self.0);
        move || !dropped.load(Ordering::Relaxed)
    }
}

impl Drop for UntilDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The signed path of an action on a repository: that of no other action, and of no client of Git.
#[must_use]
pub fn signed_path(action: &str, name: &str) -> String {
    format!("/{action}/{name}")
}

impl Repositories {
    /// The caller whose access key signed `path`.
    pub(crate) async fn client(
        &self,
        user_name: &SecretBlob,
        password: &SecretBlob,
        region: &str,
        (action, path): (&str, &str),
    ) -> Result<Client, ServerError> {
        let text = |secret: &SecretBlob| String::from_utf8(secret.0.to_vec()).map_err(|_| ServerError::Misunderstood);
        let (user_name, password) = (text(user_name)?, text(password)?);
        let proof = Proof::GitSigned {
            user_name: &user_name,
            password: &password,
            region,
            paths: &[path],
            hosts: &[SIGNED_HOST],
        };
        let caller = self.authority.authenticate(proof, clock::now()).await.map_err(|error| match error {
            CredentialError::Unknown | CredentialError::Expired => refused(
                "the server does not know this access key, or its secret is another one: name a profile of this server \
                 with --profile, or run `eval \"$(sealstack env)\"` first",
            ),
            CredentialError::Store(error) => ServerError::Store(error),
        })?;
        Ok(Client {
            caller,
            region: region.to_owned(),
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            // It never leaves the host.
            secure: true,
            host: None,
            user_agent: format!("sealstack/{} git-{action}", env!("CARGO_PKG_VERSION")),
            carrier: Carrier::Host,
        })
    }

    /// The names of the caller's repositories.
    pub(crate) async fn names(&self, client: &Client) -> Result<Vec<String>, ServerError> {
        self.transfers.names(client).await.map_err(|error| failed(&error))
    }

    /// Makes the repository of an import, or takes an empty one. Yields what takes in its pushes.
    pub(crate) async fn prepare(&self, client: &Client, import: &mut Import<'_>) -> Result<Transfers, ServerError> {
        let mut rules = fsck::Options::default();
        for id in import.let_pass {
            let format = if id.len() == 40 { ObjectFormat::Sha1 } else { ObjectFormat::Sha256 };
            rules.pass_object(ObjectId::from_hex(format, id.as_bytes()).map_err(|_| ServerError::Misunderstood)?);
        }
        let (name, description, key) = (import.name, import.description.take(), import.key.take());
        self.transfers.create(client, name, description, key).await.map_err(|error| failed(&error))?;
        let found = self.transfers.discover(client, name, Service::ReceivePack, Version::V0, false).await;
        let references = found.map_err(|error| failed(&error))?.repository().references().len();
        if references > 0 {
            return Err(refused(&format!(
                "{name} has {references} references already: choose another name with --name, or add to it with `git push`"
            )));
        }
        if !import.let_pass.is_empty() {
            let parameters = json!({ "repositoryName": name, "letPass": import.let_pass }).to_string();
            let (time, uid, parameters) = (clock::now(), import.uid, Some(parameters.as_str()));
            let action = OperatorEvent { time, name: "LetObjectsPass", uid, parameters, error: None };
            self.trail.record_operator(&action).await?;
        }
        Ok(self.transfers.with_rules(rules))
    }

    /// Takes in the pushes of an import. What goes wrong is reported to the command in Git's way.
    pub(crate) async fn import(
        transfers: &Transfers,
        client: &Client,
        import: &Import<'_>,
        packets: &mut Packets,
        output: &Output,
    ) {
        for _ in 0..import.pushes {
            let taken = match transfers.receive(client, import.name, packets, false).await {
                Ok(Some(push)) => transfers.finish(client, push, output).await,
                Ok(None) => return,
                Err(error) => {
                    let mut out = Vec::new();
                    error_line(&mut out, format_args!("{}", clean(error.words().as_bytes())));
                    // The command may be what failed.
                    let _ = output.send(out).await;
                    Err(error)
                }
            };
            if let Err(error) = taken {
                log(&error, "an import");
                return;
            }
        }
    }

    /// Sends all of a repository to the command, which fetches it as a client of Git would.
    pub(crate) async fn export(
        &self,
        client: &Client,
        name: &str,
        packets: &mut Packets,
        output: &Output,
    ) -> Result<(), TransferError> {
        let discovery = self.transfers.discover(client, name, Service::UploadPack, Version::V2, false).await?;
        discovery.send(output).await?;
        discovery.into_upload().serve(Version::V2, packets, output).await
    }

    /// Reads all of a repository again.
    pub(crate) async fn verify(
        &self,
        client: &Client,
        name: &str,
        progress: impl Fn(u64, u64) -> bool + Send + Sync + 'static,
    ) -> Result<Verified, ServerError> {
        let repository = self.transfers.open_to_verify(client, name).await.map_err(|error| failed(&error))?;
        repository.verify(progress).await.map_err(|error| failed(&error.into()))
    }

    /// Makes one pack of a repository's many. `None`: there was nothing to do.
    pub(crate) async fn maintain(
        &self,
        client: &Client,
        name: &str,
        progress: impl Fn(MaintenanceProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Swapped>, ServerError> {
        let repository = self.transfers.open_to_maintain(client, name).await.map_err(|error| failed(&error))?;
        let now = self.steady.now().millis() / 1000;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let maintenance = Maintenance { all: true, threads, ..Maintenance::default() };
        match repository.maintain_now(maintenance, now, progress).await {
            // It was maintained by another at the same time.
            Err(GitError::Outdated) => Ok(None),
            maintained => maintained.map_err(|error| failed(&error.into())),
        }
    }
}

fn refused(message: &str) -> ServerError {
    ServerError::Refused { message: message.to_owned(), exit_code: 1 }
}

/// The command's report of a failure.
pub(crate) fn failed(error: &TransferError) -> ServerError {
    log(error, "an operator's command");
    let message = match error {
        TransferError::Refused(fault) => format!("{}: {}", fault.code, fault.message),
        error => error.words(),
    };
    refused(&message)
}

fn log(error: &TransferError, what: &str) {
    if error.is_ours() {
        tracing::error!(%error, "{what} on a repository failed");
    }
}
