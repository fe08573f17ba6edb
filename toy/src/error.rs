//! The error type of the toy's operations.

use service::{ServiceError, UploadError};
use store::StoreError;
use wire::{Fault, Protocol};

/// Failure of an operation of the toy.
#[derive(Debug, thiserror::Error)]
pub enum ToyError {
    /// There is no box of this name.
    #[error("There is no box {name} on the shelf.")]
    Missing {
        /// The box's name.
        name: String,
    },
    /// The payload did not arrive, or is not what its sender says.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The contents cannot be written or read.
    #[error("the contents of a box")]
    Blob(#[from] blobs::BlobError),
    /// The records cannot be written or read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServiceError for ToyError {
    fn fault(&self) -> Fault {
        match self {
            Self::Missing { name } => Fault::new("NoSuchBox", 404, self.to_string()).with_detail("Box", name),
            Self::Upload(error) => error.fault(Protocol::rest_xml("", &[])),
            Self::Blob(_) | Self::Store(_) => Fault::new("InternalError", 500, ""),
        }
    }
}
