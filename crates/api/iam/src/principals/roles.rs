//! Roles: the record and the operations on it. How a role is assumed is for STS.

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::{ReadTx, Tx};
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::policies::boundaries::{self, BoundaryView};
use crate::principals::lists::Listable;
use crate::records::attachment::{self, Usage};
use crate::records::entity::{self, Entity, Holder, Identity};
use crate::records::inline_policy::InlinePolicy;
use crate::records::instance_profile::ProfileOfRole;
use crate::records::last_use::{self, LastUse, Used};
use crate::records::role::{Role, SERVICE_PATH, SESSION_SECONDS_DEFAULT};
use crate::records::trust::Trust;
use crate::resources::at::{self, At, Place};
use crate::resources::inputs::RoleNameInput;
use crate::resources::named::Named;
use crate::values::answer::{Answer, Single};
use crate::values::error::{Conflict, IamError, Result};
use crate::values::page::Item;
use crate::values::tag::{self, Tag, TagInput};
use crate::values::unique_id::Prefix;
use crate::values::{document, name};

/// The rule of `MaxSessionDuration`.
const SESSION_SECONDS: Rule = Rule::Range(3600, 43_200);

/// The rules of a role's description.
pub(crate) const DESCRIPTION_LENGTH: Rule = Rule::Length(0, 1000);
/// As AWS prints it.
pub(crate) const DESCRIPTION_PATTERN: Rule = Rule::Pattern(r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*");

/// When a role was last used. Empty for one that never was.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleLastUsed {
    last_used_date: Option<Timestamp>,
    region: Option<String>,
}

impl RoleLastUsed {
    pub(crate) fn of(last: Option<LastUse>) -> Self {
        let (last_used_date, region) = last.map(|last| (last.at, last.region)).unzip();
        Self { last_used_date, region }
    }
}

/// A role as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleView {
    path: String,
    role_name: String,
    role_id: String,
    arn: Arn,
    create_date: Timestamp,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<u32>,
    permissions_boundary: Option<BoundaryView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
    role_last_used: Option<RoleLastUsed>,
}

impl Single for RoleView {
    const MEMBER: &'static str = "Role";
}

impl Item for RoleView {
    const LIST: &'static str = "Roles";
}

impl RoleView {
    /// As the answer to a change shows it.
    pub(crate) fn changed(role: Role) -> Self {
        Self {
            arn: role.arn(),
            path: role.identity.path,
            role_name: role.identity.name,
            role_id: role.identity.id,
            create_date: role.created,
            assume_role_policy_document: document::encoded(&role.trust.document),
            description: role.description,
            max_session_duration: None,
            permissions_boundary: None,
            tags: Vec::new(),
            role_last_used: None,
        }
    }

    /// As lists show it.
    fn listed(role: Role) -> Self {
        Self { max_session_duration: Some(role.session_seconds_max), ..Self::changed(role) }
    }

    fn detail(mut role: Role, last: Option<LastUse>) -> Self {
        Self {
            permissions_boundary: role.boundary.take().map(BoundaryView::of),
            tags: std::mem::take(&mut role.tags),
            role_last_used: Some(RoleLastUsed::of(last)),
            ..Self::listed(role)
        }
    }
}

impl Listable for Role {
    const OPERATION: &'static str = "ListRoles";
    type View = RoleView;

    fn listed(self, _: &ReadTx<'_>) -> Result<RoleView> {
        Ok(RoleView::listed(self))
    }
}

wire::shape! {
    /// The input of `CreateRole`.
    pub struct CreateRoleInput {
        "Path" path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "AssumeRolePolicyDocument" trust: String, required, [document::LENGTH, document::PATTERN];
        "Description" description: String, optional, [DESCRIPTION_LENGTH, DESCRIPTION_PATTERN];
        "MaxSessionDuration" max_session_duration: u32, optional, [SESSION_SECONDS];
        "PermissionsBoundary" permissions_boundary: String, optional, [Rule::Length(20, 2048)];
        "Tags" tags: Vec<TagInput>, default, [tag::LIST];
    }
}

pub(crate) struct CreateRole;

impl ResourceOperation for CreateRole {
    type On = At<Role>;
    const NAME: &'static str = "CreateRole";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateRoleInput;
    type Output = Answer<RoleView>;

    fn key(input: &Self::Input) -> Place<'_> {
        Place { path: input.path.as_deref(), name: &input.role_name }
    }

    fn check(input: &Self::Input) -> Result<()> {
        if input.path.as_deref().is_some_and(|path| path.starts_with(SERVICE_PATH)) {
            return Err(IamError::Validation(format!("Roles of the path {SERVICE_PATH} belong to services.")));
        }
        name::check(&input.role_name, "roleName")
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n At<Role>>, need: Need<'n>) -> Need<'n> {
        boundaries::in_need(tag::in_request(need, &input.tags), input.permissions_boundary.as_deref())
    }

    fn further_needs<'n>(input: &'n Self::Input, _: Option<&At<Role>>, call: &'n Call<'_, Iam>) -> Vec<Need<'n>> {
        at::tagging::<Role>("iam:TagRole", Self::key(input), &input.tags, call)
    }

    async fn run(input: Self::Input, _: &Permit<At<Role>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let identity = Identity::new(Prefix::Role, call.account(), input.path, input.role_name);
        let (tags, created) = (tag::checked(&input.tags)?, call.now);
        call.write(&call.service.store, move |tx| {
            let role = Role {
                identity,
                created,
                description: input.description,
                trust: Trust::resolve(tx, input.trust)?,
                session_seconds_max: input.max_session_duration.unwrap_or(SESSION_SECONDS_DEFAULT),
                tags,
                boundary: input.permissions_boundary,
                attached: Vec::new(),
            };
            entity::insert(tx, &role)?;
            if let Some(arn) = &role.boundary {
                boundaries::occupy::<Role>(tx, &role.identity, arn)?;
            }
            let (tags, boundary) = (role.tags.clone(), role.boundary.clone());
            let permissions_boundary = boundary.map(BoundaryView::of);
            Ok(Answer(RoleView { tags, permissions_boundary, ..RoleView::changed(role) }))
        })
        .await
    }
}

pub(crate) struct GetRole;

impl ResourceOperation for GetRole {
    type On = Named<Role>;
    const NAME: &'static str = "GetRole";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = RoleNameInput;
    type Output = Answer<RoleView>;

    fn key(input: &RoleNameInput) -> &str {
        &input.role_name
    }

    async fn run(_: RoleNameInput, role: &Permit<Named<Role>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let used = Used::Role(role.identity.account.clone(), role.identity.id.clone());
        let last = call.service.last_uses.get(&call.service.store, used).await?;
        Ok(Answer(RoleView::detail(Role::clone(role), last)))
    }
}

wire::shape! {
    /// The input of `UpdateRole`.
    pub struct UpdateRoleInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "Description" description: String, optional, [DESCRIPTION_LENGTH, DESCRIPTION_PATTERN];
        "MaxSessionDuration" max_session_duration: u32, optional, [SESSION_SECONDS];
    }
}

/// The empty answer that has a result element all the same.
#[derive(Serialize)]
pub(crate) struct UpdateRoleOutput {}

pub(crate) struct UpdateRole;

impl ResourceOperation for UpdateRole {
    type On = Named<Role>;
    const NAME: &'static str = "UpdateRole";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateRoleInput;
    type Output = UpdateRoleOutput;

    fn key(input: &Self::Input) -> &str {
        &input.role_name
    }

    /// Members that the input leaves out stay as they are.
    async fn run(input: Self::Input, role: &Permit<Named<Role>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        role.check_unprotected()?;
        let change = move |tx: &mut Tx<'_>, mut role: Role| {
            role.description = input.description.or(role.description.take());
            role.session_seconds_max = input.max_session_duration.unwrap_or(role.session_seconds_max);
            entity::put(tx, &role)?;
            Ok(UpdateRoleOutput {})
        };
        role.change(call, change).await
    }
}

wire::shape! {
    /// The input of `UpdateRoleDescription`.
    pub struct UpdateRoleDescriptionInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "Description" description: String, required, [DESCRIPTION_LENGTH, DESCRIPTION_PATTERN];
    }
}

pub(crate) struct UpdateRoleDescription;

impl ResourceOperation for UpdateRoleDescription {
    type On = Named<Role>;
    const NAME: &'static str = "UpdateRoleDescription";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateRoleDescriptionInput;
    type Output = Answer<RoleView>;

    fn key(input: &Self::Input) -> &str {
        &input.role_name
    }

    async fn run(input: Self::Input, role: &Permit<Named<Role>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let change = move |tx: &mut Tx<'_>, mut role: Role| {
            role.description = Some(input.description);
            entity::put(tx, &role)?;
            Ok(Answer(RoleView::changed(role)))
        };
        role.change(call, change).await
    }
}

wire::shape! {
    /// The input of `UpdateAssumeRolePolicy`.
    pub struct UpdateAssumeRolePolicyInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "PolicyDocument" policy_document: String, required, [document::LENGTH, document::PATTERN];
    }
}

pub(crate) struct UpdateAssumeRolePolicy;

impl ResourceOperation for UpdateAssumeRolePolicy {
    type On = Named<Role>;
    const NAME: &'static str = "UpdateAssumeRolePolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateAssumeRolePolicyInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.role_name
    }

    async fn run(input: Self::Input, role: &Permit<Named<Role>>, call: &Call<'_, Iam>) -> Result<()> {
        let change = move |tx: &mut Tx<'_>, mut role: Role| {
            role.check_unprotected()?;
            role.trust = Trust::resolve(tx, input.policy_document)?;
            entity::put(tx, &role)
        };
        role.change(call, change).await
    }
}

pub(crate) struct DeleteRole;

impl ResourceOperation for DeleteRole {
    type On = Named<Role>;
    const NAME: &'static str = "DeleteRole";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = RoleNameInput;
    type Output = ();

    fn key(input: &RoleNameInput) -> &str {
        &input.role_name
    }

    async fn run(_: RoleNameInput, role: &Permit<Named<Role>>, call: &Call<'_, Iam>) -> Result<()> {
        let change = |tx: &mut Tx<'_>, role: Role| {
            role.check_unprotected()?;
            let Identity { account, id, .. } = &role.identity;
            if !tx.page::<ProfileOfRole>(id, None, 1)?.items.is_empty() {
                return Err(IamError::DeleteConflict(Conflict::InstanceProfile));
            }
            if !role.attached.is_empty() {
                return Err(IamError::DeleteConflict(Conflict::AttachedPolicies));
            }
            if !tx.page::<InlinePolicy>(id, None, 1)?.items.is_empty() {
                return Err(IamError::DeleteConflict(Conflict::InlinePolicies));
            }
            if let Some(arn) = &role.boundary {
                attachment::release(tx, &role.identity, arn, Usage::Boundary)?;
            }
            tx.delete::<LastUse>(account, id)?;
            last_use::forget(tx, id)?;
            entity::delete(tx, &role)
        };
        role.change(call, change).await
    }
}
