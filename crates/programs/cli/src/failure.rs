//! Why a command came to nothing, and what it exits with.

use std::io;
use std::path::PathBuf;

use server::ServerError;
use wire::shown_path;

use crate::paths::Named;

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server, or a tool around it, says why.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// An argument, or what it refers to, can't be used.
    #[error("{0}")]
    Usage(String),
    /// A file can't be used.
    #[error("can't {action} {}: {cause}", shown_path(path))]
    File {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A file would be written that is read, or written as something else.
    #[error("{written} can't be written: it is {other}")]
    SameFile {
        /// What would be written.
        written: Named,
        /// What it is besides.
        other: Named,
    },
    /// Some inputs failed. Each was told of when it did.
    #[error("{failed} of {inputs} inputs failed")]
    Inputs {
        /// How many failed.
        failed: u64,
        /// How many there were.
        inputs: u64,
    },
    /// The only input failed, as was told then.
    #[error("the input failed")]
    Input,
}

impl Failure {
    /// What the process exits with. Listed in `--help`.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Server(error) => error.exit_code(),
            Self::Usage(_) | Self::SameFile { .. } => 2,
            Self::File { .. } | Self::Inputs { .. } | Self::Input => 1,
        }
    }

    /// Whether all that is to be said was said before.
    pub(crate) const fn is_told(&self) -> bool {
        matches!(self, Self::Input)
    }
}
