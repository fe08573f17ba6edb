//! Canonical ids: by which S3 names the owners of buckets and objects.

use crypto::{hex, sha256};

/// The canonical id of an account: 64 hexadecimal digits, always the same ones.
pub(crate) fn canonical_id(account: &str) -> String {
    hex::encode(&sha256(["s3 canonical id of ", account].concat().as_bytes()))
}
