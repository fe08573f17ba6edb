//! Which managed policies are attached to whom.
//!
//! An entity's record lists what is attached to it, for the hot path; a record for each attachment leads from the
//! policy to the entity, and a count for each policy and account answers lists. The three change together.

use service::{AuditClass, Call, Need, Operation, Permit};
use store::Tx;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::{boundaries, last_administrator, source};
use crate::records::attachment::{Usage, occupy, release};
use crate::records::entity::{self, Holder, Identity};
use crate::records::group::Group;
use crate::records::managed_policy;
use crate::records::role::Role;
use crate::records::user::User;
use crate::values::error::{IamError, Quota};
use crate::values::kind::Kind;
use crate::values::page::{self, Window};
use crate::values::{name, policy_arn};

/// How many managed policies an entity can have.
const ATTACHED_MAX: usize = 10;

/// Attaches a managed policy; does nothing if it is attached already.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded`, `DeleteConflict`.
pub(crate) fn attach<E: Holder>(tx: &mut Tx<'_>, known: &Identity, arn: &str) -> Result<(), IamError> {
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
    last_administrator::with_lockout_check(tx, &known.account, risky, |tx| {
        occupy(tx, E::KIND, known, arn, Usage::Permissions)?;
        entity.attached_mut().push(arn.to_owned());
        entity::put(tx, &entity)
    })
}

/// Detaches a managed policy.
///
/// # Errors
/// `NoSuchEntity`, when it is not attached.
pub(crate) fn detach<E: Holder>(tx: &mut Tx<'_>, known: &Identity, arn: &str) -> Result<(), IamError> {
    let mut entity: E = entity::reload(tx, known)?;
    entity.check_unprotected()?;
    let risky = last_administrator::grants_admin(tx, &entity)?;
    last_administrator::with_lockout_check(tx, &known.account, risky, |tx| {
        if !release(tx, known, arn, Usage::Permissions)? {
            return Err(IamError::NoSuchPolicy { arn: arn.to_owned() });
        }
        entity.attached_mut().retain(|attached| attached != arn);
        entity::put(tx, &entity)
    })
}

/// The need of attaching to or detaching from an entity.
fn need<E: Holder>(
    action: &'static str,
    account: &str,
    name: &str,
    policy_arn: &str,
    found: Option<&E>,
) -> Need<'static> {
    let need = entity::need(action, account, name, found).with("iam:PolicyARN", policy_arn.to_owned());
    boundaries::in_need(need, found.and_then(Holder::boundary))
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttachedPolicy {
    pub(crate) policy_name: String,
    policy_arn: String,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttachedPoliciesOutput {
    attached_policies: Vec<AttachedPolicy>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl AttachedPolicy {
    /// The policy that has this ARN; `None` if it is no ARN of a policy.
    pub(crate) fn of(arn: &str) -> Option<Self> {
        let parsed = arn.parse().ok()?;
        let located = name::locate(&parsed)?;
        Some(Self { policy_name: located.name.to_owned(), policy_arn: arn.to_owned() })
    }
}

/// A page of the policies attached to an entity whose paths begin with `prefix`.
fn attached<E: Holder>(entity: &E, window: Window, prefix: Option<&str>) -> Result<AttachedPoliciesOutput, IamError> {
    let policies = entity.attached().iter().filter_map(|arn| {
        let parsed = arn.parse().ok()?;
        let located = name::locate(&parsed)?;
        located
            .path
            .starts_with(prefix.unwrap_or_default())
            .then(|| AttachedPolicy { policy_name: located.name.to_owned(), policy_arn: arn.clone() })
    });
    let listed = window.cut(policies.collect())?;
    Ok(AttachedPoliciesOutput {
        is_truncated: listed.is_truncated(),
        attached_policies: listed.items,
        marker: listed.marker,
    })
}

/// An operation that attaches a managed policy or detaches it, as `$change` does.
macro_rules! attachment {
    ($entity:ty, $member:literal, $name_max:literal, $operation:ident $input:ident, $change:ident) => {
        wire::shape! {
            #[doc = concat!("The input of `", stringify!($operation), "`.")]
            pub struct $input {
                $member name: String, required, [Rule::Length(1, $name_max)];
                "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
            }
        }

        pub(crate) struct $operation;

        impl Operation for $operation {
            type Service = Iam;
            const NAME: &'static str = stringify!($operation);
            const AUDIT: AuditClass = AuditClass::Change;
            type Input = $input;
            type Output = ();
            type Target = $entity;

            async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<$entity, IamError> {
                policy_arn::check(&input.policy_arn)?;
                call.service.entity(call.account(), &input.name).await
            }

            fn needs(input: &Self::Input, found: Option<&$entity>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
                let action = concat!("iam:", stringify!($operation));
                vec![need(action, call.account(), &input.name, &input.policy_arn, found)]
            }

            async fn run(input: Self::Input, found: Permit<$entity>, call: &Call<'_, Iam>) -> Result<(), IamError> {
                let known = found.into_inner().identity;
                call.write(&call.service.store, move |tx| $change::<$entity>(tx, &known, &input.policy_arn)).await
            }
        }
    };
}

/// The three operations on the managed policies of one kind of entity.
macro_rules! attachments {
    (
        $entity:ty, $member:literal, $name_max:literal,
        $attach:ident $attach_input:ident, $detach:ident $detach_input:ident, $list:ident $list_input:ident
    ) => {
        attachment!($entity, $member, $name_max, $attach $attach_input, attach);
        attachment!($entity, $member, $name_max, $detach $detach_input, detach);

        wire::shape! {
            #[doc = concat!("The input of `", stringify!($list), "`.")]
            pub struct $list_input {
                $member name: String, required, [Rule::Length(1, $name_max)];
                "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::POLICY_PATH)];
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
            type Output = AttachedPoliciesOutput;
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
                _: &Call<'_, Iam>,
            ) -> Result<AttachedPoliciesOutput, IamError> {
                attached(&*found, Window::new(input.marker, input.max_items), input.path_prefix.as_deref())
            }
        }
    };
}

attachments!(
    User, "UserName", 64,
    AttachUserPolicy AttachUserPolicyInput,
    DetachUserPolicy DetachUserPolicyInput,
    ListAttachedUserPolicies ListAttachedUserPoliciesInput
);
attachments!(
    Group, "GroupName", 128,
    AttachGroupPolicy AttachGroupPolicyInput,
    DetachGroupPolicy DetachGroupPolicyInput,
    ListAttachedGroupPolicies ListAttachedGroupPoliciesInput
);
attachments!(
    Role, "RoleName", 64,
    AttachRolePolicy AttachRolePolicyInput,
    DetachRolePolicy DetachRolePolicyInput,
    ListAttachedRolePolicies ListAttachedRolePoliciesInput
);
