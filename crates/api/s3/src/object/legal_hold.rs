//! Legal holds on versions: `GetObjectLegalHold`, `PutObjectLegalHold`.

use buckets::Details;
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use wire::shape::Binding::{Header, Label, Namespace, Payload, Query};

use super::locks::check_bucket;
use super::target::{Target, VersionKey};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, ObjectKey};
use crate::error::{Refusal, S3Error};

wire::text_enum! {
    /// Whether there is a legal hold.
    pub(crate) enum HoldStatus { On = "ON", Off = "OFF" }
}

wire::document! {
    /// A hold that lasts until it is ended.
    pub(crate) struct ObjectLockLegalHold {
        "Status" status: HoldStatus, optional, [];
    }
}

wire::shape! {
    pub(crate) struct GetObjectLegalHoldInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

wire::output! {
    pub(crate) struct GetObjectLegalHoldOutput {
        "LegalHold" answer: ObjectLockLegalHold, required, [Payload, Namespace("", NAMESPACE)];
    }
}

wire::shape! {
    pub(crate) struct PutObjectLegalHoldInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "LegalHold" legal_hold: ObjectLockLegalHold, optional, [], [Payload];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

/// Gets whether a version has a legal hold.
pub(crate) struct GetObjectLegalHold;

impl ResourceOperation for GetObjectLegalHold {
    type On = Target;
    const NAME: &'static str = "GetObjectLegalHold";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetObjectLegalHoldInput;
    type Output = Bound<GetObjectLegalHoldOutput>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (_, stored) = target.version(&input.key, input.version_id.as_deref(), call).await?;
        check_bucket(&target.bucket)?;
        let status = if stored.version.details.legal_hold { HoldStatus::On } else { HoldStatus::Off };
        Ok(Bound(GetObjectLegalHoldOutput { answer: ObjectLockLegalHold { status: Some(status) } }))
    }
}

/// Puts a legal hold on a version, or ends it.
pub(crate) struct PutObjectLegalHold;

impl ResourceOperation for PutObjectLegalHold {
    type On = Target;
    const NAME: &'static str = "PutObjectLegalHold";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PutObjectLegalHoldInput;
    type Output = ();

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Target>, need: Need<'n>) -> Need<'n> {
        match input.legal_hold.as_ref().and_then(|hold| hold.status) {
            Some(status) => need.with("s3:object-lock-legal-hold", status.as_str()),
            None => need,
        }
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        target.version(&input.key, input.version_id.as_deref(), call).await?;
        check_bucket(&target.bucket)?;
        let asked = input.legal_hold.ok_or(Refusal::MissingRequestBodyError)?;
        let held = asked.status.ok_or(Refusal::MalformedXML)? == HoldStatus::On;
        let change = move |details: &mut Details| {
            details.legal_hold = held;
            Ok(())
        };
        target.edit(input.key, input.version_id, call, change).await.map(|_| ())
    }
}
