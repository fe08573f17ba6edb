//! Public access blocks: `PutPublicAccessBlock`, `GetPublicAccessBlock`, `DeletePublicAccessBlock`.

use store::Tx;
use wire::shape::Binding::Header;

use super::{deletes, gets, puts};
use crate::error::Refusal;
use crate::record::{BucketRecord, PublicAccess};

wire::document! {
    /// The parts of a public access block; absent ones are off.
    pub(crate) struct PublicAccessBlockConfiguration {
        "BlockPublicAcls" block_public_acls: bool, optional, [];
        "IgnorePublicAcls" ignore_public_acls: bool, optional, [];
        "BlockPublicPolicy" block_public_policy: bool, optional, [];
        "RestrictPublicBuckets" restrict_public_buckets: bool, optional, [];
    }
}

gets! {
    /// Gets a bucket's public access block.
    GetPublicAccessBlock ("s3:GetBucketPublicAccessBlock") -> GetPublicAccessBlockOutput {
        "PublicAccessBlockConfiguration": PublicAccessBlockConfiguration
    } = |bucket, _| {
        let missing = || Refusal::NoSuchPublicAccessBlockConfiguration { bucket: bucket.name.clone() };
        let block = bucket.public_access.ok_or_else(missing)?;
        PublicAccessBlockConfiguration {
            block_public_acls: Some(block.block_public_acls),
            ignore_public_acls: Some(block.ignore_public_acls),
            block_public_policy: Some(block.block_public_policy),
            restrict_public_buckets: Some(block.restrict_public_buckets),
        }
    }
}

puts! {
    /// Puts another public access block into the place of a bucket's.
    PutPublicAccessBlock ("s3:PutBucketPublicAccessBlock") <- PutPublicAccessBlockInput {
        "PublicAccessBlockConfiguration": PublicAccessBlockConfiguration, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    } = |input, bucket, call| {
        let given = input.given;
        let block = PublicAccess {
            block_public_acls: given.block_public_acls.unwrap_or_default(),
            ignore_public_acls: given.ignore_public_acls.unwrap_or_default(),
            block_public_policy: given.block_public_policy.unwrap_or_default(),
            restrict_public_buckets: given.restrict_public_buckets.unwrap_or_default(),
        };
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.public_access = Some(block);
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}

deletes! {
    /// Removes a bucket's public access block.
    DeletePublicAccessBlock ("s3:PutBucketPublicAccessBlock") = |bucket, call| {
        let change = |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.public_access = None;
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
