//! The operations on tags: the same three for users, roles, instance profiles, managed policies and identity providers.

use std::future::Future;
use std::marker::PhantomData;

use service::{AuditClass, Call, Need, Permit, Resource, ResourceOperation};
use wire::shape::Rule;

use crate::Iam;
use crate::records::entity::{self, Entity, Tagged};
use crate::records::instance_profile::InstanceProfile;
use crate::records::managed_policy::{AnyPolicy, ManagedPolicy};
use crate::records::oidc_provider::OidcProvider;
use crate::records::role::Role;
use crate::records::user::User;
use crate::resources::inputs::{
    Input, ListInput, PolicyListInput, ProfileListInput, ProviderListInput, RoleListInput, UserListInput,
};
use crate::resources::named::Named;
use crate::resources::policy::PolicyKey;
use crate::resources::provider;
use crate::values::error::Result;
use crate::values::kind::Kind;
use crate::values::page::{Item, Page};
use crate::values::policy_arn;
use crate::values::tag::{self, Tag, TagInput};

/// The names of the operations on the tags of a kind of record, and their inputs.
pub(crate) trait Tagging {
    /// `TagUser`, and so on.
    const TAG: &'static str;
    const UNTAG: &'static str;
    const LIST: &'static str;
    type Tag: Input;
    type Untag: Input;
    type List: ListInput;

    /// The name or ARN, and the tags.
    fn tag(input: &Self::Tag) -> (&str, &[TagInput]);

    /// The name or ARN, and the keys of tags.
    fn untag(input: &Self::Untag) -> (&str, &[String]);
}

/// A resource that has tags.
pub(crate) trait Taggable: Resource<Service = Iam> {
    /// The record that they are in.
    type Record: Tagging + 'static;
    /// The kind whose rules of letter case hold for its tags.
    const KIND: Kind;

    /// The resource that an input names.
    fn key(name: &str) -> Self::Key<'_>;

    /// Its tags.
    fn tags(&self) -> &[Tag];

    /// Refuses one that belongs to AWS.
    ///
    /// # Errors
    /// `InvalidInput`.
    fn check_own(&self) -> Result<()> {
        Ok(())
    }

    /// Changes its tags as they are now.
    fn change_tags(
        &self,
        call: &Call<'_, Iam>,
        change: impl FnOnce(&mut Vec<Tag>) -> Result<()> + Send + 'static,
    ) -> impl Future<Output = Result<()>> + Send;
}

impl<E: Tagged + Tagging> Taggable for Named<E> {
    type Record = E;
    const KIND: Kind = E::KIND;

    fn key(name: &str) -> &str {
        name
    }

    fn tags(&self) -> &[Tag] {
        Entity::tags(&**self)
    }

    fn change_tags(
        &self,
        call: &Call<'_, Iam>,
        change: impl FnOnce(&mut Vec<Tag>) -> Result<()> + Send + 'static,
    ) -> impl Future<Output = Result<()>> + Send {
        self.change(call, |tx, mut entity: E| {
            change(entity.tags_mut())?;
            entity::put(tx, &entity)
        })
    }
}

impl Taggable for AnyPolicy {
    type Record = ManagedPolicy;
    const KIND: Kind = Kind::Policy;

    fn key(arn: &str) -> PolicyKey<'_> {
        arn.into()
    }

    fn tags(&self) -> &[Tag] {
        Self::tags(self)
    }

    fn check_own(&self) -> Result<()> {
        self.own().map(|_| ())
    }

    async fn change_tags(
        &self,
        call: &Call<'_, Iam>,
        change: impl FnOnce(&mut Vec<Tag>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let known = self.own()?.identity.clone();
        call.write(&call.service.store, move |tx| {
            let mut policy: ManagedPolicy = entity::reload(tx, &known)?;
            change(&mut policy.tags)?;
            entity::put(tx, &policy)
        })
        .await
    }
}

impl Taggable for OidcProvider {
    type Record = Self;
    const KIND: Kind = Kind::Policy;

    fn key(arn: &str) -> &str {
        arn
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn change_tags(
        &self,
        call: &Call<'_, Iam>,
        change: impl FnOnce(&mut Vec<Tag>) -> Result<()> + Send + 'static,
    ) -> impl Future<Output = Result<()>> + Send {
        self.change(call, |provider| change(&mut provider.tags))
    }
}

/// `TagUser` and its like.
pub(crate) struct AddTags<T>(PhantomData<T>);

impl<T: Taggable> ResourceOperation for AddTags<T> {
    type On = T;
    const NAME: &'static str = T::Record::TAG;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = <T::Record as Tagging>::Tag;
    type Output = ();

    fn key(input: &Self::Input) -> T::Key<'_> {
        T::key(T::Record::tag(input).0)
    }

    fn refine<'n>(input: &'n Self::Input, found: Option<&'n T>, need: Need<'n>) -> Need<'n> {
        tag::in_request_on(need, found.map_or(&[], T::tags), T::Record::tag(input).1)
    }

    async fn run(input: Self::Input, target: &Permit<T>, call: &Call<'_, Iam>) -> Result<()> {
        target.check_own()?;
        let new = tag::checked(T::Record::tag(&input).1)?;
        target.change_tags(call, |tags| tag::add(T::KIND, tags, new)).await
    }
}

/// `UntagUser` and its like.
pub(crate) struct RemoveTags<T>(PhantomData<T>);

impl<T: Taggable> ResourceOperation for RemoveTags<T> {
    type On = T;
    const NAME: &'static str = T::Record::UNTAG;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = <T::Record as Tagging>::Untag;
    type Output = ();

    fn key(input: &Self::Input) -> T::Key<'_> {
        T::key(T::Record::untag(input).0)
    }

    fn refine<'n>(input: &'n Self::Input, found: Option<&'n T>, need: Need<'n>) -> Need<'n> {
        tag::keys_in_request(need, found.map_or(&[], T::tags), T::Record::untag(input).1.iter())
    }

    async fn run(input: Self::Input, target: &Permit<T>, call: &Call<'_, Iam>) -> Result<()> {
        target.check_own()?;
        target.change_tags(call, move |tags| tag::remove(T::KIND, tags, T::Record::untag(&input).1)).await
    }
}

impl Item for Tag {
    const LIST: &'static str = "Tags";
}

/// `ListUserTags` and its like.
pub(crate) struct ListTags<T>(PhantomData<T>);

impl<T: Taggable> ResourceOperation for ListTags<T> {
    type On = T;
    const NAME: &'static str = T::Record::LIST;
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = <T::Record as Tagging>::List;
    type Output = Page<Tag>;

    fn key(input: &Self::Input) -> T::Key<'_> {
        T::key(input.of())
    }

    async fn run(input: Self::Input, target: &Permit<T>, _: &Call<'_, Iam>) -> Result<Page<Tag>> {
        Ok(input.window().by_count(target.tags().to_vec())?.into())
    }
}

wire::shape! {
    /// The input of `TagUser`.
    pub struct TagUserInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
        "Tags" tags: Vec<TagInput>, required, [tag::LIST];
    }
}

wire::shape! {
    /// The input of `UntagUser`.
    pub struct UntagUserInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
        "TagKeys" tag_keys: Vec<String>, required, [tag::LIST, tag::EACH_KEY];
    }
}

impl Tagging for User {
    const TAG: &'static str = "TagUser";
    const UNTAG: &'static str = "UntagUser";
    const LIST: &'static str = "ListUserTags";
    type Tag = TagUserInput;
    type Untag = UntagUserInput;
    type List = UserListInput;

    fn tag(input: &Self::Tag) -> (&str, &[TagInput]) {
        (&input.user_name, &input.tags)
    }

    fn untag(input: &Self::Untag) -> (&str, &[String]) {
        (&input.user_name, &input.tag_keys)
    }
}

wire::shape! {
    /// The input of `TagRole`.
    pub struct TagRoleInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "Tags" tags: Vec<TagInput>, required, [tag::LIST];
    }
}

wire::shape! {
    /// The input of `UntagRole`.
    pub struct UntagRoleInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "TagKeys" tag_keys: Vec<String>, required, [tag::LIST, tag::EACH_KEY];
    }
}

impl Tagging for Role {
    const TAG: &'static str = "TagRole";
    const UNTAG: &'static str = "UntagRole";
    const LIST: &'static str = "ListRoleTags";
    type Tag = TagRoleInput;
    type Untag = UntagRoleInput;
    type List = RoleListInput;

    fn tag(input: &Self::Tag) -> (&str, &[TagInput]) {
        (&input.role_name, &input.tags)
    }

    fn untag(input: &Self::Untag) -> (&str, &[String]) {
        (&input.role_name, &input.tag_keys)
    }
}

wire::shape! {
    /// The input of `TagInstanceProfile`.
    pub struct TagInstanceProfileInput {
        "InstanceProfileName" name: String, required, [Rule::Length(1, 128)];
        "Tags" tags: Vec<TagInput>, required, [tag::LIST];
    }
}

wire::shape! {
    /// The input of `UntagInstanceProfile`.
    pub struct UntagInstanceProfileInput {
        "InstanceProfileName" name: String, required, [Rule::Length(1, 128)];
        "TagKeys" tag_keys: Vec<String>, required, [tag::LIST, tag::EACH_KEY];
    }
}

impl Tagging for InstanceProfile {
    const TAG: &'static str = "TagInstanceProfile";
    const UNTAG: &'static str = "UntagInstanceProfile";
    const LIST: &'static str = "ListInstanceProfileTags";
    type Tag = TagInstanceProfileInput;
    type Untag = UntagInstanceProfileInput;
    type List = ProfileListInput;

    fn tag(input: &Self::Tag) -> (&str, &[TagInput]) {
        (&input.name, &input.tags)
    }

    fn untag(input: &Self::Untag) -> (&str, &[String]) {
        (&input.name, &input.tag_keys)
    }
}

wire::shape! {
    /// The input of `TagPolicy`.
    pub struct TagPolicyInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "Tags" tags: Vec<TagInput>, required, [tag::LIST];
    }
}

wire::shape! {
    /// The input of `UntagPolicy`.
    pub struct UntagPolicyInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "TagKeys" tag_keys: Vec<String>, required, [tag::LIST, tag::EACH_KEY];
    }
}

impl Tagging for ManagedPolicy {
    const TAG: &'static str = "TagPolicy";
    const UNTAG: &'static str = "UntagPolicy";
    const LIST: &'static str = "ListPolicyTags";
    type Tag = TagPolicyInput;
    type Untag = UntagPolicyInput;
    type List = PolicyListInput;

    fn tag(input: &Self::Tag) -> (&str, &[TagInput]) {
        (&input.policy_arn, &input.tags)
    }

    fn untag(input: &Self::Untag) -> (&str, &[String]) {
        (&input.policy_arn, &input.tag_keys)
    }
}

wire::shape! {
    /// The input of `TagOpenIDConnectProvider`.
    pub struct TagOpenIDConnectProviderInput {
        "OpenIDConnectProviderArn" arn: String, required, [provider::ARN];
        "Tags" tags: Vec<TagInput>, required, [tag::LIST];
    }
}

wire::shape! {
    /// The input of `UntagOpenIDConnectProvider`.
    pub struct UntagOpenIDConnectProviderInput {
        "OpenIDConnectProviderArn" arn: String, required, [provider::ARN];
        "TagKeys" tag_keys: Vec<String>, required, [tag::LIST, tag::EACH_KEY];
    }
}

impl Tagging for OidcProvider {
    const TAG: &'static str = "TagOpenIDConnectProvider";
    const UNTAG: &'static str = "UntagOpenIDConnectProvider";
    const LIST: &'static str = "ListOpenIDConnectProviderTags";
    type Tag = TagOpenIDConnectProviderInput;
    type Untag = UntagOpenIDConnectProviderInput;
    type List = ProviderListInput;

    fn tag(input: &Self::Tag) -> (&str, &[TagInput]) {
        (&input.arn, &input.tags)
    }

    fn untag(input: &Self::Untag) -> (&str, &[String]) {
        (&input.arn, &input.tag_keys)
    }
}
