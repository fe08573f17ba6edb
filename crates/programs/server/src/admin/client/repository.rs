//! Commands on repositories, asked of the server that runs in a directory.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crypto::SecretBytes;

use super::super::message::{Answer, Question, RepositoryAction, RepositoryQuestion, secret};
use super::Client;
use crate::error::ServerError;

/// The longest answer of a list or a verification.
const ANSWERS_BYTES_MAX: u64 = 64 << 20;

/// Who asks: a user name and a password as clients of Git send them, signed for the action and the repository.
pub struct Signed {
    /// The access key, with the session token if it has one.
    pub user_name: SecretBytes,
    /// The time of signing and the signature.
    pub password: SecretBytes,
    /// The Region of the repository.
    pub region: String,
}

/// A new repository's settings.
#[derive(Clone, Debug, Default)]
pub struct NewRepository {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Its KMS key, if it is not to be the usual one.
    pub key: Option<String>,
    /// Ids of objects that are let pass whatever is wrong with them.
    pub let_pass: Vec<String>,
    /// How many pushes bring its content.
    pub pushes: u32,
}

/// A verification's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRepository {
    /// How many packs there are.
    pub packs: u64,
    /// How many objects they have.
    pub objects: u64,
    /// How many references there are.
    pub references: u64,
    /// Faults found.
    pub faults: Vec<String>,
}

/// Maintenance results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaintainedRepository {
    /// Packs that were replaced; 0 if there was nothing to do.
    pub replaced: usize,
    /// Packs that came in their place.
    pub written: usize,
    /// Objects that went for good.
    pub dropped: u64,
}

/// Hears of the work that is being done, how much of it is done, and how much there is, or 0 if nobody knows.
pub type Told<'a> = &'a mut dyn FnMut(&str, u64, u64);

impl Client {
    /// The names of the caller's repositories.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn repositories(&self, signed: &Signed) -> Result<Vec<String>, ServerError> {
        match self.ask_repository(signed, RepositoryAction::List, &mut |_, _, _| {})? {
            Answer::Repositories { names } => Ok(names),
            _ => Err(ServerError::Misunderstood),
        }
    }

    /// Has all of a repository read again.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn verify_repository(
        &self,
        signed: &Signed,
        name: &str,
        told: Told<'_>,
    ) -> Result<VerifiedRepository, ServerError> {
        let action = RepositoryAction::Verify { name: name.to_owned() };
        match self.ask_repository(signed, action, told)? {
            Answer::Verified { packs, objects, references, faults } => {
                Ok(VerifiedRepository { packs, objects, references, faults })
            }
            _ => Err(ServerError::Misunderstood),
        }
    }

    /// Has one pack made of a repository's many.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn maintain_repository(
        &self,
        signed: &Signed,
        name: &str,
        told: Told<'_>,
    ) -> Result<MaintainedRepository, ServerError> {
        let action = RepositoryAction::Maintain { name: name.to_owned() };
        match self.ask_repository(signed, action, told)? {
            Answer::Maintained { replaced, written, dropped } => {
                Ok(MaintainedRepository { replaced, written, dropped })
            }
            _ => Err(ServerError::Misunderstood),
        }
    }

    /// Begins an import: what is sent from now on are pushes in Git's protocol, as many as were announced, and what
    /// comes back are their reports.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn begin_import(&self, signed: &Signed, new: NewRepository) -> Result<UnixStream, ServerError> {
        let NewRepository { name, description, key, let_pass, pushes } = new;
        self.begin(signed, RepositoryAction::Import { name, description, key, let_pass, pushes })
    }

    /// Begins an export: what comes from now on is version 2 of Git's protocol, from the server's capabilities on.
    ///
    /// # Errors
    /// [`ServerError::NotRunning`], [`ServerError::Refused`].
    pub fn begin_export(&self, signed: &Signed, name: &str) -> Result<UnixStream, ServerError> {
        self.begin(signed, RepositoryAction::Export { name: name.to_owned() })
    }

    fn begin(&self, signed: &Signed, action: RepositoryAction) -> Result<UnixStream, ServerError> {
        let mut stream = self.send_repository(signed, action)?;
        // Not a byte more than the line: Git's protocol follows it.
        let mut line = Vec::new();
        let mut byte = [0];
        while line.last() != Some(&b'\n') && line.len() < 64 * 1024 {
            stream.read_exact(&mut byte).map_err(|cause| self.broken(cause))?;
            line.extend_from_slice(&byte);
        }
        match understood(&line)? {
            Answer::Begun => Ok(stream),
            _ => Err(ServerError::Misunderstood),
        }
    }

    fn ask_repository(&self, signed: &Signed, action: RepositoryAction, told: Told<'_>) -> Result<Answer, ServerError> {
        let mut answers = BufReader::new(self.send_repository(signed, action)?.take(ANSWERS_BYTES_MAX));
        let mut line = Vec::new();
        loop {
            line.clear();
            answers.read_until(b'\n', &mut line).map_err(|cause| self.broken(cause))?;
            match understood(&line)? {
                Answer::Progress { stage, done, of } => told(&stage, done, of),
                answer => return Ok(answer),
            }
        }
    }

    fn send_repository(&self, signed: &Signed, action: RepositoryAction) -> Result<UnixStream, ServerError> {
        let question = Question::Repository(RepositoryQuestion {
            user_name: secret(signed.user_name.expose()),
            password: secret(signed.password.expose()),
            region: signed.region.clone(),
            action,
        });
        let mut stream = self.connect()?;
        let mut line = SecretBytes::with_capacity(1024);
        serde_json::to_writer(&mut line, &question).map_err(|_| ServerError::Misunderstood)?;
        line.extend(b"\n");
        stream.write_all(line.expose()).map_err(|cause| self.broken(cause))?;
        Ok(stream)
    }
}

fn understood(line: &[u8]) -> Result<Answer, ServerError> {
    match serde_json::from_slice(line).map_err(|_| ServerError::Misunderstood)? {
        Answer::Refused { message, exit_code } => Err(ServerError::Refused { message, exit_code }),
        answer => Ok(answer),
    }
}
