//! The admin socket: what operators on this host ask of the running server.
//!
//! A Unix socket in the data directory that answers its own user and root. Each connection carries one question and one
//! answer, a line of JSON each. What is done is the core's.

mod client;
mod message;
mod repository;

use std::fs::{File, Permissions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crypto::{SecretBytes, hex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

pub use client::{Client, MaintainedRepository, NewRepository, Signed, Told, VerifiedRepository};
use message::{Answer, Question};

use crate::core::{Core, Unsealing};
use crate::data_dir::Layout;
use crate::durable_state::own_uid;
use crate::error::ServerError;
use crate::root_seal;

/// The longest question.
const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// How long a question may take to arrive.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Questions that are answered at once.
const CONNECTIONS_MAX: usize = 16;

/// A Unix socket's address has room for this many bytes of a path, its end included.
const PATH_BYTES_MAX: usize = 108;

/// The socket, listening.
pub(crate) struct Admin {
    accepting: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    path: PathBuf,
}

impl Admin {
    /// Listens in the directory, which this process has to itself.
    pub(crate) fn listen(layout: &Layout, core: Arc<Core>) -> Result<Self, ServerError> {
        let path = layout.admin_socket();
        let listen = || {
            // One that a killed server left behind: the directory's lock says that nobody listens there.
            std::fs::remove_file(&path)
                .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
            let (address, _directory) = address(&path)?;
            let listener = UnixListener::bind(address)?;
            // The directory is its owner's alone already.
            std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            Ok(listener)
        };
        let listener = listen().map_err(|cause| ServerError::Io { action: "listen on", path: path.clone(), cause })?;
        let (stop, stopped) = oneshot::channel();
        Ok(Self { accepting: tokio::spawn(accept(listener, core, stopped)), stop, path })
    }

    /// Stops listening, and returns once everything that was asked is done and answered.
    pub(crate) async fn stop(self) {
        // However it ended before, it has ended.
        let _ = self.stop.send(());
        let _ = self.accepting.await;
        // A socket that is left behind does no harm.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Where the socket at `path` can be bound and connected to. A path too long for a socket is reached through its
/// directory, which has to stay open meanwhile.
fn address(path: &Path) -> std::io::Result<(PathBuf, Option<File>)> {
    if path.as_os_str().len() < PATH_BYTES_MAX {
        return Ok((path.to_owned(), None));
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(std::io::ErrorKind::InvalidInput.into());
    };
    let directory = File::open(directory)?;
    let short = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
    Ok((short, Some(directory)))
}

async fn accept(listener: UnixListener, core: Arc<Core>, mut stopped: oneshot::Receiver<()>) {
    let mut serving = JoinSet::new();
    let (stop, stopping) = watch::channel(false);
    loop {
        while serving.len() >= CONNECTIONS_MAX {
            serving.join_next().await;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (core, stopping) = (Arc::clone(&core), stopping.clone());
                serving.spawn(async move {
                    if let Err(error) = serve(stream, &core, stopping).await {
                        tracing::debug!(%error, "an admin connection broke");
                    }
                });
            }
            Err(error) => {
                tracing::error!(%error, "no admin connection can be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        while serving.try_join_next().is_some() {}
    }
    // What takes long ends now; the rest goes to its end.
    stop.send_replace(true);
    while serving.join_next().await.is_some() {}
}

async fn serve(mut stream: UnixStream, core: &Core, stopping: watch::Receiver<bool>) -> std::io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let answer = if uid != own_uid() && uid != 0 {
        tracing::warn!(uid, "another user was refused at the admin socket");
        Answer::refused(&ServerError::NotYours)
    } else {
        match tokio::time::timeout(QUESTION_TIMEOUT, question(&mut stream)).await {
            Ok(Ok(Question::Repository(question))) => {
                return repository::serve(stream, question, core, uid, stopping).await;
            }
            Ok(Ok(question)) => answer(question, core, uid).await.unwrap_or_else(|error| Answer::refused(&error)),
            Ok(Err(error)) => Answer::refused(&error),
            Err(_) => return Ok(()),
        }
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.shutdown().await
}

/// Reads a line, which may hold secrets.
async fn question(stream: &mut UnixStream) -> Result<Question, ServerError> {
    let mut line = SecretBytes::from(vec![0; QUESTION_BYTES_MAX]);
    let mut length = 0;
    loop {
        let Some(room) = line.expose_mut().get_mut(length..).filter(|room| !room.is_empty()) else {
            return Err(ServerError::Misunderstood);
        };
        let read = stream.read(room).await.map_err(|_| ServerError::Misunderstood)?;
        let ended = room.get(..read).is_some_and(|read| read.contains(&b'\n'));
        length += read;
        if ended || read == 0 {
            break;
        }
    }
    let line = line.expose().get(..length).unwrap_or_default();
    serde_json::from_slice(line.trim_ascii_end()).map_err(|_| ServerError::Misunderstood)
}

async fn answer(question: Question, core: &Core, uid: u32) -> Result<Answer, ServerError> {
    Ok(match question {
        Question::Status => Answer::Status { awaiting: core.awaiting().await },
        Question::Unseal { share } => {
            let share = root_seal::read_share(&SecretBytes::from(share.0.as_slice()))?;
            match core.unseal(share, uid).await? {
                Unsealing::Awaiting(progress) => Answer::Status { awaiting: Some(progress) },
                Unsealing::Done => Answer::Status { awaiting: None },
            }
        }
        Question::Forget => {
            core.forget_shares().await;
            Answer::Status { awaiting: core.awaiting().await }
        }
        Question::PrepareBackup => {
            core.prepare_backup().await?;
            Answer::Prepared
        }
        Question::VouchForBackup { manifest_digest } => {
            let digest = hex::decode(&manifest_digest).ok_or(ServerError::Misunderstood)?;
            Answer::Vouched { tag: hex::encode(&core.authenticate_backup(&digest, uid).await?) }
        }
        Question::Rotate { current, next } => {
            Answer::Rotated(core.rotate_root(current.try_into()?, next.try_into()?, uid).await?)
        }
        // Answered before, as its answer is a stream.
        Question::Repository(_) => return Err(ServerError::Misunderstood),
        Question::Clock => Answer::Clock { jump: core.clock_jump().await? },
        Question::AcceptClock => Answer::Clock { jump: core.accept_clock(uid).await? },
        Question::RotateDomainKeys => Answer::DomainKeysRotated { count: core.rotate_domain_keys(uid).await? },
    })
}

#[cfg(test)]
mod tests;
