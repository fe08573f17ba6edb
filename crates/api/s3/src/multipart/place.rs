//! The place of a part: an upload that is under way, the part's number, and the key under which it is sealed. Knows no bodies.

use std::collections::BTreeMap;
use std::sync::Arc;

use buckets::{ContentWriter, NewContent, ObjectKey, PARTS_MAX, Protection, Upload};
use service::Call;
use store::Tx;
use wire::body::Algorithm;

use super::on_upload;
use crate::S3;
use crate::access::Bucket;
use crate::encryption::{CustomerHeaders, CustomerKey, shown, unwrap};
use crate::error::{Refusal, S3Error};
use crate::object::checksum;
use crate::object::locks::millis;
use crate::object::put::etag_of;
use crate::record::BucketRecord;

/// A place for a part.
pub(super) struct Place<'a> {
    bucket: &'a Bucket,
    key: &'a str,
    upload_id: &'a str,
    number: u16,
    upload: Upload,
    object_key: Arc<ObjectKey>,
    customer: Option<CustomerKey>,
}

impl<'a> Place<'a> {
    /// Finds the upload of this key and id, and unwraps its object's key as the caller.
    ///
    /// # Errors
    /// [`Refusal::NoSuchUpload`]; [`Refusal::InvalidArgument`] for a number that no part has; [`Refusal::InvalidRequest`] for
    /// another key than the upload was begun with; [`S3Error::Key`] when the caller cannot use the KMS key.
    pub(super) async fn find(
        bucket: &'a Bucket,
        (key, upload_id, number): (&'a str, &'a str, i32),
        customer: CustomerHeaders<'_>,
        call: &Call<'_, S3>,
    ) -> Result<Self, S3Error> {
        let refuse = || Refusal::InvalidArgument {
            argument: "partNumber",
            value: number.to_string(),
            reason: "Part number must be an integer between 1 and 10000, inclusive".to_owned(),
        };
        let number = u16::try_from(number).ok().filter(|number| (1..=PARTS_MAX).contains(number)).ok_or_else(refuse)?;
        let customer = customer.read(call.origin.secure)?;
        let objects = bucket.objects()?;
        let (name, id) = (key.to_owned(), upload_id.to_owned());
        let found = call.service.store.read(move |tx| objects.upload(tx, &name, &id)).await;
        let upload = found.map_err(|error| on_upload(error.into(), upload_id))?;
        let protection = &upload.details.protection;
        let object_key = Arc::new(unwrap_for_part(protection, customer.as_ref(), bucket, call).await?);
        Ok(Self { bucket, key, upload_id, number, upload, object_key, customer })
    }

    /// The algorithm that was chosen for the upload.
    pub(super) fn chosen(&self) -> Option<Algorithm> {
        self.upload.entry.checksum.as_ref().and_then(|kind| Algorithm::of_name(&kind.algorithm))
    }

    /// The algorithm of the checksums of the upload's parts.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.chosen().unwrap_or(checksum::OWN)
    }

    /// Begins the part's content.
    pub(super) fn writer(&self, call: &Call<'_, S3>) -> Result<ContentWriter, S3Error> {
        let etag = etag_of(&self.upload.details.protection);
        Ok(call.service.contents.part_writer(&self.bucket.objects()?, &self.object_key, etag))
    }

    /// The headers that say how the part is protected.
    pub(super) fn encryption(&self) -> BTreeMap<String, String> {
        shown(&self.upload.details.protection, self.customer.as_ref())
    }

    /// Puts the content there with its checksum, in the transaction that has the call's record.
    ///
    /// # Errors
    /// [`Refusal::NoSuchUpload`] for an upload that is gone by now; those of writing.
    pub(super) async fn put(
        &self,
        content: NewContent,
        checksum: Option<String>,
        call: &Call<'_, S3>,
    ) -> Result<(), S3Error> {
        let (record, number) = (Arc::clone(&self.bucket.record), self.number);
        let (key, id) = (self.key.to_owned(), self.upload_id.to_owned());
        let now_ms = millis(call.now);
        let change = move |tx: &mut Tx<'_>| {
            let current = BucketRecord::current(tx, &record)?;
            current.objects()?.put_part(tx, (&key, &id), number, (&content, checksum), now_ms)?;
            // Back to the caller, so that no sweep comes before the transaction is durable.
            Ok::<_, S3Error>(content)
        };
        let written = call.write(&call.service.store, change).await;
        written.map(drop).map_err(|error| on_upload(error, self.upload_id))
    }
}

/// Unwraps the object's key. Every part has to bring the key that the upload was begun with, if that was a caller's.
async fn unwrap_for_part(
    protection: &Protection,
    customer: Option<&CustomerKey>,
    bucket: &Bucket,
    call: &Call<'_, S3>,
) -> Result<ObjectKey, S3Error> {
    let refuse = |reason: &str| S3Error::from(Refusal::InvalidRequest { reason: reason.to_owned() });
    if matches!(protection, Protection::Customer(_)) != customer.is_some() {
        let reason = "The multipart upload initiate requested encryption. Subsequent part requests must include the \
                      appropriate encryption parameters.";
        return Err(refuse(reason));
    }
    unwrap(protection, customer, bucket, call).await.map_err(|error| match error {
        S3Error::Refused(Refusal::AccessDenied) if customer.is_some() => {
            refuse("The provided encryption parameters did not match the ones used originally.")
        }
        error => error,
    })
}
