//! `HeadObject`.

use buckets::Protection;
use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use wire::shape::Binding::{Header, Label, Query};
use wire::{SecretText, Timestamp};

use super::described::{Described, reads};
use super::target::{Target, VersionKey};
use crate::S3;
use crate::access::BucketName;
use crate::encryption::unwrap;
use crate::error::S3Error;

reads!(HeadObjectInput);

/// Describes an object without its content.
pub(crate) struct HeadObject;

impl ResourceOperation for HeadObject {
    type On = Target;
    const NAME: &'static str = "HeadObject";
    const ACTION: &'static str = "s3:GetObject";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = HeadObjectInput;
    type Output = Bound<Described>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        input.key()
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (found, stored) = target.version(&input.key, input.version_id.as_deref(), call).await?;
        let customer = input.customer().read(call.origin.secure)?;
        let version = (&*input.key, found, stored);
        let (described, range) = input.asked().describe(&target.bucket, version, customer.as_ref(), call).await?;
        let protection = &stored.version.details.protection;
        // Checksums say something of the content, and a caller's key has to be the right one.
        let by_key_service = matches!(protection, Protection::Kms { .. } | Protection::Dsse { .. });
        if !by_key_service || !described.checksums.is_empty() {
            unwrap(protection, customer.as_ref(), &target.bucket, call).await?;
        }
        let content_length = i64::try_from(range.end - range.start).ok();
        Ok(Bound(Described { content_length, ..described }))
    }
}
