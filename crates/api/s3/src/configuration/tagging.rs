//! Tags of a bucket as one document: `PutBucketTagging`, `GetBucketTagging`, `DeleteBucketTagging`.

use store::Tx;
use wire::shape::Binding::{Header, Item};

use super::{deletes, gets, puts};
use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, Tag, tags_of_bucket};

wire::document! {
    /// Tags, in no order.
    pub(crate) struct Tagging {
        "TagSet" tag_set: Vec<Tag>, required, [], [Item("Tag")];
    }
}

/// Refuses to change all tags at once while policies go by them.
fn refuse_with_abac(record: &BucketRecord) -> Result<(), S3Error> {
    if record.abac {
        let reason =
            "The bucket has attribute-based access control enabled. Use TagResource and UntagResource instead.";
        return Err(Refusal::InvalidRequest { reason: reason.to_owned() }.into());
    }
    Ok(())
}

gets! {
    /// Gets the tags of a bucket.
    GetBucketTagging ("s3:GetBucketTagging") -> GetBucketTaggingOutput { "Tagging": Tagging } = |bucket, _| {
        if bucket.tags.is_empty() {
            return Err(Refusal::NoSuchTagSet { bucket: bucket.name.clone() }.into());
        }
        Tagging { tag_set: Tag::listed(&bucket.tags) }
    }
}

puts! {
    /// Puts other tags into the place of all that a bucket has.
    PutBucketTagging ("s3:PutBucketTagging") <- PutBucketTaggingInput {
        "Tagging": Tagging, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    } = |input, bucket, call| {
        let tags = tags_of_bucket(&input.given.tag_set)?;
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            refuse_with_abac(record)?;
            record.tags = tags;
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}

deletes! {
    /// Removes the tags of a bucket.
    DeleteBucketTagging ("s3:PutBucketTagging") = |bucket, call| {
        let change = |record: &mut BucketRecord, _: &mut Tx<'_>| {
            refuse_with_abac(record)?;
            record.tags.clear();
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
