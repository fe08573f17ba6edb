//! Errors of IAM and STS operations, worded as AWS words them.
//!
//! A variant is one outcome and its facts. Causes go to the log and never reach the caller.

use policy::Malformed;
use service::ServiceError;
use store::StoreError;
use wire::Fault;

use crate::values::kind::Kind;

/// A result whose error is [`IamError`] unless another one is named.
pub(crate) type Result<T, E = IamError> = std::result::Result<T, E>;

/// An outcome of an IAM or STS operation other than success.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "a fact is named by its field")]
pub enum IamError {
    /// No user, group or role has this name.
    #[error("{} cannot be found.", kind.with_name(name))]
    NoSuchEntity { kind: Kind, name: String },
    /// The user has no such access key.
    #[error("The Access Key with id {id} cannot be found.")]
    NoSuchAccessKey { id: String },
    /// No managed policy has this ARN, or it is not attached.
    #[error("Policy {arn} was not found.")]
    NoSuchPolicy { arn: String },
    /// No managed policy has this ARN, so nothing can be attached.
    #[error("Policy {arn} does not exist or is not attachable.")]
    NothingToAttach { arn: String },
    /// No managed policy has the ARN that a permissions boundary is to have.
    #[error("Scope ARN: {arn} does not exist or is not attachable.")]
    NoSuchBoundary { arn: String },
    /// The managed policy has no such version.
    #[error("Policy {arn} version {version} does not exist or is not attachable.")]
    NoSuchVersion { arn: String, version: String },
    /// The user, group or role has no inline policy of this name.
    #[error("The {kind} policy with name {name} cannot be found.")]
    NoSuchInlinePolicy { kind: Kind, name: String },
    /// A user, group or role has this name already, perhaps in other letter case.
    #[error("{} already exists.", kind.taken(name))]
    EntityExists { kind: Kind, name: String },
    /// A managed policy has this name already, perhaps in other letter case.
    #[error("A policy called {name} already exists. Duplicate names are not allowed.")]
    PolicyExists { name: String },
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
    InvalidPrincipal { principal: String },
    /// The role belongs to a service.
    #[error("Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS")]
    ProtectedRole { name: String },
    /// Something that a user has, or the account, is missing. The text says what.
    #[error("{0}")]
    Missing(String),
    /// Something that there can be one of is there already. The text says what.
    #[error("{0}")]
    Taken(String),
    /// An outcome that has an error of its own in AWS's model.
    #[error("{message}")]
    Special { code: Special, message: String },
    /// An AWS-managed policy belongs to no account, so nobody may change it.
    #[error("Policy {arn} is outside your own account.")]
    ForeignPolicy { arn: String },
    /// No access key of the caller's account has this id. AWS does not say whether another account has it.
    #[error("User: {caller} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {id}")]
    ForeignAccessKey { caller: String, id: String },
    /// The input has the right form but cannot be meant.
    #[error("{0}")]
    InvalidInput(&'static str),
    /// The same in STS's words.
    #[error("{0}")]
    InvalidParameter(&'static str),
    /// The input has the right form but cannot be meant, for a reason that names what was given.
    #[error("{0}")]
    InvalidInputOf(String),
    /// The input breaks a rule of form.
    #[error("{0}")]
    Validation(String),
    /// No account has this id or name.
    #[error("There is no account {account}.")]
    NoSuchAccount { account: String },
    /// An account has this name already.
    #[error("There is an account called {name} already.")]
    AccountExists { name: String },
    /// An identity provider's token is not accepted. The text says why.
    #[error("{message}")]
    IdentityToken { fault: Token, message: String },
    /// The caller may never do this, whatever policies say.
    #[error("{0}")]
    AccessDenied(String),
    /// Session policies and tags together are too large for a session token.
    #[error("Packed policy and session tags consume {percent}% of the allotted space, please use smaller ones.")]
    PackedPolicyTooLarge { percent: usize },
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

/// Errors that AWS's model names for a few operations only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// The service has no credentials of its own.
    NotSupportedService,
    /// The password breaks the account's policy.
    PasswordPolicyViolation,
    /// Somebody without a password of their own wants to change it.
    InvalidUserType,
    /// The old password is not the one.
    WrongPassword,
    /// The SSH public key cannot be read.
    InvalidPublicKey,
    /// The user has this SSH public key already.
    DuplicateSshPublicKey,
    /// The SSH public key is in neither of the two encodings.
    UnrecognizedPublicKeyEncoding,
    /// There is no credential report.
    ReportNotPresent,
    /// The credential report is too old.
    ReportExpired,
    /// It would leave an account without an administrator.
    LastAdministrator,
}

impl Special {
    const fn fault(self) -> (&'static str, u16) {
        match self {
            Self::NotSupportedService => ("NotSupportedService", 404),
            Self::PasswordPolicyViolation => ("PasswordPolicyViolation", 400),
            Self::InvalidUserType => ("InvalidUserType", 400),
            Self::WrongPassword => ("AccessDenied", 403),
            Self::InvalidPublicKey => ("InvalidPublicKey", 400),
            Self::DuplicateSshPublicKey => ("DuplicateSSHPublicKey", 400),
            Self::UnrecognizedPublicKeyEncoding => ("UnrecognizedPublicKeyEncoding", 400),
            Self::ReportNotPresent => ("ReportNotPresent", 410),
            Self::ReportExpired => ("ReportExpired", 410),
            Self::LastAdministrator => ("DeleteConflict", 409),
        }
    }

    pub(crate) fn error(self, message: impl Into<String>) -> IamError {
        IamError::Special { code: self, message: message.into() }
    }
}

/// Why an identity provider's token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// It is malformed, badly signed, from a stranger or for a stranger.
    Invalid,
    /// Its time is over.
    Expired,
    /// The provider's keys are not known.
    NoKeys,
}

impl Token {
    const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "InvalidIdentityToken",
            Self::Expired => "ExpiredTokenException",
            Self::NoKeys => "IDPCommunicationError",
        }
    }

    pub(crate) fn error(self, message: impl Into<String>) -> IamError {
        IamError::IdentityToken { fault: self, message: message.into() }
    }
}

/// The obstacle to a deletion.
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
    /// The role is in an instance profile, or the profile has a role.
    #[error("Cannot delete entity, must remove roles from instance profile first.")]
    InstanceProfile,
    /// The user has a password.
    #[error("Cannot delete entity, must delete login profile first.")]
    LoginProfile,
    /// The user has SSH public keys.
    #[error("Cannot delete entity, must delete SSH public keys first.")]
    SshPublicKeys,
    /// The user has credentials for a service.
    #[error("Cannot delete entity, must delete service specific credentials first.")]
    ServiceCredentials,
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

/// A quota that is used up.
///
/// Source: IAM User Guide, "IAM and AWS STS quotas".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "a fact is named by its field")]
pub enum Quota {
    /// A count, named as AWS names it.
    #[error("Cannot exceed quota for {name}: {limit}")]
    Count { name: &'static str, limit: usize },
    /// All inline policies of an entity together.
    #[error("Maximum policy size of {limit} bytes exceeded for {kind} {name}")]
    InlineSize { kind: Kind, name: String, limit: usize },
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
            | Self::NoSuchInlinePolicy { .. }
            | Self::Missing(_) => ("NoSuchEntity", 404),
            Self::EntityExists { .. } | Self::AccountExists { .. } | Self::PolicyExists { .. } | Self::Taken(_) => {
                ("EntityAlreadyExists", 409)
            }
            Self::DeleteConflict(_) => ("DeleteConflict", 409),
            Self::LimitExceeded(_) => ("LimitExceeded", 409),
            Self::MalformedPolicy(_) | Self::InvalidPrincipal { .. } => ("MalformedPolicyDocument", 400),
            Self::Validation(_) => ("ValidationError", 400),
            Self::ForeignPolicy { .. } | Self::InvalidInput(_) | Self::InvalidInputOf(_) => ("InvalidInput", 400),
            Self::InvalidParameter(_) => ("InvalidParameterValue", 400),
            Self::ForeignAccessKey { .. } | Self::AccessDenied(_) => ("AccessDenied", 403),
            Self::IdentityToken { fault, .. } => (fault.code(), 400),
            Self::PackedPolicyTooLarge { .. } => ("PackedPolicyTooLarge", 400),
            Self::InvalidAuthorizationMessage => ("InvalidAuthorizationMessageException", 400),
            Self::ProtectedRole { .. } => ("UnmodifiableEntity", 400),
            Self::Special { code, .. } => code.fault(),
            Self::Store(_) => ("ServiceFailure", 500),
        };
        let message = match self {
            Self::Store(_) => String::new(),
            told => told.to_string(),
        };
        Fault::new(code, status, message)
    }
}
