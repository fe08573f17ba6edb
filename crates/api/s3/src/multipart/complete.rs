//! `CompleteMultipartUpload`.

use std::collections::BTreeMap;
use std::sync::Arc;

use buckets::{ChecksumKind, PART_BYTES_MIN, PARTS_MAX, Protection, Put, UploadPart};
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::SecretText;
use wire::shape::Binding::{Flat, Header, Label, Name, Namespace, Payload, PrefixHeaders, Query};

use super::{on_upload, whole};
use crate::access::{BucketKey, BucketName, Object, ObjectKey};
use crate::encryption::{shown, unwrap};
use crate::error::{Refusal, S3Error};
use crate::event::{Happened, Listeners};
use crate::object::checksum;
use crate::object::conditions::{quoted, write_condition};
use crate::object::locks::millis;
use crate::object::put::etag_of;
use crate::record::BucketRecord;
use crate::{NAMESPACE, S3};

wire::shape! {
    /// A part that the object is to have.
    pub(crate) struct CompletedPart {
        "ETag" e_tag: String, optional, [];
        "ChecksumCRC32" checksum_crc32: String, optional, [];
        "ChecksumCRC32C" checksum_crc32_c: String, optional, [];
        "ChecksumCRC64NVME" checksum_crc64_nvme: String, optional, [];
        "ChecksumSHA1" checksum_sha1: String, optional, [];
        "ChecksumSHA256" checksum_sha256: String, optional, [];
        "ChecksumSHA512" checksum_sha512: String, optional, [];
        "ChecksumMD5" checksum_md5: String, optional, [];
        "ChecksumXXHASH64" checksum_xxhash64: String, optional, [];
        "ChecksumXXHASH3" checksum_xxhash3: String, optional, [];
        "ChecksumXXHASH128" checksum_xxhash128: String, optional, [];
        "PartNumber" part_number: i32, optional, [];
    }
}

wire::shape! {
    /// The parts that the object is to have.
    pub(crate) struct CompletedMultipartUpload {
        "Parts" parts: Vec<CompletedPart>, default, [], [Name("Part"), Flat];
    }
}

wire::shape! {
    pub(crate) struct CompleteMultipartUploadInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Key" key: String, required, [], [Label];
        "MultipartUpload" multipart_upload: CompletedMultipartUpload, optional, [], [Payload, Name("CompleteMultipartUpload")];
        "UploadId" upload_id: String, required, [], [Query("uploadId")];
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
        "ChecksumType" checksum_type: String, optional, [], [Header("x-amz-checksum-type")];
        "MpuObjectSize" mpu_object_size: i64, optional, [], [Header("x-amz-mp-object-size")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "IfMatch" if_match: String, optional, [], [Header("if-match")];
        "IfNoneMatch" if_none_match: String, optional, [], [Header("if-none-match")];
        "SSECustomerAlgorithm" sse_customer_algorithm: String, optional, [], [Header("x-amz-server-side-encryption-customer-algorithm")];
        "SSECustomerKey" sse_customer_key: SecretText, optional, [], [Header("x-amz-server-side-encryption-customer-key")];
        "SSECustomerKeyMD5" sse_customer_key_md5: String, optional, [], [Header("x-amz-server-side-encryption-customer-key-md5")];
    }
}

wire::output! {
    /// An object that came in parts.
    pub(crate) struct CompleteMultipartUploadResult {
        "Location" location: String, required;
        "Bucket" bucket: String, required;
        "Key" key: String, required;
        "ETag" e_tag: String, required;
        "ChecksumCRC32" checksum_crc32: String, optional;
        "ChecksumCRC32C" checksum_crc32c: String, optional;
        "ChecksumCRC64NVME" checksum_crc64nvme: String, optional;
        "ChecksumSHA1" checksum_sha1: String, optional;
        "ChecksumSHA256" checksum_sha256: String, optional;
        "ChecksumType" checksum_type: String, optional;
    }
}

wire::output! {
    pub(crate) struct CompleteMultipartUploadOutput {
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
        "CompleteMultipartUploadResult" result: CompleteMultipartUploadResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// Makes an object of the parts of an upload.
pub(crate) struct CompleteMultipartUpload;

impl ResourceOperation for CompleteMultipartUpload {
    type On = Object;
    const NAME: &'static str = "CompleteMultipartUpload";
    const ACTION: &'static str = "s3:PutObject";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CompleteMultipartUploadInput;
    type Output = Bound<CompleteMultipartUploadOutput>;

    fn key(input: &Self::Input) -> ObjectKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        ObjectKey { bucket, name: &input.key }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Object>, mut need: Need<'n>) -> Need<'n> {
        for (name, value) in [("s3:if-match", &input.if_match), ("s3:if-none-match", &input.if_none_match)] {
            if let Some(value) = value {
                need = need.with(name, value);
            }
        }
        need
    }

    async fn run(input: Self::Input, bucket: &Permit<Object>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let condition = write_condition(input.if_match.as_deref(), input.if_none_match.as_deref())?;
        let asked = input.multipart_upload.map(|upload| upload.parts).unwrap_or_default();
        if asked.is_empty() {
            return Err(Refusal::InvalidRequest { reason: "You must specify at least one part".to_owned() }.into());
        }
        let objects = bucket.objects()?;
        let (key, id) = (input.key.clone(), input.upload_id.clone());
        let read = move |tx: &store::ReadTx<'_>| {
            let upload = objects.upload(tx, &key, &id)?;
            let (parts, _) = objects.upload_parts(tx, &upload.entry, 0, PARTS_MAX.into())?;
            Ok::<_, buckets::BucketsError>((upload, parts))
        };
        let found = call.service.store.read(read).await;
        let (upload, parts) = found.map_err(|error| on_upload(error.into(), &input.upload_id))?;
        let chosen = choose(&asked, parts, &input.upload_id)?;
        let mut details = upload.details;
        if matches!(details.protection, Protection::Kms { .. } | Protection::Dsse { .. }) {
            unwrap(&details.protection, None, bucket, call).await?;
        }
        let size: u64 = chosen.iter().map(|part| part.bytes).sum();
        if let Some(stated) = input.mpu_object_size.filter(|stated| u64::try_from(*stated).ok() != Some(size)) {
            let reason = format!(
                "The provided 'x-amz-mp-object-size' header value {stated} does not match what was computed: {size}"
            );
            return Err(Refusal::InvalidRequest { reason }.into());
        }
        let own = || ChecksumKind { algorithm: checksum::OWN.name().to_owned(), composite: false };
        details.checksum = whole::checksum(&chosen, upload.entry.checksum.unwrap_or_else(own));
        details.etag = whole::etag(&chosen, etag_of(&details.protection))?;
        let e_tag = quoted(&details.etag);
        let encryption = shown(&details.protection, None);
        let stored = details.checksum.clone();
        let value =
            |name: &str| stored.as_ref().filter(|found| found.kind.algorithm == name).map(|found| found.value.clone());
        let scheme = if call.origin.secure { "https" } else { "http" };
        let host = call.origin.host.unwrap_or_default();
        let result = CompleteMultipartUploadResult {
            location: format!("{scheme}://{host}/{}/{}", bucket.name, input.key),
            bucket: bucket.name.clone(),
            key: input.key.clone(),
            e_tag,
            checksum_crc32: value("CRC32"),
            checksum_crc32c: value("CRC32C"),
            checksum_crc64nvme: value("CRC64NVME"),
            checksum_sha1: value("SHA1"),
            checksum_sha256: value("SHA256"),
            checksum_type: stored.as_ref().map(|found| checksum::kind_name(found.kind.composite).to_owned()),
        };
        let (record, key, id, tested) =
            (Arc::clone(&bucket.record), input.key.clone(), input.upload_id.clone(), condition.clone());
        let listeners = Listeners::of(bucket, call).await?;
        let now_ms = millis(call.now);
        let change = move |tx: &mut Tx<'_>| {
            let current = BucketRecord::current(tx, &record)?;
            let put = Put { versioning: current.object_versioning(), condition, now_ms };
            let entry = current.objects()?.complete_upload(tx, (&key, &id), &chosen, details, &put)?;
            if let Some(listeners) = &listeners {
                let (content, version_id) = (Some((entry.bytes, &*entry.etag)), entry.version_id.as_deref());
                let event = "s3:ObjectCreated:CompleteMultipartUpload";
                listeners.tell(tx, &Happened { event, key: &key, content, version_id, sequence: entry.sequence })?;
            }
            Ok::<_, S3Error>(entry)
        };
        let written = call.write(&call.service.store, change).await;
        let entry = written.map_err(|error| on_upload(error, &input.upload_id).on_object(&input.key, &tested))?;
        Ok(Bound(CompleteMultipartUploadOutput { version_id: entry.version_id, encryption, result }))
    }
}

/// The parts that were asked for, of those that there are.
fn choose(asked: &[CompletedPart], parts: Vec<UploadPart>, upload_id: &str) -> Result<Vec<UploadPart>, S3Error> {
    let mut parts: BTreeMap<_, _> = parts.into_iter().map(|part| (part.number, part)).collect();
    let mut chosen: Vec<UploadPart> = Vec::with_capacity(asked.len());
    for asked in asked {
        let e_tag = asked.e_tag.as_deref().unwrap_or_default().trim_matches('"');
        let number = asked.part_number.unwrap_or_default();
        let refuse = || Refusal::InvalidPart {
            upload_id: upload_id.to_owned(),
            part_number: u32::try_from(number).unwrap_or_default(),
            e_tag: e_tag.to_owned(),
        };
        let number = u16::try_from(number).map_err(|_| refuse())?;
        if chosen.last().is_some_and(|last| last.number >= number) {
            return Err(Refusal::InvalidPartOrder { upload_id: upload_id.to_owned() }.into());
        }
        let part = parts.remove(&number).filter(|part| part.etag == e_tag).ok_or_else(refuse)?;
        chosen.push(part);
    }
    let short = chosen.split_last().and_then(|(_, others)| others.iter().find(|part| part.bytes < PART_BYTES_MIN));
    match short {
        Some(UploadPart { number, bytes, etag, .. }) => {
            let (size, least, part_number, e_tag) = (*bytes, PART_BYTES_MIN, (*number).into(), etag.clone());
            Err(Refusal::EntityTooSmall { size, least, part_number, e_tag }.into())
        }
        None => Ok(chosen),
    }
}
