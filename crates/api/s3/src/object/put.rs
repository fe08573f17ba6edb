//! `PutObject`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use buckets::{Checksum, Condition, ContentWriter, Details, EntryVersion, Etag, Headers, NewContent, Protection, Put};
use service::{AuditClass, Bound, Call, Need, Operation, Permit, Resource as _, Upload, UploadStream};
use store::Tx;
use wire::shape::Binding::{Header, Label, PrefixHeaders};
use wire::{SecretText, Timestamp};

use super::conditions::{quoted, write_condition};
use super::locks::{LockHeaders, millis, refuse_event_hold};
use super::{checksum, stored};
use crate::S3;
use crate::access::{Bucket, BucketKey, BucketName, ObjectKey, check_object_name};
use crate::configuration::acl::check_acl;
use crate::encryption::{CustomerHeaders, EncryptionHeaders, Protected, protect, shown};
use crate::error::{Refusal, S3Error};
use crate::event::{Happened, Listeners};
use crate::lifecycle::{self, Aged};
use crate::record::BucketRecord;

/// The longest content that one request puts, in bytes.
pub(crate) const CONTENT_BYTES_MAX: u64 = 5 << 30;

wire::shape! {
    /// The input of `PutObject`, without its payload.
    pub(crate) struct PutObjectInput {
        "ACL" acl: String, optional, [], [Header("x-amz-acl")];
        "Bucket" bucket: BucketName, required, [], [Label];
        "CacheControl" cache_control: String, optional, [], [Header("cache-control")];
        "ContentDisposition" content_disposition: String, optional, [], [Header("content-disposition")];
        "ContentEncoding" content_encoding: String, optional, [], [Header("content-encoding")];
        "ContentLanguage" content_language: String, optional, [], [Header("content-language")];
        "ContentLength" content_length: i64, optional, [], [Header("content-length")];
        "ContentMD5" content_md5: String, optional, [], [Header("content-md5")];
        "ContentType" content_type: String, optional, [], [Header("content-type")];
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
        "Expires" expires: String, optional, [], [Header("expires")];
        "IfMatch" if_match: String, optional, [], [Header("if-match")];
        "IfNoneMatch" if_none_match: String, optional, [], [Header("if-none-match")];
        "GrantFullControl" grant_full_control: String, optional, [], [Header("x-amz-grant-full-control")];
        "GrantRead" grant_read: String, optional, [], [Header("x-amz-grant-read")];
        "GrantReadACP" grant_read_acp: String, optional, [], [Header("x-amz-grant-read-acp")];
        "GrantWriteACP" grant_write_acp: String, optional, [], [Header("x-amz-grant-write-acp")];
        "Key" key: String, required, [], [Label];
        "WriteOffsetBytes" write_offset_bytes: i64, optional, [], [Header("x-amz-write-offset-bytes")];
        "Metadata" metadata: BTreeMap<String, String>, default, [], [PrefixHeaders("x-amz-meta-")];
        "ServerSideEncryption" server_side_encryption: String, optional, [], [Header("x-amz-server-side-encryption")];
        "StorageClass" storage_class: String, optional, [], [Header("x-amz-storage-class")];
        "WebsiteRedirectLocation" website_redirect_location: String, optional, [], [Header("x-amz-website-redirect-location")];
        "SSECustomerAlgorithm" sse_customer_algorithm: String, optional, [], [Header("x-amz-server-side-encryption-customer-algorithm")];
        "SSECustomerKey" sse_customer_key: SecretText, optional, [], [Header("x-amz-server-side-encryption-customer-key")];
        "SSECustomerKeyMD5" sse_customer_key_md5: String, optional, [], [Header("x-amz-server-side-encryption-customer-key-md5")];
        "SSEKMSKeyId" ssekms_key_id: String, optional, [], [Header("x-amz-server-side-encryption-aws-kms-key-id")];
        "SSEKMSEncryptionContext" ssekms_encryption_context: SecretText, optional, [], [Header("x-amz-server-side-encryption-context")];
        "BucketKeyEnabled" bucket_key_enabled: bool, optional, [], [Header("x-amz-server-side-encryption-bucket-key-enabled")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "Tagging" tagging: String, optional, [], [Header("x-amz-tagging")];
        "ObjectLockMode" object_lock_mode: String, optional, [], [Header("x-amz-object-lock-mode")];
        "ObjectLockRetainUntilDate" object_lock_retain_until_date: Timestamp, optional, [], [Header("x-amz-object-lock-retain-until-date")];
        "ObjectLockLegalHoldStatus" object_lock_legal_hold_status: String, optional, [], [Header("x-amz-object-lock-legal-hold")];
        "ObjectLockEventHold" object_lock_event_hold: String, optional, [], [Header("x-amz-object-lock-event-hold")];
        "ObjectLockEventHoldDurationDays" object_lock_event_hold_days: i32, optional, [], [Header("x-amz-object-lock-event-hold-duration-days")];
        "ObjectLockEventHoldDurationYears" object_lock_event_hold_years: i32, optional, [], [Header("x-amz-object-lock-event-hold-duration-years")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
    }
}

wire::output! {
    /// The answer to a content that was put.
    pub(crate) struct PutObjectOutput {
        "ETag" e_tag: String, required, [Header("etag")];
        "Checksums" checksums: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-checksum-")];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
        "Expiration" expiration: String, optional, [Header("x-amz-expiration")];
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
    }
}

impl PutObjectInput {
    fn key(&self) -> ObjectKey<'_> {
        let bucket = BucketKey { name: &self.bucket, expected_owner: self.expected_bucket_owner.as_deref() };
        ObjectKey { bucket, name: &self.key }
    }

    fn encryption(&self) -> EncryptionHeaders<'_> {
        EncryptionHeaders {
            algorithm: self.server_side_encryption.as_deref(),
            key: self.ssekms_key_id.as_deref(),
            context: self.ssekms_encryption_context.as_ref(),
            bucket_key: self.bucket_key_enabled,
            customer: CustomerHeaders {
                algorithm: self.sse_customer_algorithm.as_deref(),
                key: self.sse_customer_key.as_ref(),
                md5: self.sse_customer_key_md5.as_deref(),
            },
        }
    }

    fn locks(&self) -> LockHeaders<'_> {
        LockHeaders {
            mode: self.object_lock_mode.as_deref(),
            until: self.object_lock_retain_until_date,
            legal_hold: self.object_lock_legal_hold_status.as_deref(),
        }
    }

    /// Checks what the headers ask for that AWS has and this has not.
    fn check(&self, bucket: &Bucket) -> Result<(), S3Error> {
        let grants = [&self.grant_full_control, &self.grant_read, &self.grant_read_acp, &self.grant_write_acp];
        check_acl(self.acl.as_deref(), &grants, bucket.ownership)?;
        if self.write_offset_bytes.is_some() {
            return Err(Refusal::not_implemented("x-amz-write-offset-bytes").into());
        }
        let (days, years) = (self.object_lock_event_hold_days, self.object_lock_event_hold_years);
        refuse_event_hold(self.object_lock_event_hold.as_deref(), days, years)
    }

    /// The needs of whoever puts it into the bucket.
    pub(crate) fn needs<'n>(&'n self, bucket: &'n Bucket, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        let arn = || [&*bucket.arn(), "/", &*self.key].concat();
        let conditions = PutConditions {
            acl: self.acl.as_deref(),
            storage_class: self.storage_class.as_deref(),
            tagging: self.tagging.as_deref(),
            encryption: self.encryption(),
            locks: self.locks(),
            if_match: self.if_match.as_deref(),
            if_none_match: self.if_none_match.as_deref(),
        };
        conditions.actions().into_iter().map(|action| conditions.refine(bucket.need_on(action, arn(), call))).collect()
    }

    /// Puts the object with this payload, whose size in bytes is within bounds, and queues the event for the bucket's destinations.
    ///
    /// # Errors
    /// Those of `PutObject`; [`S3Error::TooSmall`].
    pub(crate) async fn put(
        self,
        payload: UploadStream,
        (size, event): (RangeInclusive<u64>, &'static str),
        bucket: &Bucket,
        call: &Call<'_, S3>,
    ) -> Result<PutObjectOutput, S3Error> {
        let input = self;
        input.check(bucket)?;
        let condition = write_condition(input.if_match.as_deref(), input.if_none_match.as_deref())?;
        let asked = input.encryption().resolve(bucket, call.origin.secure)?;
        let (retention, legal_hold) = input.locks().resolve(bucket, call.now)?;
        let Protected { key, protection } = protect(&asked, bucket, &input.key, call).await?;
        let customer = asked.customer();
        let encryption = shown(&protection, customer);
        let mut details = Details {
            etag: String::new(),
            headers: stored::headers(Headers {
                content_type: input.content_type,
                cache_control: input.cache_control,
                content_disposition: input.content_disposition,
                content_encoding: input.content_encoding,
                content_language: input.content_language,
                expires: input.expires,
                website_redirect: input.website_redirect_location,
            }),
            metadata: stored::metadata(input.metadata)?,
            tags: stored::tags(input.tagging.as_deref())?,
            storage_class: stored::storage_class(input.storage_class)?,
            checksum: None,
            protection,
            retention,
            legal_hold,
        };
        let writer = call.service.contents.writer(&bucket.objects()?, &key, etag_of(&details.protection));
        let (content, checksum) = receive(writer, payload, size).await?;
        details.etag.clone_from(&content.etag);
        details.checksum = checksum;
        let checksums = details.checksum.as_ref().map(checksum::headers).unwrap_or_default();
        let e_tag = quoted(&content.etag);
        let (bytes, modified_ms) = (content.bytes, millis(call.now));
        let aged = Aged { key: &input.key, bytes, tags: Some(&details.tags), modified_ms };
        let expiration = lifecycle::expiration(call.service, bucket, &aged).await?;
        let entry = commit(call, bucket, input.key, details, content, (condition, event)).await?;
        Ok(PutObjectOutput { e_tag, checksums, encryption, expiration, version_id: entry.version_id })
    }
}

/// Puts an object, in the place of one of the same key or as a version beside it.
pub(crate) struct PutObject;

impl Operation for PutObject {
    type Service = S3;
    const NAME: &'static str = "PutObject";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = Upload<PutObjectInput>;
    type Output = Bound<PutObjectOutput>;
    type Target = Bucket;

    async fn find(input: &Self::Input, call: &Call<'_, S3>) -> Result<Bucket, S3Error> {
        let key = input.key();
        let bucket = Bucket::find(key.bucket, call).await?;
        check_object_name(key.name)?;
        Ok(bucket)
    }

    fn needs<'n>(input: &'n Self::Input, bucket: Option<&'n Bucket>, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        bucket.map(|bucket| input.needs(bucket, call)).unwrap_or_default()
    }

    async fn run(upload: Self::Input, bucket: Permit<Bucket>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let Upload { input, payload } = upload;
        Ok(Bound(input.put(payload, (0..=CONTENT_BYTES_MAX, "s3:ObjectCreated:Put"), &bucket, call).await?))
    }
}

/// The condition keys of a request that puts an object, and the actions that it needs.
pub(crate) struct PutConditions<'a> {
    pub(crate) acl: Option<&'a str>,
    pub(crate) storage_class: Option<&'a str>,
    pub(crate) tagging: Option<&'a str>,
    pub(crate) encryption: EncryptionHeaders<'a>,
    pub(crate) locks: LockHeaders<'a>,
    pub(crate) if_match: Option<&'a str>,
    pub(crate) if_none_match: Option<&'a str>,
}

impl<'a> PutConditions<'a> {
    /// The actions on the object.
    pub(crate) fn actions(&self) -> Vec<&'static str> {
        let mut actions = vec!["s3:PutObject"];
        if self.tagging.is_some_and(|tagging| !tagging.is_empty()) {
            actions.push("s3:PutObjectTagging");
        }
        if self.locks.mode.is_some() || self.locks.until.is_some() {
            actions.push("s3:PutObjectRetention");
        }
        if self.locks.legal_hold.is_some() {
            actions.push("s3:PutObjectLegalHold");
        }
        actions
    }

    /// Adds the condition keys to a need.
    pub(crate) fn refine(&self, mut need: Need<'a>) -> Need<'a> {
        let EncryptionHeaders { algorithm, key, customer, .. } = self.encryption;
        for (name, value) in [
            ("s3:x-amz-acl", self.acl),
            ("s3:x-amz-storage-class", self.storage_class),
            ("s3:x-amz-server-side-encryption", algorithm),
            ("s3:x-amz-server-side-encryption-aws-kms-key-id", key),
            ("s3:x-amz-server-side-encryption-customer-algorithm", customer.algorithm),
            ("s3:object-lock-mode", self.locks.mode),
            ("s3:object-lock-legal-hold", self.locks.legal_hold),
            ("s3:if-match", self.if_match),
            ("s3:if-none-match", self.if_none_match),
        ] {
            if let Some(value) = value {
                need = need.with(name, value);
            }
        }
        // Malformed tags are refused later, whatever is decided here.
        let tags = stored::tags(self.tagging).unwrap_or_default();
        if tags.is_empty() {
            return need;
        }
        let keys: Vec<_> = tags.iter().map(|(key, _)| key.clone()).collect();
        need.with_named("s3:RequestObjectTag/", tags).with_many("s3:RequestObjectTagKeys", keys)
    }
}

/// Which entity tag contents under a protection have: a digest would say something of a content that its key hides.
pub(crate) const fn etag_of(protection: &Protection) -> Etag {
    match protection {
        Protection::Bucket(_) => Etag::Md5,
        Protection::Kms { .. } | Protection::Dsse { .. } | Protection::Customer(_) => Etag::Random,
    }
}

/// Receives a content, whose size in bytes is within bounds, to its end. Yields its checksum with it.
///
/// # Errors
/// [`Refusal::EntityTooLarge`], [`S3Error::TooSmall`]; those of the payload, and of writing.
async fn receive(
    mut writer: ContentWriter,
    mut payload: UploadStream,
    size: RangeInclusive<u64>,
) -> Result<(NewContent, Option<Checksum>), S3Error> {
    let (least, most) = (*size.start(), CONTENT_BYTES_MAX.min(*size.end()));
    let too_large = |size: u64| if size > most { Err(Refusal::EntityTooLarge { size, most }) } else { Ok(()) };
    too_large(payload.length().unwrap_or_default())?;
    payload.compute(checksum::OWN);
    let mut bytes = 0_u64;
    while let Some(piece) = payload.next().await? {
        bytes += piece.len() as u64;
        too_large(bytes)?;
        writer.write(piece).await?;
    }
    if bytes < least {
        return Err(S3Error::TooSmall { size: bytes, least });
    }
    let checksum = payload.finished().and_then(checksum::of_finished);
    Ok((writer.finish().await?, checksum))
}

/// Puts a version with a content that was written, in the transaction that has the call's record.
///
/// # Errors
/// Those of [`buckets::Bucket::put`]; [`Refusal::NoSuchBucket`] for a bucket that is gone by now.
pub(crate) async fn commit(
    call: &Call<'_, S3>,
    bucket: &Bucket,
    name: String,
    details: Details,
    content: NewContent,
    (condition, event): (Condition, &'static str),
) -> Result<EntryVersion, S3Error> {
    let (record, shown, tested) = (Arc::clone(&bucket.record), name.clone(), condition.clone());
    let listeners = Listeners::of(bucket, call).await?;
    let now_ms = millis(call.now);
    let change = move |tx: &mut Tx<'_>| {
        let current = BucketRecord::current(tx, &record)?;
        let put = Put { versioning: current.object_versioning(), condition, now_ms };
        let entry = current.objects()?.put(tx, &name, details, &content, &put)?;
        if let Some(listeners) = &listeners {
            let (content, version_id) = (Some((entry.bytes, &*entry.etag)), entry.version_id.as_deref());
            listeners.queue(tx, &Happened { event, key: &name, content, version_id, sequence: entry.sequence })?;
        }
        // Back to the caller, so that no sweep comes before the transaction is durable.
        Ok::<_, S3Error>((entry, content))
    };
    let written = call.write(&call.service.store, change).await;
    written.map(|(entry, _)| entry).map_err(|error| error.on_object(&shown, &tested))
}
