//! Retentions of versions: `GetObjectRetention`, `PutObjectRetention`.

use buckets::{Details, Retention, RetentionMode};
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use wire::Timestamp;
use wire::shape::Binding::{Header, Label, Namespace, Payload, Query};

use super::delete::may_bypass;
use super::locks::{check_bucket, millis, mode_name, until};
use super::target::{Target, VersionKey};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, ObjectKey};
use crate::error::{Refusal, S3Error};
use crate::record::ObjectLockMode;

wire::document! {
    /// A time before which a version cannot be removed, and how strict that is.
    pub(crate) struct ObjectLockRetention {
        "Mode" mode: ObjectLockMode, optional, [];
        "RetainUntilDate" until: Timestamp, optional, [];
    }
}

wire::shape! {
    pub(crate) struct GetObjectRetentionInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

wire::output! {
    pub(crate) struct GetObjectRetentionOutput {
        "Retention" answer: ObjectLockRetention, required, [Payload, Namespace("", NAMESPACE)];
    }
}

wire::shape! {
    pub(crate) struct PutObjectRetentionInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "Retention" retention: ObjectLockRetention, optional, [], [Payload];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "BypassGovernanceRetention" bypass_governance_retention: bool, optional, [], [Header("x-amz-bypass-governance-retention")];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

/// Gets the retention of a version.
pub(crate) struct GetObjectRetention;

impl ResourceOperation for GetObjectRetention {
    type On = Target;
    const NAME: &'static str = "GetObjectRetention";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetObjectRetentionInput;
    type Output = Bound<GetObjectRetentionOutput>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (_, stored) = target.version(&input.key, input.version_id.as_deref(), call).await?;
        check_bucket(&target.bucket)?;
        let retention = stored.version.details.retention.ok_or(Refusal::NoSuchObjectLockConfiguration)?;
        let mode = ObjectLockMode::from_text(mode_name(retention.mode));
        Ok(Bound(GetObjectRetentionOutput { answer: ObjectLockRetention { mode, until: Some(until(&retention)) } }))
    }
}

/// Puts a retention on a version, or another in its place.
pub(crate) struct PutObjectRetention;

impl ResourceOperation for PutObjectRetention {
    type On = Target;
    const NAME: &'static str = "PutObjectRetention";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PutObjectRetentionInput;
    type Output = ();

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Target>, need: Need<'n>) -> Need<'n> {
        match input.retention.as_ref().and_then(|retention| retention.mode) {
            Some(mode) => need.with("s3:object-lock-mode", mode.as_str()),
            None => need,
        }
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        target.version(&input.key, input.version_id.as_deref(), call).await?;
        check_bucket(&target.bucket)?;
        let asked = input.retention.ok_or(Refusal::MissingRequestBodyError)?;
        let retention = match (asked.mode, asked.until) {
            (Some(mode), Some(until)) => {
                if until.millis() <= call.now.millis() {
                    let (argument, value) = ("RetainUntilDate", until.iso8601());
                    let reason = "The retain until date must be in the future!".to_owned();
                    return Err(Refusal::InvalidArgument { argument, value, reason }.into());
                }
                let mode = match mode {
                    ObjectLockMode::Governance => RetentionMode::Governance,
                    ObjectLockMode::Compliance => RetentionMode::Compliance,
                };
                Some(Retention { mode, until_ms: millis(until) })
            }
            (None, None) => None,
            _ => return Err(Refusal::MalformedXML.into()),
        };
        let bypass = input.bypass_governance_retention.unwrap_or_default();
        let bypass = bypass && may_bypass(&target.bucket, &input.key, call).await?;
        let now_ms = millis(call.now);
        let change = move |details: &mut Details| replace(details, retention, now_ms, bypass);
        target.edit(input.key, input.version_id, call, change).await.map(|_| ())
    }
}

/// Replaces a retention, unless that makes weaker what has to stay.
fn replace(details: &mut Details, retention: Option<Retention>, now_ms: u64, bypass: bool) -> Result<(), S3Error> {
    if let Some(before) = details.retention.filter(|before| before.until_ms > now_ms) {
        let longer = retention.is_some_and(|after| after.until_ms >= before.until_ms);
        let as_strict =
            retention.is_some_and(|after| after.mode == before.mode || after.mode == RetentionMode::Compliance);
        let may = bypass && before.mode == RetentionMode::Governance;
        if !(longer && as_strict || may) {
            return Err(S3Error::Locked);
        }
    }
    details.retention = retention;
    Ok(())
}
