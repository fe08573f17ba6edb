//! A version as answers describe it: to `GetObject` and `HeadObject`, whose inputs have the same members.

use std::collections::BTreeMap;
use std::ops::Range;

use buckets::{Found, Part, Stored};
use service::Call;
use wire::Timestamp;
use wire::shape::Binding::{Header, PrefixHeaders, Status};

use super::conditions::{ReadConditions, quoted};
use super::{checksum, locks, range};
use crate::S3;
use crate::access::Bucket;
use crate::encryption::{CustomerKey, shown};
use crate::error::{Refusal, S3Error};
use crate::lifecycle::{self, Aged};

/// The status of an answer with a part of a content.
const PARTIAL: i32 = 206;

/// Declares the input of an operation that reads a version.
macro_rules! reads {
    ($name:ident) => {
        wire::shape! {
            pub(crate) struct $name {
                "Bucket" bucket: BucketName, required, [], [Label];
                "IfMatch" if_match: String, optional, [], [Header("if-match")];
                "IfModifiedSince" if_modified_since: Timestamp, optional, [], [Header("if-modified-since")];
                "IfNoneMatch" if_none_match: String, optional, [], [Header("if-none-match")];
                "IfUnmodifiedSince" if_unmodified_since: Timestamp, optional, [], [Header("if-unmodified-since")];
                "Key" key: String, required, [], [Label];
                "Range" range: String, optional, [], [Header("range")];
                "ResponseCacheControl" response_cache_control: String, optional, [], [Query("response-cache-control")];
                "ResponseContentDisposition" response_content_disposition: String, optional, [], [Query("response-content-disposition")];
                "ResponseContentEncoding" response_content_encoding: String, optional, [], [Query("response-content-encoding")];
                "ResponseContentLanguage" response_content_language: String, optional, [], [Query("response-content-language")];
                "ResponseContentType" response_content_type: String, optional, [], [Query("response-content-type")];
                "ResponseExpires" response_expires: Timestamp, optional, [], [Query("response-expires")];
                "VersionId" version_id: String, optional, [], [Query("versionId")];
                "SSECustomerAlgorithm" sse_customer_algorithm: String, optional, [], [Header("x-amz-server-side-encryption-customer-algorithm")];
                "SSECustomerKey" sse_customer_key: SecretText, optional, [], [Header("x-amz-server-side-encryption-customer-key")];
                "SSECustomerKeyMD5" sse_customer_key_md5: String, optional, [], [Header("x-amz-server-side-encryption-customer-key-md5")];
                "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
                "PartNumber" part_number: i32, optional, [], [Query("partNumber")];
                "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
                "ChecksumMode" checksum_mode: String, optional, [], [Header("x-amz-checksum-mode")];
            }
        }

        impl $name {
            /// The version that it names.
            pub(crate) fn key(&self) -> $crate::object::target::VersionKey<'_> {
                let expected_owner = self.expected_bucket_owner.as_deref();
                let bucket = $crate::access::BucketKey { name: &self.bucket, expected_owner };
                let object = $crate::access::ObjectKey { bucket, name: &self.key };
                $crate::object::target::VersionKey { object, version_id: self.version_id.as_deref() }
            }

            /// The key that it brings.
            pub(crate) fn customer(&self) -> $crate::encryption::CustomerHeaders<'_> {
                $crate::encryption::CustomerHeaders {
                    algorithm: self.sse_customer_algorithm.as_deref(),
                    key: self.sse_customer_key.as_ref(),
                    md5: self.sse_customer_key_md5.as_deref(),
                }
            }

            /// The parts of the object that it asks for.
            pub(crate) fn asked(&self) -> $crate::object::described::Asked<'_> {
                $crate::object::described::Asked {
                    conditions: $crate::object::conditions::ReadConditions {
                        if_match: self.if_match.as_deref(),
                        if_none_match: self.if_none_match.as_deref(),
                        if_modified_since: self.if_modified_since,
                        if_unmodified_since: self.if_unmodified_since,
                    },
                    range: self.range.as_deref(),
                    part_number: self.part_number,
                    checksum: self.checksum_mode.as_deref() == Some("ENABLED"),
                    overriding: [
                        &self.response_cache_control,
                        &self.response_content_disposition,
                        &self.response_content_encoding,
                        &self.response_content_language,
                        &self.response_content_type,
                    ]
                    .map(Option::as_deref),
                    expires: self.response_expires,
                }
            }
        }
    };
}
pub(crate) use reads;

wire::output! {
    /// The description of a version.
    pub(crate) struct Described {
        "StatusCode" status: i32, optional, [Status];
        "AcceptRanges" accept_ranges: String, required, [Header("accept-ranges")];
        "LastModified" last_modified: Timestamp, required, [Header("last-modified")];
        "ContentLength" content_length: i64, optional, [Header("content-length")];
        "ETag" e_tag: String, required, [Header("etag")];
        "Checksums" checksums: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-checksum-")];
        "VersionId" version_id: String, optional, [Header("x-amz-version-id")];
        "CacheControl" cache_control: String, optional, [Header("cache-control")];
        "ContentDisposition" content_disposition: String, optional, [Header("content-disposition")];
        "ContentEncoding" content_encoding: String, optional, [Header("content-encoding")];
        "ContentLanguage" content_language: String, optional, [Header("content-language")];
        "ContentRange" content_range: String, optional, [Header("content-range")];
        "ContentType" content_type: String, optional, [Header("content-type")];
        "Expires" expires: String, optional, [Header("expires")];
        "WebsiteRedirectLocation" website_redirect: String, optional, [Header("x-amz-website-redirect-location")];
        "Metadata" metadata: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-meta-")];
        "Encryption" encryption: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-server-side-encryption")];
        "StorageClass" storage_class: String, optional, [Header("x-amz-storage-class")];
        "PartsCount" parts_count: i32, optional, [Header("x-amz-mp-parts-count")];
        "Expiration" expiration: String, optional, [Header("x-amz-expiration")];
        "TagCount" tag_count: i32, optional, [Header("x-amz-tagging-count")];
        "ObjectLock" object_lock: BTreeMap<String, String>, default, [PrefixHeaders("x-amz-object-lock-")];
    }
}

/// The parameters of a request to read.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) conditions: ReadConditions<'a>,
    pub(crate) range: Option<&'a str>,
    pub(crate) part_number: Option<i32>,
    pub(crate) checksum: bool,
    /// Cache control, disposition, encoding, language and type that the answer is to have instead of the stored ones.
    pub(crate) overriding: [Option<&'a str>; 5],
    pub(crate) expires: Option<Timestamp>,
}

impl Asked<'_> {
    /// Describes a version, and says which of its bytes are asked for.
    ///
    /// # Errors
    /// [`Refusal::PreconditionFailed`], [`Refusal::NotModified`], [`Refusal::InvalidRange`], [`Refusal::InvalidPartNumber`],
    /// [`Refusal::InvalidRequest`]; [`Refusal::InvalidArgument`] for answers that only a signed request can shape; those of reading.
    pub(crate) async fn describe(
        self,
        bucket: &Bucket,
        (name, found, stored): (&str, &Found, &Stored),
        customer: Option<&CustomerKey>,
        call: &Call<'_, S3>,
    ) -> Result<(Described, Range<u64>), S3Error> {
        let version = &stored.version;
        let details = &version.details;
        self.conditions.check((&details.etag, version.modified_ms), call.now)?;
        let overridden = self.overriding.iter().any(Option::is_some) || self.expires.is_some();
        if overridden && call.caller.is_anonymous() {
            let reason = "Request specific response headers cannot be used for anonymous GET requests.".to_owned();
            return Err(Refusal::InvalidRequest { reason }.into());
        }
        let all = 0..version.bytes;
        let part = match self.part_number {
            Some(number) => Some(self.part(bucket, stored, number, call).await?),
            None => None,
        };
        let asked = match (&part, self.range) {
            (Some((_, range)), None) => Some(range.clone()),
            (Some(_), Some(_)) => {
                let reason = "Cannot specify both Range header and partNumber query parameter".to_owned();
                return Err(Refusal::InvalidRequest { reason }.into());
            }
            (None, Some(header)) => range::of_header(header, version.bytes)?,
            (None, None) => None,
        };
        let whole = asked.is_none();
        let range = asked.unwrap_or(all);
        let checksums = match (&part, &details.checksum) {
            (_, None) => BTreeMap::new(),
            _ if !self.checksum => BTreeMap::new(),
            (None, Some(found)) if whole => checksum::headers(found),
            (None, Some(_)) => BTreeMap::new(),
            (Some((Some(part), _)), Some(of_whole)) => match &part.checksum {
                Some(value) => {
                    let mut of_part = of_whole.clone();
                    of_part.value.clone_from(value);
                    checksum::headers(&of_part)
                }
                None => BTreeMap::new(),
            },
            (Some((None, _)), Some(found)) => checksum::headers(found),
        };
        let may = async |action| -> Result<bool, S3Error> {
            let arn = [&*bucket.arn(), "/", name].concat();
            Ok(call.would_allow(&bucket.need_on(action, arn, call)).await?)
        };
        let tag_count = match details.tags.len() {
            0 => None,
            count if may("s3:GetObjectTagging").await? => i32::try_from(count).ok(),
            _ => None,
        };
        let retention = details.retention.is_some() && may("s3:GetObjectRetention").await?;
        let legal_hold = details.legal_hold && may("s3:GetObjectLegalHold").await?;
        let expiration = if found.is_latest {
            let (bytes, modified_ms) = (version.bytes, version.modified_ms);
            let aged = Aged { key: name, bytes, tags: Some(&details.tags), modified_ms };
            lifecycle::expiration(call.service, bucket, &aged).await?
        } else {
            None
        };
        let headers = details.headers.clone();
        let [cache_control, content_disposition, content_encoding, content_language, content_type] =
            self.overriding.map(|header| header.map(str::to_owned));
        let content_range = (!whole && range.start < range.end)
            .then(|| format!("bytes {}-{}/{}", range.start, range.end - 1, version.bytes));
        let described = Described {
            status: (!whole).then_some(PARTIAL),
            accept_ranges: "bytes".to_owned(),
            last_modified: Timestamp::from_millis(i64::try_from(version.modified_ms).unwrap_or(i64::MAX)),
            content_length: None,
            e_tag: quoted(&details.etag),
            checksums,
            version_id: bucket.versioning.map(|_| found.entry.id().to_owned()),
            cache_control: cache_control.or(headers.cache_control),
            content_disposition: content_disposition.or(headers.content_disposition),
            content_encoding: content_encoding.or(headers.content_encoding),
            content_language: content_language.or(headers.content_language),
            content_range,
            content_type: content_type.or(headers.content_type),
            expires: self.expires.map(Timestamp::http_date).or(headers.expires),
            website_redirect: headers.website_redirect,
            metadata: details.metadata.iter().cloned().collect(),
            encryption: shown(&details.protection, customer),
            storage_class: details.storage_class.clone(),
            parts_count: version
                .parts
                .filter(|_| self.part_number.is_some())
                .and_then(|count| i32::try_from(count).ok()),
            expiration,
            tag_count,
            object_lock: locks::headers(details, retention, legal_hold),
        };
        Ok((described, range))
    }

    /// The part of this number and its bytes; a content that was not uploaded in parts is one.
    async fn part(
        self,
        bucket: &Bucket,
        stored: &Stored,
        number: i32,
        call: &Call<'_, S3>,
    ) -> Result<(Option<Part>, Range<u64>), S3Error> {
        let refuse = || Refusal::InvalidPartNumber { part_number: u32::try_from(number).unwrap_or_default() };
        let number = usize::try_from(number).ok().filter(|number| (1..=10_000).contains(number)).ok_or_else(refuse)?;
        let version = stored.version.clone();
        let objects = bucket.objects()?;
        let parts = call.service.store.read(move |tx| objects.parts(tx, &version)).await?;
        if parts.is_empty() && number == 1 {
            return Ok((None, 0..stored.version.bytes));
        }
        let before = parts.iter().take(number - 1).map(|part| part.bytes).sum::<u64>();
        let part = parts.into_iter().nth(number - 1).ok_or_else(refuse)?;
        let range = before..before + part.bytes;
        Ok((Some(part), range))
    }
}
