//! `ListObjectVersions`.

use buckets::{BucketsError, ListedVersions, VersionItem, VersionStart, Walked};
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation};
use wire::Timestamp;
use wire::shape::Binding::{Flat, Header, Label, Name, Namespace, Payload, Query};
use wire::shape::Rule;

use super::{
    CommonPrefix, Encoder, EncodingType, checksum, modified, need_of_listing, page_size, quoted, shown_size, size,
    storage_class,
};
use crate::NAMESPACE;
use crate::S3;
use crate::access::{Bucket, BucketKey, BucketName, Owner};
use crate::error::{Refusal, S3Error};

wire::output! {
    /// A version in a list.
    pub(crate) struct ListedVersion {
        "Key" key: String, required;
        "VersionId" version_id: String, required;
        "IsLatest" is_latest: bool, required;
        "LastModified" modified: Timestamp, required;
        "ETag" e_tag: String, required;
        "ChecksumAlgorithm" checksum_algorithm: Vec<String>, default, [Flat];
        "ChecksumType" checksum_type: String, optional;
        "Size" size: i64, required;
        "Owner" owner: Owner, required;
        "StorageClass" storage_class: String, required;
    }
}

wire::output! {
    /// A delete marker in a list.
    pub(crate) struct ListedMarker {
        "Key" key: String, required;
        "VersionId" version_id: String, required;
        "IsLatest" is_latest: bool, required;
        "LastModified" modified: Timestamp, required;
        "Owner" owner: Owner, required;
    }
}

wire::shape! {
    pub(crate) struct ListObjectVersionsInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Delimiter" delimiter: String, optional, [], [Query("delimiter")];
        "EncodingType" encoding_type: EncodingType, optional, [], [Query("encoding-type")];
        "KeyMarker" key_marker: String, optional, [], [Query("key-marker")];
        "MaxKeys" max_keys: i32, optional, [Rule::Range(0, i32::MAX as i64)], [Query("max-keys")];
        "Prefix" prefix: String, optional, [], [Query("prefix")];
        "VersionIdMarker" version_id_marker: String, optional, [], [Query("version-id-marker")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "OptionalObjectAttributes" optional_attributes: Vec<String>, default, [],
            [Header("x-amz-optional-object-attributes")];
    }
}

wire::output! {
    pub(crate) struct ListVersionsResult {
        "Name" name: String, required;
        "Prefix" prefix: String, required;
        "KeyMarker" key_marker: String, required;
        "VersionIdMarker" version_id_marker: String, required;
        "NextKeyMarker" next_key_marker: String, optional;
        "NextVersionIdMarker" next_version_id_marker: String, optional;
        "MaxKeys" max_keys: i32, required;
        "Delimiter" delimiter: String, optional;
        "EncodingType" encoding_type: EncodingType, optional;
        "IsTruncated" is_truncated: bool, required;
        "Versions" versions: Vec<ListedVersion>, default, [Name("Version"), Flat];
        "DeleteMarkers" delete_markers: Vec<ListedMarker>, default, [Name("DeleteMarker"), Flat];
        "CommonPrefixes" common_prefixes: Vec<CommonPrefix>, default, [Flat];
    }
}

wire::output! {
    pub(crate) struct ListObjectVersionsOutput {
        "ListVersionsResult" result: ListVersionsResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

fn argument(argument: &'static str, value: &str, reason: &str) -> S3Error {
    Refusal::InvalidArgument { argument, value: value.to_owned(), reason: reason.to_owned() }.into()
}

/// Lists the versions and delete markers of a bucket.
pub(crate) struct ListObjectVersions;

impl ResourceOperation for ListObjectVersions {
    type On = Bucket;
    const NAME: &'static str = "ListObjectVersions";
    const ACTION: &'static str = "s3:ListBucketVersions";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListObjectVersionsInput;
    type Output = Bound<ListObjectVersionsOutput>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Bucket>, need: Need<'n>) -> Need<'n> {
        need_of_listing(need, input.prefix.as_deref(), input.delimiter.as_deref(), input.max_keys)
    }

    async fn run(input: Self::Input, bucket: &Permit<Bucket>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (prefix, key_marker) = (input.prefix.unwrap_or_default(), input.key_marker.unwrap_or_default());
        let version_marker = input.version_id_marker.unwrap_or_default();
        if key_marker.is_empty() && !version_marker.is_empty() {
            let reason = "A version-id marker cannot be specified without a key marker.";
            return Err(argument("version-id-marker", &version_marker, reason));
        }
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let (limit, encoder) = (page_size(input.max_keys), Encoder(input.encoding_type));
        let objects = bucket.objects()?;
        let (names, start) = ((prefix.clone(), delimiter.clone()), (key_marker.clone(), version_marker.clone()));
        let read = move |tx: &store::ReadTx<'_>| {
            let (prefix, delimiter) = &names;
            let version_id = Some(start.1.as_str()).filter(|version_id| !version_id.is_empty());
            let after = Some(VersionStart { key: &start.0, version_id }).filter(|after| !after.key.is_empty());
            objects.list_versions(tx, (prefix, delimiter.as_deref().unwrap_or_default()), after, limit)
        };
        let page = call.service.store.read(read).await.map_err(|error| match error {
            BucketsError::InvalidVersionId => {
                argument("version-id-marker", &version_marker, "Invalid version id specified")
            }
            error => error.into(),
        })?;
        let ListedVersions { items, more } = page;
        let (next_key_marker, next_version_id_marker) = match items.last().filter(|_| more) {
            Some(Walked::Key(key, item)) => (Some(encoder.encode(key)), Some(item.entry.id().to_owned())),
            Some(Walked::Group(group)) => (Some(encoder.encode(group)), None),
            None => (None, None),
        };
        let (mut versions, mut delete_markers, mut common_prefixes) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            let (key, VersionItem { entry, is_latest }) = match item {
                Walked::Key(key, item) => (encoder.encode(&key), item),
                Walked::Group(group) => {
                    common_prefixes.push(CommonPrefix { prefix: encoder.encode(&group) });
                    continue;
                }
            };
            let (version_id, modified) = (entry.id().to_owned(), modified(&entry));
            let owner = Owner::of(&bucket.account);
            if entry.marker {
                delete_markers.push(ListedMarker { key, version_id, is_latest, modified, owner });
                continue;
            }
            let (checksum_algorithm, checksum_type) = checksum(entry.checksum.as_ref());
            versions.push(ListedVersion {
                key,
                version_id,
                is_latest,
                modified,
                e_tag: quoted(&entry.etag),
                checksum_algorithm,
                checksum_type,
                size: size(&entry),
                owner,
                storage_class: storage_class(&entry),
            });
        }
        let result = ListVersionsResult {
            name: bucket.name.clone(),
            prefix: encoder.encode(&prefix),
            key_marker: encoder.encode(&key_marker),
            version_id_marker: version_marker,
            next_key_marker,
            next_version_id_marker,
            max_keys: shown_size(limit),
            delimiter: encoder.optional(delimiter.as_deref()),
            encoding_type: input.encoding_type,
            is_truncated: more,
            versions,
            delete_markers,
            common_prefixes,
        };
        Ok(Bound(ListObjectVersionsOutput { result }))
    }
}
