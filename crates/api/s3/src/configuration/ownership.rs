//! Ownership controls: `PutBucketOwnershipControls`, `GetBucketOwnershipControls`, `DeleteBucketOwnershipControls`.
//!
//! Whatever they say, a bucket's objects are its owner's: there are no access control lists.

use store::Tx;
use wire::shape::Binding::{Flat, Header, Name};

use super::{deletes, gets, puts};
use crate::error::Refusal;
use crate::record::{BucketRecord, Ownership};

wire::document! {
    /// Whose the objects of a bucket are.
    pub(crate) struct OwnershipRule {
        "ObjectOwnership" object_ownership: Ownership, required, [];
    }
}

wire::document! {
    /// The one rule of a bucket.
    pub(crate) struct OwnershipControls {
        "Rules" rules: Vec<OwnershipRule>, required, [], [Name("Rule"), Flat];
    }
}

gets! {
    /// Gets a bucket's ownership controls.
    GetBucketOwnershipControls ("s3:GetBucketOwnershipControls") -> GetBucketOwnershipControlsOutput {
        "OwnershipControls": OwnershipControls
    } = |bucket, _| {
        let missing = || Refusal::OwnershipControlsNotFoundError { bucket: bucket.name.clone() };
        let object_ownership = bucket.ownership.ok_or_else(missing)?;
        OwnershipControls { rules: vec![OwnershipRule { object_ownership }] }
    }
}

puts! {
    /// Puts other ownership controls into the place of a bucket's.
    PutBucketOwnershipControls ("s3:PutBucketOwnershipControls") <- PutBucketOwnershipControlsInput {
        "OwnershipControls": OwnershipControls, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    } = |input, bucket, call| {
        let [OwnershipRule { object_ownership }] = *input.given.rules else { return Err(Refusal::MalformedXML.into()) };
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.ownership = Some(object_ownership);
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}

deletes! {
    /// Removes a bucket's ownership controls.
    DeleteBucketOwnershipControls ("s3:PutBucketOwnershipControls") = |bucket, call| {
        let change = |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.ownership = None;
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
