//! Attachments of managed policies to users, groups and roles. The same operations for all three.

use std::marker::PhantomData;

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::last_administrator::{self, with_lockout_check};
use crate::policies::{boundaries, source};
use crate::records::attachment::{Usage, occupy, release};
use crate::records::entity::{self, Holder, Identity};
use crate::records::group::Group;
use crate::records::managed_policy;
use crate::records::role::Role;
use crate::records::user::User;
use crate::resources::inputs::Input;
use crate::resources::named::Named;
use crate::values::error::{IamError, Quota, Result};
use crate::values::kind::Kind;
use crate::values::page::{self, Item, Page};
use crate::values::{name, policy_arn};

/// How many managed policies an entity can have.
const ATTACHED_MAX: usize = 10;

/// Attaches a managed policy; does nothing if it is attached already.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded`, `DeleteConflict`.
pub(crate) fn attach<E: Holder>(tx: &mut Tx<'_>, known: &Identity, arn: &str) -> Result<()> {
    let mut entity: E = entity::reload(tx, known)?;
    entity.check_unprotected()?;
    let nothing = || IamError::NothingToAttach { arn: arn.to_owned() };
    managed_policy::find(tx, &known.account, arn)?.ok_or_else(nothing)?;
    if entity.attached().iter().any(|attached| attached == arn) {
        return Ok(());
    }
    if entity.attached().len() >= ATTACHED_MAX {
        return Err(IamError::LimitExceeded(Quota::Count { name: E::ATTACHED_QUOTA, limit: ATTACHED_MAX }));
    }
    let policy = source::managed(tx, arn)?.ok_or_else(nothing)?.policy;
    let risky = E::KIND != Kind::Role && last_administrator::may_revoke_admin(&policy);
    with_lockout_check(tx, &known.account, risky, |tx| {
        occupy(tx, E::KIND, known, arn, Usage::Permissions)?;
        entity.attached_mut().push(arn.to_owned());
        entity::put(tx, &entity)
    })
}

/// Detaches a managed policy.
///
/// # Errors
/// `NoSuchEntity`, when it is not attached.
fn detach<E: Holder>(tx: &mut Tx<'_>, mut entity: E, arn: &str) -> Result<()> {
    entity.check_unprotected()?;
    let risky = last_administrator::grants_admin(tx, &entity)?;
    let known = entity.identity().clone();
    with_lockout_check(tx, &known.account, risky, |tx| {
        if !release(tx, &known, arn, Usage::Permissions)? {
            return Err(IamError::NoSuchPolicy { arn: arn.to_owned() });
        }
        entity.attached_mut().retain(|attached| attached != arn);
        entity::put(tx, &entity)
    })
}

/// An entity that managed policies are attached to: the names of the operations, and their inputs.
pub(crate) trait Attachable: Holder {
    /// `AttachUserPolicy`, and so on.
    const ATTACH: &'static str;
    const DETACH: &'static str;
    const LIST: &'static str;
    type One: Input;
    type List: Input;

    /// The entity and the policy.
    fn one(input: &Self::One) -> (&str, &str);

    /// The entity.
    fn listed(input: &Self::List) -> &str;

    /// The path that policies are filtered by, marker and size of the page.
    fn filter(input: Self::List) -> (Option<String>, Option<String>, Option<u32>);
}

wire::shape! {
    /// The input of `AttachUserPolicy` and `DetachUserPolicy`.
    pub struct UserAttachmentInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
    }
}

wire::shape! {
    /// The input of `ListAttachedUserPolicies`.
    pub struct ListAttachedUserPoliciesInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::POLICY_PATH)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

impl Attachable for User {
    const ATTACH: &'static str = "AttachUserPolicy";
    const DETACH: &'static str = "DetachUserPolicy";
    const LIST: &'static str = "ListAttachedUserPolicies";
    type One = UserAttachmentInput;
    type List = ListAttachedUserPoliciesInput;

    fn one(input: &Self::One) -> (&str, &str) {
        (&input.user_name, &input.policy_arn)
    }

    fn listed(input: &Self::List) -> &str {
        &input.user_name
    }

    fn filter(input: Self::List) -> (Option<String>, Option<String>, Option<u32>) {
        (input.path_prefix, input.marker, input.max_items)
    }
}

wire::shape! {
    /// The input of `AttachGroupPolicy` and `DetachGroupPolicy`.
    pub struct GroupAttachmentInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
    }
}

wire::shape! {
    /// The input of `ListAttachedGroupPolicies`.
    pub struct ListAttachedGroupPoliciesInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::POLICY_PATH)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

impl Attachable for Group {
    const ATTACH: &'static str = "AttachGroupPolicy";
    const DETACH: &'static str = "DetachGroupPolicy";
    const LIST: &'static str = "ListAttachedGroupPolicies";
    type One = GroupAttachmentInput;
    type List = ListAttachedGroupPoliciesInput;

    fn one(input: &Self::One) -> (&str, &str) {
        (&input.group_name, &input.policy_arn)
    }

    fn listed(input: &Self::List) -> &str {
        &input.group_name
    }

    fn filter(input: Self::List) -> (Option<String>, Option<String>, Option<u32>) {
        (input.path_prefix, input.marker, input.max_items)
    }
}

wire::shape! {
    /// The input of `AttachRolePolicy` and `DetachRolePolicy`.
    pub struct RoleAttachmentInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
    }
}

wire::shape! {
    /// The input of `ListAttachedRolePolicies`.
    pub struct ListAttachedRolePoliciesInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::POLICY_PATH)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

impl Attachable for Role {
    const ATTACH: &'static str = "AttachRolePolicy";
    const DETACH: &'static str = "DetachRolePolicy";
    const LIST: &'static str = "ListAttachedRolePolicies";
    type One = RoleAttachmentInput;
    type List = ListAttachedRolePoliciesInput;

    fn one(input: &Self::One) -> (&str, &str) {
        (&input.role_name, &input.policy_arn)
    }

    fn listed(input: &Self::List) -> &str {
        &input.role_name
    }

    fn filter(input: Self::List) -> (Option<String>, Option<String>, Option<u32>) {
        (input.path_prefix, input.marker, input.max_items)
    }
}

/// The need of attaching to or detaching from an entity.
fn refined<'n, E: Attachable>(input: &'n E::One, found: Option<&'n Named<E>>, need: Need<'n>) -> Need<'n> {
    let (_, policy) = E::one(input);
    boundaries::in_need(need.with("iam:PolicyARN", policy), found.and_then(|found| found.boundary()))
}

/// `AttachUserPolicy` and its like.
pub(crate) struct AttachPolicy<E>(PhantomData<E>);

impl<E: Attachable> ResourceOperation for AttachPolicy<E> {
    type On = Named<E>;
    const NAME: &'static str = E::ATTACH;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = E::One;
    type Output = ();

    fn key(input: &E::One) -> &str {
        E::one(input).0
    }

    fn check(input: &E::One) -> Result<()> {
        policy_arn::check(E::one(input).1).map(|_| ())
    }

    fn refine<'n>(input: &'n E::One, found: Option<&'n Named<E>>, need: Need<'n>) -> Need<'n> {
        refined(input, found, need)
    }

    async fn run(input: E::One, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<()> {
        let known = entity.identity().clone();
        call.write(&call.service.store, move |tx| attach::<E>(tx, &known, E::one(&input).1)).await
    }
}

/// `DetachUserPolicy` and its like.
pub(crate) struct DetachPolicy<E>(PhantomData<E>);

impl<E: Attachable> ResourceOperation for DetachPolicy<E> {
    type On = Named<E>;
    const NAME: &'static str = E::DETACH;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = E::One;
    type Output = ();

    fn key(input: &E::One) -> &str {
        E::one(input).0
    }

    fn check(input: &E::One) -> Result<()> {
        policy_arn::check(E::one(input).1).map(|_| ())
    }

    fn refine<'n>(input: &'n E::One, found: Option<&'n Named<E>>, need: Need<'n>) -> Need<'n> {
        refined(input, found, need)
    }

    async fn run(input: E::One, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<()> {
        entity.change(call, move |tx, entity: E| detach(tx, entity, E::one(&input).1)).await
    }
}

/// A managed policy in the list of those that an entity has.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttachedPolicy {
    pub(crate) policy_name: String,
    policy_arn: String,
}

impl AttachedPolicy {
    /// The policy that has this ARN, under a path that begins with `prefix`; `None` if it is no ARN of a policy.
    fn under(prefix: &str, arn: &str) -> Option<Self> {
        let parsed = arn.parse().ok()?;
        let located = name::locate(&parsed).filter(|located| located.path.starts_with(prefix))?;
        Some(Self { policy_name: located.name.to_owned(), policy_arn: arn.to_owned() })
    }

    /// The policy that has this ARN; `None` if it is no ARN of a policy.
    pub(crate) fn of(arn: &str) -> Option<Self> {
        Self::under("", arn)
    }
}

impl Item for AttachedPolicy {
    const LIST: &'static str = "AttachedPolicies";
}

/// `ListAttachedUserPolicies` and its like.
pub(crate) struct ListAttachedPolicies<E>(PhantomData<E>);

impl<E: Attachable> ResourceOperation for ListAttachedPolicies<E> {
    type On = Named<E>;
    const NAME: &'static str = E::LIST;
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = E::List;
    type Output = Page<AttachedPolicy>;

    fn key(input: &E::List) -> &str {
        E::listed(input)
    }

    async fn run(input: E::List, entity: &Permit<Named<E>>, _: &Call<'_, Iam>) -> Result<Self::Output> {
        let (prefix, marker, max_items) = E::filter(input);
        let prefix = prefix.unwrap_or_default();
        let policies = entity.attached().iter().filter_map(|arn| AttachedPolicy::under(&prefix, arn));
        Ok(page::window(marker, max_items).by_count(policies.collect())?.into())
    }
}
