//! Why a transfer fails, in words for whoever transfers.

use std::io;

use git::GitError;
use git_wire::WireError;
use wire::Fault;

/// Why a transfer fails.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The caller may not, or there is no such repository.
    #[error("{}: {}", .0.code, .0.message)]
    Refused(Fault),
    /// The client's data is not Git's protocol.
    #[error("{0}")]
    Wire(#[from] WireError),
    /// The repository does not have what was asked for, does not take what was sent, or failed.
    #[error("{0}")]
    Git(#[from] GitError),
    /// The client stopped sending in the middle.
    #[error("the client stopped sending: {0}")]
    Input(#[source] io::Error),
    /// The client sends a push too slowly while others wait.
    #[error("the push came too slowly while others waited: try again later")]
    Slow,
    /// The client does not take its answer.
    #[error("the client hung up")]
    Gone,
}

impl From<Fault> for TransferError {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl TransferError {
    /// The client's message. The server's own failures are not described: their causes are for its log.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Refused(fault) => service::legible(&fault.message).to_owned(),
            Self::Git(error) if is_ours(error) => "the server failed; its log says why".to_owned(),
            Self::Git(GitError::NotReachable { id }) => format!("upload-pack: not our ref {id}"),
            Self::Wire(_) | Self::Git(_) | Self::Input(_) | Self::Slow | Self::Gone => self.to_string(),
        }
    }

    /// Whether the server failed, rather than the client.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Git(error) if is_ours(error))
    }
}

/// Whether the server failed, rather than the client.
pub(super) fn is_ours(error: &GitError) -> bool {
    matches!(error, GitError::Damaged { .. } | GitError::Interrupted | GitError::Store(_) | GitError::Blob(_))
}
