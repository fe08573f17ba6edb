//! `UploadPart`.

use std::collections::BTreeMap;
use std::sync::Arc;

use buckets::{Checksum, ChecksumKind, PARTS_MAX};
use service::{AuditClass, Bound, Call, Permit, ResourceOperation, Upload};
use store::Tx;
use wire::SecretText;
use wire::body::Algorithm;
use wire::shape::Binding::{Header, Label, PrefixHeaders, Query};

use super::on_upload;
use crate::S3;
use crate::access::{BucketKey, BucketName, Object, ObjectKey};
use crate::encryption::{CustomerHeaders, shown, unwrap};
use crate::error::{Refusal, S3Error};
use crate::object::checksum;
use crate::object::conditions::quoted;
use crate::object::locks::millis;
use crate::object::put::{CONTENT_BYTES_MAX, etag_of};
use crate::record::BucketRecord;

wire::shape! {
    /// The input of `UploadPart`, without its payload.
    pub(crate) struct UploadPartInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "ContentLength" content_length: i64, optional, [], [Header("content-length")];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-sdk-checksum-algorithm")];
        "ChecksumCRC32" checksum_crc32: String, optional, [], [Header("x-amz-checksum-crc32")];
        "ChecksumCRC32C" checksum_crc32_c: String, optional, [], [Header("x-amz-checksum-crc32c")];
        "ChecksumCRC64NVME" checksum_crc64_nvme: String, optional, [], [Header("x-amz-checksum-crc64nvme")];
        "ChecksumSHA1" checksum_sha1: String, optional, [], [Header("x-amz-checksum-sha1")];
        "ChecksumSHA256" checksum_sha256: String, optional, [], [Header("x-amz-checksum-sha256")];
        "ChecksumSHA512" checksum_sha512: String, optional, [], [Header("x-amz-checksum-sha512")];
        "ChecksumMD5" checksum_md5: String, optional, [], [Header("x-amz-checksum-md5")];
        "ChecksumXXHASH64" checksum_xxhash64: String, optional, [], [Header("x-amz-checksum-xxhash64")];
        "ChecksumXXHASH3" checksum_xxhash3: String, optional, [], [Header("x-amz-checksum-xxhash3")];
        "ChecksumXXHASH128" checksum_xxhash128: String, optional, [], [Header("x-amz-checksum-xxhash128")];
        "Key" key: String, required, [], [Label];
        "PartNumber" part_number: i32, required, [], [Query("partNumber")];
        "UploadId" upload_id: String, required, [], [Query("uploadId")];
        "SSECustomerAlgorithm" sse_customer_algorithm: String, optional, [], [Header("x-amz-server-side-encryption-customer-algorithm")];
        "SSECustomerKey" sse_customer_key: SecretText, optional, [], [Header("x-amz-server-side-encryption-customer-key")];
        "SSECustomerKeyMD5" sse_customer_key_md5: String, optional, [], [Header("x-amz-server-side-encryption-customer-key-md5")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

wire::output! {
    /// The answer to a part that was put.
    pub(crate) struct UploadPartOutput {
        "ETag" e_tag: String, required, [Header("etag")];
        "Checksums" checksums: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-checksum-")];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
    }
}

/// Puts a part of an upload, in the place of one of the same number.
pub(crate) struct UploadPart;

impl ResourceOperation for UploadPart {
    type On = Object;
    const NAME: &'static str = "UploadPart";
    const ACTION: &'static str = "s3:PutObject";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = Upload<UploadPartInput>;
    type Output = Bound<UploadPartOutput>;

    fn key(input: &Self::Input) -> ObjectKey<'_> {
        let input = &input.input;
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        ObjectKey { bucket, name: &input.key }
    }

    async fn run(upload: Self::Input, bucket: &Permit<Object>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let Upload { input, mut payload } = upload;
        let number = u16::try_from(input.part_number).ok().filter(|number| (1..=PARTS_MAX).contains(number));
        let number = number.ok_or_else(|| Refusal::InvalidArgument {
            argument: "partNumber",
            value: input.part_number.to_string(),
            reason: "Part number must be an integer between 1 and 10000, inclusive".to_owned(),
        })?;
        let customer = CustomerHeaders {
            algorithm: input.sse_customer_algorithm.as_deref(),
            key: input.sse_customer_key.as_ref(),
            md5: input.sse_customer_key_md5.as_deref(),
        };
        let customer = customer.read(call.origin.secure)?;
        let objects = bucket.objects()?;
        let (key, id) = (input.key.clone(), input.upload_id.clone());
        let found = call.service.store.read(move |tx| objects.upload(tx, &key, &id)).await;
        let found = found.map_err(|error| on_upload(error.into(), &input.upload_id))?;
        let protection = &found.details.protection;
        let object_key = Arc::new(unwrap(protection, customer.as_ref(), bucket, call).await?);
        let kind = found.entry.checksum.as_ref();
        let algorithm = kind.and_then(|kind| Algorithm::of_name(&kind.algorithm)).unwrap_or(checksum::OWN);
        payload.compute(algorithm);
        let too_large = |size: u64| match size {
            ..=CONTENT_BYTES_MAX => Ok(()),
            size => Err(Refusal::EntityTooLarge { size, most: CONTENT_BYTES_MAX }),
        };
        too_large(payload.length().unwrap_or_default())?;
        let mut writer = call.service.contents.part_writer(&objects, &object_key, etag_of(protection));
        let mut bytes = 0_u64;
        while let Some(piece) = payload.next().await? {
            bytes += piece.len() as u64;
            too_large(bytes)?;
            writer.write(piece).await?;
        }
        let (given, value) = match payload.finished() {
            Some(finished) => (finished.given, finished.base64(algorithm)),
            None => (None, None),
        };
        if let Some(given) = given.filter(|given| kind.is_some() && *given != algorithm) {
            let (expected, actual) = (algorithm.name().to_ascii_lowercase(), given.name().to_ascii_lowercase());
            let reason = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
            );
            return Err(Refusal::InvalidRequest { reason }.into());
        }
        let echoed = given.unwrap_or(algorithm);
        let shown_value = payload.finished().filter(|_| given.is_some() || kind.is_some());
        let mut checksums = BTreeMap::new();
        if let Some(value) = shown_value.and_then(|finished| finished.base64(echoed)) {
            let kind = ChecksumKind { algorithm: echoed.name().to_owned(), composite: false };
            checksums = checksum::headers(&Checksum { kind, value });
            checksums.remove("type");
        }
        let content = writer.finish().await?;
        let e_tag = quoted(&content.etag);
        let encryption = shown(protection, customer.as_ref());
        let (record, key, id) = (Arc::clone(&bucket.record), input.key, input.upload_id.clone());
        let now_ms = millis(call.now);
        let change = move |tx: &mut Tx<'_>| {
            let current = BucketRecord::current(tx, &record)?;
            current.objects()?.put_part(tx, (&key, &id), number, (&content, value), now_ms)?;
            // Back to the caller, so that no sweep comes before the transaction is durable.
            Ok::<_, S3Error>(content)
        };
        let written = call.write(&call.service.store, change).await;
        drop(written.map_err(|error| on_upload(error, &input.upload_id))?);
        Ok(Bound(UploadPartOutput { e_tag, checksums, encryption }))
    }
}
