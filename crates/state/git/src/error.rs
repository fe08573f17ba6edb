//! Failures of repositories. Knows neither callers nor what is answered on a wire.

use git_object::{ObjectFormat, ObjectId};

/// An outcome of this crate's operations.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository with this id.
    #[error("there is no such repository")]
    NotFound,
    /// The repository's objects have another format.
    #[error("the repository's object format is {}", .expected.name())]
    OtherFormat {
        /// The repository's.
        expected: ObjectFormat,
    },
    /// An object is not there, or not of the kind that refers to it.
    #[error("missing object {id}")]
    MissingObject {
        /// The object.
        id: ObjectId,
    },
    /// No reference leads to the object, or it is not there.
    #[error("not our ref {id}")]
    NotReachable {
        /// The object.
        id: ObjectId,
    },
    /// An object is larger than the caller takes.
    #[error("object {id} has {bytes} bytes")]
    TooLarge {
        /// The object.
        id: ObjectId,
        /// Its length.
        bytes: u64,
    },
    /// The pushed data is no pack, or one that is refused.
    #[error("{reason}")]
    BadPack {
        /// In git's words.
        reason: String,
    },
    /// The request makes no sense.
    #[error("{reason}")]
    BadRequest {
        /// In git's words.
        reason: String,
    },
    /// A pushed object breaks a rule of `git fsck`.
    #[error("object {id}: {rule}: {detail}")]
    Fsck {
        /// The object.
        id: ObjectId,
        /// Git's name of the rule, such as `hasDotgit`.
        rule: &'static str,
        /// The fault.
        detail: String,
    },
    /// Two different objects have the same id, or one was made to collide.
    #[error("SHA1 COLLISION FOUND WITH {id}!")]
    Collision {
        /// The id.
        id: ObjectId,
    },
    /// A name that no reference may have.
    #[error("'{name}' is no valid reference name")]
    BadName {
        /// The name.
        name: String,
    },
    /// Stored data is not as it was written.
    #[error("the repository is damaged: {what}")]
    Damaged {
        /// The fault.
        what: &'static str,
    },
    /// Maintenance removed objects while a push was under way, so that the push has to be checked again.
    #[error("the repository changed meanwhile: try again")]
    Outdated,
    /// The process is ending, or a thread failed.
    #[error("the operation was interrupted")]
    Interrupted,
    /// The store of records.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The place of the packs.
    #[error(transparent)]
    Blob(#[from] blobs::BlobError),
}

impl GitError {
    pub(crate) const fn damaged(what: &'static str) -> Self {
        Self::Damaged { what }
    }
}
