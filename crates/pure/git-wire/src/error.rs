//! Faults of a client's bytes, in words that may be sent back to it.

use crate::text::clean;

/// Why a client's bytes are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The four characters before a packet are no length.
    #[error("protocol error: bad line length character: {found}")]
    PacketLength {
        /// The characters, cleaned.
        found: String,
    },
    /// A packet is longer than 65,520 bytes.
    #[error("protocol error: bad line length {bytes}")]
    PacketTooLong {
        /// The length that it states.
        bytes: usize,
    },
    /// A line or a packet that the protocol does not have here.
    #[error("protocol error: expected {expected}, got '{found}'")]
    Unexpected {
        /// The expected part.
        expected: &'static str,
        /// The beginning of what came, cleaned.
        found: String,
    },
    /// There are more of a thing than a request may have.
    #[error("too many {what}: at most {max} are taken")]
    TooMany {
        /// The things.
        what: &'static str,
        /// How many a request may have.
        max: usize,
    },
    /// More reference updates than a push may have. AWS's words.
    #[error("Too many reference update commands: at most {max} are taken")]
    TooManyCommands {
        /// How many a push may have.
        max: usize,
    },
    /// The client's hash function is not the repository's.
    #[error("mismatched object format: server {server}; client {client}")]
    ObjectFormat {
        /// The repository's.
        server: &'static str,
        /// The client's, cleaned.
        client: String,
    },
    /// A filter that is no filter.
    #[error("invalid filter-spec '{spec}'")]
    Filter {
        /// The specification, cleaned.
        spec: String,
    },
    /// A filter that git has and this server does not serve.
    #[error("filter '{spec}' is not supported: sparse filters read a blob of the repository for each object")]
    SparseFilter {
        /// The specification, cleaned.
        spec: String,
    },
    /// A feature that was not offered.
    #[error("{what} is not supported by this server")]
    Unsupported {
        /// The feature.
        what: &'static str,
    },
    /// A command that an SSH connection does not serve.
    #[error("{found}: this server runs git-upload-pack, git-receive-pack and git-upload-archive only")]
    SshCommand {
        /// The beginning of the command, cleaned.
        found: String,
    },
}

impl WireError {
    /// The error that `found` came where `expected` should have.
    pub(crate) fn unexpected(expected: &'static str, found: &[u8]) -> Self {
        Self::Unexpected { expected, found: beginning(found) }
    }
}

/// The beginning of foreign bytes, as an error shows it.
pub(crate) fn beginning(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 100;
    clean(bytes.get(..SHOWN_MAX).unwrap_or(bytes))
}
