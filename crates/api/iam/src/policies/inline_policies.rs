//! Inline policies: documents that belong to one user, group or role and end with it. The same operations for all three.

use std::marker::PhantomData;

use policy::Kind as Grammar;
use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};
use service::{AuditClass, Call, Need, Permit, ResourceOperation, Window};
use store::{ReadTx, Tx};
use wire::shape::Rule;

use crate::Iam;
use crate::policies::boundaries;
use crate::policies::last_administrator::{self, with_lockout_check};
use crate::records::entity::{self, Holder, Identity};
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::role::Role;
use crate::records::user::User;
use crate::resources::inputs::{GroupListInput, Input, ListInput, RoleListInput, UserListInput};
use crate::resources::named::Named;
use crate::values::error::{IamError, Quota, Result};
use crate::values::kind::Kind;
use crate::values::page::{self, Item, Page};
use crate::values::{document, name};

/// Writes an inline policy if all of the entity's together stay within the quota.
///
/// # Errors
/// `LimitExceeded`, `NoSuchEntity`, `DeleteConflict`.
pub(crate) fn put<E: Holder>(tx: &mut Tx<'_>, known: &Identity, policy: &InlinePolicy) -> Result<()> {
    let entity: E = entity::reload(tx, known)?;
    entity.check_unprotected()?;
    let others = tx.all::<InlinePolicy>(&known.id)?.into_iter().filter(|other| other.name != policy.name);
    let others: usize = others.map(|other| document::size(&other.document)).sum();
    if others + document::size(&policy.document) > E::INLINE_SIZE_MAX {
        let name = entity.identity().name.clone();
        return Err(IamError::LimitExceeded(Quota::InlineSize { kind: E::KIND, name, limit: E::INLINE_SIZE_MAX }));
    }
    let takes =
        || document::parse(&policy.document, Grammar::Identity).map(|new| last_administrator::may_revoke_admin(&new));
    let risky = last_administrator::grants_admin(tx, &entity)? || E::KIND != Kind::Role && takes()?;
    with_lockout_check(tx, &known.account, risky, |tx| Ok(tx.put(&known.id, &policy.name, policy)?))
}

fn missing<E: Holder>(name: String) -> IamError {
    IamError::NoSuchInlinePolicy { kind: E::KIND, name }
}

/// An entity that has inline policies: the names of the operations on them, and their inputs.
pub(crate) trait InlineHolder: Holder {
    /// The member that names the entity.
    const MEMBER: &'static str;
    /// `PutUserPolicy`, and so on.
    const PUT: &'static str;
    const GET: &'static str;
    const LIST: &'static str;
    const DELETE: &'static str;
    type Put: Input;
    type One: Input;
    type List: ListInput;

    /// The entity, the policy and its document.
    fn put(input: &Self::Put) -> [&String; 3];

    /// The entity and the policy.
    fn one(input: &Self::One) -> [&String; 2];
}

wire::shape! {
    /// The input of `PutUserPolicy`.
    pub struct PutUserPolicyInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
        "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
        "PolicyDocument" policy_document: String, required, [document::LENGTH, document::PATTERN];
    }
}

wire::shape! {
    /// The input of `GetUserPolicy` and `DeleteUserPolicy`.
    pub struct UserPolicyInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
        "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
    }
}

impl InlineHolder for User {
    const MEMBER: &'static str = "UserName";
    const PUT: &'static str = "PutUserPolicy";
    const GET: &'static str = "GetUserPolicy";
    const LIST: &'static str = "ListUserPolicies";
    const DELETE: &'static str = "DeleteUserPolicy";
    type Put = PutUserPolicyInput;
    type One = UserPolicyInput;
    type List = UserListInput;

    fn put(input: &Self::Put) -> [&String; 3] {
        [&input.user_name, &input.policy_name, &input.policy_document]
    }

    fn one(input: &Self::One) -> [&String; 2] {
        [&input.user_name, &input.policy_name]
    }
}

wire::shape! {
    /// The input of `PutGroupPolicy`.
    pub struct PutGroupPolicyInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
        "PolicyDocument" policy_document: String, required, [document::LENGTH, document::PATTERN];
    }
}

wire::shape! {
    /// The input of `GetGroupPolicy` and `DeleteGroupPolicy`.
    pub struct GroupPolicyInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
    }
}

impl InlineHolder for Group {
    const MEMBER: &'static str = "GroupName";
    const PUT: &'static str = "PutGroupPolicy";
    const GET: &'static str = "GetGroupPolicy";
    const LIST: &'static str = "ListGroupPolicies";
    const DELETE: &'static str = "DeleteGroupPolicy";
    type Put = PutGroupPolicyInput;
    type One = GroupPolicyInput;
    type List = GroupListInput;

    fn put(input: &Self::Put) -> [&String; 3] {
        [&input.group_name, &input.policy_name, &input.policy_document]
    }

    fn one(input: &Self::One) -> [&String; 2] {
        [&input.group_name, &input.policy_name]
    }
}

wire::shape! {
    /// The input of `PutRolePolicy`.
    pub struct PutRolePolicyInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
        "PolicyDocument" policy_document: String, required, [document::LENGTH, document::PATTERN];
    }
}

wire::shape! {
    /// The input of `GetRolePolicy` and `DeleteRolePolicy`.
    pub struct RolePolicyInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "PolicyName" policy_name: String, required, [Rule::Length(1, 128)];
    }
}

impl InlineHolder for Role {
    const MEMBER: &'static str = "RoleName";
    const PUT: &'static str = "PutRolePolicy";
    const GET: &'static str = "GetRolePolicy";
    const LIST: &'static str = "ListRolePolicies";
    const DELETE: &'static str = "DeleteRolePolicy";
    type Put = PutRolePolicyInput;
    type One = RolePolicyInput;
    type List = RoleListInput;

    fn put(input: &Self::Put) -> [&String; 3] {
        [&input.role_name, &input.policy_name, &input.policy_document]
    }

    fn one(input: &Self::One) -> [&String; 2] {
        [&input.role_name, &input.policy_name]
    }
}

/// Adds the condition key of the boundary to the need of a change.
fn changing<'n, E: InlineHolder>(need: Need<'n>, found: Option<&'n Named<E>>) -> Need<'n> {
    boundaries::in_need(need, found.and_then(|found| found.boundary()))
}

/// `PutUserPolicy` and its like.
pub(crate) struct PutInlinePolicy<E>(PhantomData<E>);

impl<E: InlineHolder> ResourceOperation for PutInlinePolicy<E> {
    type On = Named<E>;
    const NAME: &'static str = E::PUT;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = E::Put;
    type Output = ();

    fn key(input: &E::Put) -> &str {
        let [entity, ..] = E::put(input);
        entity
    }

    fn check(input: &E::Put) -> Result<()> {
        let [_, policy, _] = E::put(input);
        name::check(policy, "policyName")
    }

    fn refine<'n>(_: &'n E::Put, found: Option<&'n Named<E>>, need: Need<'n>) -> Need<'n> {
        changing(need, found)
    }

    async fn run(input: E::Put, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<()> {
        let [_, name, document] = E::put(&input).map(String::clone);
        document::parse(&document, Grammar::Identity)?;
        let known = entity.identity().clone();
        call.write(&call.service.store, move |tx| put::<E>(tx, &known, &InlinePolicy { name, document })).await
    }
}

/// `GetUserPolicy` and its like.
pub(crate) struct GetInlinePolicy<E>(PhantomData<E>);

/// An inline policy as answers show it.
pub(crate) struct InlineView<E> {
    holder: PhantomData<fn() -> E>,
    name: String,
    policy: InlinePolicy,
}

impl<E: InlineHolder> Serialize for InlineView<E> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut members = out.serialize_struct("InlineView", 3)?;
        members.serialize_field(E::MEMBER, &self.name)?;
        members.serialize_field("PolicyName", &self.policy.name)?;
        members.serialize_field("PolicyDocument", &document::encoded(&self.policy.document))?;
        members.end()
    }
}

impl<E: InlineHolder> ResourceOperation for GetInlinePolicy<E> {
    type On = Named<E>;
    const NAME: &'static str = E::GET;
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = E::One;
    type Output = InlineView<E>;

    fn key(input: &E::One) -> &str {
        let [entity, _] = E::one(input);
        entity
    }

    async fn run(input: E::One, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<InlineView<E>> {
        let Identity { id, name, .. } = entity.identity().clone();
        let [_, policy] = E::one(&input).map(String::clone);
        let found = call.service.store.read(move |tx| {
            let found = tx.get::<InlinePolicy>(&id, &policy)?;
            found.ok_or_else(|| missing::<E>(policy))
        });
        Ok(InlineView { holder: PhantomData, name, policy: found.await? })
    }
}

/// The name of an inline policy in a list.
#[derive(Serialize)]
pub(crate) struct PolicyName(String);

impl Item for PolicyName {
    const LIST: &'static str = "PolicyNames";
}

/// `ListUserPolicies` and its like.
pub(crate) struct ListInlinePolicies<E>(PhantomData<E>);

impl<E: InlineHolder> ResourceOperation for ListInlinePolicies<E> {
    type On = Named<E>;
    const NAME: &'static str = E::LIST;
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = E::List;
    type Output = Page<PolicyName>;

    fn key(input: &E::List) -> &str {
        input.of()
    }

    async fn run(input: E::List, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let (id, window) = (entity.identity().id.clone(), input.window());
        call.service.store.read(move |tx| names(tx, &id, window)).await
    }
}

fn names(tx: &ReadTx<'_>, id: &str, window: Window) -> Result<Page<PolicyName>> {
    let name = |policy: &InlinePolicy| policy.name.clone();
    let keep = |policy: InlinePolicy| Ok::<_, IamError>(Some(policy.name));
    let mut listed = window.filtered(tx, id, page::SCANNED_MAX, name, keep)?;
    listed.items.sort();
    Ok(listed.map(PolicyName).into())
}

/// `DeleteUserPolicy` and its like.
pub(crate) struct DeleteInlinePolicy<E>(PhantomData<E>);

impl<E: InlineHolder> ResourceOperation for DeleteInlinePolicy<E> {
    type On = Named<E>;
    const NAME: &'static str = E::DELETE;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = E::One;
    type Output = ();

    fn key(input: &E::One) -> &str {
        let [entity, _] = E::one(input);
        entity
    }

    fn refine<'n>(_: &'n E::One, found: Option<&'n Named<E>>, need: Need<'n>) -> Need<'n> {
        changing(need, found)
    }

    async fn run(input: E::One, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<()> {
        let [_, policy] = E::one(&input).map(String::clone);
        let change = move |tx: &mut Tx<'_>, entity: E| {
            entity.check_unprotected()?;
            let risky = last_administrator::grants_admin(tx, &entity)?;
            let Identity { account, id, .. } = entity.identity();
            with_lockout_check(tx, account, risky, |tx| match tx.delete::<InlinePolicy>(id, &policy)? {
                true => Ok(()),
                false => Err(missing::<E>(policy)),
            })
        };
        entity.change(call, change).await
    }
}
