//! `HeadObject`.

use buckets::Protection;
use service::{AuditClass, Bound, Call, Need, Operation, Permit};
use wire::shape::Binding::{Header, Label, Query};
use wire::{SecretText, Timestamp};

use super::described::{Described, reads};
use super::target::Target;
use crate::S3;
use crate::access::BucketName;
use crate::encryption::unwrap;
use crate::error::S3Error;

reads!(HeadObjectInput);

/// Describes an object without its content.
pub(crate) struct HeadObject;

impl Operation for HeadObject {
    type Service = S3;
    const NAME: &'static str = "HeadObject";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = HeadObjectInput;
    type Output = Bound<Described>;
    type Target = Target;

    async fn find(input: &Self::Input, call: &Call<'_, S3>) -> Result<Target, S3Error> {
        Target::find(input.key(), input.version_id.as_deref(), call).await
    }

    fn needs<'n>(input: &'n Self::Input, target: Option<&'n Target>, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        let need = |target: &'n Target| target.need(&input.key, input.version_id.as_deref(), "s3:GetObject", call);
        target.map(need).into_iter().collect()
    }

    async fn run(input: Self::Input, target: Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
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
