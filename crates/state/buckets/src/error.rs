//! Failures of buckets. Knows neither callers nor what is answered on a wire.

/// An outcome of this crate's operations.
#[derive(Debug, thiserror::Error)]
pub enum BucketsError {
    /// There is no object with this key, or its current version is a delete marker.
    #[error("there is no such object")]
    NoSuchKey,
    /// The object has no version of this id.
    #[error("there is no such version")]
    NoSuchVersion,
    /// The text is no version id.
    #[error("this is no version id")]
    InvalidVersionId,
    /// A key is empty, or longer than [`KEY_BYTES_MAX`](crate::KEY_BYTES_MAX).
    #[error("a key of {bytes} bytes")]
    KeyLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The condition of a change does not hold.
    #[error("a condition does not hold")]
    PreconditionFailed,
    /// The object was changed since the upload began.
    #[error("the object changed since the upload began")]
    Conflict,
    /// The version is under a retention or a legal hold.
    #[error("the version is locked")]
    Locked,
    /// There is no such upload, or not of this key.
    #[error("there is no such upload")]
    NoSuchUpload,
    /// A part is not there, or not the one that is meant.
    #[error("part {number} is not there")]
    InvalidPart {
        /// Its number.
        number: u16,
    },
    /// The parts are not in the order of their numbers.
    #[error("the parts are not in order")]
    InvalidPartOrder,
    /// A part that is not the last is too short.
    #[error("part {number} has {bytes} bytes")]
    PartTooSmall {
        /// Its number.
        number: u16,
        /// Its length in bytes.
        bytes: u64,
    },
    /// The bucket has objects.
    #[error("the bucket is not empty")]
    NotEmpty,
    /// The range does not lie within the content.
    #[error("the range does not lie within the content's {bytes} bytes")]
    OutOfRange {
        /// The content's length in bytes.
        bytes: u64,
    },
    /// A content does not open under the key that was given, or is not what was written.
    #[error("a content is not authentic")]
    NotAuthentic,
    /// Stored data is not as it was written.
    #[error("a bucket is damaged: {what}")]
    Damaged {
        /// The fault.
        what: &'static str,
    },
    /// The process is ending, or a thread failed.
    #[error("the operation was interrupted")]
    Interrupted,
    /// The store of records.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The place of the contents.
    #[error(transparent)]
    Blob(#[from] blobs::BlobError),
}

impl BucketsError {
    pub(crate) const fn damaged(what: &'static str) -> Self {
        Self::Damaged { what }
    }
}
