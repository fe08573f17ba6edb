//! What IAM and STS operations fail with, worded as AWS words it.
//!
//! Refuses to carry causes: what the store or a parser said goes to the log.

use policy::Malformed;
use service::ServiceError;
use store::StoreError;
use wire::Fault;

use crate::name::Kind;

/// An outcome of an IAM or STS operation other than success.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// No user, group or role has this name.
    #[error("The {kind} with name {name} cannot be found.")]
    NoSuchEntity {
        /// What was looked for.
        kind: Kind,
        /// The name it was looked for by.
        name: String,
    },
    /// The user has no such access key.
    #[error("The Access Key with id {id} cannot be found.")]
    NoSuchAccessKey {
        /// The access key's id.
        id: String,
    },
    /// No managed policy has this ARN, or it is not attached.
    #[error("Policy {arn} was not found.")]
    NoSuchPolicy {
        /// The ARN.
        arn: String,
    },
    /// No managed policy has this ARN, so nothing can be attached.
    #[error("Policy {arn} does not exist or is not attachable.")]
    NothingToAttach {
        /// The ARN.
        arn: String,
    },
    /// No managed policy has the ARN that a permissions boundary is to have.
    #[error("Scope ARN: {arn} does not exist or is not attachable.")]
    NoSuchBoundary {
        /// The ARN.
        arn: String,
    },
    /// The managed policy has no such version.
    #[error("Policy {arn} version {version} does not exist or is not attachable.")]
    NoSuchVersion {
        /// The policy's ARN.
        arn: String,
        /// The version's id, such as `v2`.
        version: String,
    },
    /// The user, group or role has no inline policy of this name.
    #[error("The {kind} policy with name {name} cannot be found.")]
    NoSuchInlinePolicy {
        /// What the policy was looked for in.
        kind: Kind,
        /// The policy's name.
        name: String,
    },
    /// A user, group or role has this name already, perhaps in other letter case.
    #[error("{} with name {name} already exists.", kind.capitalised())]
    EntityExists {
        /// What has it.
        kind: Kind,
        /// The name.
        name: String,
    },
    /// A managed policy has this name already, perhaps in other letter case.
    #[error("A policy called {name} already exists. Duplicate names are not allowed.")]
    PolicyExists {
        /// The name.
        name: String,
    },
    /// The entity is still in use.
    #[error("{0}")]
    DeleteConflict(Conflict),
    /// A quota is used up.
    #[error("{0}")]
    LimitExceeded(Quota),
    /// The document is not a policy.
    #[error("{0}")]
    MalformedPolicy(#[from] Malformed),
    /// A trust policy names somebody who does not exist.
    #[error("Invalid principal in policy: \"AWS\":\"{principal}\"")]
    InvalidPrincipal {
        /// The ARN or account id.
        principal: String,
    },
    /// An AWS-managed policy belongs to no account, so nobody may change it.
    #[error("Policy {arn} is outside your own account.")]
    ForeignPolicy {
        /// The policy's ARN.
        arn: String,
    },
    /// No access key of the caller's account has this id. AWS does not say whether another account has it.
    #[error("User: {caller} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {id}")]
    ForeignAccessKey {
        /// The caller's ARN.
        caller: String,
        /// The access key's id.
        id: String,
    },
    /// The input has the right form but cannot be meant.
    #[error("{0}")]
    InvalidInput(&'static str),
    /// The input breaks a rule of form.
    #[error("{0}")]
    Validation(String),
    /// No account has this id or name.
    #[error("There is no account {account}.")]
    NoSuchAccount {
        /// The id or name.
        account: String,
    },
    /// An account has this name already.
    #[error("There is an account called {name} already.")]
    AccountExists {
        /// The name.
        name: String,
    },
    /// The caller may never do this, whatever policies say.
    #[error("{0}")]
    AccessDenied(String),
    /// Session policies and tags together are too large for a session token.
    #[error("Packed policy and session tags consume {percent}% of the allotted space, please use smaller ones.")]
    PackedPolicyTooLarge {
        /// How much they would take, in percent of what they may.
        percent: usize,
    },
    /// The text is not an encoded message of this server.
    #[error("The encoded authorization message is not valid.")]
    InvalidAuthorizationMessage,
    /// The store failed. The cause is in the log.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

impl From<StoreError> for IamError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadCursor => Self::Validation("Invalid Marker.".to_owned()),
            error => Self::Store(error),
        }
    }
}

/// What stands in the way of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The user has access keys.
    #[error("Cannot delete entity, must delete access keys first.")]
    AccessKeys,
    /// Managed policies are attached to the entity.
    #[error("Cannot delete entity, must detach all policies first.")]
    AttachedPolicies,
    /// The entity has inline policies.
    #[error("Cannot delete entity, must delete policies first.")]
    InlinePolicies,
    /// The user is in groups, or the group has users.
    #[error("Cannot delete entity, must remove users from group first.")]
    Membership,
    /// The managed policy is attached.
    #[error("Cannot delete a policy attached to entities.")]
    Attached,
    /// The managed policy has versions besides the default one.
    #[error(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
         The default version is deleted with the policy."
    )]
    Versions,
    /// The default version goes with the policy only.
    #[error("Cannot delete the default version of a policy.")]
    DefaultVersion,
}

/// What there cannot be more of.
///
/// Source: IAM User Guide, "IAM and AWS STS quotas".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Quota {
    /// A count, named as AWS names it.
    #[error("Cannot exceed quota for {name}: {limit}")]
    Count {
        /// The quota's name, such as `AccessKeysPerUser`.
        name: &'static str,
        /// Its value.
        limit: usize,
    },
    /// All inline policies of an entity together.
    #[error("Maximum policy size of {limit} bytes exceeded for {kind} {name}")]
    InlineSize {
        /// What the policies are in.
        kind: Kind,
        /// Its name.
        name: String,
        /// How many characters they may have together, white space not counted.
        limit: usize,
    },
    /// The versions of a managed policy.
    #[error(
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing \
         version."
    )]
    Versions,
    /// The tags of one entity.
    #[error("The number of tags has reached the maximum limit.")]
    Tags,
}

impl ServiceError for IamError {
    fn fault(&self) -> Fault {
        let (code, status) = match self {
            Self::NoSuchEntity { .. }
            | Self::NoSuchAccessKey { .. }
            | Self::NoSuchPolicy { .. }
            | Self::NothingToAttach { .. }
            | Self::NoSuchBoundary { .. }
            | Self::NoSuchVersion { .. }
            | Self::NoSuchAccount { .. }
            | Self::NoSuchInlinePolicy { .. } => ("NoSuchEntity", 404),
            Self::EntityExists { .. } | Self::AccountExists { .. } | Self::PolicyExists { .. } => {
                ("EntityAlreadyExists", 409)
            }
            Self::DeleteConflict(_) => ("DeleteConflict", 409),
            Self::LimitExceeded(_) => ("LimitExceeded", 409),
            Self::MalformedPolicy(_) | Self::InvalidPrincipal { .. } => ("MalformedPolicyDocument", 400),
            Self::Validation(_) => ("ValidationError", 400),
            Self::ForeignPolicy { .. } | Self::InvalidInput(_) => ("InvalidInput", 400),
            Self::ForeignAccessKey { .. } | Self::AccessDenied(_) => ("AccessDenied", 403),
            Self::PackedPolicyTooLarge { .. } => ("PackedPolicyTooLarge", 400),
            Self::InvalidAuthorizationMessage => ("InvalidAuthorizationMessageException", 400),
            Self::Store(_) => ("ServiceFailure", 500),
        };
        let message = match self {
            Self::Store(_) => String::new(),
            told => told.to_string(),
        };
        Fault { code, status, message }
    }
}
