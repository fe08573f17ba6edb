//! `GetObjectAttributes`.

use buckets::{Checksum, Part, Protection};
use service::{AuditClass, Bound, Call, Need, Permit, Resource as _, ResourceOperation};
use wire::shape::Binding::{Flat, Header, Label, Name, Namespace, Payload, Query};
use wire::{SecretText, Timestamp};

use super::checksum::{kind_name, with_checksums};
use super::target::{Target, VersionKey};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, ObjectKey};
use crate::encryption::{CustomerHeaders, unwrap};
use crate::error::{Refusal, S3Error};

/// How many parts a page has, at most and unless fewer are asked for.
const PARTS_MAX: i32 = 1000;

wire::shape! {
    pub(crate) struct GetObjectAttributesInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "VersionId" version_id: String, optional, [], [Query("versionId")];
        "MaxParts" max_parts: i32, optional, [], [Header("x-amz-max-parts")];
        "PartNumberMarker" part_number_marker: i32, optional, [], [Header("x-amz-part-number-marker")];
        "SSECustomerAlgorithm" sse_customer_algorithm: String, optional, [], [Header("x-amz-server-side-encryption-customer-algorithm")];
        "SSECustomerKey" sse_customer_key: SecretText, optional, [], [Header("x-amz-server-side-encryption-customer-key")];
        "SSECustomerKeyMD5" sse_customer_key_md5: String, optional, [], [Header("x-amz-server-side-encryption-customer-key-md5")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "ObjectAttributes" object_attributes: Vec<String>, required, [], [Header("x-amz-object-attributes")];
    }
}

with_checksums! {
    /// The checksum of a content.
    pub(crate) struct ChecksumElements {
        "ChecksumType" checksum_type: String, optional;
    }
}

with_checksums! {
    /// A part of a content.
    pub(crate) struct ObjectPart {
        "PartNumber" part_number: i32, required;
        "Size" size: i64, required;
    }
}

wire::output! {
    /// The parts of a content: how many there are and, if they have checksums, a page of them.
    pub(crate) struct ObjectParts {
        "PartsCount" count: i32, required;
        "PartNumberMarker" marker: i32, optional;
        "NextPartNumberMarker" next_marker: i32, optional;
        "MaxParts" max_parts: i32, optional;
        "IsTruncated" is_truncated: bool, optional;
        "Part" parts: Vec<ObjectPart>, default, [Flat];
    }
}

wire::output! {
    pub(crate) struct GetObjectAttributesResponse {
        "ETag" e_tag: String, optional;
        "Checksum" checksum: ChecksumElements, optional;
        "ObjectParts" parts: ObjectParts, optional;
        "StorageClass" storage_class: String, optional;
        "ObjectSize" size: i64, optional;
    }
}

wire::output! {
    pub(crate) struct GetObjectAttributesOutput {
        "LastModified" last_modified: Timestamp, required, [Header("last-modified")];
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
        "Attributes" answer: GetObjectAttributesResponse, required,
            [Name("GetObjectAttributesResponse"), Payload, Namespace("", NAMESPACE)];
    }
}

/// Gets what is known of an object's content, as far as is asked for.
pub(crate) struct GetObjectAttributes;

impl ResourceOperation for GetObjectAttributes {
    type On = Target;
    const NAME: &'static str = "GetObjectAttributes";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetObjectAttributesInput;
    type Output = Bound<GetObjectAttributesOutput>;

    fn key(input: &Self::Input) -> VersionKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        VersionKey { object: ObjectKey { bucket, name: &input.key }, version_id: input.version_id.as_deref() }
    }

    fn further_needs<'n>(input: &'n Self::Input, target: Option<&'n Target>, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        target.map(|target| target.need(Self::key(input), "s3:GetObject", call)).into_iter().collect()
    }

    async fn run(input: Self::Input, target: &Permit<Target>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (found, stored) = target.version(&input.key, input.version_id.as_deref(), call).await?;
        let known = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
        let asked: Vec<&str> = input.object_attributes.iter().map(|name| name.trim()).collect();
        if let Some(unknown) = asked.iter().find(|name| !known.contains(name)) {
            let (argument, value) = ("x-amz-object-attributes", (*unknown).to_owned());
            let reason = "Invalid attribute name specified.".to_owned();
            return Err(Refusal::InvalidArgument { argument, value, reason }.into());
        }
        let asks = |name: &str| asked.contains(&name);
        let version = &stored.version;
        let details = &version.details;
        let customer = CustomerHeaders {
            algorithm: input.sse_customer_algorithm.as_deref(),
            key: input.sse_customer_key.as_ref(),
            md5: input.sse_customer_key_md5.as_deref(),
        };
        let customer = customer.read(call.origin.secure)?;
        let by_key_service = matches!(details.protection, Protection::Kms { .. } | Protection::Dsse { .. });
        if !by_key_service || asks("Checksum") || asks("ObjectParts") {
            unwrap(&details.protection, customer.as_ref(), &target.bucket, call).await?;
        }
        let parts = match version.parts.filter(|_| asks("ObjectParts")) {
            Some(_) => {
                let (objects, version) = (target.bucket.objects()?, version.clone());
                let parts = call.service.store.read(move |tx| objects.parts(tx, &version)).await?;
                Some(page(&parts, details.checksum.as_ref(), input.part_number_marker, input.max_parts))
            }
            None => None,
        };
        let answer = GetObjectAttributesResponse {
            e_tag: asks("ETag").then(|| details.etag.clone()),
            checksum: details.checksum.as_ref().filter(|_| asks("Checksum")).map(ChecksumElements::of),
            parts,
            storage_class: asks("StorageClass")
                .then(|| details.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned())),
            size: i64::try_from(version.bytes).ok().filter(|_| asks("ObjectSize")),
        };
        let last_modified = Timestamp::from_millis(i64::try_from(version.modified_ms).unwrap_or(i64::MAX));
        Ok(Bound(GetObjectAttributesOutput { last_modified, version_id: target.shown_id(&found.entry), answer }))
    }
}

/// A page of the parts behind `marker`.
fn page(parts: &[Part], checksum: Option<&Checksum>, marker: Option<i32>, max_parts: Option<i32>) -> ObjectParts {
    let count = i32::try_from(parts.len()).unwrap_or(i32::MAX);
    if parts.iter().all(|part| part.checksum.is_none()) {
        return ObjectParts {
            count,
            marker: None,
            next_marker: None,
            max_parts: None,
            is_truncated: None,
            parts: Vec::new(),
        };
    }
    let marker = marker.unwrap_or_default();
    let max_parts = max_parts.unwrap_or(PARTS_MAX).clamp(0, PARTS_MAX);
    let mut rest = parts.iter().filter(|part| i32::from(part.number) > marker);
    let algorithm = checksum.map_or("", |checksum| &checksum.kind.algorithm);
    let listed = rest.by_ref().take(usize::try_from(max_parts).unwrap_or_default());
    let listed: Vec<_> = listed.map(|part| ObjectPart::of(part, algorithm)).collect();
    let next_marker = listed.last().map_or(marker, |part| part.part_number);
    ObjectParts {
        count,
        marker: Some(marker),
        next_marker: Some(next_marker),
        max_parts: Some(max_parts),
        is_truncated: Some(rest.next().is_some()),
        parts: listed,
    }
}

impl ChecksumElements {
    fn of(checksum: &Checksum) -> Self {
        let mut elements = Self {
            checksum_type: Some(kind_name(checksum.kind.composite).to_owned()),
            checksum_crc32: None,
            checksum_crc32c: None,
            checksum_crc64nvme: None,
            checksum_sha1: None,
            checksum_sha256: None,
            checksum_sha512: None,
            checksum_md5: None,
            checksum_xxhash64: None,
            checksum_xxhash3: None,
            checksum_xxhash128: None,
        };
        elements.set_checksum(&checksum.kind.algorithm, &checksum.value);
        elements
    }
}

impl ObjectPart {
    fn of(part: &Part, algorithm: &str) -> Self {
        let mut elements = Self {
            part_number: i32::from(part.number),
            size: i64::try_from(part.bytes).unwrap_or(i64::MAX),
            checksum_crc32: None,
            checksum_crc32c: None,
            checksum_crc64nvme: None,
            checksum_sha1: None,
            checksum_sha256: None,
            checksum_sha512: None,
            checksum_md5: None,
            checksum_xxhash64: None,
            checksum_xxhash3: None,
            checksum_xxhash128: None,
        };
        if let Some(value) = &part.checksum {
            elements.set_checksum(algorithm, value);
        }
        elements
    }
}
