//! `CompleteMultipartUpload`.

use std::collections::BTreeMap;
use std::sync::Arc;

use buckets::{
    BucketsError, Checksum, ChecksumKind, Details, EntryVersion, Etag, Found, PART_BYTES_MIN, PARTS_MAX, Part,
    Protection, Put, Stored, Upload, UploadPart,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use store::{ReadTx, Tx};
use wire::SecretText;
use wire::body::Algorithm;
use wire::shape::Binding::{Flat, Header, Label, Name, Namespace, Payload, PrefixHeaders, Query};

use super::{on_upload, whole};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{Bucket, BucketKey, BucketName, Object, ObjectKey};
use crate::encryption::{CustomerHeaders, shown, unwrap};
use crate::error::{Refusal, S3Error};
use crate::event::{Happened, Listeners};
use crate::lifecycle::{self, Aged};
use crate::object::checksum::{self, with_checksums};
use crate::object::conditions::{quoted, write_condition};
use crate::object::locks::millis;
use crate::object::put::etag_of;
use crate::record::BucketRecord;

/// All but letters, digits and `-_.~/`, as in the path of a URL.
const IN_LOCATION: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

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

with_checksums! {
    /// An object that came in parts.
    pub(crate) struct CompleteMultipartUploadResult {
        "Location" location: String, required;
        "Bucket" bucket: String, required;
        "Key" key: String, required;
        "ETag" e_tag: String, required;
        "ChecksumType" checksum_type: String, optional;
    }
}

wire::output! {
    pub(crate) struct CompleteMultipartUploadOutput {
        "Expiration" expiration: String, optional, [Header("x-amz-expiration")];
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
        "CompleteMultipartUploadResult" result: CompleteMultipartUploadResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// The checksums that a request, or a part in it, says.
macro_rules! stated {
    ($of:expr) => {
        [
            (Algorithm::Crc32, &$of.checksum_crc32),
            (Algorithm::Crc32c, &$of.checksum_crc32_c),
            (Algorithm::Crc64Nvme, &$of.checksum_crc64_nvme),
            (Algorithm::Sha1, &$of.checksum_sha1),
            (Algorithm::Sha256, &$of.checksum_sha256),
            (Algorithm::Sha512, &$of.checksum_sha512),
            (Algorithm::Md5, &$of.checksum_md5),
            (Algorithm::XxHash64, &$of.checksum_xxhash64),
            (Algorithm::XxHash3, &$of.checksum_xxhash3),
            (Algorithm::XxHash128, &$of.checksum_xxhash128),
        ]
        .into_iter()
        .filter_map(|(algorithm, value)| Some((algorithm, value.as_deref()?)))
    };
}

/// The upload of an id, or the version that it became.
enum Progress {
    UnderWay(Box<Upload>, Vec<UploadPart>),
    /// The object is there already, and is the newest of its key.
    Completed(Box<Stored>, EntryVersion, Vec<Part>),
}

/// Makes an object of the parts of an upload. Who completes it again with the same parts gets the same answer.
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
        let asked = input.multipart_upload.as_ref().map(|upload| &*upload.parts).unwrap_or_default();
        if asked.is_empty() {
            return Err(refuse("You must specify at least one part".to_owned()));
        }
        let (upload, parts) = match progress(&input, bucket, call).await? {
            Progress::UnderWay(upload, parts) => (*upload, parts),
            Progress::Completed(stored, entry, parts) => {
                let details = &stored.version.details;
                if !is_made_of(details, &parts, asked) {
                    return Err(Refusal::NoSuchUpload { upload_id: input.upload_id }.into());
                }
                let encryption = input.use_key(&details.protection, bucket, call).await?;
                let result = CompleteMultipartUploadResult::of(bucket, &input.key, details, call);
                let version_id = entry.version_id;
                return Ok(Bound(CompleteMultipartUploadOutput { expiration: None, version_id, encryption, result }));
            }
        };
        let kind = upload.entry.checksum;
        check_mode(input.checksum_type.as_deref(), kind.as_ref())?;
        let chosen = choose(asked, parts, kind.as_ref(), &input.upload_id)?;
        let mut details = upload.details;
        let encryption = input.use_key(&details.protection, bucket, call).await?;
        let size: u64 = chosen.iter().map(|part| part.bytes).sum();
        if let Some(stated) = input.mpu_object_size.filter(|stated| u64::try_from(*stated).ok() != Some(size)) {
            return Err(refuse(format!(
                "The provided 'x-amz-mp-object-size' header value {stated} does not match what was computed: {size}"
            )));
        }
        let own = || ChecksumKind { algorithm: checksum::OWN.name().to_owned(), composite: false };
        details.checksum = whole::checksum(&chosen, kind.unwrap_or_else(own));
        for stated in stated!(input) {
            check_whole(stated, details.checksum.as_ref())?;
        }
        details.etag = whole::etag(chosen.iter().map(|part| &*part.etag), etag_of(&details.protection))?;
        let result = CompleteMultipartUploadResult::of(bucket, &input.key, &details, call);
        let now_ms = millis(call.now);
        let aged = Aged { key: &input.key, bytes: size, tags: Some(&details.tags), modified_ms: now_ms };
        let expiration = lifecycle::expiration(call.service, bucket, &aged).await?;
        let (record, key, id, tested) =
            (Arc::clone(&bucket.record), input.key.clone(), input.upload_id.clone(), condition.clone());
        let listeners = Listeners::of(bucket, call).await?;
        let change = move |tx: &mut Tx<'_>| {
            let current = BucketRecord::current(tx, &record)?;
            let put = Put { versioning: current.object_versioning(), condition, now_ms };
            let entry = current.objects()?.complete_upload(tx, (&key, &id), &chosen, details, &put)?;
            if let Some(listeners) = &listeners {
                let (content, version_id) = (Some((entry.bytes, &*entry.etag)), entry.version_id.as_deref());
                let event = "s3:ObjectCreated:CompleteMultipartUpload";
                listeners.queue(tx, &Happened { event, key: &key, content, version_id, sequence: entry.sequence })?;
            }
            Ok::<_, S3Error>(entry)
        };
        let written = call.write(&call.service.store, change).await;
        let entry = written.map_err(|error| on_upload(error, &input.upload_id).on_object(&input.key, &tested))?;
        Ok(Bound(CompleteMultipartUploadOutput { expiration, version_id: entry.version_id, encryption, result }))
    }
}

impl CompleteMultipartUploadInput {
    /// Checks that the caller may use the KMS key, or has the key that the parts came with if the request brings one. Yields the
    /// headers that say how the object is protected.
    async fn use_key(
        &self,
        protection: &Protection,
        bucket: &Bucket,
        call: &Call<'_, S3>,
    ) -> Result<BTreeMap<String, String>, S3Error> {
        let customer = CustomerHeaders {
            algorithm: self.sse_customer_algorithm.as_deref(),
            key: self.sse_customer_key.as_ref(),
            md5: self.sse_customer_key_md5.as_deref(),
        };
        let customer = customer.read(call.origin.secure)?;
        if customer.is_some() || matches!(protection, Protection::Kms { .. } | Protection::Dsse { .. }) {
            unwrap(protection, customer.as_ref(), bucket, call).await?;
        }
        Ok(shown(protection, customer.as_ref()))
    }
}

impl CompleteMultipartUploadResult {
    fn of(bucket: &Bucket, key: &str, details: &Details, call: &Call<'_, S3>) -> Self {
        let scheme = if call.origin.secure { "https" } else { "http" };
        let host = call.origin.host.unwrap_or_default();
        let mut result = Self {
            location: format!("{scheme}://{host}/{}/{}", bucket.name, utf8_percent_encode(key, IN_LOCATION)),
            bucket: bucket.name.clone(),
            key: key.to_owned(),
            e_tag: quoted(&details.etag),
            checksum_type: None,
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
        if let Some(Checksum { kind, value }) = &details.checksum {
            result.checksum_type = Some(checksum::kind_name(kind.composite).to_owned());
            result.set_checksum(&kind.algorithm, value);
        }
        result
    }
}

fn refuse(reason: String) -> S3Error {
    Refusal::InvalidRequest { reason }.into()
}

/// Finds the upload and its parts, or the object that it became.
async fn progress(
    input: &CompleteMultipartUploadInput,
    bucket: &Bucket,
    call: &Call<'_, S3>,
) -> Result<Progress, S3Error> {
    let objects = bucket.objects()?;
    let (key, id) = (input.key.clone(), input.upload_id.clone());
    let read = move |tx: &ReadTx<'_>| match objects.upload(tx, &key, &id) {
        Ok(upload) => {
            let (parts, _) = objects.upload_parts(tx, &upload.entry, 0, PARTS_MAX.into())?;
            Ok(Progress::UnderWay(Box::new(upload), parts))
        }
        Err(BucketsError::NoSuchUpload) => match objects.completed(tx, &key, &id)? {
            Some(Found { entry, stored: Some(stored), .. }) => {
                let parts = objects.parts(tx, &stored.version)?;
                Ok(Progress::Completed(Box::new(stored), entry, parts))
            }
            _ => Err(BucketsError::NoSuchUpload),
        },
        Err(error) => Err(error),
    };
    call.service.store.read(read).await.map_err(|error| on_upload(error.into(), &input.upload_id))
}

/// Whether an object is made of the parts that were asked for. Of entity tags, only digests can be compared: they give the object's.
fn is_made_of(details: &Details, parts: &[Part], asked: &[CompletedPart]) -> bool {
    let numbers = asked.iter().map(|part| part.part_number.unwrap_or_default());
    let same_tags = || match etag_of(&details.protection) {
        Etag::Md5 => {
            whole::etag(asked.iter().map(CompletedPart::plain_tag), Etag::Md5).is_ok_and(|tag| tag == details.etag)
        }
        Etag::Random => true,
    };
    numbers.eq(parts.iter().map(|part| i32::from(part.number))) && same_tags()
}

/// Checks the type of checksum that a request names.
fn check_mode(named: Option<&str>, kind: Option<&ChecksumKind>) -> Result<(), S3Error> {
    let mode = kind.map_or("null", |kind| checksum::kind_name(kind.composite));
    match named {
        Some(named) if named != mode => Err(refuse(format!(
            "The upload was created using the {mode} checksum mode. The complete request must use the same checksum mode."
        ))),
        _ => Ok(()),
    }
}

/// Checks a checksum of the whole object that a request says; composite ones come with or without the number of parts.
fn check_whole((algorithm, value): (Algorithm, &str), whole: Option<&Checksum>) -> Result<(), S3Error> {
    let Some(Checksum { kind, value: right }) = whole else { return Ok(()) };
    let without_count = right.split('-').next().filter(|_| kind.composite);
    if algorithm.name() == kind.algorithm && (value == right || Some(value) == without_count) {
        return Ok(());
    }
    let name = kind.algorithm.to_ascii_lowercase();
    Err(Refusal::BadDigest { reason: format!("The {name} you specified did not match the calculated checksum.") }
        .into())
}

impl CompletedPart {
    /// The entity tag without quotes.
    fn plain_tag(&self) -> &str {
        self.e_tag.as_deref().unwrap_or_default().trim_matches('"')
    }

    /// Checks the checksums that a request says of a part.
    fn check(&self, part: &UploadPart, kind: Option<&ChecksumKind>, upload_id: &str) -> Result<(), S3Error> {
        let own = kind.map_or(checksum::OWN.name(), |kind| &kind.algorithm);
        let mut missing = true;
        for (algorithm, value) in stated!(self) {
            if algorithm.name() == own {
                missing = false;
                if part.checksum.as_deref() == Some(value) {
                    continue;
                }
            } else if kind.is_some() {
                let (name, number) = (algorithm.name().to_ascii_lowercase(), part.number);
                let reason = format!("The {name} you specified for part {number} did not match what we received.");
                return Err(Refusal::BadDigest { reason }.into());
            }
            let (upload_id, e_tag) = (upload_id.to_owned(), part.etag.clone());
            return Err(Refusal::InvalidPart { upload_id, part_number: part.number.into(), e_tag }.into());
        }
        match kind.filter(|kind| kind.composite && missing) {
            Some(kind) => Err(refuse(format!(
                "The upload was created using a {} checksum. The complete request must include the checksum for each part. It \
                 was missing for part {} in the request.",
                kind.algorithm.to_ascii_lowercase(),
                part.number
            ))),
            None => Ok(()),
        }
    }
}

/// The parts that were asked for, of those that there are.
fn choose(
    asked: &[CompletedPart],
    parts: Vec<UploadPart>,
    kind: Option<&ChecksumKind>,
    upload_id: &str,
) -> Result<Vec<UploadPart>, S3Error> {
    let mut parts: BTreeMap<_, _> = parts.into_iter().map(|part| (part.number, part)).collect();
    let mut chosen: Vec<UploadPart> = Vec::with_capacity(asked.len());
    for asked in asked {
        let (e_tag, number) = (asked.plain_tag(), asked.part_number.unwrap_or_default());
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
        asked.check(&part, kind, upload_id)?;
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
