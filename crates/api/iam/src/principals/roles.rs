//! Roles: the record and the operations on it. How a role is assumed is for STS.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::policies::boundaries::{self, BoundaryView};
use crate::records::attachment::{self, Usage};
use crate::records::entity::{self, Entity, Holder, Identity};
use crate::records::inline_policy::InlinePolicy;
use crate::records::instance_profile::ProfileOfRole;
use crate::records::last_use::{self, LastUse, Used};
use crate::records::role::{Role, SERVICE_PATH, SESSION_SECONDS_DEFAULT};
use crate::records::trust::Trust;
use crate::values::error::{Conflict, IamError};
use crate::values::kind::Kind;
use crate::values::page::{self, Window};
use crate::values::tag::{self, Tag, TagInput};
use crate::values::unique_id::{self, Prefix};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_session_duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_last_used: Option<RoleLastUsed>,
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleOutput {
    pub(crate) role: RoleView,
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

impl Operation for CreateRole {
    type Service = Iam;
    const NAME: &'static str = "CreateRole";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateRoleInput;
    type Output = RoleOutput;
    type Target = ();

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        if input.path.as_deref().is_some_and(|path| path.starts_with(SERVICE_PATH)) {
            return Err(IamError::Validation(format!("Roles of the path {SERVICE_PATH} belong to services.")));
        }
        name::check(&input.role_name, "roleName")
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let path = input.path.as_deref().unwrap_or(name::ROOT_PATH);
        let arn = name::arn(Kind::Role, call.account(), path, &input.role_name).to_string();
        let create = tag::in_request(Need::identity("iam:CreateRole", arn.clone()), &input.tags);
        let mut needs = vec![boundaries::in_need(create, input.permissions_boundary.as_deref())];
        if !input.tags.is_empty() {
            needs.push(tag::in_request(Need::identity("iam:TagRole", arn), &input.tags));
        }
        needs
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<RoleOutput, IamError> {
        let identity = Identity {
            account: call.account().to_owned(),
            id: unique_id::generate(Prefix::Role),
            path: input.path.unwrap_or_else(|| name::ROOT_PATH.to_owned()),
            name: input.role_name,
        };
        let (tags, created) = (tag::checked(input.tags)?, call.now);
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
            Ok(RoleOutput { role: RoleView { tags, permissions_boundary, ..RoleView::changed(role) } })
        })
        .await
    }
}

wire::shape! {
    /// The input of `GetRole`.
    pub struct GetRoleInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
    }
}

pub(crate) struct GetRole;

impl Operation for GetRole {
    type Service = Iam;
    const NAME: &'static str = "GetRole";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetRoleInput;
    type Output = RoleOutput;
    type Target = Role;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Role, IamError> {
        call.service.entity(call.account(), &input.role_name).await
    }

    fn needs(input: &Self::Input, found: Option<&Role>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:GetRole", call.account(), &input.role_name, found)]
    }

    async fn run(_: Self::Input, role: Permit<Role>, call: &Call<'_, Iam>) -> Result<RoleOutput, IamError> {
        let role = role.into_inner();
        let used = Used::Role(role.identity.account.clone(), role.identity.id.clone());
        let last = call.service.last_uses.get(&call.service.store, used).await?;
        Ok(RoleOutput { role: RoleView::detail(role, last) })
    }
}

wire::shape! {
    /// The input of `ListRoles`.
    pub struct ListRolesInput {
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH_PREFIX)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListRolesOutput {
    roles: Vec<RoleView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

pub(crate) struct ListRoles;

impl Operation for ListRoles {
    type Service = Iam;
    const NAME: &'static str = "ListRoles";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListRolesInput;
    type Output = ListRolesOutput;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        Ok(())
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let prefix = input.path_prefix.as_deref().unwrap_or(name::ROOT_PATH);
        vec![Need::identity("iam:ListRoles", name::arn(Kind::Role, call.account(), prefix, "").to_string())]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<ListRolesOutput, IamError> {
        let window = Window::new(input.marker, input.max_items);
        let listed = call.service.list::<Role>(call.account(), window, input.path_prefix).await?;
        Ok(ListRolesOutput {
            is_truncated: listed.is_truncated(),
            roles: listed.items.into_iter().map(RoleView::listed).collect(),
            marker: listed.marker,
        })
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

impl Operation for UpdateRole {
    type Service = Iam;
    const NAME: &'static str = "UpdateRole";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateRoleInput;
    type Output = UpdateRoleOutput;
    type Target = Role;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Role, IamError> {
        call.service.entity(call.account(), &input.role_name).await
    }

    fn needs(input: &Self::Input, found: Option<&Role>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:UpdateRole", call.account(), &input.role_name, found)]
    }

    /// What the input leaves out stays as it is.
    async fn run(input: Self::Input, role: Permit<Role>, call: &Call<'_, Iam>) -> Result<UpdateRoleOutput, IamError> {
        role.check_unprotected()?;
        change(role, call, move |role| {
            role.description = input.description.or(role.description.take());
            role.session_seconds_max = input.max_session_duration.unwrap_or(role.session_seconds_max);
        })
        .await?;
        Ok(UpdateRoleOutput {})
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

impl Operation for UpdateRoleDescription {
    type Service = Iam;
    const NAME: &'static str = "UpdateRoleDescription";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateRoleDescriptionInput;
    type Output = RoleOutput;
    type Target = Role;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Role, IamError> {
        call.service.entity(call.account(), &input.role_name).await
    }

    fn needs(input: &Self::Input, found: Option<&Role>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:UpdateRoleDescription", call.account(), &input.role_name, found)]
    }

    async fn run(input: Self::Input, role: Permit<Role>, call: &Call<'_, Iam>) -> Result<RoleOutput, IamError> {
        let role = change(role, call, move |role| role.description = Some(input.description)).await?;
        Ok(RoleOutput { role: RoleView::changed(role) })
    }
}

/// Changes a role's record and returns it.
async fn change(
    role: Permit<Role>,
    call: &Call<'_, Iam>,
    change: impl FnOnce(&mut Role) + Send + 'static,
) -> Result<Role, IamError> {
    let known = role.into_inner().identity;
    call.write(&call.service.store, move |tx| {
        let mut role: Role = entity::reload(tx, &known)?;
        change(&mut role);
        entity::put(tx, &role)?;
        Ok(role)
    })
    .await
}

wire::shape! {
    /// The input of `UpdateAssumeRolePolicy`.
    pub struct UpdateAssumeRolePolicyInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
        "PolicyDocument" policy_document: String, required, [document::LENGTH, document::PATTERN];
    }
}

pub(crate) struct UpdateAssumeRolePolicy;

impl Operation for UpdateAssumeRolePolicy {
    type Service = Iam;
    const NAME: &'static str = "UpdateAssumeRolePolicy";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateAssumeRolePolicyInput;
    type Output = ();
    type Target = Role;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Role, IamError> {
        call.service.entity(call.account(), &input.role_name).await
    }

    fn needs(input: &Self::Input, found: Option<&Role>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:UpdateAssumeRolePolicy", call.account(), &input.role_name, found)]
    }

    async fn run(input: Self::Input, role: Permit<Role>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = role.into_inner().identity;
        call.write(&call.service.store, move |tx| {
            let mut role: Role = entity::reload(tx, &known)?;
            role.check_unprotected()?;
            role.trust = Trust::resolve(tx, input.policy_document)?;
            entity::put(tx, &role)
        })
        .await
    }
}

wire::shape! {
    /// The input of `DeleteRole`.
    pub struct DeleteRoleInput {
        "RoleName" role_name: String, required, [Rule::Length(1, 64)];
    }
}

pub(crate) struct DeleteRole;

impl Operation for DeleteRole {
    type Service = Iam;
    const NAME: &'static str = "DeleteRole";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteRoleInput;
    type Output = ();
    type Target = Role;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Role, IamError> {
        call.service.entity(call.account(), &input.role_name).await
    }

    fn needs(input: &Self::Input, found: Option<&Role>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:DeleteRole", call.account(), &input.role_name, found)]
    }

    async fn run(_: Self::Input, role: Permit<Role>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = role.into_inner().identity;
        call.write(&call.service.store, move |tx| {
            let role: Role = entity::reload(tx, &known)?;
            role.check_unprotected()?;
            if !tx.page::<ProfileOfRole>(&known.id, None, 1)?.items.is_empty() {
                return Err(IamError::DeleteConflict(Conflict::InstanceProfile));
            }
            if !role.attached.is_empty() {
                return Err(IamError::DeleteConflict(Conflict::AttachedPolicies));
            }
            if !tx.page::<InlinePolicy>(&known.id, None, 1)?.items.is_empty() {
                return Err(IamError::DeleteConflict(Conflict::InlinePolicies));
            }
            if let Some(arn) = &role.boundary {
                attachment::release(tx, &known, arn, Usage::Boundary)?;
            }
            tx.delete::<LastUse>(&known.account, &known.id)?;
            last_use::forget(tx, &known.id)?;
            entity::delete(tx, &role)
        })
        .await
    }
}
