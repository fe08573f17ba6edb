//! Permissions boundaries of users and roles. The same operations for both.

use std::marker::PhantomData;

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::{ReadTx, Tx};
use wire::shape::Rule;

use crate::Iam;
use crate::policies::last_administrator::{self, with_lockout_check};
use crate::records::attachment::{self, Usage};
use crate::records::entity::{self, Holder, Identity};
use crate::records::managed_policy;
use crate::records::role::Role;
use crate::records::user::User;
use crate::resources::inputs::{Input, RoleNameInput, UserNameInput};
use crate::resources::named::Named;
use crate::values::error::{IamError, Result};
use crate::values::policy_arn;

/// A permissions boundary as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BoundaryView {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

impl BoundaryView {
    pub(crate) const fn of(arn: String) -> Self {
        // The member's enumeration says PermissionsBoundaryPolicy, but this is what AWS sends.
        Self { permissions_boundary_type: "Policy", permissions_boundary_arn: arn }
    }
}

/// Adds the condition key of a boundary: the one to be set, or the one that the entity has.
pub(crate) fn in_need<'n>(need: Need<'n>, arn: Option<&'n str>) -> Need<'n> {
    match arn {
        Some(arn) => need.with("iam:PermissionsBoundary", arn),
        None => need,
    }
}

/// Counts the policy as the boundary of an entity.
///
/// # Errors
/// `ValidationError`, `NoSuchEntity`.
pub(crate) fn occupy<E: Holder>(tx: &mut Tx<'_>, entity: &Identity, arn: &str) -> Result<()> {
    policy_arn::check(arn)?;
    if managed_policy::find(tx, &entity.account, arn)?.is_none() {
        return Err(IamError::NoSuchBoundary { arn: arn.to_owned() });
    }
    attachment::occupy(tx, E::KIND, entity, arn, Usage::Boundary)?;
    Ok(())
}

/// An entity that can have a boundary: the names of the operations, and their inputs.
pub(crate) trait Bounded: Holder {
    /// `PutUserPermissionsBoundary`, and so on.
    const PUT: &'static str;
    const DELETE: &'static str;
    type Put: Input;
    type Delete: Input;

    /// The entity and the policy.
    fn put(input: &Self::Put) -> (&str, &str);

    /// The entity.
    fn delete(input: &Self::Delete) -> &str;

    /// The ARN of its boundary, to be changed.
    fn boundary_mut(&mut self) -> &mut Option<String>;

    /// Whether its policies make it an administrator, as long as it has an access key.
    ///
    /// # Errors
    /// Those of the store.
    fn is_administrator(&self, tx: &ReadTx<'_>) -> Result<bool>;
}

wire::shape! {
    /// The input of `PutUserPermissionsBoundary`.
    pub struct PutUserPermissionsBoundaryInput {
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "PermissionsBoundary" permissions_boundary: String, required, [policy_arn::LENGTH];
    }
}

impl Bounded for User {
    const PUT: &'static str = "PutUserPermissionsBoundary";
    const DELETE: &'static str = "DeleteUserPermissionsBoundary";
    type Put = PutUserPermissionsBoundaryInput;
    type Delete = UserNameInput;

    fn put(input: &Self::Put) -> (&str, &str) {
        (&input.user_name, &input.permissions_boundary)
    }

    fn delete(input: &Self::Delete) -> &str {
        &input.user_name
    }

    fn boundary_mut(&mut self) -> &mut Option<String> {
        &mut self.boundary
    }

    fn is_administrator(&self, tx: &ReadTx<'_>) -> Result<bool> {
        last_administrator::is_one(tx, self)
    }
}

wire::shape! {
    /// The input of `PutRolePermissionsBoundary`.
    pub struct PutRolePermissionsBoundaryInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "PermissionsBoundary" permissions_boundary: String, required, [policy_arn::LENGTH];
    }
}

impl Bounded for Role {
    const PUT: &'static str = "PutRolePermissionsBoundary";
    const DELETE: &'static str = "DeleteRolePermissionsBoundary";
    type Put = PutRolePermissionsBoundaryInput;
    type Delete = RoleNameInput;

    fn put(input: &Self::Put) -> (&str, &str) {
        (&input.role_name, &input.permissions_boundary)
    }

    fn delete(input: &Self::Delete) -> &str {
        &input.role_name
    }

    fn boundary_mut(&mut self) -> &mut Option<String> {
        &mut self.boundary
    }

    fn is_administrator(&self, _: &ReadTx<'_>) -> Result<bool> {
        Ok(false)
    }
}

/// `PutUserPermissionsBoundary` and its like.
pub(crate) struct PutBoundary<E>(PhantomData<E>);

impl<E: Bounded> ResourceOperation for PutBoundary<E> {
    type On = Named<E>;
    const NAME: &'static str = E::PUT;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = E::Put;
    type Output = ();

    fn key(input: &E::Put) -> &str {
        E::put(input).0
    }

    fn refine<'n>(input: &'n E::Put, _: Option<&'n Named<E>>, need: Need<'n>) -> Need<'n> {
        in_need(need, Some(E::put(input).1))
    }

    async fn run(input: E::Put, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<()> {
        let change = move |tx: &mut Tx<'_>, mut entity: E| {
            entity.check_unprotected()?;
            let risky = entity.is_administrator(tx)?;
            let known = entity.identity().clone();
            with_lockout_check(tx, &known.account, risky, |tx| {
                let (_, new) = E::put(&input);
                if let Some(old) = entity.boundary_mut().replace(new.to_owned()) {
                    attachment::release(tx, &known, &old, Usage::Boundary)?;
                }
                occupy::<E>(tx, &known, new)?;
                entity::put(tx, &entity)
            })
        };
        entity.change(call, change).await
    }
}

/// `DeleteUserPermissionsBoundary` and its like.
pub(crate) struct DeleteBoundary<E>(PhantomData<E>);

impl<E: Bounded> ResourceOperation for DeleteBoundary<E> {
    type On = Named<E>;
    const NAME: &'static str = E::DELETE;
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = E::Delete;
    type Output = ();

    fn key(input: &E::Delete) -> &str {
        E::delete(input)
    }

    fn refine<'n>(_: &'n E::Delete, found: Option<&'n Named<E>>, need: Need<'n>) -> Need<'n> {
        in_need(need, found.and_then(|found| found.boundary()))
    }

    async fn run(_: E::Delete, entity: &Permit<Named<E>>, call: &Call<'_, Iam>) -> Result<()> {
        let change = |tx: &mut Tx<'_>, mut entity: E| {
            entity.check_unprotected()?;
            let Some(old) = entity.boundary_mut().take() else { return Ok(()) };
            attachment::release(tx, entity.identity(), &old, Usage::Boundary)?;
            entity::put(tx, &entity)
        };
        entity.change(call, change).await
    }
}
