//! `DeleteBucket`.

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;

use crate::S3;
use crate::access::{Bucket, BucketInput, BucketKey};
use crate::error::S3Error;
use crate::record::{BucketEntry, BucketRecord, PolicyRecord};

/// Deletes a bucket that has no objects.
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
    let BucketRecord { id, name, account, .. } = BucketRecord::current(tx, bucket)?;
    tx.delete::<BucketRecord>(BucketRecord::PARENT, &name)?;
    tx.index_mut::<BucketEntry>(&account).remove(name.as_bytes())?;
    tx.delete::<PolicyRecord>(&id, "")?;
    Ok(())
}
