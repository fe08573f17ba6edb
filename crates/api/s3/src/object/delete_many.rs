//! `DeleteObjects`.

use std::sync::Arc;

use buckets::Condition;
use service::{AuditClass, Bound, Call, Need, Operation, Permit, Resource as _, ServiceError as _};
use store::Tx;
use wire::Timestamp;
use wire::shape::Binding::{Flat, Header, Label, Name, Namespace, Payload};

use super::delete::{Removal, delete_condition, may_bypass, not_implemented};
use super::locks::millis;
use crate::NAMESPACE;
use crate::S3;
use crate::access::{Bucket, BucketKey, BucketName, Object, action_on_version};
use crate::error::{Refusal, S3Error};
use crate::event::Listeners;
use crate::record::BucketRecord;

/// How many objects one request removes at most.
const OBJECTS_MAX: usize = 1000;

/// How many are removed in one transaction, so that others have their turn.
const TOGETHER: usize = 100;

wire::shape! {
    /// An object or a version that is to go.
    pub(crate) struct ObjectIdentifier {
        "Key" key: String, required, [];
        "VersionId" version_id: String, optional, [];
        "ETag" e_tag: String, optional, [];
        "LastModifiedTime" last_modified_time: Timestamp, optional, [];
        "Size" size: i64, optional, [];
    }
}

wire::shape! {
    /// The objects to be removed.
    pub(crate) struct Delete {
        "Objects" objects: Vec<ObjectIdentifier>, required, [], [Name("Object"), Flat];
        "Quiet" quiet: bool, optional, [];
    }
}

wire::shape! {
    pub(crate) struct DeleteObjectsInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Delete" delete: Delete, required, [], [Payload];
        "MFA" mfa: String, optional, [], [Header("x-amz-mfa")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "BypassGovernanceRetention" bypass_governance_retention: bool, optional, [], [Header("x-amz-bypass-governance-retention")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
    }
}

wire::output! {
    /// A removal that was done.
    pub(crate) struct Deleted {
        "Key" key: String, required;
        "VersionId" version_id: String, optional;
        "DeleteMarker" delete_marker: bool, optional;
        "DeleteMarkerVersionId" delete_marker_version_id: String, optional;
    }
}

wire::output! {
    /// A removal that was not done.
    pub(crate) struct NotDeleted {
        "Key" key: String, required;
        "VersionId" version_id: String, optional;
        "Code" code: String, required;
        "Message" message: String, required;
    }
}

wire::output! {
    pub(crate) struct DeleteResult {
        "Deleted" deleted: Vec<Deleted>, default, [Flat];
        "Errors" errors: Vec<NotDeleted>, default, [Name("Error"), Flat];
    }
}

wire::output! {
    pub(crate) struct DeleteObjectsOutput {
        "DeleteResult" result: DeleteResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// Removes many objects. Each is decided for itself, and what one caller may not do hinders no other.
pub(crate) struct DeleteObjects;

impl Operation for DeleteObjects {
    type Service = S3;
    const NAME: &'static str = "DeleteObjects";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteObjectsInput;
    type Output = Bound<DeleteObjectsOutput>;
    type Target = Bucket;

    async fn find(input: &Self::Input, call: &Call<'_, S3>) -> Result<Bucket, S3Error> {
        let expected_owner = input.expected_bucket_owner.as_deref();
        Bucket::find(BucketKey { name: &input.bucket, expected_owner }, call).await
    }

    /// None for all of them together: `run` asks for each.
    fn needs<'n>(_: &'n Self::Input, _: Option<&'n Bucket>, _: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        Vec::new()
    }

    async fn run(input: Self::Input, bucket: Permit<Bucket>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        if input.mfa.is_some() {
            return Err(not_implemented("x-amz-mfa"));
        }
        let Delete { objects, quiet } = input.delete;
        if objects.is_empty() || objects.len() > OBJECTS_MAX {
            return Err(Refusal::MalformedXML.into());
        }
        let bypass = input.bypass_governance_retention.unwrap_or_default();
        let mut result = DeleteResult { deleted: Vec::new(), errors: Vec::new() };
        let mut removals = Vec::new();
        for object in objects {
            match permitted(object, bypass, &bucket, call).await {
                Ok(removal) => removals.push(removal),
                Err((key, version_id, error)) => result.errors.push(not_deleted(key, version_id, &error)),
            }
        }
        let listeners = Listeners::of(&bucket, call).await?;
        let now_ms = millis(call.now);
        let mut removals = removals.into_iter().peekable();
        while removals.peek().is_some() {
            let together: Vec<Removal> = removals.by_ref().take(TOGETHER).collect();
            let (record, listeners) = (Arc::clone(&bucket.record), listeners.clone());
            let change = move |tx: &mut Tx<'_>| {
                let current = BucketRecord::current(tx, &record)?;
                let run = |removal: Removal| {
                    let outcome = removal.run(tx, &current, now_ms, listeners.as_ref());
                    (removal, outcome)
                };
                Ok::<_, S3Error>(together.into_iter().map(run).collect::<Vec<_>>())
            };
            for (Removal { name, version_id, .. }, outcome) in call.write(&call.service.store, change).await? {
                match outcome {
                    Ok(output) => {
                        let marker = output.delete_marker.is_some();
                        let delete_marker_version_id = output.version_id.filter(|_| marker);
                        result.deleted.push(Deleted {
                            key: name,
                            version_id,
                            delete_marker: output.delete_marker,
                            delete_marker_version_id,
                        });
                    }
                    Err(error) => result.errors.push(not_deleted(name, version_id, &error)),
                }
            }
        }
        if quiet.unwrap_or_default() {
            result.deleted.clear();
        }
        Ok(Bound(DeleteObjectsOutput { result }))
    }
}

/// The removal of an object, if the caller may do it.
async fn permitted(
    object: ObjectIdentifier,
    bypass: bool,
    bucket: &Bucket,
    call: &Call<'_, S3>,
) -> Result<Removal, (String, Option<String>, S3Error)> {
    let ObjectIdentifier { key, version_id, e_tag, last_modified_time, size } = object;
    let decide = async {
        let action = action_on_version("s3:DeleteObject", version_id.as_deref());
        let need = Object::need_on_object(bucket, &key, action, call);
        if let Some(fault) = call.refusal(&need).await? {
            return Err(S3Error::Forbidden(fault));
        }
        if last_modified_time.is_some() || size.is_some() {
            return Err(not_implemented("If-Match"));
        }
        Ok(bypass && may_bypass(bucket, &key, call).await?)
    };
    match decide.await {
        Ok(bypass) => {
            let condition: Condition = delete_condition(e_tag.as_deref());
            Ok(Removal { name: key, version_id, condition, bypass })
        }
        Err(error) => Err((key, version_id, error)),
    }
}

fn not_deleted(key: String, version_id: Option<String>, error: &S3Error) -> NotDeleted {
    let fault = error.fault();
    NotDeleted { key, version_id, code: fault.code.to_owned(), message: fault.message.to_string() }
}
