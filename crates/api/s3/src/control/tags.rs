//! Tags of a bucket one by one: `TagResource`, `UntagResource`, `ListTagsForResource`.
//!
//! Source: Amazon S3 API Reference, "Amazon S3 Control".

use service::{AuditClass, Bound, Call, Need, Permit, Resource, ResourceOperation};
use store::Tx;
use wire::Arn;
use wire::shape::Binding::{Header, Item, Label, Namespace, Payload, Query};

use crate::S3;
use crate::access::{Bucket, BucketKey};
use crate::error::{Refusal, S3Error};
use crate::record::{BucketRecord, Tag, tags_of_bucket};

/// The namespace of S3 Control's answers.
const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// A bucket that is named by its ARN, in the account that the request names.
pub(crate) struct ByArn(Bucket);

/// The ARN, and the account.
#[derive(Clone, Copy)]
pub(crate) struct ArnKey<'a> {
    arn: &'a str,
    account: &'a str,
}

impl<'a> ArnKey<'a> {
    /// The bucket that it names.
    fn bucket(self) -> Result<BucketKey<'a>, Refusal> {
        let arn: Option<Arn> = self.arn.parse().ok();
        let of_bucket = arn.is_some_and(|arn| arn.service() == "s3" && arn.region().is_empty());
        let name = self.arn.rsplit(':').next().filter(|name| of_bucket && !name.contains('/'));
        match name {
            Some(name) => Ok(BucketKey { name, expected_owner: Some(self.account) }),
            None => Err(Refusal::InvalidArgument {
                argument: "resourceArn",
                value: self.arn.to_owned(),
                reason: "The resource is not a general purpose bucket".to_owned(),
            }),
        }
    }
}

impl Resource for ByArn {
    type Service = S3;
    type Key<'a> = ArnKey<'a>;

    async fn find<'a>(key: ArnKey<'a>, call: &'a Call<'_, S3>) -> Result<Self, S3Error> {
        Bucket::find(key.bucket()?, call).await.map(Self)
    }

    fn need<'n>(&'n self, _: ArnKey<'n>, action: &'static str, call: &'n Call<'_, S3>) -> Need<'n> {
        self.0.need_of(action, call)
    }

    fn need_of_missing<'n>(_: ArnKey<'n>, _: &'static str, _: &'n Call<'_, S3>) -> Option<Need<'n>> {
        None
    }
}

wire::output! {
    pub(crate) struct ListTagsForResourceResult {
        "Tags" tags: Vec<Tag>, required, [Item("Tag")];
    }
}

wire::output! {
    pub(crate) struct ListTagsForResourceOutput {
        "ListTagsForResourceResult" result: ListTagsForResourceResult, required, [Payload, Namespace("", NAMESPACE)];
    }
}

wire::shape! {
    pub(crate) struct ListTagsForResourceInput {
        "AccountId" account_id: String, required, [], [Header("x-amz-account-id")];
        "ResourceArn" resource_arn: String, required, [], [Label];
    }
}

/// Lists the tags of a bucket.
pub(crate) struct ListTagsForResource;

impl ResourceOperation for ListTagsForResource {
    type On = ByArn;
    const NAME: &'static str = "ListTagsForResource";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListTagsForResourceInput;
    type Output = Bound<ListTagsForResourceOutput>;

    fn key(input: &Self::Input) -> ArnKey<'_> {
        ArnKey { arn: &input.resource_arn, account: &input.account_id }
    }

    async fn run(_: Self::Input, found: &Permit<ByArn>, _: &Call<'_, S3>) -> Result<Self::Output, S3Error> {
        let result = ListTagsForResourceResult { tags: Tag::listed(&found.0.tags) };
        Ok(Bound(ListTagsForResourceOutput { result }))
    }
}

wire::shape! {
    pub(crate) struct TagResourceInput {
        "AccountId" account_id: String, required, [], [Header("x-amz-account-id")];
        "ResourceArn" resource_arn: String, required, [], [Label];
        "Tags" tags: Vec<Tag>, required, [], [Item("Tag")];
    }
}

/// Adds tags to a bucket, or changes their values.
pub(crate) struct TagResource;

impl ResourceOperation for TagResource {
    type On = ByArn;
    const NAME: &'static str = "TagResource";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = TagResourceInput;
    type Output = ();

    fn key(input: &Self::Input) -> ArnKey<'_> {
        ArnKey { arn: &input.resource_arn, account: &input.account_id }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n ByArn>, need: Need<'n>) -> Need<'n> {
        need.with_many("aws:TagKeys", input.tags.iter().map(|tag| tag.key.as_str()))
            .with_named("aws:RequestTag/", input.tags.iter().map(|tag| (&tag.key, tag.value.as_str())))
    }

    async fn run(input: Self::Input, found: &Permit<ByArn>, call: &Call<'_, S3>) -> Result<(), S3Error> {
        let tags = tags_of_bucket(&input.tags)?;
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.tags.extend(tags);
            tags_of_bucket(&Tag::listed(&record.tags)).map(drop)
        };
        call.service.change(call, &found.0, change).await
    }
}

wire::shape! {
    pub(crate) struct UntagResourceInput {
        "AccountId" account_id: String, required, [], [Header("x-amz-account-id")];
        "ResourceArn" resource_arn: String, required, [], [Label];
        "TagKeys" tag_keys: Vec<String>, required, [], [Query("tagKeys")];
    }
}

/// Removes tags from a bucket.
pub(crate) struct UntagResource;

impl ResourceOperation for UntagResource {
    type On = ByArn;
    const NAME: &'static str = "UntagResource";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UntagResourceInput;
    type Output = ();

    fn key(input: &Self::Input) -> ArnKey<'_> {
        ArnKey { arn: &input.resource_arn, account: &input.account_id }
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n ByArn>, need: Need<'n>) -> Need<'n> {
        need.with_many("aws:TagKeys", input.tag_keys.iter().map(String::as_str))
    }

    async fn run(input: Self::Input, found: &Permit<ByArn>, call: &Call<'_, S3>) -> Result<(), S3Error> {
        let keys = input.tag_keys;
        let change = move |record: &mut BucketRecord, _: &mut Tx<'_>| {
            record.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        };
        call.service.change(call, &found.0, change).await
    }
}
