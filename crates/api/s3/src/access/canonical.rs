//! Canonical ids: by which S3 names the owners of buckets and objects.

use crypto::{hex, sha256};

wire::output! {
    /// Whose something is. The display name went in November 2025.
    pub(crate) struct Owner {
        "ID" id: String, required;
    }
}

impl Owner {
    /// The owner of what is in an account.
    pub(crate) fn of(account: &str) -> Self {
        Self { id: canonical_id(account) }
    }
}

/// The canonical id of an account: 64 hexadecimal digits, always the same ones.
pub(crate) fn canonical_id(account: &str) -> String {
    hex::encode(&sha256(["s3 canonical id of ", account].concat().as_bytes()))
}
