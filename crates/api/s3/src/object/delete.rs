//! `DeleteObject`.

use std::sync::Arc;

use buckets::{Condition, Put};
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::Timestamp;
use wire::shape::Binding::{Header, Label, Query};

use super::locks::millis;
use super::target::{Target, VersionKey};
use crate::S3;
use crate::access::{Bucket, BucketKey, BucketName, ObjectKey};
use crate::error::{Refusal, S3Error};
use crate::event::{Happened, Listeners};
use crate::record::BucketRecord;

wire::shape! {
    pub(crate) struct DeleteObjectInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "MFA" mfa: String, optional, [], [Header("x-amz-mfa")];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "BypassGovernanceRetention" bypass_governance_retention: bool, optional, [], [Header("x-amz-bypass-governance-retention")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "IfMatch" if_match: String, optional, [], [Header("if-match")];
        "IfMatchLastModifiedTime" if_match_last_modified_time: Timestamp, optional, [], [Header("x-amz-if-match-last-modified-time")];
        "IfMatchSize" if_match_size: i64, optional, [], [Header("x-amz-if-match-size")];
    }
}

wire::output! {
    /// The outcome: a version that was removed, or a delete marker that was added.
    pub(crate) struct DeleteObjectOutput {
        "DeleteMarker" delete_marker: bool, optional, [Header("x-amz-delete-marker")];
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
    }
}

/// Removes an object, by a delete marker if the bucket has versions, or one version for good.
pub(crate) struct DeleteObject;

impl ResourceOperation for DeleteObject {
    type On = Target;
    const NAME: &'static str = "DeleteObject";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteObjectInput;
    type Output = Bound<DeleteObjectOutput>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Target>, need: Need<'n>) -> Need<'n> {
        match &input.if_match {
            Some(etag) => need.with("s3:if-match", etag),
            None => need,
        }
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        if input.mfa.is_some() {
            return Err(not_implemented("x-amz-mfa"));
        }
        if input.if_match_size.is_some() || input.if_match_last_modified_time.is_some() {
            return Err(not_implemented("x-amz-if-match-size"));
        }
        let condition = delete_condition(input.if_match.as_deref());
        let bypass = input.bypass_governance_retention.unwrap_or_default();
        let bypass = bypass && may_bypass(&target.bucket, &input.key, call).await?;
        let removal = Removal { name: input.key, version_id: input.version_id, condition, bypass };
        let record = Arc::clone(&target.bucket.record);
        let listeners = Listeners::of(&target.bucket, call).await?;
        let now_ms = millis(call.now);
        let change = move |tx: &mut Tx<'_>| {
            let current = BucketRecord::current(tx, &record)?;
            removal.run(tx, &current, now_ms, listeners.as_ref())
        };
        call.write(&call.service.store, change).await.map(Bound)
    }
}

/// A removal of an object or of one of its versions.
pub(crate) struct Removal {
    pub(crate) name: String,
    pub(crate) version_id: Option<String>,
    pub(crate) condition: Condition,
    /// Whether a retention of governance mode does not count.
    pub(crate) bypass: bool,
}

impl Removal {
    /// Removes it in a transaction.
    ///
    /// # Errors
    /// [`Refusal::PreconditionFailed`], [`Refusal::InvalidArgument`]; [`S3Error::Locked`].
    pub(crate) fn run(
        &self,
        tx: &mut Tx<'_>,
        bucket: &BucketRecord,
        now_ms: u64,
        listeners: Option<&Listeners>,
    ) -> Result<DeleteObjectOutput, S3Error> {
        let Self { name, version_id, condition, bypass } = self;
        let objects = bucket.objects()?;
        let removed = match version_id {
            Some(id) => objects.delete_version(tx, name, id, condition, (now_ms, *bypass)),
            None => {
                let put = Put { versioning: bucket.object_versioning(), condition: condition.clone(), now_ms };
                objects.delete(tx, name, &put)
            }
        };
        let removed =
            removed.map_err(|error| S3Error::from(error).on_version(name, version_id.as_deref(), condition))?;
        if let Some((listeners, change)) = listeners.zip(removed.marker.as_ref().or(removed.removed.as_ref())) {
            let created = removed.marker.is_some();
            let event = if created { "s3:ObjectRemoved:DeleteMarkerCreated" } else { "s3:ObjectRemoved:Delete" };
            let version_id = change.version_id.as_deref();
            listeners
                .queue(tx, &Happened { event, key: name, content: None, version_id, sequence: change.sequence })?;
        }
        let was_marker = removed.removed.is_some_and(|removed| removed.marker);
        let delete_marker = (was_marker && version_id.is_some() || removed.marker.is_some()).then_some(true);
        let version_id = version_id.clone().or_else(|| removed.marker.map(|marker| marker.id().to_owned()));
        Ok(DeleteObjectOutput { delete_marker, version_id })
    }
}

/// The condition of a removal.
pub(crate) fn delete_condition(if_match: Option<&str>) -> Condition {
    match if_match {
        None => Condition::None,
        Some("*") => Condition::Present,
        Some(etag) => Condition::Matches(etag.trim_matches('"').to_owned()),
    }
}

/// Whether the caller may end retentions of governance mode.
pub(crate) async fn may_bypass(bucket: &Bucket, name: &str, call: &Call<'_, S3>) -> Result<bool, S3Error> {
    let arn = [&*bucket.arn(), "/", name].concat();
    Ok(call.would_allow(&bucket.need_on("s3:BypassGovernanceRetention", arn, call)).await?)
}

/// The refusal of a header that is not served.
pub(crate) fn not_implemented(header: &str) -> S3Error {
    let reason = "A header you provided implies functionality that is not implemented";
    Refusal::NotImplemented { header: header.to_owned(), reason }.into()
}
