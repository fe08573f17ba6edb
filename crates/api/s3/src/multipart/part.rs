//! `UploadPart`.

use std::collections::BTreeMap;

use service::{AuditClass, Bound, Call, Permit, ResourceOperation, Upload};
use wire::SecretText;
use wire::body::Algorithm;
use wire::shape::Binding::{Header, Label, PrefixHeaders, Query};

use super::place::Place;
use crate::S3;
use crate::access::{BucketKey, BucketName, Object, ObjectKey};
use crate::encryption::CustomerHeaders;
use crate::error::{Refusal, S3Error};
use crate::object::conditions::quoted;
use crate::object::put::CONTENT_BYTES_MAX;

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
        let customer = CustomerHeaders {
            algorithm: input.sse_customer_algorithm.as_deref(),
            key: input.sse_customer_key.as_ref(),
            md5: input.sse_customer_key_md5.as_deref(),
        };
        let place = Place::find(bucket, (&input.key, &input.upload_id, input.part_number), customer, call).await?;
        let (chosen, algorithm) = (place.chosen(), place.algorithm());
        payload.compute(algorithm);
        let too_large = |size: u64| match size {
            ..=CONTENT_BYTES_MAX => Ok(()),
            size => Err(Refusal::EntityTooLarge { size, most: CONTENT_BYTES_MAX }),
        };
        too_large(payload.length().unwrap_or_default())?;
        let mut writer = place.writer(call)?;
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
        check_given(given, chosen)?;
        let echoed = given.or(chosen);
        let mut checksums = BTreeMap::new();
        if let Some((echoed, value)) = echoed.and_then(|echoed| Some((echoed, payload.finished()?.base64(echoed)?))) {
            checksums.insert(echoed.name().to_ascii_lowercase(), value);
        }
        let content = writer.finish().await?;
        let (e_tag, encryption) = (quoted(&content.etag), place.encryption());
        place.put(content, value, call).await?;
        Ok(Bound(UploadPartOutput { e_tag, checksums, encryption }))
    }
}

/// Checks that the checksum that the sender gave is of the algorithm that was chosen for the upload.
fn check_given(given: Option<Algorithm>, chosen: Option<Algorithm>) -> Result<(), S3Error> {
    match (given, chosen) {
        (Some(given), Some(chosen)) if given != chosen => {
            let name = |algorithm: Algorithm| algorithm.name().to_ascii_lowercase();
            let (expected, actual) = (name(chosen), name(given));
            let reason = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
            );
            Err(Refusal::InvalidRequest { reason }.into())
        }
        _ => Ok(()),
    }
}
