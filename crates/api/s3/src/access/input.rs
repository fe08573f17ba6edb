//! The input of operations that name a bucket and no more.

use wire::shape::Binding::{Header, Label};

use super::{BucketKey, BucketName};

wire::shape! {
    /// An input that names a bucket and no more.
    pub(crate) struct BucketInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

impl BucketInput {
    /// The bucket that it names.
    pub(crate) fn key(&self) -> BucketKey<'_> {
        BucketKey { name: &self.bucket, expected_owner: self.expected_bucket_owner.as_deref() }
    }
}
