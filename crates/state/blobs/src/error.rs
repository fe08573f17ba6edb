//! Failures of a blob. Knows neither who asked for it nor what is answered.

use std::io;
use std::path::PathBuf;

use crate::BlobId;

/// An outcome of this crate's operations.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no blob with this id.
    #[error("there is no blob {id}")]
    Missing {
        /// The id that was asked for.
        id: BlobId,
    },
    /// The file is not what was written for this owner under this id.
    #[error("blob {id} is not authentic")]
    NotAuthentic {
        /// The id that was asked for.
        id: BlobId,
    },
    /// The file has a version that this program does not know.
    #[error("blob {id} has the unknown version {version}")]
    UnknownVersion {
        /// The id that was asked for.
        id: BlobId,
        /// The version in its header.
        version: u16,
    },
    /// The content is longer than [`crate::PLAINTEXT_BYTES_MAX`], or than an object can be.
    #[error("a blob has at most {bytes_max} bytes")]
    TooLong {
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// A range begins behind its end, or ends behind the content's.
    #[error("the range does not lie within the {plaintext_bytes} bytes of blob {id}")]
    OutOfRange {
        /// The blob.
        id: BlobId,
        /// How long its content is.
        plaintext_bytes: u64,
    },
    /// An earlier write of this draft failed or was cancelled, so the draft is gone.
    #[error("the draft of blob {id} is gone")]
    DraftLost {
        /// The id that it would have had.
        id: BlobId,
    },
    /// The runtime stopped before the file operation ran.
    #[error("the file operation was interrupted")]
    Interrupted,
    /// The store of references cannot be read.
    #[error(transparent)]
    References(#[from] store::StoreError),
    /// A file, a directory or a bucket cannot be used. A full disk and a server out of reach are among the causes.
    #[error("cannot {action} {}: {cause}", path.display())]
    Io {
        /// The action that was attempted: "create", "read", …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The operating system's or the server's answer.
        cause: io::Error,
    },
}
