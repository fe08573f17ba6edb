//! Why a command failed, and its exit code.

use std::io;
use std::path::PathBuf;

use server::ServerError;
use wire::shown_path;

use crate::paths::Named;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server, or a tool around it, says why.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The external key store proxy cannot start or go on.
    #[error(transparent)]
    Proxy(#[from] xks_proxy::ProxyError),
    /// The caller's profile, or its access key, can't be used.
    #[error("{0}")]
    Client(#[from] client::ClientError),
    /// A Git repository can't be read or written, or is not taken.
    #[error("{0}")]
    Repository(String),
    /// A Git repository is not what was written.
    #[error("{name} has {faults} faults: restore it from a backup, or push what is missing from a clone")]
    DamagedRepository {
        /// The repository.
        name: String,
        /// How many were found, at most a thousand.
        faults: usize,
    },
    /// An argument, or what it refers to, can't be used.
    #[error("{0}")]
    Usage(String),
    /// A file can't be used.
    #[error("can't {action} {}: {cause}", shown_path(path))]
    File {
        /// The action that failed.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: io::Error,
    },
    /// A file would be written that is read, or written as something else.
    #[error("{written} can't be written: it is {other}")]
    SameFile {
        /// The file to be written.
        written: Named,
        /// The file's other use.
        other: Named,
    },
    /// Some inputs failed. Each failure was reported when it happened.
    #[error("{failed} of {inputs} inputs failed")]
    Inputs {
        /// How many failed.
        failed: u64,
        /// How many there were.
        inputs: u64,
    },
    /// The only input failed, which was reported then.
    #[error("the input failed")]
    Input,
}

impl Failure {
    /// The exit code of the process. Listed in `--help`.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Server(error) => error.exit_code(),
            Self::Proxy(error) => error.exit_code(),
            Self::Usage(_) | Self::SameFile { .. } => 2,
            Self::DamagedRepository { .. } => 13,
            Self::Client(_) | Self::Repository(_) | Self::File { .. } | Self::Inputs { .. } | Self::Input => 1,
        }
    }

    /// Whether the failure has been reported before.
    pub(crate) const fn is_reported(&self) -> bool {
        matches!(self, Self::Input)
    }
}
