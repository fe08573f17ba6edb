//! Whether policies may go by a bucket's tags: `PutBucketAbac`, `GetBucketAbac`.

use store::Tx;
use wire::shape::Binding::Header;

use super::{gets, puts};
use crate::record::BucketRecord;

wire::text_enum! {
    /// Whether something is on.
    pub(crate) enum Status { Enabled = "Enabled", Disabled = "Disabled" }
}

wire::document! {
    /// Whether policies may go by a bucket's tags.
    pub(crate) struct AbacStatus {
        "Status" status: Status, optional, [];
    }
}

gets! {
    /// Gets whether policies may go by a bucket's tags.
    GetBucketAbac ("s3:GetBucketAbac") -> GetBucketAbacOutput { "AbacStatus": AbacStatus } = |bucket, _| {
        AbacStatus { status: Some(if bucket.abac { Status::Enabled } else { Status::Disabled }) }
    }
}

puts! {
    /// Says whether policies may go by a bucket's tags.
    PutBucketAbac ("s3:PutBucketAbac") <- PutBucketAbacInput {
        "AbacStatus": AbacStatus, required;
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    } = |input, bucket, call| {
        let abac = input.given.status == Some(Status::Enabled);
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.abac = abac;
            Ok(())
        };
        call.service.change(call, bucket, change).await
    }
}
