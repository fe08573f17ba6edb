//! One connection: its authentication, its channels, and the command that each runs.

mod command;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use codecommit::transfer::{Carrier, Client};
use git_wire::Version;
use russh::keys::{Algorithm, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use service::Caller;
use service::ports::{CredentialError, Proof};
use tokio::sync::watch;

use super::GitSsh;

/// Channels of a connection at once: clients open one, or a few when they share a connection.
const CHANNELS_MAX: usize = 16;

/// Who is at the other end, once that is known.
pub(super) type Known = Arc<OnceLock<Arc<Caller>>>;

/// A connection's state.
pub(super) struct Connection {
    git: Arc<GitSsh>,
    ip: IpAddr,
    known: Known,
    busy: Busy,
    /// Channels that run nothing yet, and the version of Git's protocol that their clients asked for.
    waiting: HashMap<ChannelId, (Channel<Msg>, Version)>,
}

/// How many commands run.
#[derive(Clone)]
pub(super) struct Busy(Arc<watch::Sender<usize>>);

/// A command that runs.
struct Turn(Busy);

impl Busy {
    fn begin(&self) -> Turn {
        self.0.send_modify(|count| *count += 1);
        Turn(self.clone())
    }

    /// Waits until no command runs.
    pub(super) async fn wait_until_idle(&self) {
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

impl Connection {
    pub(super) fn new(git: Arc<GitSsh>, ip: IpAddr) -> Self {
        let busy = Busy(Arc::new(watch::Sender::new(0)));
        Self { git, ip, known: Known::default(), busy, waiting: HashMap::new() }
    }

    pub(super) const fn ip(&self) -> IpAddr {
        self.ip
    }

    pub(super) fn known(&self) -> Known {
        Arc::clone(&self.known)
    }

    pub(super) fn busy(&self) -> Busy {
        self.busy.clone()
    }

    /// The caller whose key it is. The user name is the key's id.
    async fn caller(&self, user: &str, key: &PublicKey, algorithm: &Algorithm) -> Option<Arc<Caller>> {
        // Signatures over SHA-1 prove nothing.
        if matches!(algorithm, Algorithm::Rsa { hash: None }) {
            return None;
        }
        let mut key = key.clone();
        key.set_comment("");
        let line = key.to_openssh().ok()?;
        let proof = Proof::SshKey { key_id: user, public_key: line.trim_end() };
        match self.git.authority.authenticate(proof, (self.git.clock)()).await {
            Ok(caller) => Some(caller),
            Err(CredentialError::Store(error)) => {
                tracing::error!(%error, "a caller could not be authenticated");
                None
            }
            Err(CredentialError::Unknown | CredentialError::Expired) => None,
        }
    }

    fn client(&self, session: &Session) -> Option<Client> {
        let caller = Arc::clone(self.known.get()?);
        let user_agent = git_wire::clean(session.remote_sshid());
        let (region, carrier) = (self.git.region.clone(), Carrier::Ssh);
        Some(Client { caller, region, ip: self.ip, secure: true, host: None, user_agent, carrier })
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        let known = self.caller(user, offer.public_key, offer.algorithm).await;
        Ok(if known.is_some() { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let caller = self.caller(user, key.public_key, key.algorithm).await;
        // Nobody becomes somebody else on the same connection.
        let accepted = caller.is_some_and(|caller| self.known.set(caller).is_ok());
        Ok(if accepted { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.waiting.len() >= CHANNELS_MAX {
            // It is refused when its handle is dropped.
            return Ok(());
        }
        self.waiting.insert(channel.id(), (channel, Version::V0));
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        self.waiting.remove(&channel);
        Ok(())
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.waiting.get_mut(&channel) {
            Some((_, version)) if name == "GIT_PROTOCOL" => {
                *version = Version::of(value.as_bytes());
                session.channel_success(channel)
            }
            _ => session.channel_failure(channel),
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let waiting = self.waiting.remove(&channel);
        let (Some((opened, version)), Some(client)) = (waiting, self.client(session)) else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        let (turn, git, command) = (self.busy.begin(), Arc::clone(&self.git), command.to_vec());
        tokio::spawn(async move {
            command::run(&git, &client, &command, version, opened).await;
            drop(turn);
        });
        Ok(())
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        let Some((opened, _)) = self.waiting.remove(&channel) else { return session.channel_failure(channel) };
        session.channel_success(channel)?;
        tokio::spawn(async move {
            command::end(&opened, "You are known here, but this server gives no shell: it serves Git alone.", 0).await;
        });
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(channel)
    }
}
