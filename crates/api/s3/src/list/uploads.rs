//! `ListMultipartUploads`.

use buckets::{ListedUploads, Walked};
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use wire::Timestamp;
use wire::shape::Binding::{Flat, Header, Label, Name, Namespace, Payload, Query};
use wire::shape::Rule;

use super::{CommonPrefix, Encoder, EncodingType, checksum, need_of_listing, page_size, shown_size};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{Bucket, BucketKey, BucketName, Owner};
use crate::error::S3Error;

wire::output! {
    /// An upload in a list.
    pub(crate) struct ListedUpload {
        "UploadId" upload_id: String, required;
        "Key" key: String, required;
        "Initiated" initiated: Timestamp, required;
        "StorageClass" storage_class: String, required;
        "Owner" owner: Owner, required;
        "Initiator" initiator: Owner, required;
        "ChecksumAlgorithm" checksum_algorithm: String, optional;
        "ChecksumType" checksum_type: String, optional;
    }
}

wire::shape! {
    pub(crate) struct ListMultipartUploadsInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Delimiter" delimiter: String, optional, [], [Query("delimiter")];
        "EncodingType" encoding_type: EncodingType, optional, [], [Query("encoding-type")];
        "KeyMarker" key_marker: String, optional, [], [Query("key-marker")];
        "MaxUploads" max_uploads: i32, optional, [Rule::Range(0, i32::MAX as i64)], [Query("max-uploads")];
        "Prefix" prefix: String, optional, [], [Query("prefix")];
        "UploadIdMarker" upload_id_marker: String, optional, [], [Query("upload-id-marker")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
    }
}

wire::output! {
    pub(crate) struct ListMultipartUploadsResult {
        "Bucket" bucket: String, required;
        "KeyMarker" key_marker: String, required;
        "UploadIdMarker" upload_id_marker: String, required;
        "NextKeyMarker" next_key_marker: String, required;
        "Prefix" prefix: String, optional;
        "Delimiter" delimiter: String, optional;
        "NextUploadIdMarker" next_upload_id_marker: String, required;
        "MaxUploads" max_uploads: i32, required;
        "IsTruncated" is_truncated: bool, required;
        "Uploads" uploads: Vec<ListedUpload>, default, [Name("Upload"), Flat];
        "CommonPrefixes" common_prefixes: Vec<CommonPrefix>, default, [Flat];
        "EncodingType" encoding_type: EncodingType, optional;
    }
}

wire::output! {
    pub(crate) struct ListMultipartUploadsOutput {
        "ListMultipartUploadsResult" result: ListMultipartUploadsResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// Lists the uploads that are under way in a bucket.
pub(crate) struct ListMultipartUploads;

impl ResourceOperation for ListMultipartUploads {
    type On = Bucket;
    const NAME: &'static str = "ListMultipartUploads";
    const ACTION: &'static str = "s3:ListBucketMultipartUploads";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListMultipartUploadsInput;
    type Output = Bound<ListMultipartUploadsOutput>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Bucket>, need: Need<'n>) -> Need<'n> {
        need_of_listing(need, input.prefix.as_deref(), input.delimiter.as_deref(), None)
    }

    async fn run(input: Self::Input, bucket: &Permit<Bucket>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let key_marker = input.key_marker.unwrap_or_default();
        // Without a key, the marker of an upload does not count.
        let upload_id_marker = input.upload_id_marker.filter(|_| !key_marker.is_empty()).unwrap_or_default();
        let prefix = input.prefix.filter(|prefix| !prefix.is_empty());
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let (limit, encoder) = (page_size(input.max_uploads), Encoder(input.encoding_type));
        let objects = bucket.objects()?;
        let (names, start) = ((prefix.clone(), delimiter.clone()), (key_marker.clone(), upload_id_marker.clone()));
        let read = move |tx: &store::ReadTx<'_>| {
            let (prefix, delimiter) = (names.0.as_deref().unwrap_or_default(), names.1.as_deref().unwrap_or_default());
            let upload = Some(start.1.as_str()).filter(|upload| !upload.is_empty());
            let after = Some((start.0.as_str(), upload)).filter(|(key, _)| !key.is_empty());
            objects.uploads(tx, (prefix, delimiter), after, limit)
        };
        let ListedUploads { items, more } = call.service.store.read(read).await?;
        let (next_key_marker, next_upload_id_marker) = match items.last() {
            Some(Walked::Key(key, entry)) => (encoder.encode(key), entry.upload_id.clone()),
            Some(Walked::Group(group)) if more => (encoder.encode(group), String::new()),
            Some(Walked::Group(_)) | None => (String::new(), String::new()),
        };
        let (mut uploads, mut common_prefixes) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                Walked::Group(group) => common_prefixes.push(CommonPrefix { prefix: encoder.encode(&group) }),
                Walked::Key(key, entry) => {
                    let (mut algorithms, checksum_type) = checksum(entry.checksum.as_ref());
                    uploads.push(ListedUpload {
                        upload_id: entry.upload_id,
                        key: encoder.encode(&key),
                        initiated: Timestamp::from_millis(i64::try_from(entry.started_ms).unwrap_or(i64::MAX)),
                        storage_class: entry.storage_class.unwrap_or_else(|| "STANDARD".to_owned()),
                        owner: Owner::of(&bucket.account),
                        initiator: Owner::of(&bucket.account),
                        checksum_algorithm: algorithms.pop(),
                        checksum_type,
                    });
                }
            }
        }
        let result = ListMultipartUploadsResult {
            bucket: bucket.name.clone(),
            key_marker: encoder.encode(&key_marker),
            upload_id_marker,
            next_key_marker,
            prefix: encoder.optional(prefix.as_deref()),
            delimiter: encoder.optional(delimiter.as_deref()),
            next_upload_id_marker,
            max_uploads: shown_size(limit),
            is_truncated: more,
            uploads,
            common_prefixes,
            encoding_type: input.encoding_type,
        };
        Ok(Bound(ListMultipartUploadsOutput { result }))
    }
}
