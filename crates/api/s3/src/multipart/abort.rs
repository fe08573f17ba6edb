//! `AbortMultipartUpload`.

use std::sync::Arc;

use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use store::Tx;
use wire::Timestamp;
use wire::shape::Binding::{Header, Label, Query};

use super::on_upload;
use crate::S3;
use crate::access::{BucketKey, BucketName, Object, ObjectKey};
use crate::error::{Refusal, S3Error};
use crate::record::BucketRecord;

wire::shape! {
    pub(crate) struct AbortMultipartUploadInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "UploadId" upload_id: String, required, [], [Query("uploadId")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "IfMatchInitiatedTime" if_match_initiated_time: Timestamp, optional, [], [Header("x-amz-if-match-initiated-time")];
    }
}

wire::output! {
    pub(crate) struct AbortMultipartUploadOutput {}
}

/// Ends an upload without an object.
pub(crate) struct AbortMultipartUpload;

impl ResourceOperation for AbortMultipartUpload {
    type On = Object;
    const NAME: &'static str = "AbortMultipartUpload";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AbortMultipartUploadInput;
    type Output = Bound<AbortMultipartUploadOutput>;

    fn key(input: &Self::Input) -> ObjectKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        ObjectKey { bucket, name: &input.key }
    }

    async fn run(input: Self::Input, object: &Permit<Object>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (record, key, id) = (Arc::clone(&object.record), input.key, input.upload_id.clone());
        let started = input.if_match_initiated_time.map(|time| time.millis().div_euclid(1000));
        let change = move |tx: &mut Tx<'_>| {
            let current = BucketRecord::current(tx, &record)?;
            let objects = current.objects()?;
            let entry = objects.upload(tx, &key, &id)?.entry;
            // Headers have whole seconds.
            if started.is_some_and(|started| u64::try_from(started).ok() != Some(entry.started_ms / 1000)) {
                let condition = "x-amz-if-match-initiated-time";
                return Err(S3Error::from(Refusal::PreconditionFailed { condition }));
            }
            Ok(objects.abort_upload(tx, &key, &id)?)
        };
        let done = call.write(&call.service.store, change).await;
        done.map(|()| Bound(AbortMultipartUploadOutput {})).map_err(|error| on_upload(error, &input.upload_id))
    }
}
