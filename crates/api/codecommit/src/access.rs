//! How repositories are found, what acting on one needs, and how its data key is opened.

mod comment;
mod data_key;
mod maybe;
mod named;
mod opened;
mod pull;
mod pull_request;
mod push;
mod upkeep;

pub(crate) use comment::Commented;
pub(crate) use data_key::{DEFAULT_KEY, generate, reseal};
pub(crate) use maybe::Maybe;
pub(crate) use named::{Named, need_of_name};
pub(crate) use opened::Opened;
pub use pull::{GitPull, GitPullInput, PulledFrom};
pub(crate) use pull_request::Pull;
pub(crate) use push::refusals;
pub use push::{GitPush, GitPushInput, PushedRef, PushedTo};
pub(crate) use upkeep::{MaintainRepository, VerifyRepository};

/// The condition key that says which references an action changes.
pub(crate) const REFERENCES: &str = "codecommit:References";

/// Our own condition key: whether an update keeps the history that a branch has. Absent while that is not known.
pub(crate) const FAST_FORWARD: &str = "codecommit:FastForward";

/// Our own condition key: whether a change of a branch is the merge of a pull request.
pub(crate) const THROUGH_PULL_REQUEST: &str = "codecommit:ThroughPullRequest";
