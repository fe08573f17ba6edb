//! Inline policies: documents that belong to one user, group or role and end with it.

use policy::Kind as Grammar;
use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::Tx;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::{boundaries, last_administrator};
use crate::records::entity::{self, Holder, Identity};
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::role::Role;
use crate::records::user::User;
use crate::values::error::{IamError, Quota};
use crate::values::kind::Kind;
use crate::values::page::{self, Window};
use crate::values::{document, name};

/// Writes an inline policy if all of the entity's together stay within the quota.
///
/// # Errors
/// `LimitExceeded`, `NoSuchEntity`, `DeleteConflict`.
pub(crate) fn put<E: Holder>(tx: &mut Tx<'_>, known: &Identity, policy: &InlinePolicy) -> Result<(), IamError> {
    let entity: E = entity::reload(tx, known)?;
    entity.check_unprotected()?;
    let others: usize = tx
        .all::<InlinePolicy>(&known.id)?
        .iter()
        .filter(|other| other.name != policy.name)
        .map(|other| document::size(&other.document))
        .sum();
    if others + document::size(&policy.document) > E::INLINE_SIZE_MAX {
        let name = entity.identity().name.clone();
        return Err(IamError::LimitExceeded(Quota::InlineSize { kind: E::KIND, name, limit: E::INLINE_SIZE_MAX }));
    }
    let takes =
        || document::parse(&policy.document, Grammar::Identity).map(|new| last_administrator::may_revoke_admin(&new));
    let risky = last_administrator::grants_admin(tx, &entity)? || E::KIND != Kind::Role && takes()?;
    last_administrator::with_lockout_check(tx, &known.account, risky, |tx| {
        Ok(tx.put(&known.id, &policy.name, policy)?)
    })
}

/// Deletes an inline policy.
///
/// # Errors
/// `NoSuchEntity`.
fn delete<E: Holder>(tx: &mut Tx<'_>, known: &Identity, name: String) -> Result<(), IamError> {
    let entity: E = entity::reload(tx, known)?;
    entity.check_unprotected()?;
    let risky = last_administrator::grants_admin(tx, &entity)?;
    last_administrator::with_lockout_check(tx, &known.account, risky, |tx| {
        match tx.delete::<InlinePolicy>(&known.id, &name)? {
            true => Ok(()),
            false => Err(missing::<E>(name)),
        }
    })
}

/// The need of changing an inline policy.
fn changing<E: Holder>(action: &'static str, account: &str, name: &str, found: Option<&E>) -> Need<'static> {
    boundaries::in_need(entity::need(action, account, name, found), found.and_then(Holder::boundary))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyNamesOutput {
    policy_names: Vec<String>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// The four operations on the inline policies of one kind of entity.
macro_rules! inline_policies {
    (
        $entity:ty, $member:literal, $name_max:literal,
        $put:ident $put_input:ident,
        $get:ident $get_input:ident $get_output:ident,
        $list:ident $list_input:ident,
        $delete:ident $delete_input:ident
    ) => {
        wire::shape! {
            #[doc = concat!("The input of `", stringify!($put), "`.")]
            pub struct $put_input {
                $member name: String, required, [Rule::Length(1, $name_max)];
                "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
                "PolicyDocument" policy_document: String, required, [document::LENGTH, document::PATTERN];
            }
        }

        pub(crate) struct $put;

        impl Operation for $put {
            type Service = Iam;
            const NAME: &'static str = stringify!($put);
            const AUDIT: AuditClass = AuditClass::Change;
            type Input = $put_input;
            type Output = ();
            type Target = $entity;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<$entity, IamError> {
                name::check(&input.policy_name, "policyName")?;
                call.service.entity(call.account(), &input.name).await
            }

            fn needs(input: &Self::Input, found: Option<&$entity>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                vec![changing(concat!("iam:", stringify!($put)), call.account(), &input.name, found)]
            }

            async fn run(input: Self::Input, found: Permit<$entity>, call: &Call<'_, Iam>) -> Result<(), IamError> {
                document::parse(&input.policy_document, Grammar::Identity)?;
                let known = found.into_inner().identity;
                let policy = InlinePolicy { name: input.policy_name, document: input.policy_document };
                call.write(&call.service.store, move |tx| put::<$entity>(tx, &known, &policy)).await
            }
        }

        wire::shape! {
            #[doc = concat!("The input of `", stringify!($get), "`.")]
            pub struct $get_input {
                $member name: String, required, [Rule::Length(1, $name_max)];
                "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
            }
        }

        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        pub(crate) struct $get_output {
            #[serde(rename = $member)]
            name: String,
            policy_name: String,
            policy_document: String,
        }

        pub(crate) struct $get;

        impl Operation for $get {
            type Service = Iam;
            const NAME: &'static str = stringify!($get);
            const AUDIT: AuditClass = AuditClass::Read;
            type Input = $get_input;
            type Output = $get_output;
            type Target = $entity;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<$entity, IamError> {
                call.service.entity(call.account(), &input.name).await
            }

            fn needs(input: &Self::Input, found: Option<&$entity>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                vec![entity::need(concat!("iam:", stringify!($get)), call.account(), &input.name, found)]
            }

            async fn run(
                input: Self::Input,
                found: Permit<$entity>,
                call: &Call<'_, Iam>,
            ) -> Result<$get_output, IamError> {
                let Identity { id, name, .. } = found.into_inner().identity;
                call.service
                    .store
                    .read(move |tx| match tx.get::<InlinePolicy>(&id, &input.policy_name)? {
                        Some(policy) => Ok($get_output {
                            name,
                            policy_name: policy.name,
                            policy_document: document::encoded(&policy.document),
                        }),
                        None => Err(missing::<$entity>(input.policy_name)),
                    })
                    .await
            }
        }

        wire::shape! {
            #[doc = concat!("The input of `", stringify!($list), "`.")]
            pub struct $list_input {
                $member name: String, required, [Rule::Length(1, $name_max)];
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
            type Output = PolicyNamesOutput;
            type Target = $entity;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<$entity, IamError> {
                call.service.entity(call.account(), &input.name).await
            }

            fn needs(input: &Self::Input, found: Option<&$entity>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                vec![entity::need(concat!("iam:", stringify!($list)), call.account(), &input.name, found)]
            }

            async fn run(
                input: Self::Input,
                found: Permit<$entity>,
                call: &Call<'_, Iam>,
            ) -> Result<PolicyNamesOutput, IamError> {
                let id = found.into_inner().identity.id;
                let window = Window::new(input.marker, input.max_items);
                call.service.store.read(move |tx| names(tx, &id, window)).await
            }
        }

        wire::shape! {
            #[doc = concat!("The input of `", stringify!($delete), "`.")]
            pub struct $delete_input {
                $member name: String, required, [Rule::Length(1, $name_max)];
                "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
            }
        }

        pub(crate) struct $delete;

        impl Operation for $delete {
            type Service = Iam;
            const NAME: &'static str = stringify!($delete);
            const AUDIT: AuditClass = AuditClass::Change;
            type Input = $delete_input;
            type Output = ();
            type Target = $entity;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<$entity, IamError> {
                call.service.entity(call.account(), &input.name).await
            }

            fn needs(input: &Self::Input, found: Option<&$entity>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                vec![changing(concat!("iam:", stringify!($delete)), call.account(), &input.name, found)]
            }

            async fn run(input: Self::Input, found: Permit<$entity>, call: &Call<'_, Iam>) -> Result<(), IamError> {
                let known = found.into_inner().identity;
                call.write(&call.service.store, move |tx| delete::<$entity>(tx, &known, input.policy_name)).await
            }
        }
    };
}

const fn missing<E: Holder>(name: String) -> IamError {
    IamError::NoSuchInlinePolicy { kind: E::KIND, name }
}

fn names(tx: &store::ReadTx<'_>, id: &str, window: Window) -> Result<PolicyNamesOutput, IamError> {
    let mut listed =
        window.read::<InlinePolicy, _>(tx, id, |policy| policy.name.clone(), |policy| Ok(Some(policy.name)))?;
    listed.items.sort();
    Ok(PolicyNamesOutput { is_truncated: listed.is_truncated(), policy_names: listed.items, marker: listed.marker })
}

inline_policies!(
    User, "UserName", 128,
    PutUserPolicy PutUserPolicyInput,
    GetUserPolicy GetUserPolicyInput GetUserPolicyOutput,
    ListUserPolicies ListUserPoliciesInput,
    DeleteUserPolicy DeleteUserPolicyInput
);
inline_policies!(
    Group, "GroupName", 128,
    PutGroupPolicy PutGroupPolicyInput,
    GetGroupPolicy GetGroupPolicyInput GetGroupPolicyOutput,
    ListGroupPolicies ListGroupPoliciesInput,
    DeleteGroupPolicy DeleteGroupPolicyInput
);
inline_policies!(
    Role, "RoleName", 64,
    PutRolePolicy PutRolePolicyInput,
    GetRolePolicy GetRolePolicyInput GetRolePolicyOutput,
    ListRolePolicies ListRolePoliciesInput,
    DeleteRolePolicy DeleteRolePolicyInput
);
