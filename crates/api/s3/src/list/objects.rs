//! `ListObjects` and `ListObjectsV2`.

use buckets::{Item, Listed, Listing, Walked};
use service::{AuditClass, Bound, Call, Need, Permit, ResourceOperation, TokenKey};
use wire::Timestamp;
use wire::shape::Binding::{Flat, Header, Label, Namespace, Payload, Query};
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
    /// An object in a list.
    pub(crate) struct ListedObject {
        "Key" key: String, required;
        "LastModified" modified: Timestamp, required;
        "ETag" e_tag: String, required;
        "ChecksumAlgorithm" checksum_algorithm: Vec<String>, default, [Flat];
        "ChecksumType" checksum_type: String, optional;
        "Size" size: i64, required;
        "Owner" owner: Owner, optional;
        "StorageClass" storage_class: String, required;
    }
}

wire::shape! {
    pub(crate) struct ListObjectsInput {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Delimiter" delimiter: String, optional, [], [Query("delimiter")];
        "EncodingType" encoding_type: EncodingType, optional, [], [Query("encoding-type")];
        "Marker" marker: String, optional, [], [Query("marker")];
        "MaxKeys" max_keys: i32, optional, [Rule::Range(0, i32::MAX as i64)], [Query("max-keys")];
        "Prefix" prefix: String, optional, [], [Query("prefix")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "OptionalObjectAttributes" optional_attributes: Vec<String>, default, [],
            [Header("x-amz-optional-object-attributes")];
    }
}

wire::output! {
    pub(crate) struct ListBucketResult {
        "Name" name: String, required;
        "Prefix" prefix: String, required;
        "Marker" marker: String, required;
        "NextMarker" next_marker: String, optional;
        "MaxKeys" max_keys: i32, required;
        "Delimiter" delimiter: String, optional;
        "EncodingType" encoding_type: EncodingType, optional;
        "IsTruncated" is_truncated: bool, required;
        "Contents" contents: Vec<ListedObject>, default, [Flat];
        "CommonPrefixes" common_prefixes: Vec<CommonPrefix>, default, [Flat];
    }
}

wire::output! {
    pub(crate) struct ListObjectsOutput {
        "ListBucketResult" result: ListBucketResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

wire::shape! {
    pub(crate) struct ListObjectsV2Input {
        "Bucket" bucket: BucketName, required, [], [Label];
        "Delimiter" delimiter: String, optional, [], [Query("delimiter")];
        "EncodingType" encoding_type: EncodingType, optional, [], [Query("encoding-type")];
        "MaxKeys" max_keys: i32, optional, [Rule::Range(0, i32::MAX as i64)], [Query("max-keys")];
        "Prefix" prefix: String, optional, [], [Query("prefix")];
        "ContinuationToken" continuation_token: String, optional, [], [Query("continuation-token")];
        "FetchOwner" fetch_owner: bool, default, [], [Query("fetch-owner")];
        "StartAfter" start_after: String, optional, [], [Query("start-after")];
        "RequestPayer" request_payer: String, optional, [], [Header("x-amz-request-payer")];
        "ExpectedBucketOwner" expected_bucket_owner: String, optional, [], [Header("x-amz-expected-bucket-owner")];
        "OptionalObjectAttributes" optional_attributes: Vec<String>, default, [],
            [Header("x-amz-optional-object-attributes")];
    }
}

wire::output! {
    pub(crate) struct ListBucketResultV2 {
        "Name" name: String, required;
        "Prefix" prefix: String, required;
        "StartAfter" start_after: String, optional;
        "ContinuationToken" continuation_token: String, optional;
        "NextContinuationToken" next_continuation_token: String, optional;
        "KeyCount" key_count: i32, required;
        "MaxKeys" max_keys: i32, required;
        "Delimiter" delimiter: String, optional;
        "EncodingType" encoding_type: EncodingType, optional;
        "IsTruncated" is_truncated: bool, required;
        "Contents" contents: Vec<ListedObject>, default, [Flat];
        "CommonPrefixes" common_prefixes: Vec<CommonPrefix>, default, [Flat];
    }
}

wire::output! {
    pub(crate) struct ListObjectsV2Output {
        "ListBucketResult" result: ListBucketResultV2, required, [Payload, Namespace("", NAMESPACE)];
    }
}

/// The parameters that both operations have.
struct Asked {
    prefix: String,
    delimiter: String,
    after: Option<String>,
    limit: usize,
}

impl Asked {
    /// The page.
    async fn page(self, bucket: &Bucket, call: &Call<'_, S3>) -> Result<Listed, S3Error> {
        let objects = bucket.objects()?;
        let read = move |tx: &store::ReadTx<'_>| {
            let Self { prefix, delimiter, after, limit } = &self;
            objects.list(tx, &Listing { prefix, delimiter, after: after.as_deref(), limit: *limit })
        };
        Ok(call.service.store.read(read).await?)
    }
}

/// The objects and the groups of a page.
fn sort_out(
    items: Vec<Item>,
    encoder: Encoder,
    owner: impl Fn() -> Option<Owner>,
) -> (Vec<ListedObject>, Vec<CommonPrefix>) {
    let (mut contents, mut prefixes) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        match item {
            Walked::Group(group) => prefixes.push(CommonPrefix { prefix: encoder.encode(&group) }),
            Walked::Key(key, entry) => {
                let (checksum_algorithm, checksum_type) = checksum(entry.checksum.as_ref());
                contents.push(ListedObject {
                    key: encoder.encode(&key),
                    modified: modified(&entry),
                    e_tag: quoted(&entry.etag),
                    checksum_algorithm,
                    checksum_type,
                    size: size(&entry),
                    owner: owner(),
                    storage_class: storage_class(&entry),
                });
            }
        }
    }
    (contents, prefixes)
}

/// Lists the objects of a bucket: the first version.
pub(crate) struct ListObjects;

impl ResourceOperation for ListObjects {
    type On = Bucket;
    const NAME: &'static str = "ListObjects";
    const ACTION: &'static str = "s3:ListBucket";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListObjectsInput;
    type Output = Bound<ListObjectsOutput>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Bucket>, need: Need<'n>) -> Need<'n> {
        need_of_listing(need, input.prefix.as_deref(), input.delimiter.as_deref(), input.max_keys)
    }

    async fn run(input: Self::Input, bucket: &Permit<Bucket>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let (prefix, marker) = (input.prefix.unwrap_or_default(), input.marker.unwrap_or_default());
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let (limit, encoder) = (page_size(input.max_keys), Encoder(input.encoding_type));
        let asked = Asked {
            prefix: prefix.clone(),
            delimiter: delimiter.clone().unwrap_or_default(),
            after: Some(marker.clone()).filter(|marker| !marker.is_empty()),
            limit,
        };
        let Listed { items, more } = asked.page(bucket, call).await?;
        let last = items.last().filter(|_| more && delimiter.is_some());
        let next_marker = last.map(|last| encoder.encode(last.name()));
        let (contents, common_prefixes) = sort_out(items, encoder, || Some(Owner::of(&bucket.account)));
        let result = ListBucketResult {
            name: bucket.name.clone(),
            prefix: encoder.encode(&prefix),
            marker: encoder.encode(&marker),
            next_marker,
            max_keys: shown_size(limit),
            delimiter: encoder.optional(delimiter.as_deref()),
            encoding_type: input.encoding_type,
            is_truncated: more,
            contents,
            common_prefixes,
        };
        Ok(Bound(ListObjectsOutput { result }))
    }
}

/// Seals the places in tokens, so that nobody takes them for names of objects.
fn token_key(bucket: &Bucket) -> Result<TokenKey, S3Error> {
    let key =
        bucket.secret.key().map_err(|_| S3Error::Damaged(format!("the key of bucket {} is none", bucket.name)))?;
    Ok(TokenKey::derive(&key, b"s3 continuation token"))
}

/// The place that a token stands for.
fn place_of(token: &str, bucket: &Bucket) -> Result<String, S3Error> {
    let place = token_key(bucket)?.open(token, b"objects");
    let place = place.and_then(|place| String::from_utf8(place.expose().to_vec()).ok());
    place.ok_or_else(|| {
        let (argument, value) = ("continuation-token", token.to_owned());
        let reason = "The continuation token provided is incorrect".to_owned();
        Refusal::InvalidArgument { argument, value, reason }.into()
    })
}

/// Lists the objects of a bucket.
pub(crate) struct ListObjectsV2;

impl ResourceOperation for ListObjectsV2 {
    type On = Bucket;
    const NAME: &'static str = "ListObjectsV2";
    const ACTION: &'static str = "s3:ListBucket";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListObjectsV2Input;
    type Output = Bound<ListObjectsV2Output>;

    fn key(input: &Self::Input) -> BucketKey<'_> {
        BucketKey { name: &input.bucket, expected_owner: input.expected_bucket_owner.as_deref() }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Bucket>, need: Need<'n>) -> Need<'n> {
        need_of_listing(need, input.prefix.as_deref(), input.delimiter.as_deref(), input.max_keys)
    }

    async fn run(input: Self::Input, bucket: &Permit<Bucket>, call: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let (limit, encoder) = (page_size(input.max_keys), Encoder(input.encoding_type));
        let token = input.continuation_token.as_deref().map(|token| place_of(token, bucket)).transpose()?;
        let asked = Asked {
            prefix: prefix.clone(),
            delimiter: delimiter.clone().unwrap_or_default(),
            // The token wins.
            after: token.or_else(|| input.start_after.clone().filter(|after| !after.is_empty())),
            limit,
        };
        let Listed { items, more } = asked.page(bucket, call).await?;
        let last = items.last().filter(|_| more);
        let next_continuation_token = match last {
            Some(last) => Some(token_key(bucket)?.seal(last.name().as_bytes(), b"objects")),
            None => None,
        };
        let key_count = shown_size(items.len());
        let owner = || input.fetch_owner.then(|| Owner::of(&bucket.account));
        let (contents, common_prefixes) = sort_out(items, encoder, owner);
        let result = ListBucketResultV2 {
            name: bucket.name.clone(),
            prefix: encoder.encode(&prefix),
            start_after: encoder.optional(input.start_after.as_deref()),
            continuation_token: input.continuation_token,
            next_continuation_token,
            key_count,
            max_keys: shown_size(limit),
            delimiter: encoder.optional(delimiter.as_deref()),
            encoding_type: input.encoding_type,
            is_truncated: more,
            contents,
            common_prefixes,
        };
        Ok(Bound(ListObjectsV2Output { result }))
    }
}
