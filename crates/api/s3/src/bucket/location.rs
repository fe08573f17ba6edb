//! `GetBucketLocation`.

use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use wire::shape::Binding::Payload;

use crate::NAMESPACE;
use crate::S3;
use crate::access::{Bucket, BucketInput, BucketKey};
use crate::error::S3Error;

wire::output! {
    pub(crate) struct GetBucketLocationOutput {
        "LocationConstraint" document: String, required, [Payload];
    }
}

/// Gets the Region of a bucket.
pub(crate) struct GetBucketLocation;

impl ResourceOperation for GetBucketLocation {
    type On = Bucket;
    const NAME: &'static str = "GetBucketLocation";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = BucketInput;
    type Output = Bound<GetBucketLocationOutput>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        input.key()
    }

    async fn run(_: Self::Input, bucket: &Permit<Bucket>, _: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        // The answer is the text of its root element, which no structure has.
        let region = if bucket.region == "us-east-1" { "" } else { bucket.region.as_str() };
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"{NAMESPACE}\">{region}</LocationConstraint>"
        );
        Ok(Bound(GetBucketLocationOutput { document }))
    }
}
