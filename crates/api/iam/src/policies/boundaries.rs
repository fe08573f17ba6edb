//! Permissions boundaries of users and roles.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::{ReadTx, Tx};
use wire::shape::Rule;

use crate::Iam;
use crate::policies::last_administrator;
use crate::records::attachment::{self, Usage};
use crate::records::entity::{self, Holder, Identity};
use crate::records::managed_policy;
use crate::records::role::Role;
use crate::records::user::User;
use crate::values::error::IamError;
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

/// The condition key of a boundary: the one to be set, or the one that the entity has.
pub(crate) fn in_need(need: Need<'static>, arn: Option<&str>) -> Need<'static> {
    match arn {
        Some(arn) => need.with("iam:PermissionsBoundary", arn.to_owned()),
        None => need,
    }
}

/// Notes that the policy limits the entity.
///
/// # Errors
/// `ValidationError`, `NoSuchEntity`.
pub(crate) fn occupy<E: Holder>(tx: &mut Tx<'_>, entity: &Identity, arn: &str) -> Result<(), IamError> {
    policy_arn::check(arn)?;
    if managed_policy::find(tx, &entity.account, arn)?.is_none() {
        return Err(IamError::NoSuchBoundary { arn: arn.to_owned() });
    }
    attachment::occupy(tx, E::KIND, entity, arn, Usage::Boundary)?;
    Ok(())
}

/// An entity that can have a boundary.
trait Bounded: Holder {
    /// Whether its policies make it an administrator, as long as it has an access key.
    ///
    /// # Errors
    /// Those of the store.
    fn is_administrator(&self, tx: &ReadTx<'_>) -> Result<bool, IamError>;
}

impl Bounded for User {
    fn is_administrator(&self, tx: &ReadTx<'_>) -> Result<bool, IamError> {
        last_administrator::is_one(tx, self)
    }
}

impl Bounded for Role {
    fn is_administrator(&self, _: &ReadTx<'_>) -> Result<bool, IamError> {
        Ok(false)
    }
}

/// The two operations on the boundary of one kind of entity.
macro_rules! boundaries {
    ($entity:ty, $member:literal, $put:ident $put_input:ident, $delete:ident $delete_input:ident) => {
        wire::shape! {
            #[doc = concat!("The input of `", stringify!($put), "`.")]
            pub struct $put_input {
                $member name: String, required, [Rule::Length(1, 64)];
                "PermissionsBoundary" permissions_boundary: String, required, [policy_arn::LENGTH];
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
                call.service.entity(call.account(), &input.name).await
            }

            fn needs(input: &Self::Input, found: Option<&$entity>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                let need = entity::need(concat!("iam:", stringify!($put)), call.account(), &input.name, found);
                vec![in_need(need, Some(&input.permissions_boundary))]
            }

            async fn run(input: Self::Input, found: Permit<$entity>, call: &Call<'_, Iam>) -> Result<(), IamError> {
                let known = found.into_inner().identity;
                call.write(&call.service.store, move |tx| {
                    let mut entity: $entity = entity::reload(tx, &known)?;
                    entity.check_unprotected()?;
                    let risky = entity.is_administrator(tx)?;
                    last_administrator::with_lockout_check(tx, &known.account, risky, |tx| {
                        if let Some(old) = entity.boundary.take() {
                            attachment::release(tx, &known, &old, Usage::Boundary)?;
                        }
                        occupy::<$entity>(tx, &known, &input.permissions_boundary)?;
                        entity.boundary = Some(input.permissions_boundary);
                        entity::put(tx, &entity)
                    })
                })
                .await
            }
        }

        wire::shape! {
            #[doc = concat!("The input of `", stringify!($delete), "`.")]
            pub struct $delete_input {
                $member name: String, required, [Rule::Length(1, 64)];
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
                let need = entity::need(concat!("iam:", stringify!($delete)), call.account(), &input.name, found);
                vec![in_need(need, found.and_then(Holder::boundary))]
            }

            async fn run(_: Self::Input, found: Permit<$entity>, call: &Call<'_, Iam>) -> Result<(), IamError> {
                let known = found.into_inner().identity;
                call.write(&call.service.store, move |tx| {
                    let mut entity: $entity = entity::reload(tx, &known)?;
                    entity.check_unprotected()?;
                    let Some(old) = entity.boundary.take() else { return Ok(()) };
                    attachment::release(tx, &known, &old, Usage::Boundary)?;
                    entity::put(tx, &entity)
                })
                .await
            }
        }
    };
}

boundaries!(
    User, "UserName",
    PutUserPermissionsBoundary PutUserPermissionsBoundaryInput,
    DeleteUserPermissionsBoundary DeleteUserPermissionsBoundaryInput
);
boundaries!(
    Role, "RoleName",
    PutRolePermissionsBoundary PutRolePermissionsBoundaryInput,
    DeleteRolePermissionsBoundary DeleteRolePermissionsBoundaryInput
);
