//! The operations on tags: the same three for users, roles and customer-managed policies.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::shape::Rule;

use crate::Iam;
use crate::policies::managed_policies;
use crate::records::entity::{self, Entity, Identity, Tagged};
use crate::records::instance_profile::InstanceProfile;
use crate::records::managed_policy::{AnyPolicy, ManagedPolicy};
use crate::records::role::Role;
use crate::records::user::User;
use crate::values::error::IamError;
use crate::values::page::{self, Window};
use crate::values::policy_arn;
use crate::values::tag::{self, Tag, TagInput};

/// Changes the tags of the entity.
async fn change<E: Tagged>(
    call: &Call<'_, Iam>,
    known: Identity,
    change: impl FnOnce(&mut Vec<Tag>) -> Result<(), IamError> + Send + 'static,
) -> Result<(), IamError> {
    call.write(&call.service.store, move |tx| {
        let mut entity: E = entity::reload(tx, &known)?;
        change(entity.tags_mut())?;
        entity::put(tx, &entity)
    })
    .await
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagsOutput {
    tags: Vec<Tag>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// A page of tags.
fn page_of(tags: Vec<Tag>, window: Window) -> Result<TagsOutput, IamError> {
    let listed = window.cut(tags)?;
    Ok(TagsOutput { is_truncated: listed.is_truncated(), tags: listed.items, marker: listed.marker })
}

/// What is tagged, as `find` loads it.
trait Found: Send + Sync {
    type Record: Tagged;

    /// The need of `action` on what the input names.
    fn need(action: &'static str, name: &str, found: Option<&Self>, call: &Call<'_, Iam>) -> Need<'static>;

    /// Its tags.
    fn tagged(&self) -> &[Tag];

    /// The same, taken from it.
    fn into_tags(self) -> Vec<Tag>;

    /// Its names, for a change.
    fn into_identity(self) -> Result<Identity, IamError>;
}

impl<E: Tagged> Found for E {
    type Record = Self;

    fn need(action: &'static str, name: &str, found: Option<&Self>, call: &Call<'_, Iam>) -> Need<'static> {
        entity::need(action, call.account(), name, found)
    }

    fn tagged(&self) -> &[Tag] {
        self.tags()
    }

    fn into_tags(mut self) -> Vec<Tag> {
        std::mem::take(self.tags_mut())
    }

    fn into_identity(self) -> Result<Identity, IamError> {
        Ok(self.identity().clone())
    }
}

impl Found for AnyPolicy {
    type Record = ManagedPolicy;

    fn need(action: &'static str, name: &str, found: Option<&Self>, _: &Call<'_, Iam>) -> Need<'static> {
        managed_policies::need(action, name, found)
    }

    fn tagged(&self) -> &[Tag] {
        match self {
            Self::Own(policy) => &policy.tags,
            Self::Aws(_) => &[],
        }
    }

    fn into_tags(self) -> Vec<Tag> {
        match self {
            Self::Own(policy) => policy.tags,
            Self::Aws(_) => Vec::new(),
        }
    }

    fn into_identity(self) -> Result<Identity, IamError> {
        Ok(self.own()?.identity)
    }
}

async fn named<E: Entity>(name: &str, call: &Call<'_, Iam>) -> Result<E, IamError> {
    call.service.entity(call.account(), name).await
}

/// The three operations on the tags of one kind of entity.
macro_rules! tagging {
    (
        $found:ty, $find:path, $member:literal, $length:expr,
        $tag:ident $tag_input:ident, $untag:ident $untag_input:ident, $list:ident $list_input:ident
    ) => {
        wire::shape! {
            #[doc = concat!("The input of `", stringify!($tag), "`.")]
            pub struct $tag_input {
                $member name: String, required, [$length];
                "Tags" tags: Vec<TagInput>, required, [tag::LIST];
            }
        }

        pub(crate) struct $tag;

        impl Operation for $tag {
            type Service = Iam;
            const NAME: &'static str = stringify!($tag);
            const AUDIT: AuditClass = AuditClass::Change;
            type Input = $tag_input;
            type Output = ();
            type Target = $found;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<$found, IamError> {
                $find(&input.name, call).await
            }

            fn needs(input: &Self::Input, found: Option<&$found>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                let need = <$found>::need(concat!("iam:", stringify!($tag)), &input.name, found, call);
                vec![tag::in_request_on(need, found.map_or(&[], Found::tagged), &input.tags)]
            }

            async fn run(input: Self::Input, found: Permit<$found>, call: &Call<'_, Iam>) -> Result<(), IamError> {
                type Target = <$found as Found>::Record;
                let known = found.into_inner().into_identity()?;
                let new = tag::checked(input.tags)?;
                change::<Target>(call, known, move |tags| tag::add(Target::KIND, tags, new)).await
            }
        }

        wire::shape! {
            #[doc = concat!("The input of `", stringify!($untag), "`.")]
            pub struct $untag_input {
                $member name: String, required, [$length];
                "TagKeys" tag_keys: Vec<String>, required, [tag::LIST, tag::EACH_KEY];
            }
        }

        pub(crate) struct $untag;

        impl Operation for $untag {
            type Service = Iam;
            const NAME: &'static str = stringify!($untag);
            const AUDIT: AuditClass = AuditClass::Change;
            type Input = $untag_input;
            type Output = ();
            type Target = $found;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<$found, IamError> {
                $find(&input.name, call).await
            }

            fn needs(input: &Self::Input, found: Option<&$found>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                let need = <$found>::need(concat!("iam:", stringify!($untag)), &input.name, found, call);
                vec![tag::keys_in_request(need, found.map_or(&[], Found::tagged), input.tag_keys.iter())]
            }

            async fn run(input: Self::Input, found: Permit<$found>, call: &Call<'_, Iam>) -> Result<(), IamError> {
                type Target = <$found as Found>::Record;
                let known = found.into_inner().into_identity()?;
                change::<Target>(call, known, move |tags| tag::remove(Target::KIND, tags, &input.tag_keys)).await
            }
        }

        wire::shape! {
            #[doc = concat!("The input of `", stringify!($list), "`.")]
            pub struct $list_input {
                $member name: String, required, [$length];
                "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
                "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
            }
        }

        pub(crate) struct $list;

        impl Operation for $list {
            type Service = Iam;
            const NAME: &'static str = stringify!($list);
            const AUDIT: AuditClass = AuditClass::Read;
            type Input = $list_input;
            type Output = TagsOutput;
            type Target = $found;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<$found, IamError> {
                $find(&input.name, call).await
            }

            fn needs(input: &Self::Input, found: Option<&$found>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                vec![<$found>::need(concat!("iam:", stringify!($list)), &input.name, found, call)]
            }

            async fn run(input: Self::Input, found: Permit<$found>, _: &Call<'_, Iam>) -> Result<TagsOutput, IamError> {
                page_of(found.into_inner().into_tags(), Window::new(input.marker, input.max_items))
            }
        }
    };
}

tagging!(
    User, named::<User>, "UserName", Rule::Length(1, 128),
    TagUser TagUserInput, UntagUser UntagUserInput, ListUserTags ListUserTagsInput
);
tagging!(
    Role, named::<Role>, "RoleName", Rule::Length(1, 64),
    TagRole TagRoleInput, UntagRole UntagRoleInput, ListRoleTags ListRoleTagsInput
);
tagging!(
    InstanceProfile, named::<InstanceProfile>, "InstanceProfileName", Rule::Length(1, 128),
    TagInstanceProfile TagInstanceProfileInput, UntagInstanceProfile UntagInstanceProfileInput,
    ListInstanceProfileTags ListInstanceProfileTagsInput
);
tagging!(
    AnyPolicy, AnyPolicy::load, "PolicyArn", policy_arn::LENGTH,
    TagPolicy TagPolicyInput, UntagPolicy UntagPolicyInput, ListPolicyTags ListPolicyTagsInput
);
