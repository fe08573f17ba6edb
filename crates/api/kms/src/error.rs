//! Errors of KMS operations, worded as AWS words them.
//!
//! A variant is one outcome and its facts. Causes go to the log and never reach the caller.

mod key_store_fault;

use crypto::CryptoError;
use service::ServiceError;
use store::StoreError;
use wire::Fault;

use crate::record::{BlobError, KeySpec, KeyUsage, Origin};

pub(crate) use key_store_fault::During;
pub use key_store_fault::KeyStoreFault;

/// An error of a KMS operation.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "a fact is named by its field")]
pub enum KmsError {
    /// The text is neither a key id, an alias nor an ARN of one.
    #[error("Invalid keyId '{text}'")]
    InvalidKeyId { text: String },
    /// The ARN is one of another region: a key never leaves its region.
    #[error("Invalid arn {region}")]
    OtherRegion { region: String },
    /// The ARN is not one of a KMS key or alias, or it names a principal that does not exist.
    #[error("{reason}")]
    InvalidArn { reason: String },
    /// There is no such key.
    #[error("Key '{arn}' does not exist")]
    KeyNotFound { arn: String },
    /// There is no such alias.
    #[error("Alias {arn} is not found.")]
    AliasNotFound { arn: String },
    /// Keys have one policy, and its name is `default`.
    #[error("No such policy exists")]
    PolicyNotFound,
    /// The key has no such grant.
    #[error("Grant ID {id} not found")]
    GrantNotFound { id: String },
    /// The key is disabled.
    #[error("{arn} is disabled.")]
    Disabled { arn: String },
    /// The key's state does not permit the operation.
    #[error("{arn} is {is}.")]
    InvalidState { arn: String, is: &'static str },
    /// The operation is not for keys whose material comes from there.
    #[error("{arn} origin is {origin} which is not valid for this operation.")]
    WrongOrigin { arn: String, origin: Origin },
    /// The ciphertext is malformed, was tampered with, or belongs to another encryption context. The answer does not
    /// say which.
    #[error("")]
    InvalidCiphertext(#[source] BlobError),
    /// The material to be imported cannot be unwrapped. The answer does not say why.
    #[error("")]
    InvalidWrapping(#[source] CryptoError),
    /// The material is not what the key takes.
    #[error("{0}")]
    IncorrectKeyMaterial(String),
    /// The import token is not one of ours, or one for another key.
    #[error("The import token is not valid for the KMS key.")]
    InvalidImportToken,
    /// The import token has expired.
    #[error("The import token is expired.")]
    ExpiredImportToken,
    /// The key has no such material.
    #[error("Key material '{id}' is not associated with key '{arn}'")]
    MaterialNotFound { id: String, arn: String },
    /// The ciphertext names a key that does not exist here.
    #[error(
        "User: {caller} is not authorized to perform: {action} on the resource associated with this ciphertext because \
         the resource does not exist in this Region, no resource-based policies allow access, or a resource-based \
         policy explicitly denies access"
    )]
    CiphertextOfNoKey { caller: String, action: &'static str },
    /// The ciphertext was not made by the key that the caller named.
    #[error("The key ID in the request does not identify a CMK that can perform this operation.")]
    IncorrectKey,
    /// The key's usage does not include the operation.
    #[error("{arn} key usage is {usage} which is not valid for {operation}.")]
    InvalidKeyUsage { arn: String, usage: KeyUsage, operation: &'static str },
    /// The algorithm does not go with the key.
    #[error("Algorithm {algorithm} is incompatible with key spec {spec}.")]
    IncompatibleAlgorithm { algorithm: &'static str, spec: KeySpec },
    /// The signature is not one of that message, key and algorithm.
    #[error("")]
    InvalidSignature,
    /// The code is not the one of that message and key.
    #[error("")]
    InvalidMac,
    /// The request is valid in AWS, and not supported here.
    #[error("{0}")]
    Unsupported(String),
    /// A rule that involves more than one member is violated.
    #[error("{0}")]
    Validation(String),
    /// The alias is taken.
    #[error("An alias with the name {arn} already exists")]
    AliasExists { arn: String },
    /// The Region has a related key already.
    #[error("Unable to replicate the key into Region {region}: {arn} already exists")]
    ReplicaExists { arn: String, region: String },
    /// The alias name is reserved.
    #[error("{0}")]
    InvalidAliasName(String),
    /// A quota of how many there may be is used up.
    #[error("{quota} quota for this account in this region is {most}, current usage is {usage}.")]
    QuotaExceeded { quota: &'static str, most: u64, usage: u64 },
    /// Another limit is reached.
    #[error("{0}")]
    LimitExceeded(String),
    /// An automatic rotation of the key is due.
    #[error("An automatic rotation of {arn} is in progress or scheduled to begin within the next 20 minutes.")]
    RotationDue { arn: String },
    /// The tags are refused.
    #[error("{0}")]
    Tag(TagFault),
    /// The key policy is refused.
    #[error("{0}")]
    MalformedPolicy(String),
    /// The marker is not one that this operation gave.
    #[error("The marker is not valid.")]
    InvalidMarker,
    /// The grant token is not one that this server gave, or not for a grant that exists.
    #[error("The grant token is not valid.")]
    InvalidGrantToken,
    /// The text is not a grant id.
    #[error("The grant ID is not valid.")]
    InvalidGrantId,
    /// All was well, and the caller asked for no more.
    #[error("The request would have succeeded, but the DryRun option is set.")]
    DryRun,
    /// A custom key store, or what it takes it for.
    #[error(transparent)]
    KeyStore(#[from] KeyStoreFault),
    /// The disk failed while the key was read. It is not gone: another attempt may succeed.
    #[error("the key cannot be read")]
    KeyUnavailable(#[source] StoreError),
    /// Another process has held the database for too long.
    #[error("the store is held by another process")]
    StoreHeld(#[source] StoreError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// Material cannot be unwrapped, or a record contradicts itself.
    #[error("{0}")]
    Damaged(String),
}

/// An error of tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagFault {
    /// A tag key occurs twice.
    #[error("Duplicate tag keys")]
    Duplicate,
    /// A tag key differs in case only from another, of the request or of the key.
    #[error("Duplicate tag keys: keys that differ in letter case only are one key to the conditions of policies")]
    DuplicateButForCase,
    /// The key would have more than 50.
    #[error("Too many tags")]
    TooMany,
    /// The prefix `aws:` in any case.
    #[error("Tags beginning with aws: are reserved")]
    Reserved,
}

impl KmsError {
    /// The error's name in the protocol.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidKeyId { .. }
            | Self::OtherRegion { .. }
            | Self::KeyNotFound { .. }
            | Self::AliasNotFound { .. }
            | Self::PolicyNotFound
            | Self::GrantNotFound { .. }
            | Self::MaterialNotFound { .. } => "NotFoundException",
            Self::InvalidArn { .. } => "InvalidArnException",
            Self::Disabled { .. } => "DisabledException",
            Self::InvalidState { .. } => "KMSInvalidStateException",
            Self::InvalidCiphertext(_) | Self::InvalidWrapping(_) => "InvalidCiphertextException",
            Self::IncorrectKeyMaterial(_) => "IncorrectKeyMaterialException",
            Self::InvalidImportToken => "InvalidImportTokenException",
            Self::ExpiredImportToken => "ExpiredImportTokenException",
            Self::CiphertextOfNoKey { .. } => "AccessDeniedException",
            Self::IncorrectKey => "IncorrectKeyException",
            Self::InvalidKeyUsage { .. } | Self::IncompatibleAlgorithm { .. } => "InvalidKeyUsageException",
            Self::InvalidSignature => "KMSInvalidSignatureException",
            Self::InvalidMac => "KMSInvalidMacException",
            Self::Unsupported(_) | Self::WrongOrigin { .. } => "UnsupportedOperationException",
            Self::Validation(_) => "ValidationException",
            Self::AliasExists { .. } | Self::ReplicaExists { .. } => "AlreadyExistsException",
            Self::InvalidAliasName(_) => "InvalidAliasNameException",
            Self::QuotaExceeded { .. } | Self::LimitExceeded(_) => "LimitExceededException",
            Self::RotationDue { .. } => "ConflictException",
            Self::Tag(_) => "TagException",
            Self::MalformedPolicy(_) => "MalformedPolicyDocumentException",
            Self::InvalidMarker => "InvalidMarkerException",
            Self::InvalidGrantToken => "InvalidGrantTokenException",
            Self::InvalidGrantId => "InvalidGrantIdException",
            Self::DryRun => "DryRunOperationException",
            Self::KeyStore(fault) => fault.code(),
            Self::KeyUnavailable(_) => "KeyUnavailableException",
            Self::StoreHeld(_) => "DependencyTimeoutException",
            Self::Store(_) | Self::Damaged(_) => "KMSInternalException",
        }
    }

    /// The HTTP status: 400, or 500 and 503 when the fault is ours.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::StoreHeld(_) => 503,
            Self::KeyUnavailable(_) | Self::Store(_) | Self::Damaged(_) => 500,
            _ => 400,
        }
    }

    /// The error for a key, or a domain key, that cannot be read.
    pub(crate) fn of_key(error: StoreError) -> Self {
        match error {
            StoreError::Io { .. } | StoreError::Closed => Self::KeyUnavailable(error),
            other => other.into(),
        }
    }
}

impl From<StoreError> for KmsError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadCursor => Self::InvalidMarker,
            StoreError::Busy { .. } => Self::StoreHeld(error),
            other => Self::Store(other),
        }
    }
}

impl ServiceError for KmsError {
    fn fault(&self) -> Fault {
        let status = self.status();
        // Internal causes are for the log.
        let message = if status >= 500 { String::new() } else { self.to_string() };
        Fault::new(self.code(), status, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_attempt_may_mend_has_a_name_that_clients_retry() {
        let database = store::Location::File("/data/sealstack.db".into());
        let failed = StoreError::Io { database: database.clone(), detail: "disk I/O error".to_owned() };
        let damaged = StoreError::NotAuthentic { collection: "keys".to_owned() };
        for (error, code, status) in [
            (KmsError::of_key(failed.clone()), "KeyUnavailableException", 500),
            (KmsError::of_key(StoreError::Closed), "KeyUnavailableException", 500),
            (KmsError::of_key(damaged), "KMSInternalException", 500),
            (KmsError::from(failed), "KMSInternalException", 500),
            (KmsError::from(StoreError::Busy { database }), "DependencyTimeoutException", 503),
        ] {
            assert_eq!(error.fault(), Fault::new(code, status, ""));
        }
    }
}
