//! `CopyObject`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buckets::{Checksum, ChecksumKind, Details, Headers, Stored};
use futures_util::StreamExt as _;
use service::{AuditClass, Bound, Call, Need, Operation, Permit};
use wire::body::{Algorithm, Running};
use wire::shape::Binding::{Header, Label, Namespace, Payload, PrefixHeaders};
use wire::{SecretText, Timestamp};

use super::checksum::{kind_name, with_checksums};
use super::conditions::{ReadConditions, quoted, write_condition};
use super::locks::{LockHeaders, refuse_event_hold};
use super::put::{CONTENT_BYTES_MAX, PutConditions, commit, etag_of};
use super::source::{Copying, too_large};
use super::{checksum, stored};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, ObjectKey};
use crate::configuration::acl::check_acl;
use crate::encryption::{CustomerHeaders, EncryptionHeaders, Protected, protect, shown, unwrap};
use crate::error::{Refusal, S3Error};

wire::shape! {
    pub(crate) struct CopyObjectInput {
        "ACL" acl: String, optional, [], [Header("x-amz-acl")];
        "AnnotationDirective" annotation_directive: String, optional, [], [Header("x-amz-object-annotation-directive")];
        "Bucket" bucket: BucketName, required, [], [Label];
        "CacheControl" cache_control: String, optional, [], [Header("cache-control")];
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-checksum-algorithm")];
        "ContentDisposition" content_disposition: String, optional, [], [Header("content-disposition")];
        "ContentEncoding" content_encoding: String, optional, [], [Header("content-encoding")];
        "ContentLanguage" content_language: String, optional, [], [Header("content-language")];
        "ContentType" content_type: String, optional, [], [Header("content-type")];
        "CopySource" copy_source: String, required, [], [Header("x-amz-copy-source")];
        "CopySourceIfMatch" copy_source_if_match: String, optional, [], [Header("x-amz-copy-source-if-match")];
        "CopySourceIfModifiedSince" copy_source_if_modified_since: Timestamp, optional, [], [Header("x-amz-copy-source-if-modified-since")];
        "CopySourceIfNoneMatch" copy_source_if_none_match: String, optional, [], [Header("x-amz-copy-source-if-none-match")];
        "CopySourceIfUnmodifiedSince" copy_source_if_unmodified_since: Timestamp, optional, [], [Header("x-amz-copy-source-if-unmodified-since")];
        "Expires" expires: String, optional, [], [Header("expires")];
        "GrantFullControl" grant_full_control: String, optional, [], [Header("x-amz-grant-full-control")];
        "GrantRead" grant_read: String, optional, [], [Header("x-amz-grant-read")];
        "GrantReadACP" grant_read_acp: String, optional, [], [Header("x-amz-grant-read-acp")];
        "GrantWriteACP" grant_write_acp: String, optional, [], [Header("x-amz-grant-write-acp")];
        "IfMatch" if_match: String, optional, [], [Header("if-match")];
        "IfNoneMatch" if_none_match: String, optional, [], [Header("if-none-match")];
        "Key" key: String, required, [], [Label];
        "Metadata" metadata: BTreeMap<String, String>, default, [], [PrefixHeaders("x-amz-meta-")];
        "MetadataDirective" metadata_directive: String, optional, [], [Header("x-amz-metadata-directive")];
        "TaggingDirective" tagging_directive: String, optional, [], [Header("x-amz-tagging-directive")];
        "ServerSideEncryption" server_side_encryption: String, optional, [], [Header("x-amz-server-side-encryption")];
        "StorageClass" storage_class: String, optional, [], [Header("x-amz-storage-class")];
        "WebsiteRedirectLocation" website_redirect_location: String, optional, [], [Header("x-amz-website-redirect-location")];
        "SSECustomerAlgorithm" sse_customer_algorithm: String, optional, [], [Header("x-amz-server-side-encryption-customer-algorithm")];
        "SSECustomerKey" sse_customer_key: SecretText, optional, [], [Header("x-amz-server-side-encryption-customer-key")];
        "SSECustomerKeyMD5" sse_customer_key_md5: String, optional, [], [Header("x-amz-server-side-encryption-customer-key-md5")];
        "SSEKMSKeyId" ssekms_key_id: String, optional, [], [Header("x-amz-server-side-encryption-aws-kms-key-id")];
        "SSEKMSEncryptionContext" ssekms_encryption_context: SecretText, optional, [], [Header("x-amz-server-side-encryption-context")];
        "BucketKeyEnabled" bucket_key_enabled: bool, optional, [], [Header("x-amz-server-side-encryption-bucket-key-enabled")];
        "CopySourceSSECustomerAlgorithm" copy_source_sse_customer_algorithm: String, optional, [], [Header("x-amz-copy-source-server-side-encryption-customer-algorithm")];
        "CopySourceSSECustomerKey" copy_source_sse_customer_key: SecretText, optional, [], [Header("x-amz-copy-source-server-side-encryption-customer-key")];
        "CopySourceSSECustomerKeyMD5" copy_source_sse_customer_key_md5: String, optional, [], [Header("x-amz-copy-source-server-side-encryption-customer-key-md5")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "Tagging" tagging: String, optional, [], [Header("x-amz-tagging")];
        "ObjectLockMode" object_lock_mode: String, optional, [], [Header("x-amz-object-lock-mode")];
        "ObjectLockRetainUntilDate" object_lock_retain_until_date: Timestamp, optional, [], [Header("x-amz-object-lock-retain-until-date")];
        "ObjectLockLegalHoldStatus" object_lock_legal_hold_status: String, optional, [], [Header("x-amz-object-lock-legal-hold")];
        "ObjectLockEventHold" object_lock_event_hold: String, optional, [], [Header("x-amz-object-lock-event-hold")];
        "ObjectLockEventHoldDurationDays" object_lock_event_hold_days: i32, optional, [], [Header("x-amz-object-lock-event-hold-duration-days")];
        "ObjectLockEventHoldDurationYears" object_lock_event_hold_years: i32, optional, [], [Header("x-amz-object-lock-event-hold-duration-years")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "ExpectedSourceBucketOwner" expected_source_bucket_owner: String, optional, [], [Header("x-amz-source-expected-bucket-owner")];
    }
}

with_checksums! {
    /// The copy.
    pub(crate) struct CopyObjectResult {
        "LastModified" last_modified: Timestamp, required;
        "ETag" e_tag: String, required;
        "ChecksumType" checksum_type: String, optional;
    }
}

wire::output! {
    pub(crate) struct CopyObjectOutput {
        "CopyObjectResult" result: CopyObjectResult, required, [Payload, Namespace("", NAMESPACE)];
        "CopySourceVersionId" source_version_id: String, optional, [Header("x-amz-copy-source-version-id")];
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
    }
}

impl CopyObjectInput {
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

    fn source_key(&self) -> CustomerHeaders<'_> {
        CustomerHeaders {
            algorithm: self.copy_source_sse_customer_algorithm.as_deref(),
            key: self.copy_source_sse_customer_key.as_ref(),
            md5: self.copy_source_sse_customer_key_md5.as_deref(),
        }
    }

    fn locks(&self) -> LockHeaders<'_> {
        LockHeaders {
            mode: self.object_lock_mode.as_deref(),
            until: self.object_lock_retain_until_date,
            legal_hold: self.object_lock_legal_hold_status.as_deref(),
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

    /// Whether the request brings metadata, or tags, of its own instead of the source's.
    fn replaces(directive: Option<&str>, argument: &'static str) -> Result<bool, S3Error> {
        match directive {
            None | Some("COPY") => Ok(false),
            Some("REPLACE") => Ok(true),
            Some(other) => {
                let reason = "Unknown directive.".to_owned();
                Err(Refusal::InvalidArgument { argument, value: other.to_owned(), reason }.into())
            }
        }
    }

    /// Whether the copy differs from its source, if that is the object itself.
    fn changes_something(&self, replaces_metadata: bool) -> bool {
        let EncryptionHeaders { algorithm, key, bucket_key, customer, .. } = self.encryption();
        replaces_metadata
            || self.storage_class.is_some()
            || self.website_redirect_location.is_some()
            || algorithm.is_some()
            || key.is_some()
            || bucket_key.is_some()
            || customer.algorithm.is_some()
    }
}

/// Copies an object, under a key of its own: the content is opened and sealed again.
pub(crate) struct CopyObject;

impl Operation for CopyObject {
    type Service = S3;
    const NAME: &'static str = "CopyObject";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CopyObjectInput;
    type Output = Bound<CopyObjectOutput>;
    type Target = Copying;

    async fn find(input: &Self::Input, call: &Call<'_, S3>) -> Result<Copying, S3Error> {
        let expected_owner = input.expected_bucket_owner.as_deref();
        let bucket = BucketKey { name: &input.bucket, expected_owner };
        let expected_owner = input.expected_source_bucket_owner.as_deref();
        Copying::find(ObjectKey { bucket, name: &input.key }, &input.copy_source, expected_owner, call).await
    }

    fn needs<'n>(input: &'n Self::Input, copying: Option<&'n Copying>, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        let Some(copying) = copying else { return Vec::new() };
        let Copying { bucket, source, .. } = copying;
        let arn = || [&*bucket.arn(), "/", &*input.key].concat();
        let conditions = PutConditions {
            acl: input.acl.as_deref(),
            storage_class: input.storage_class.as_deref(),
            tagging: input.tagging.as_deref(),
            encryption: input.encryption(),
            locks: input.locks(),
            if_match: input.if_match.as_deref(),
            if_none_match: input.if_none_match.as_deref(),
        };
        let replaces_tags = input.tagging_directive.as_deref() == Some("REPLACE");
        let copies_tags = !replaces_tags && source.has_tags();
        let mut actions = conditions.actions();
        if copies_tags && !actions.contains(&"s3:PutObjectTagging") {
            actions.push("s3:PutObjectTagging");
        }
        let of_target = actions.into_iter().map(|action| {
            let need = conditions.refine(bucket.need_on(action, arn(), call));
            let need = need.with("s3:x-amz-copy-source", &*input.copy_source);
            match &input.metadata_directive {
                Some(directive) => need.with("s3:x-amz-metadata-directive", directive),
                None => need,
            }
        });
        let of_source = ["s3:GetObject"].into_iter().chain(copies_tags.then_some("s3:GetObjectTagging"));
        of_target.chain(of_source.map(|action| copying.need_on_source(action, call))).collect()
    }

    async fn run(input: Self::Input, copying: Permit<Copying>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let Copying { bucket, source, named } = &*copying;
        let grants = [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
        check_acl(input.acl.as_deref(), &grants, bucket.ownership)?;
        let (days, years) = (input.object_lock_event_hold_days, input.object_lock_event_hold_years);
        refuse_event_hold(input.object_lock_event_hold.as_deref(), days, years)?;
        let condition = write_condition(input.if_match.as_deref(), input.if_none_match.as_deref())?;
        let replaces_metadata =
            CopyObjectInput::replaces(input.metadata_directive.as_deref(), "x-amz-metadata-directive")?;
        let replaces_tags = CopyObjectInput::replaces(input.tagging_directive.as_deref(), "x-amz-tagging-directive")?;
        let itself = bucket.id == source.bucket.id && named.name == input.key && named.version_id.is_none();
        if itself && !input.changes_something(replaces_metadata) {
            let reason = "This copy request is illegal because it is trying to copy an object to itself without changing \
                          the object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(Refusal::InvalidRequest { reason: reason.to_owned() }.into());
        }
        let (found, from) = copying.version(call).await?;
        let Stored { version, .. } = from;
        if version.bytes > CONTENT_BYTES_MAX {
            return Err(too_large().into());
        }
        input.source_conditions().check_source((&version.details.etag, version.modified_ms), call.now)?;
        let asked = input.encryption().resolve(bucket, call.origin.secure)?;
        let (retention, legal_hold) = input.locks().resolve(bucket, call.now)?;
        let of_source = input.source_key().read(call.origin.secure)?;
        let source_key = unwrap(&version.details.protection, of_source.as_ref(), &source.bucket, call).await?;
        let Protected { key, protection } = protect(&asked, bucket, &input.key, call).await?;
        let encryption = shown(&protection, asked.customer());
        let algorithm = copy_algorithm(input.checksum_algorithm.as_deref(), version.details.checksum.as_ref())?;
        let headers = if replaces_metadata {
            stored::headers(Headers {
                content_type: input.content_type,
                cache_control: input.cache_control,
                content_disposition: input.content_disposition,
                content_encoding: input.content_encoding,
                content_language: input.content_language,
                expires: input.expires,
                website_redirect: input.website_redirect_location,
            })
        } else {
            // The redirect alone is never the source's.
            Headers { website_redirect: input.website_redirect_location, ..version.details.headers.clone() }
        };
        let mut details = Details {
            etag: String::new(),
            headers,
            metadata: match replaces_metadata {
                true => stored::metadata(input.metadata)?,
                false => version.details.metadata.clone(),
            },
            tags: match replaces_tags {
                true => stored::tags(input.tagging.as_deref())?,
                false => version.details.tags.clone(),
            },
            storage_class: stored::storage_class(input.storage_class)?,
            checksum: None,
            protection,
            retention,
            legal_hold,
        };
        let contents = &call.service.contents;
        let mut reading = contents.read(&source.bucket.objects()?, from, &source_key, 0..version.bytes).await?;
        let mut writer = contents.writer(&bucket.objects()?, &key, etag_of(&details.protection));
        let mut digest = Running::new(algorithm);
        while let Some(piece) = reading.next().await {
            let piece = piece?;
            digest.update(&piece);
            writer.write(piece).await?;
        }
        let content = writer.finish().await?;
        details.etag.clone_from(&content.etag);
        let kind = ChecksumKind { algorithm: algorithm.name().to_owned(), composite: false };
        details.checksum = Some(Checksum { kind, value: STANDARD.encode(digest.finish()) });
        let mut result = CopyObjectResult::new(call.now, quoted(&content.etag));
        if let Some(Checksum { kind, value }) = &details.checksum {
            result.checksum_type = Some(kind_name(kind.composite).to_owned());
            result.set_checksum(&kind.algorithm, value);
        }
        let event = (condition, "s3:ObjectCreated:Copy");
        let entry = commit(call, bucket, input.key, details, content, event).await?;
        let source_version_id = source.shown_id(&found.entry);
        Ok(Bound(CopyObjectOutput { result, source_version_id, version_id: entry.version_id, encryption }))
    }
}

/// The algorithm of a copy's checksum: that which is asked for, or the source's if it is of the whole content.
fn copy_algorithm(asked: Option<&str>, source: Option<&Checksum>) -> Result<Algorithm, S3Error> {
    if let Some(asked) = asked {
        return Algorithm::of_name(asked).ok_or_else(|| {
            let reason = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
                          CRC32C, CRC64NVME, SHA1, SHA256]";
            Refusal::InvalidRequest { reason: reason.to_owned() }.into()
        });
    }
    let whole = source.filter(|checksum| !checksum.kind.composite);
    Ok(whole.and_then(|checksum| Algorithm::of_name(&checksum.kind.algorithm)).unwrap_or(checksum::OWN))
}

impl CopyObjectResult {
    /// A copy without a checksum.
    const fn new(last_modified: Timestamp, e_tag: String) -> Self {
        Self {
            last_modified,
            e_tag,
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
        }
    }
}
