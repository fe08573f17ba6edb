//! `UploadPartCopy`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buckets::Stored;
use futures_util::StreamExt as _;
use service::{AuditClass, Bound, Call, Need, Operation, Permit};
use wire::body::Running;
use wire::shape::Binding::{Header, Label, Namespace, Payload, PrefixHeaders, Query};
use wire::{SecretText, Timestamp};

use super::place::Place;
use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, ObjectKey};
use crate::encryption::{CustomerHeaders, unwrap};
use crate::error::S3Error;
use crate::object::checksum::with_checksums;
use crate::object::conditions::{ReadConditions, quoted};
use crate::object::put::CONTENT_BYTES_MAX;
use crate::object::range;
use crate::object::source::{Copying, too_large};

wire::shape! {
    pub(crate) struct UploadPartCopyInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "CopySource" copy_source: String, required, [], [Header("x-amz-copy-source")];
        "CopySourceIfMatch" copy_source_if_match: String, optional, [], [Header("x-amz-copy-source-if-match")];
        "CopySourceIfModifiedSince" copy_source_if_modified_since: Timestamp, optional, [], [Header("x-amz-copy-source-if-modified-since")];
        "CopySourceIfNoneMatch" copy_source_if_none_match: String, optional, [], [Header("x-amz-copy-source-if-none-match")];
        "CopySourceIfUnmodifiedSince" copy_source_if_unmodified_since: Timestamp, optional, [], [Header("x-amz-copy-source-if-unmodified-since")];
        "CopySourceRange" copy_source_range: String, optional, [], [Header("x-amz-copy-source-range")];
        "Key" key: String, required, [], [Label];
        "PartNumber" part_number: i32, required, [], [Query("partNumber")];
        "UploadId" upload_id: String, required, [], [Query("uploadId")];
        "SSECustomerAlgorithm" sse_customer_algorithm: String, optional, [], [Header("x-amz-server-side-encryption-customer-algorithm")];
        "SSECustomerKey" sse_customer_key: SecretText, optional, [], [Header("x-amz-server-side-encryption-customer-key")];
        "SSECustomerKeyMD5" sse_customer_key_md5: String, optional, [], [Header("x-amz-server-side-encryption-customer-key-md5")];
        "CopySourceSSECustomerAlgorithm" copy_source_sse_customer_algorithm: String, optional, [], [Header("x-amz-copy-source-server-side-encryption-customer-algorithm")];
        "CopySourceSSECustomerKey" copy_source_sse_customer_key: SecretText, optional, [], [Header("x-amz-copy-source-server-side-encryption-customer-key")];
        "CopySourceSSECustomerKeyMD5" copy_source_sse_customer_key_md5: String, optional, [], [Header("x-amz-copy-source-server-side-encryption-customer-key-md5")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "ExpectedSourceBucketOwner" expected_source_bucket_owner: String, optional, [], [Header("x-amz-source-expected-bucket-owner")];
    }
}

with_checksums! {
    /// The part.
    pub(crate) struct CopyPartResult {
        "LastModified" last_modified: Timestamp, required;
        "ETag" e_tag: String, required;
    }
}

wire::output! {
    pub(crate) struct UploadPartCopyOutput {
        "CopySourceVersionId" source_version_id: String, optional, [Header("x-amz-copy-source-version-id")];
        "CopyPartResult" result: CopyPartResult, required, [Payload, Namespace("", NAMESPACE)];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
    }
}

impl UploadPartCopyInput {
    fn part_key(&self) -> CustomerHeaders<'_> {
        CustomerHeaders {
            algorithm: self.sse_customer_algorithm.as_deref(),
            key: self.sse_customer_key.as_ref(),
            md5: self.sse_customer_key_md5.as_deref(),
        }
    }

    fn source_key(&self) -> CustomerHeaders<'_> {
        CustomerHeaders {
            algorithm: self.copy_source_sse_customer_algorithm.as_deref(),
            key: self.copy_source_sse_customer_key.as_ref(),
            md5: self.copy_source_sse_customer_key_md5.as_deref(),
        }
    }

    fn source_conditions(&self) -> ReadConditions<'_> {
        ReadConditions {
            if_match: self.copy_source_if_match.as_deref(),
            if_none_match: self.copy_source_if_none_match.as_deref(),
            if_modified_since: self.copy_source_if_modified_since,
            if_unmodified_since: self.copy_source_if_unmodified_since,
        }
    }
}

/// Puts an object, or a range of it, as a part of an upload: the content is opened and sealed again.
pub(crate) struct UploadPartCopy;

impl Operation for UploadPartCopy {
    type Service = S3;
    const NAME: &'static str = "UploadPartCopy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UploadPartCopyInput;
    type Output = Bound<UploadPartCopyOutput>;
    type Target = Copying;

    async fn find(input: &Self::Input, call: &Call<'_, S3>) -> Result<Copying, S3Error> {
        let expected_owner = input.expected_bucket_owner.as_deref();
        let bucket = BucketKey { name: &input.bucket, expected_owner };
        let expected_owner = input.expected_source_bucket_owner.as_deref();
        Copying::find(ObjectKey { bucket, name: &input.key }, &input.copy_source, expected_owner, call).await
    }

    fn needs<'n>(input: &'n Self::Input, copying: Option<&'n Copying>, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        let Some(copying) = copying else { return Vec::new() };
        let bucket = &copying.bucket;
        let arn = [&*bucket.arn(), "/", &*input.key].concat();
        let of_target = bucket.need_on("s3:PutObject", arn, call).with("s3:x-amz-copy-source", &*input.copy_source);
        vec![of_target, copying.need_on_source("s3:GetObject", call)]
    }

    async fn run(input: Self::Input, copying: Permit<Copying>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let Copying { bucket, source, .. } = &*copying;
        let part = (&*input.key, &*input.upload_id, input.part_number);
        let place = Place::find(bucket, part, input.part_key(), call).await?;
        let (found, from) = copying.version(call).await?;
        let Stored { version, .. } = from;
        input.source_conditions().check_source((&version.details.etag, version.modified_ms), call.now)?;
        let range = match &input.copy_source_range {
            Some(header) => range::of_copy_source(header, version.bytes)?,
            None => 0..version.bytes,
        };
        if range.end - range.start > CONTENT_BYTES_MAX {
            return Err(too_large().into());
        }
        let of_source = input.source_key().read(call.origin.secure)?;
        let source_key = unwrap(&version.details.protection, of_source.as_ref(), &source.bucket, call).await?;
        let contents = &call.service.contents;
        let mut reading = contents.read(&source.bucket.objects()?, from, &source_key, range).await?;
        let mut writer = place.writer(call)?;
        let mut digest = Running::new(place.algorithm());
        while let Some(piece) = reading.next().await {
            let piece = piece?;
            digest.update(&piece);
            writer.write(piece).await?;
        }
        let content = writer.finish().await?;
        let value = STANDARD.encode(digest.finish());
        let mut result = CopyPartResult::new(call.now, quoted(&content.etag));
        if let Some(chosen) = place.chosen() {
            result.set_checksum(chosen.name(), &value);
        }
        let encryption = place.encryption();
        place.put(content, Some(value), call).await?;
        Ok(Bound(UploadPartCopyOutput { source_version_id: source.shown_id(&found.entry), result, encryption }))
    }
}

impl CopyPartResult {
    /// A part without a checksum.
    const fn new(last_modified: Timestamp, e_tag: String) -> Self {
        Self {
            last_modified,
            e_tag,
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
        }
    }
}
