//! Tags of an object: `GetObjectTagging`, `PutObjectTagging`, `DeleteObjectTagging`.

use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use wire::shape::Binding::{Header, Item, Label, Namespace, Payload, Query};

use super::target::{Target, VersionKey};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, ObjectKey};
use crate::configuration::tagging::Tagging;
use crate::error::S3Error;
use crate::record::{Tag, tags_of_object};

wire::shape! {
    pub(crate) struct GetObjectTaggingInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
    }
}

wire::output! {
    /// Tags, in the order of their keys.
    pub(crate) struct TaggingAnswer {
        "TagSet" tag_set: Vec<Tag>, required, [Item("Tag")];
    }
}

wire::output! {
    pub(crate) struct GetObjectTaggingOutput {
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
        "Tagging" answer: TaggingAnswer, required, [Payload, Namespace("", NAMESPACE)];
    }
}

wire::output! {
    /// The version whose tags were changed.
    pub(crate) struct TaggedVersion {
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
    }
}

wire::shape! {
    pub(crate) struct PutObjectTaggingInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "Tagging" tagging: Tagging, required, [], [Payload];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
    }
}

wire::shape! {
    pub(crate) struct DeleteObjectTaggingInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

/// Gets the tags of an object.
pub(crate) struct GetObjectTagging;

impl ResourceOperation for GetObjectTagging {
    type On = Target;
    const NAME: &'static str = "GetObjectTagging";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetObjectTaggingInput;
    type Output = Bound<GetObjectTaggingOutput>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (found, stored) = target.version(&input.key, input.version_id.as_deref(), call).await?;
        let tag = |(key, value): &(String, String)| Tag { key: key.clone(), value: value.clone() };
        let answer = TaggingAnswer { tag_set: stored.version.details.tags.iter().map(tag).collect() };
        Ok(Bound(GetObjectTaggingOutput { version_id: target.shown_id(&found.entry), answer }))
    }
}

/// Puts other tags into the place of all that an object has.
pub(crate) struct PutObjectTagging;

impl ResourceOperation for PutObjectTagging {
    type On = Target;
    const NAME: &'static str = "PutObjectTagging";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PutObjectTaggingInput;
    type Output = Bound<TaggedVersion>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Target>, need: Need<'n>) -> Need<'n> {
        let tags = &input.tagging.tag_set;
        let named = tags.iter().map(|tag| (&tag.key, tag.value.as_str()));
        let keys: Vec<_> = tags.iter().map(|tag| tag.key.as_str()).collect();
        need.with_named("s3:RequestObjectTag/", named).with_many("s3:RequestObjectTagKeys", keys)
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let tags = tags_of_object(&input.tagging.tag_set)?.into_iter().collect();
        target.version(&input.key, input.version_id.as_deref(), call).await?;
        let change = |details: &mut buckets::Details| {
            details.tags = tags;
            Ok(())
        };
        let entry = target.edit(input.key, input.version_id, call, change).await?;
        Ok(Bound(TaggedVersion { version_id: target.shown_id(&entry) }))
    }
}

/// Removes the tags of an object.
pub(crate) struct DeleteObjectTagging;

impl ResourceOperation for DeleteObjectTagging {
    type On = Target;
    const NAME: &'static str = "DeleteObjectTagging";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteObjectTaggingInput;
    type Output = Bound<TaggedVersion>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        target.version(&input.key, input.version_id.as_deref(), call).await?;
        let change = |details: &mut buckets::Details| {
            details.tags.clear();
            Ok(())
        };
        let entry = target.edit(input.key, input.version_id, call, change).await?;
        Ok(Bound(TaggedVersion { version_id: target.shown_id(&entry) }))
    }
}
