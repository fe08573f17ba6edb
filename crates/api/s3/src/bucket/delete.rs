//! `DeleteBucket`.

use buckets::BucketsError;
use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;

use crate::S3;
use crate::access::{Bucket, BucketInput, BucketKey};
use crate::error::{Refusal, S3Error};
use crate::record::{BucketEntry, BucketRecord, CorsRecord, LifecycleRecord, NotificationRecord, PolicyRecord};

/// Deletes a bucket that has no objects. Uploads that were begun go with it.
pub(crate) struct DeleteBucket;

impl ResourceOperation for DeleteBucket {
    type On = Bucket;
    const NAME: &'static str = "DeleteBucket";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = BucketInput;
    type Output = ();

    fn key(input: &Self::Input) -> BucketKey<'_> {
        input.key()
    }

    async fn run(_: Self::Input, bucket: &Permit<Bucket>, call: &Call<'_, S3>) -> Result<(), S3Error> {
        let bucket = bucket.record.clone();
        call.write(&call.service.store, move |tx| remove(tx, &bucket)).await
    }
}

/// Removes a bucket's records.
fn remove(tx: &mut Tx<'_>, bucket: &BucketRecord) -> Result<(), S3Error> {
    let record = BucketRecord::current(tx, bucket)?;
    record.objects()?.remove(tx).map_err(|error| match error {
        BucketsError::NotEmpty => Refusal::BucketNotEmpty { bucket: record.name.clone() }.into(),
        error => S3Error::from(error),
    })?;
    let BucketRecord { id, name, account, .. } = record;
    tx.delete::<BucketRecord>(BucketRecord::PARENT, &name)?;
    tx.index_mut::<BucketEntry>(&account).remove(name.as_bytes())?;
    tx.delete::<PolicyRecord>(&id, "")?;
    tx.delete::<CorsRecord>(&id, "")?;
    tx.delete::<LifecycleRecord>(&id, "")?;
    tx.delete::<NotificationRecord>(&id, "")?;
    Ok(())
}
