//! `GetObject`.

use service::{AuditClass, Call, Download, Permit, ResourceOperation};
use wire::shape::Binding::{Header, Label, Query};
use wire::{SecretText, Timestamp};

use super::answer::answer;
use super::described::{Described, reads};
use super::target::{Target, VersionKey};
use crate::S3;
use crate::access::BucketName;
use crate::encryption::unwrap;
use crate::error::S3Error;

reads!(GetObjectInput);

/// Gets the content of an object, or a range of it.
pub(crate) struct GetObject;

impl ResourceOperation for GetObject {
    type On = Target;
    const NAME: &'static str = "GetObject";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetObjectInput;
    type Output = Download<Described>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        input.key()
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (found, stored) = target.version(&input.key, input.version_id.as_deref(), call).await?;
        let customer = input.customer().read(call.origin.secure)?;
        let version = (&*input.key, found, stored);
        let (described, range) = input.asked().describe(&target.bucket, version, customer.as_ref(), call).await?;
        let protection = &stored.version.details.protection;
        let key = unwrap(protection, customer.as_ref(), &target.bucket, call).await?;
        let bytes = range.end - range.start;
        let reading = call.service.contents.read(&target.bucket.objects()?, stored, &key, range).await?;
        Ok(Download { output: described, stream: answer(reading, bytes) })
    }
}
