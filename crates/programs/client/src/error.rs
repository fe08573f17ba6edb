//! Why a call came to nothing. Nothing secret is in an error.

use std::path::PathBuf;

use crate::TransportError;

/// The error that a service answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The status of the answer.
    pub status: u16,
    /// The exception's name, such as `AccessDeniedException`.
    pub code: String,
    /// The service's message.
    pub message: String,
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The service refused.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// No answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The answer is not what the service promises.
    #[error("{service} answered in a form that is not its own")]
    Form {
        /// The service.
        service: &'static str,
    },
    /// A request that cannot be signed.
    #[error("the request can't be signed: {0}")]
    Sign(#[from] wire::sigv4::SignError),
    /// There are no credentials.
    #[error(
        "no credentials for the profile {profile}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or put them into \
         the profile"
    )]
    NoCredentials {
        /// The profile.
        profile: String,
    },
    /// There is no region.
    #[error("no region: set AWS_REGION, or give the profile {profile} one")]
    NoRegion {
        /// The profile.
        profile: String,
    },
    /// A region that no host name may hold.
    #[error("{0:?} is not the name of a region")]
    Region(String),
    /// A profile that was named and is not there.
    #[error("there is no profile {0} in the shared configuration")]
    NoProfile(String),
    /// A profile says something that cannot be used.
    #[error("the profile {profile}: {reason}")]
    Profile {
        /// The profile.
        profile: String,
        /// The mistake.
        reason: String,
    },
    /// A file that the configuration names can't be read.
    #[error("can't read {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// The role that a profile names could not be assumed.
    #[error("can't assume the role {role}: {cause}")]
    Role {
        /// The role.
        role: String,
        /// Why.
        cause: Box<ClientError>,
    },
    /// The role could not be assumed by an identity provider's token.
    #[error("can't assume the role {role} by the token in {}: {cause}{}", path.display(), advice(cause))]
    WebIdentity {
        /// The role.
        role: String,
        /// The token's file.
        path: PathBuf,
        /// Why.
        cause: Box<ClientError>,
    },
}

/// Advice on a refusal of a token.
fn advice(cause: &ClientError) -> &'static str {
    let ClientError::Service(refusal) = cause else { return "" };
    match refusal.code.as_str() {
        "ExpiredTokenException" => "; have the provider write a new token there",
        "InvalidIdentityToken" => {
            "; it has to be a token of an OpenID Connect provider that IAM knows in the role's account, made for one of \
             the provider's client ids"
        }
        "IDPCommunicationError" => "; the security token service needs the provider's keys first",
        "AccessDenied" => {
            "; the role's trust policy has to allow sts:AssumeRoleWithWebIdentity to whom the token names"
        }
        _ => "",
    }
}

impl ClientError {
    /// A name for the kind of failure: the service's own code, or `Unreachable` and the like.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Service(error) => &error.code,
            Self::Transport(_) => "Unreachable",
            Self::Form { .. } => "UnexpectedAnswer",
            Self::Sign(_) | Self::NoCredentials { .. } => "NoCredentials",
            Self::NoRegion { .. } | Self::Region(_) => "NoRegion",
            Self::NoProfile(_) | Self::Profile { .. } | Self::File { .. } => "Configuration",
            Self::Role { .. } | Self::WebIdentity { .. } => "RoleNotAssumed",
        }
    }
}
