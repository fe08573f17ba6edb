//! `HeadBucket`.

use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use wire::shape::Binding::Header;

use crate::S3;
use crate::access::{Bucket, BucketInput, BucketKey};
use crate::error::S3Error;

wire::output! {
    pub(crate) struct HeadBucketOutput {
        "BucketRegion" region: String, required, [Header("x-amz-bucket-region")];
        "BucketArn" arn: String, required, [Header("x-amz-bucket-arn")];
        "AccessPointAlias" access_point_alias: bool, required, [Header("x-amz-access-point-alias")];
    }
}

/// Answers whether a bucket exists and the caller may list it.
pub(crate) struct HeadBucket;

impl ResourceOperation for HeadBucket {
    type On = Bucket;
    const NAME: &'static str = "HeadBucket";
    const ACTION: &'static str = "s3:ListBucket";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = BucketInput;
    type Output = Bound<HeadBucketOutput>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        input.key()
    }

    async fn run(_: Self::Input, bucket: &Permit<Bucket>, _: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (region, arn) = (bucket.region.clone(), bucket.arn());
        Ok(Bound(HeadBucketOutput { region, arn, access_point_alias: false }))
    }
}
