//! Which protection an object gets, and how its key is wrapped and unwrapped: under the bucket's key, under data keys that are
//! generated and opened as the caller, or under a key that the caller sends. Knows no contents.
//!
//! Source: Amazon S3 User Guide, "Protecting data with encryption".

mod asked;
mod blob_owners;
mod customer;
mod protect;
mod shown;
mod unwrap;

pub use blob_owners::BlobOwners;

pub(crate) use asked::{Asked, EncryptionHeaders};
pub(crate) use customer::{CustomerHeaders, CustomerKey};
pub(crate) use protect::{Protected, protect, rewrap};
pub(crate) use shown::shown;
pub(crate) use unwrap::unwrap;

/// The service that calls KMS for the caller.
pub(crate) const SERVICE: &str = "s3.amazonaws.com";

/// The pair that the encryption context of each data key has; its value is the ARN of the object, or of the bucket.
pub(crate) const CONTEXT_KEY: &str = "aws:s3:arn";

/// The KMS key of requests that name none.
pub(crate) const DEFAULT_KEY: &str = "alias/aws/s3";

/// The associated data of a wrapped object key.
fn bound_to(bucket: &str) -> Vec<u8> {
    [b"s3 object key\0", bucket.as_bytes()].concat()
}
