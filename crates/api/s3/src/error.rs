//! Errors of S3's operations.
//!
//! A refusal is one outcome and its facts, which the answer has as elements. Faults of KMS become those that S3 has for
//! them. Causes go to the log.

mod key_fault;

use buckets::{BucketsError, Condition};
use http::{HeaderName, HeaderValue};
use service::{ServiceError, UploadError};
use store::StoreError;
use wire::form::PolicyError;
use wire::{CommonFault, Fault, Protocol};

pub use key_fault::KeyFault;

/// The element of an answer that shows a fact, by the fact's name.
fn element_of(fact: &str) -> Option<&'static str> {
    Some(match fact {
        "bucket" => "BucketName",
        "key" => "Key",
        "version_id" => "VersionId",
        "upload_id" => "UploadId",
        "argument" => "ArgumentName",
        "value" => "ArgumentValue",
        "condition" => "Condition",
        "method" => "Method",
        "resource_type" => "ResourceType",
        "region" => "Region",
        "part_number" => "PartNumber",
        "e_tag" => "ETag",
        "size" => "Size",
        "least" => "MinSizeAllowed",
        "most" => "MaxSizeAllowed",
        "asked" => "RangeRequested",
        "length" => "ActualObjectSize",
        "tag_key" => "TagKey",
        "header" => "Header",
        _ => return None,
    })
}

/// Declares the refusals: the name of each, which is its code, its facts, its status and its message.
macro_rules! refusals {
    ($($name:ident $({ $($fact:ident : $kind:ty),* })? $status:literal = $message:literal,)*) => {
        /// A request that is not done, and why: named as in AWS's API.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[allow(missing_docs, reason = "the names are AWS's own and documented there; a fact is named by its field")]
        pub enum Refusal {
            $(#[error($message)] $name $({ $($fact: $kind),* })?,)*
        }

        impl Refusal {
            /// The error's name in the protocol.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => stringify!($name),)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(&self) -> u16 {
                match self { $(Self::$name { .. } => $status,)* }
            }

            /// The facts that the answer shows, as elements.
            fn elements(&self) -> Vec<(&'static str, String)> {
                match self {
                    $(Self::$name $({ $($fact),* })? => {
                        let facts: &[(&str, &dyn std::fmt::Display)] = &[$($((stringify!($fact), $fact)),*)?];
                        facts.iter().filter_map(|(name, fact)| Some((element_of(name)?, fact.to_string()))).collect()
                    })*
                }
            }
        }
    };
}

refusals! {
    AccessControlListNotSupported 400 = "The bucket does not allow ACLs",
    AccessDenied 403 = "Access Denied",
    AccessForbidden { reason: &'static str, method: String, resource_type: &'static str } 403 = "{reason}",
    AuthorizationHeaderMalformed { region: String, sent: String } 400 =
        "The authorization header is malformed; the region '{sent}' is wrong; expecting '{region}'",
    BadDigest { reason: String } 400 = "{reason}",
    BadRequest { reason: &'static str } 400 = "{reason}",
    BucketAlreadyExists { bucket: String } 409 = "The requested bucket name is not available. The bucket namespace is \
        shared by all users of the system. Please select a different name and try again.",
    BucketAlreadyOwnedByYou { bucket: String } 409 =
        "Your previous request to create the named bucket succeeded and you already own it.",
    BucketNotEmpty { bucket: String } 409 = "The bucket you tried to delete is not empty",
    ConditionalRequestConflict { condition: &'static str, key: String } 409 =
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
    EntityTooLarge { size: u64, most: u64 } 400 = "Your proposed upload exceeds the maximum allowed size",
    EntityTooSmall { size: u64, least: u64, part_number: u32, e_tag: String } 400 =
        "Your proposed upload is smaller than the minimum allowed size",
    IllegalLocationConstraintException { reason: String } 400 = "{reason}",
    IllegalVersioningConfigurationException 400 =
        "The Versioning element must be specified",
    InvalidArgument { argument: &'static str, value: String, reason: String } 400 = "{reason}",
    InvalidBucketAclWithObjectOwnership 400 = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    InvalidBucketName { bucket: String } 400 = "The specified bucket is not valid.",
    InvalidBucketOwnerAWSAccountID 400 = "The value of the expected bucket owner parameter must be an AWS Account ID",
    InvalidBucketState { reason: &'static str } 409 = "{reason}",
    InvalidEncryptionAlgorithmError { value: String } 400 =
        "The Encryption request you specified is not valid. Supported value: AES256.",
    InvalidLocationConstraint { constraint: String } 400 = "The specified location-constraint is not valid",
    InvalidObjectState 403 = "The operation is not valid for the object's storage class",
    InvalidPart { upload_id: String, part_number: u32, e_tag: String } 400 = "One or more of the specified parts could \
        not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    InvalidPartNumber { part_number: u32 } 416 = "The requested partnumber is not satisfiable",
    InvalidPartOrder { upload_id: String } 400 =
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    InvalidRange { asked: String, length: u64 } 416 = "The requested range is not satisfiable",
    InvalidRequest { reason: String } 400 = "{reason}",
    InvalidStorageClass { class: String } 400 = "The storage class you specified is not valid",
    InvalidTag { reason: &'static str, tag_key: String } 400 = "{reason}",
    KeyTooLongError { size: usize, most: usize } 400 = "Your key is too long",
    MalformedPolicy { reason: String } 400 = "{reason}",
    MalformedXML 400 = "The XML you provided was not well-formed or did not validate against our published schema",
    MetadataTooLarge { size: usize, most: usize } 400 =
        "Your metadata headers exceed the maximum allowed metadata size",
    MethodNotAllowed { method: String, resource_type: &'static str } 405 =
        "The specified method is not allowed against this resource.",
    MissingRequestBodyError 400 = "Request Body is empty",
    NoSuchBucket { bucket: String } 404 = "The specified bucket does not exist",
    NoSuchBucketPolicy { bucket: String } 404 = "The bucket policy does not exist",
    NoSuchConfiguration 404 = "The specified configuration does not exist.",
    NoSuchCORSConfiguration { bucket: String } 404 = "The CORS configuration does not exist",
    NoSuchKey { key: String } 404 = "The specified key does not exist.",
    NoSuchLifecycleConfiguration { bucket: String } 404 = "The lifecycle configuration does not exist",
    NoSuchObjectLockConfiguration 404 = "The specified object does not have a ObjectLock configuration",
    NoSuchPublicAccessBlockConfiguration { bucket: String } 404 =
        "The public access block configuration was not found",
    NoSuchTagSet { bucket: String } 404 = "The TagSet does not exist",
    NoSuchUpload { upload_id: String } 404 = "The specified upload does not exist. The upload ID may be invalid, or the \
        upload may have been aborted or completed.",
    NoSuchVersion { key: String, version_id: String } 404 = "The specified version does not exist.",
    NoSuchWebsiteConfiguration { bucket: String } 404 =
        "The specified bucket does not have a website configuration",
    NotImplemented { header: String, reason: &'static str } 501 = "{reason}",
    NotModified 304 = "Not Modified",
    ObjectLockConfigurationNotFoundError { bucket: String } 404 =
        "Object Lock configuration does not exist for this bucket",
    OperationAborted 409 = "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    OwnershipControlsNotFoundError { bucket: String } 404 = "The bucket ownership controls were not found",
    PreconditionFailed { condition: &'static str } 412 =
        "At least one of the pre-conditions you specified did not hold",
    ReplicationConfigurationNotFoundError { bucket: String } 404 = "The replication configuration was not found",
    ServerSideEncryptionConfigurationNotFoundError { bucket: String } 404 =
        "The server side encryption configuration was not found",
}

impl Refusal {
    /// The refusal of a request whose header or element asks for something that there is not.
    pub(crate) fn not_implemented(header: &str) -> Self {
        let reason = "A header you provided implies functionality that is not implemented";
        Self::NotImplemented { header: header.to_owned(), reason }
    }
}

/// An error of an operation of S3.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// The request is not done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request is not done, and the answer says more than that.
    #[error("{0}")]
    WithHeaders(Refusal, Vec<(HeaderName, HeaderValue)>),
    /// The version cannot be removed.
    #[error("Access Denied because object protected by object lock.")]
    Locked,
    /// The KMS key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The caller may not do a part of what was asked for.
    #[error("{}", .0.message)]
    Forbidden(Fault),
    /// A form is not what its policy allows.
    #[error(transparent)]
    Form(#[from] PolicyError),
    /// A field of a form cannot be read.
    #[error("{}", .0.message)]
    Field(Fault),
    /// The file of a form is smaller than its policy allows.
    #[error("Your proposed upload is smaller than the minimum allowed size")]
    TooSmall {
        /// Its size in bytes.
        size: u64,
        /// The least that the policy allows, in bytes.
        least: u64,
    },
    /// The payload did not arrive, or is not what its sender says.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The objects, or their contents.
    #[error("the objects failed")]
    Objects(#[source] BucketsError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// A record contradicts itself.
    #[error("{0}")]
    Damaged(String),
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::BadCursor => Refusal::InvalidArgument {
                argument: "continuation-token",
                value: String::new(),
                reason: "The continuation token provided is incorrect".to_owned(),
            }
            .into(),
            other => Self::Store(other),
        }
    }
}

impl From<BucketsError> for S3Error {
    /// Operations convert errors for which they have messages of their own.
    fn from(error: BucketsError) -> Self {
        match error {
            BucketsError::Store(error) => error.into(),
            other => Self::Objects(other),
        }
    }
}

/// The protocol in whose words faults are.
pub(crate) const PROTOCOL: Protocol = Protocol::rest_xml("", &[]);

/// The header that says where a bucket is.
pub(crate) static BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

impl S3Error {
    /// The error of the store of objects as it is for a request that names this object, on this condition.
    #[must_use]
    pub(crate) fn on_object(self, key: &str, condition: &Condition) -> Self {
        self.on_version(key, None, condition)
    }

    /// The error as it is for a request that names this version.
    #[must_use]
    pub(crate) fn on_version(self, key: &str, version_id: Option<&str>, condition: &Condition) -> Self {
        let Self::Objects(error) = self else { return self };
        let condition = match condition {
            Condition::Absent => "If-None-Match",
            Condition::None | Condition::Present | Condition::Matches(_) => "If-Match",
        };
        let key = || key.to_owned();
        let refusal = match error {
            BucketsError::NoSuchKey => Refusal::NoSuchKey { key: key() },
            BucketsError::NoSuchVersion => {
                Refusal::NoSuchVersion { key: key(), version_id: version_id.unwrap_or_default().to_owned() }
            }
            BucketsError::InvalidVersionId => {
                let (value, reason) = (version_id.unwrap_or_default().to_owned(), "Invalid version id specified");
                Refusal::InvalidArgument { argument: "versionId", value, reason: reason.to_owned() }
            }
            BucketsError::KeyLength { bytes } => Refusal::KeyTooLongError { size: bytes, most: buckets::KEY_BYTES_MAX },
            BucketsError::PreconditionFailed => Refusal::PreconditionFailed { condition },
            BucketsError::Conflict => Refusal::ConditionalRequestConflict { condition, key: key() },
            BucketsError::Locked => return Self::Locked,
            error => return Self::Objects(error),
        };
        refusal.into()
    }
}

impl ServiceError for S3Error {
    fn fault(&self) -> Fault {
        match self {
            Self::Refused(refusal) => {
                let mut fault = Fault::new(refusal.code(), refusal.status(), refusal.to_string());
                for (name, value) in refusal.elements() {
                    fault = fault.with_detail(name, value);
                }
                match refusal {
                    Refusal::AuthorizationHeaderMalformed { region, .. } => match HeaderValue::from_str(region) {
                        Ok(region) => fault.with_header(BUCKET_REGION.clone(), region),
                        Err(_) => fault,
                    },
                    _ => fault,
                }
            }
            Self::WithHeaders(refusal, headers) => {
                let fault = Self::Refused(refusal.clone()).fault();
                headers.iter().fold(fault, |fault, (name, value)| fault.with_header(name.clone(), value.clone()))
            }
            Self::Locked => Fault::new(Refusal::AccessDenied.code(), Refusal::AccessDenied.status(), self.to_string()),
            Self::Key(fault) => fault.fault(),
            Self::Forbidden(fault) | Self::Field(fault) => fault.clone(),
            Self::Form(error) => error.fault(),
            Self::TooSmall { size, least } => Fault::sender("EntityTooSmall", self.to_string())
                .with_detail("ProposedSize", size.to_string())
                .with_detail("MinSizeAllowed", least.to_string()),
            Self::Upload(error) => error.fault(PROTOCOL),
            Self::Objects(_) | Self::Store(_) | Self::Damaged(_) => CommonFault::InternalFailure.fault(PROTOCOL),
        }
    }
}
