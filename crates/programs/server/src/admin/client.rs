//! The other end of the admin socket: what commands ask of the server that runs in a directory.

mod repository;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crypto::{SecretBytes, hex};
use seal::{Progress, SealConfig};

use super::message::{Answer, Question, Seal, secret};
use crate::data_dir::Layout;
use crate::durable_state::Rotated;
use crate::error::ServerError;
use crate::steady::ClockJump;

pub use repository::{MaintainedRepository, NewRepository, Signed, Told, VerifiedRepository};

/// The longest answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Asks the server that runs in a data directory.
pub struct Client {
    layout: Layout,
}

impl Client {
    /// For the server in the directory, whether or not one runs.
    #[must_use]
    pub const fn new(layout: Layout) -> Self {
        Self { layout }
    }

    /// The shares that the server awaits; `None` when it is not sealed.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn status(&self) -> Result<Option<Progress>, ServerError> {
        self.awaiting(&Question::Status)
    }

    /// Gives it a share, as its holder typed it. Returns what it still awaits.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn unseal(&self, share: &SecretBytes) -> Result<Option<Progress>, ServerError> {
        self.awaiting(&Question::Unseal { share: secret(share.expose()) })
    }

    /// Makes it forget the shares that it was given. Returns what it awaits.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn forget(&self) -> Result<Option<Progress>, ServerError> {
        self.awaiting(&Question::Forget)
    }

    /// Makes it replace the root key and its seal.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn rotate(&self, current: &SealConfig, next: &SealConfig) -> Result<Rotated, ServerError> {
        let (current, next) = (Seal::from(current), Seal::from(next));
        match self.ask(&Question::Rotate { current, next })? {
            Answer::Rotated(rotated) => Ok(rotated),
            _ => Err(ServerError::Misunderstood),
        }
    }

    /// Makes it replace the domain key of every region. Returns how many there are.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn rotate_domain_keys(&self) -> Result<usize, ServerError> {
        match self.ask(&Question::RotateDomainKeys)? {
            Answer::DomainKeysRotated { count } => Ok(count),
            _ => Err(ServerError::Misunderstood),
        }
    }

    /// The jump of its clock that it does not believe, if there is one.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn clock_jump(&self) -> Result<Option<ClockJump>, ServerError> {
        self.clock(&Question::Clock)
    }

    /// Makes it believe its clock. Returns the jump that it did not believe before.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn accept_clock(&self) -> Result<Option<ClockJump>, ServerError> {
        self.clock(&Question::AcceptClock)
    }

    fn clock(&self, question: &Question) -> Result<Option<ClockJump>, ServerError> {
        match self.ask(question)? {
            Answer::Clock { jump } => Ok(jump),
            _ => Err(ServerError::Misunderstood),
        }
    }

    /// Ensures that the key that authenticates backups exists, durably.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub(crate) fn prepare_backup(&self) -> Result<(), ServerError> {
        match self.ask(&Question::PrepareBackup)? {
            Answer::Prepared => Ok(()),
            _ => Err(ServerError::Misunderstood),
        }
    }

    /// Has it authenticate the backup whose manifest has this digest.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub(crate) fn authenticate_backup(&self, manifest_digest: &[u8; 32]) -> Result<[u8; 32], ServerError> {
        match self.ask(&Question::VouchForBackup { manifest_digest: hex::encode(manifest_digest) })? {
            Answer::Vouched { tag } => hex::decode(&tag).ok_or(ServerError::Misunderstood),
            _ => Err(ServerError::Misunderstood),
        }
    }

    fn awaiting(&self, question: &Question) -> Result<Option<Progress>, ServerError> {
        match self.ask(question)? {
            Answer::Status { awaiting } => Ok(awaiting),
            _ => Err(ServerError::Misunderstood),
        }
    }

    fn broken(&self, cause: std::io::Error) -> ServerError {
        ServerError::Io { action: "talk over", path: self.layout.admin_socket(), cause }
    }

    fn connect(&self) -> Result<UnixStream, ServerError> {
        let not_running = || ServerError::NotRunning { path: self.layout.root().to_owned() };
        let (address, _directory) = super::address(&self.layout.admin_socket()).map_err(|_| not_running())?;
        UnixStream::connect(address).map_err(|_| not_running())
    }

    fn ask(&self, question: &Question) -> Result<Answer, ServerError> {
        let broke = |cause| self.broken(cause);
        let mut stream = self.connect()?;
        let mut line = SecretBytes::with_capacity(1024);
        serde_json::to_writer(&mut line, question).map_err(|_| ServerError::Misunderstood)?;
        line.extend(b"\n");
        stream.write_all(line.expose()).map_err(broke)?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).map_err(broke)?;
        match serde_json::from_str(&answer).map_err(|_| ServerError::Misunderstood)? {
            Answer::Refused { message, exit_code } => Err(ServerError::Refused { message, exit_code }),
            answer => Ok(answer),
        }
    }
}
