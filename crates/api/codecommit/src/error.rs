//! Errors of CodeCommit's operations.
//!
//! A refusal is one outcome and its facts. Faults of KMS become those that CodeCommit has for them. Causes go to the log.

mod key_fault;

use service::ServiceError;
use store::StoreError;
use wire::{CommonFault, Fault, Protocol};

pub use key_fault::KeyFault;

/// Declares the refusals: the name of each, which is its code without `Exception`, its facts and its message.
macro_rules! refusals {
    ($($name:ident $({ $($fact:ident : $kind:ty),* })? = $message:literal,)*) => {
        /// A request that is not done, and why: named as in AWS's API, without `Exception`.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[allow(missing_docs, reason = "the names are AWS's own and documented there; a fact is named by its field")]
        pub enum Refusal {
            $(#[error($message)] $name $({ $($fact: $kind),* })?,)*
        }

        impl Refusal {
            /// The error's name in the protocol.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => concat!(stringify!($name), "Exception"),)*
                }
            }
        }
    };
}

refusals! {
    RepositoryDoesNotExist { name: String } = "{name} does not exist",
    RepositoryNameExists { name: String } = "Repository named {name} already exists",
    RepositoryNamesRequired = "At least one repository name is required.",
    MaximumRepositoryNamesExceeded { most: usize } = "At most {most} repository names can be given at once.",
    InvalidRepositoryName { name: String } =
        "{name} is no name for a repository: it has 1 to 100 letters, digits, periods, underscores and dashes, and does \
         not end in .git",
    RepositoryLimitExceeded { most: usize } = "The account has {most} repositories in this Region, as many as it can have.",
    OperationNotAllowed { reason: &'static str } = "The operation is not allowed: {reason}.",
    TooManyTags { most: usize } = "A repository can have {most} tags.",
    InvalidTagsMap = "Keys of tags have 1 to 128 characters, values at most 256, and no two keys differ in case only.",
    InvalidSystemTagUsage = "Keys of tags do not begin with aws:.",
    InvalidContinuationToken = "The continuation token is not one that this operation gave.",
}

/// An error of an operation of CodeCommit.
#[derive(Debug, thiserror::Error)]
pub enum CodeCommitError {
    /// The request is not done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The repository's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The caller may not do a part of what was asked for.
    #[error("{}", .0.message)]
    Forbidden(Fault),
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// A record contradicts itself.
    #[error("{0}")]
    Damaged(String),
}

impl From<StoreError> for CodeCommitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadCursor => Refusal::InvalidContinuationToken.into(),
            other => Self::Store(other),
        }
    }
}

impl ServiceError for CodeCommitError {
    fn fault(&self) -> Fault {
        match self {
            Self::Refused(refusal) => Fault::sender(refusal.code(), refusal.to_string()),
            Self::Key(fault) => fault.fault(),
            Self::Forbidden(fault) => fault.clone(),
            Self::Store(_) | Self::Damaged(_) => CommonFault::InternalFailure.fault(Protocol::json("1.1", "")),
        }
    }
}
