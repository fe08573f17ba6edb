//! `ListParts`.

use buckets::{ChecksumKind, UploadPart};
use service::{AuditClass, Bound, Call, Permit, ResourceOperation};
use wire::shape::Binding::{Flat, Header, Label, Name, Namespace, Payload, Query};
use wire::shape::Rule;
use wire::{SecretText, Timestamp};

use super::{checksum, page_size, quoted, shown_size};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, Object, ObjectKey, Owner};
use crate::error::S3Error;
use crate::multipart::on_upload;
use crate::object::checksum::with_checksums;

with_checksums! {
    /// A part in a list.
    pub(crate) struct ListedPart {
        "PartNumber" part_number: i32, required;
        "LastModified" last_modified: Timestamp, required;
        "ETag" e_tag: String, required;
        "Size" size: i64, required;
    }
}

wire::shape! {
    pub(crate) struct ListPartsInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "MaxParts" max_parts: i32, optional, [Rule::Range(0, i32::MAX as i64)], [Query("max-parts")];
        "PartNumberMarker" part_number_marker: i32, optional, [Rule::Range(0, i32::MAX as i64)], [Query("part-number-marker")];
        "UploadId" upload_id: String, required, [], [Query("uploadId")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "SSECustomerAlgorithm" sse_customer_algorithm: String, optional, [], [Header("x-amz-server-side-encryption-customer-algorithm")];
        "SSECustomerKey" sse_customer_key: SecretText, optional, [], [Header("x-amz-server-side-encryption-customer-key")];
        "SSECustomerKeyMD5" sse_customer_key_md5: String, optional, [], [Header("x-amz-server-side-encryption-customer-key-md5")];
    }
}

wire::output! {
    pub(crate) struct ListPartsResult {
        "Bucket" bucket: String, required;
        "Key" key: String, required;
        "UploadId" upload_id: String, required;
        "PartNumberMarker" part_number_marker: i32, required;
        "NextPartNumberMarker" next_part_number_marker: i32, required;
        "MaxParts" max_parts: i32, required;
        "IsTruncated" is_truncated: bool, required;
        "Parts" parts: Vec<ListedPart>, default, [Name("Part"), Flat];
        "Initiator" initiator: Owner, required;
        "Owner" owner: Owner, required;
        "StorageClass" storage_class: String, required;
        "ChecksumAlgorithm" checksum_algorithm: String, optional;
        "ChecksumType" checksum_type: String, optional;
    }
}

wire::output! {
    pub(crate) struct ListPartsOutput {
        "ListPartsResult" result: ListPartsResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// Lists the parts that an upload has.
pub(crate) struct ListParts;

impl ResourceOperation for ListParts {
    type On = Object;
    const NAME: &'static str = "ListParts";
    const ACTION: &'static str = "s3:ListMultipartUploadParts";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListPartsInput;
    type Output = Bound<ListPartsOutput>;

    fn key(input: &Self::Input) -> ObjectKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        ObjectKey { bucket, name: &input.key }
    }

    async fn run(input: Self::Input, bucket: &Permit<Object>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let limit = page_size(input.max_parts);
        let marker = input.part_number_marker.unwrap_or_default();
        let after = u16::try_from(marker).unwrap_or(u16::MAX);
        let objects = bucket.objects()?;
        let (key, id) = (input.key.clone(), input.upload_id.clone());
        let read = move |tx: &store::ReadTx<'_>| {
            let upload = objects.upload(tx, &key, &id)?;
            let (parts, more) = objects.upload_parts(tx, &upload.entry, after, limit)?;
            Ok::<_, buckets::BucketsError>((upload.entry, parts, more))
        };
        let found = call.service.store.read(read).await;
        let (entry, parts, more) = found.map_err(|error| on_upload(error.into(), &input.upload_id))?;
        let next_part_number_marker = parts.last().map_or(0, |part| i32::from(part.number));
        let kind = entry.checksum.as_ref();
        let parts = parts.into_iter().map(|part| ListedPart::of(part, kind)).collect();
        let (mut algorithms, checksum_type) = checksum(kind);
        let result = ListPartsResult {
            bucket: bucket.name.clone(),
            key: input.key,
            upload_id: input.upload_id,
            part_number_marker: marker,
            next_part_number_marker,
            max_parts: shown_size(limit),
            is_truncated: more,
            parts,
            initiator: Owner::of(&bucket.account),
            owner: Owner::of(&bucket.account),
            storage_class: entry.storage_class.unwrap_or_else(|| "STANDARD".to_owned()),
            checksum_algorithm: algorithms.pop(),
            checksum_type,
        };
        Ok(Bound(ListPartsOutput { result }))
    }
}

impl ListedPart {
    /// A part as it is shown: with its checksum if the caller chose an algorithm for the upload.
    fn of(part: UploadPart, kind: Option<&ChecksumKind>) -> Self {
        let mut listed = Self {
            part_number: i32::from(part.number),
            last_modified: Timestamp::from_millis(i64::try_from(part.modified_ms).unwrap_or(i64::MAX)),
            e_tag: quoted(&part.etag),
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
        if let (Some(kind), Some(value)) = (kind, &part.checksum) {
            listed.set_checksum(&kind.algorithm, value);
        }
        listed
    }
}
