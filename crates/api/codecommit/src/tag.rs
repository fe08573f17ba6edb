//! Tags of repositories, which policies can refer to: `TagResource`, `UntagResource`, `ListTagsForResource`.

use std::collections::BTreeMap;

use service::{AuditClass, Call, Need, Permit, Resource, ResourceOperation};
use store::Tx;
use wire::Arn;
use wire::shape::Rule;

use crate::CodeCommit;
use crate::access::Named;
use crate::error::{CodeCommitError, Refusal};
use crate::record::{RepositoryRecord, TAGS_MAX, check_key, check_tags};
use crate::rules::TOKEN;

/// A repository that is named by its ARN.
pub(crate) struct ByArn(Named);

/// The repository's name in an ARN of the caller's account and Region.
fn name_in(text: &str, call: &Call<'_, CodeCommit>) -> Option<String> {
    let arn: Arn = text.parse().ok()?;
    let own = arn.service() == "codecommit" && arn.region() == call.region && arn.account() == call.account();
    let name = arn.resource();
    let named = own && (1..=100).contains(&name.len());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (named && name.bytes().all(plain)).then(|| name.to_owned())
}

impl Resource for ByArn {
    type Service = CodeCommit;
    type Key<'a> = &'a str;

    async fn find<'a>(text: &'a str, call: &'a Call<'_, CodeCommit>) -> Result<Self, CodeCommitError> {
        let name = name_in(text, call).ok_or(Refusal::InvalidResourceArn)?;
        Named::look_up(&name, call).await?.map(Self).ok_or_else(|| Refusal::RepositoryDoesNotExist { name }.into())
    }

    fn need<'n>(&'n self, _: &'n str, action: &'static str, _: &'n Call<'_, CodeCommit>) -> Need<'n> {
        self.0.need_of(action)
    }

    fn need_of_missing<'n>(text: &'n str, action: &'static str, call: &'n Call<'_, CodeCommit>) -> Option<Need<'n>> {
        name_in(text, call).map(|_| Need::identity(action, text))
    }
}

wire::shape! {
    pub(crate) struct TagResourceInput {
        "resourceArn" resource_arn: String, required, [Rule::Length(1, 2048)];
        "tags" tags: BTreeMap<String, String>, required, [];
    }
}

/// Adds tags to a repository, or changes their values.
pub(crate) struct TagResource;

impl ResourceOperation for TagResource {
    type On = ByArn;
    const NAME: &'static str = "TagResource";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = TagResourceInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.resource_arn
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n ByArn>, need: Need<'n>) -> Need<'n> {
        need.with_many("aws:TagKeys", input.tags.keys().map(String::as_str))
            .with_named("aws:RequestTag/", input.tags.iter().map(|(key, value)| (key, value.as_str())))
    }

    async fn run(
        input: Self::Input,
        found: &Permit<ByArn>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        check_tags(&input.tags)?;
        let change = move |record: &mut RepositoryRecord, _: &mut Tx<'_>| {
            record.tags.extend(input.tags);
            check_tags(&record.tags)
        };
        call.service.change(call, &found.0, change).await
    }
}

wire::shape! {
    pub(crate) struct UntagResourceInput {
        "resourceArn" resource_arn: String, required, [Rule::Length(1, 2048)];
        "tagKeys" tag_keys: Vec<String>, required, [Rule::Each(&[Rule::Length(1, 128)])];
    }
}

/// Removes tags from a repository.
pub(crate) struct UntagResource;

impl ResourceOperation for UntagResource {
    type On = ByArn;
    const NAME: &'static str = "UntagResource";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UntagResourceInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.resource_arn
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n ByArn>, need: Need<'n>) -> Need<'n> {
        need.with_many("aws:TagKeys", input.tag_keys.iter().map(String::as_str))
    }

    async fn run(
        input: Self::Input,
        found: &Permit<ByArn>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        if input.tag_keys.is_empty() {
            return Err(Refusal::TagKeysListRequired.into());
        }
        if input.tag_keys.len() > TAGS_MAX {
            return Err(Refusal::TooManyTags { most: TAGS_MAX }.into());
        }
        input.tag_keys.iter().try_for_each(|key| check_key(key))?;
        let change = move |record: &mut RepositoryRecord, _: &mut Tx<'_>| {
            record.tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        };
        call.service.change(call, &found.0, change).await
    }
}

wire::shape! {
    pub(crate) struct ListTagsForResourceInput {
        "resourceArn" resource_arn: String, required, [Rule::Length(1, 2048)];
        "nextToken" next_token: String, optional, [TOKEN];
    }
}

wire::output! {
    pub(crate) struct ListTagsForResourceOutput {
        "tags" tags: BTreeMap<String, String>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists a repository's tags, which fit into one page.
pub(crate) struct ListTagsForResource;

impl ResourceOperation for ListTagsForResource {
    type On = ByArn;
    const NAME: &'static str = "ListTagsForResource";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListTagsForResourceInput;
    type Output = ListTagsForResourceOutput;

    fn key(input: &Self::Input) -> &str {
        &input.resource_arn
    }

    async fn run(
        input: Self::Input,
        found: &Permit<ByArn>,
        _: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        if input.next_token.is_some() {
            return Err(Refusal::InvalidContinuationToken.into());
        }
        Ok(ListTagsForResourceOutput { tags: found.0.tags.clone(), next_token: None })
    }
}
