//! `CreateMultipartUpload`.

use std::collections::BTreeMap;
use std::sync::Arc;

use buckets::{ChecksumKind, Details, Headers};
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::body::Algorithm;
use wire::shape::Binding::{Header, Label, Namespace, Payload, PrefixHeaders};
use wire::{SecretText, Timestamp};

use crate::NAMESPACE;
use crate::S3;
use crate::access::{BucketKey, BucketName, Object, ObjectKey};
use crate::configuration::acl::check_acl;
use crate::encryption::{CustomerHeaders, EncryptionHeaders, Protected, protect, shown};
use crate::error::{Refusal, S3Error};
use crate::object::locks::{LockHeaders, millis, refuse_event_hold};
use crate::object::put::PutConditions;
use crate::object::{checksum, stored};
use crate::record::BucketRecord;

wire::shape! {
    pub(crate) struct CreateMultipartUploadInput {
        "ACL" acl: String, optional, [], [Header("x-amz-acl")];
        "Bucket" bucket: BucketName, required, [], [Label];
        "CacheControl" cache_control: String, optional, [], [Header("cache-control")];
        "ContentDisposition" content_disposition: String, optional, [], [Header("content-disposition")];
        "ContentEncoding" content_encoding: String, optional, [], [Header("content-encoding")];
        "ContentLanguage" content_language: String, optional, [], [Header("content-language")];
        "ContentType" content_type: String, optional, [], [Header("content-type")];
        "Expires" expires: String, optional, [], [Header("expires")];
        "GrantFullControl" grant_full_control: String, optional, [], [Header("x-amz-grant-full-control")];
        "GrantRead" grant_read: String, optional, [], [Header("x-amz-grant-read")];
        "GrantReadACP" grant_read_acp: String, optional, [], [Header("x-amz-grant-read-acp")];
        "GrantWriteACP" grant_write_acp: String, optional, [], [Header("x-amz-grant-write-acp")];
        "Key" key: String, required, [], [Label];
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
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [], [Header("x-amz-checksum-algorithm")];
        "ChecksumType" checksum_type: String, optional, [], [Header("x-amz-checksum-type")];
    }
}

wire::output! {
    /// An upload that was begun.
    pub(crate) struct InitiateMultipartUploadResult {
        "Bucket" bucket: String, required;
        "Key" key: String, required;
        "UploadId" upload_id: String, required;
    }
}

wire::output! {
    pub(crate) struct CreateMultipartUploadOutput {
        "ChecksumAlgorithm" checksum_algorithm: String, optional, [Header("x-amz-checksum-algorithm")];
        "ChecksumType" checksum_type: String, optional, [Header("x-amz-checksum-type")];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
        "InitiateMultipartUploadResult" result: InitiateMultipartUploadResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

impl CreateMultipartUploadInput {
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

    fn conditions(&self) -> PutConditions<'_> {
        PutConditions {
            acl: self.acl.as_deref(),
            storage_class: self.storage_class.as_deref(),
            tagging: self.tagging.as_deref(),
            encryption: self.encryption(),
            locks: self.locks(),
            if_match: None,
            if_none_match: None,
        }
    }

    /// The kind of checksum that the object is to have, if the caller says one.
    fn checksum(&self) -> Result<Option<ChecksumKind>, S3Error> {
        let refuse = |reason: String| Err(Refusal::InvalidRequest { reason }.into());
        let kind = self.checksum_type.as_deref();
        let Some(name) = self.checksum_algorithm.as_deref() else {
            return match kind {
                None => Ok(None),
                Some(_) => refuse(
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
                        .to_owned(),
                ),
            };
        };
        let Some(algorithm) = Algorithm::of_name(name) else {
            let reason = "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
                          CRC32C, CRC64NVME, SHA1, SHA256]";
            return refuse(reason.to_owned());
        };
        let only_full = algorithm == Algorithm::Crc64Nvme;
        let combines = matches!(algorithm, Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64Nvme);
        let composite = match kind {
            None => !only_full,
            Some("COMPOSITE") if !only_full => true,
            Some("FULL_OBJECT") if combines => false,
            Some(kind) => {
                let name = algorithm.name().to_ascii_lowercase();
                return refuse(format!("The {kind} checksum type cannot be used with the {name} checksum algorithm."));
            }
        };
        Ok(Some(ChecksumKind { algorithm: algorithm.name().to_owned(), composite }))
    }
}

/// Begins an upload in parts.
pub(crate) struct CreateMultipartUpload;

impl ResourceOperation for CreateMultipartUpload {
    type On = Object;
    const NAME: &'static str = "CreateMultipartUpload";
    const ACTION: &'static str = "s3:PutObject";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateMultipartUploadInput;
    type Output = Bound<CreateMultipartUploadOutput>;

    fn key(input: &Self::Input) -> ObjectKey<'_> {
        let bucket = BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() };
        ObjectKey { bucket, name: &input.key }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Object>, need: Need<'n>) -> Need<'n> {
        input.conditions().refine(need)
    }

    fn further_needs<'n>(input: &'n Self::Input, object: Option<&'n Object>, call: &'n Call<'_, S3>) -> Vec<Need<'n>> {
        let Some(object) = object else { return Vec::new() };
        let conditions = input.conditions();
        let further = conditions.actions().into_iter().filter(|action| *action != Self::ACTION);
        further.map(|action| conditions.refine(Object::need_on_object(object, &input.key, action, call))).collect()
    }

    async fn run(input: Self::Input, bucket: &Permit<Object>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let grants = [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
        check_acl(input.acl.as_deref(), &grants, bucket.ownership)?;
        let (days, years) = (input.object_lock_event_hold_days, input.object_lock_event_hold_years);
        refuse_event_hold(input.object_lock_event_hold.as_deref(), days, years)?;
        let kind = input.checksum()?;
        let asked = input.encryption().resolve(bucket, call.origin.secure)?;
        let (retention, legal_hold) = input.locks().resolve(bucket, call.now)?;
        let Protected { protection, .. } = protect(&asked, bucket, &input.key, call).await?;
        let encryption = shown(&protection, asked.customer());
        let details = Details {
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
        let (record, key, wanted) = (Arc::clone(&bucket.record), input.key.clone(), kind.clone());
        let now_ms = millis(call.now);
        let change = move |tx: &mut Tx<'_>| {
            let current = BucketRecord::current(tx, &record)?;
            Ok::<_, S3Error>(current.objects()?.begin_upload(tx, &key, details, wanted, now_ms)?)
        };
        let upload_id = call.write(&call.service.store, change).await?;
        let result = InitiateMultipartUploadResult { bucket: bucket.name.clone(), key: input.key, upload_id };
        let checksum_type = kind.as_ref().map(|kind| checksum::kind_name(kind.composite).to_owned());
        let checksum_algorithm = kind.map(|kind| kind.algorithm);
        Ok(Bound(CreateMultipartUploadOutput { checksum_algorithm, checksum_type, encryption, result }))
    }
}
