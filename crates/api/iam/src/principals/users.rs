//! Users: the record and the operations on it.
//!
//! A user's policies, groups and access keys have files of their own; here they only stand in the way of deletion.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::policies::boundaries::{self, BoundaryView};
use crate::principals::subject::Subject;
use crate::records::attachment::{self, Usage};
use crate::records::entity::{self, Entity};
use crate::records::inline_policy::InlinePolicy;
use crate::records::service_credential::ServiceCredential;
use crate::records::ssh_public_key::SshPublicKey;
use crate::records::user::User;
use crate::records::{last_use, login_profile};
use crate::values::error::{Conflict, IamError};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::page::{self, Window};
use crate::values::tag::{self, Tag, TagInput};

/// A user as answers show it. The root user, which `GetUser` shows as well, has neither path nor name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserView {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    user_id: String,
    arn: Arn,
    create_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

impl UserView {
    /// As lists show it: without tags and boundary.
    pub(crate) fn summary(user: User) -> Self {
        Self {
            arn: user.arn(),
            path: Some(user.identity.path),
            user_name: Some(user.identity.name),
            user_id: user.identity.id,
            create_date: user.created,
            permissions_boundary: None,
            tags: Vec::new(),
        }
    }

    fn detail(mut user: User) -> Self {
        let permissions_boundary = user.boundary.take().map(BoundaryView::of);
        let tags = std::mem::take(&mut user.tags);
        Self { permissions_boundary, tags, ..Self::summary(user) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserOutput {
    user: UserView,
}

wire::shape! {
    /// The input of `CreateUser`.
    pub struct CreateUserInput {
        "Path" path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "UserName" user_name: String, required, [Rule::Length(1, 64)];
        "PermissionsBoundary" permissions_boundary: String, optional, [Rule::Length(20, 2048)];
        "Tags" tags: Vec<TagInput>, default, [tag::LIST];
    }
}

pub(crate) struct CreateUser;

impl Operation for CreateUser {
    type Service = Iam;
    const NAME: &'static str = "CreateUser";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateUserInput;
    type Output = UserOutput;
    type Target = ();

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        name::check(&input.user_name, "userName")
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let path = input.path.as_deref().unwrap_or(name::ROOT_PATH);
        let arn = name::arn(Kind::User, call.account(), path, &input.user_name).to_string();
        let create = tag::in_request(Need::identity("iam:CreateUser", arn.clone()), &input.tags);
        let mut needs = vec![boundaries::in_need(create, input.permissions_boundary.as_deref())];
        if !input.tags.is_empty() {
            needs.push(tag::in_request(Need::identity("iam:TagUser", arn), &input.tags));
        }
        needs
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<UserOutput, IamError> {
        let path = input.path.as_deref().unwrap_or(name::ROOT_PATH);
        let mut user = User::new(call.account(), path, &input.user_name, call.now);
        user.tags = tag::checked(input.tags)?;
        user.boundary = input.permissions_boundary;
        call.write(&call.service.store, move |tx| {
            entity::insert(tx, &user)?;
            if let Some(arn) = &user.boundary {
                boundaries::occupy::<User>(tx, &user.identity, arn)?;
            }
            Ok(UserOutput { user: UserView::detail(user) })
        })
        .await
    }
}

wire::shape! {
    /// The input of `GetUser`.
    pub struct GetUserInput {
        "UserName" user_name: String, optional, [Rule::Length(1, 128)];
    }
}

pub(crate) struct GetUser;

impl Operation for GetUser {
    type Service = Iam;
    const NAME: &'static str = "GetUser";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetUserInput;
    type Output = UserOutput;
    type Target = Subject;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Subject, IamError> {
        Subject::find(input.user_name.as_deref(), call).await
    }

    fn needs(input: &Self::Input, found: Option<&Subject>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![Subject::need("iam:GetUser", input.user_name.as_deref(), found, call)]
    }

    async fn run(_: Self::Input, subject: Permit<Subject>, call: &Call<'_, Iam>) -> Result<UserOutput, IamError> {
        let user = match subject.into_inner() {
            Subject::User(user) => UserView::detail(*user),
            Subject::Root => UserView {
                path: None,
                user_name: None,
                user_id: call.account().to_owned(),
                arn: call.caller.principal.arn.clone(),
                create_date: call.service.account(call.account()).await?.map_or(call.now, |account| account.created),
                permissions_boundary: None,
                tags: Vec::new(),
            },
        };
        Ok(UserOutput { user })
    }
}

wire::shape! {
    /// The input of `ListUsers`.
    pub struct ListUsersInput {
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH_PREFIX)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListUsersOutput {
    users: Vec<UserView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

pub(crate) struct ListUsers;

impl Operation for ListUsers {
    type Service = Iam;
    const NAME: &'static str = "ListUsers";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListUsersInput;
    type Output = ListUsersOutput;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        Ok(())
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let prefix = input.path_prefix.as_deref().unwrap_or(name::ROOT_PATH);
        vec![Need::identity("iam:ListUsers", name::arn(Kind::User, call.account(), prefix, "").to_string())]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<ListUsersOutput, IamError> {
        let window = Window::new(input.marker, input.max_items);
        let listed = call.service.list::<User>(call.account(), window, input.path_prefix).await?;
        Ok(ListUsersOutput {
            is_truncated: listed.is_truncated(),
            users: listed.items.into_iter().map(UserView::summary).collect(),
            marker: listed.marker,
        })
    }
}

wire::shape! {
    /// The input of `UpdateUser`.
    pub struct UpdateUserInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
        "NewPath" new_path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "NewUserName" new_user_name: String, optional, [Rule::Length(1, 64)];
    }
}

pub(crate) struct UpdateUser;

impl Operation for UpdateUser {
    type Service = Iam;
    const NAME: &'static str = "UpdateUser";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateUserInput;
    type Output = ();
    type Target = User;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<User, IamError> {
        if let Some(new) = &input.new_user_name {
            name::check(new, "newUserName")?;
        }
        call.service.entity(call.account(), &input.user_name).await
    }

    /// Both the name that is given up and the one that is taken.
    fn needs(input: &Self::Input, found: Option<&User>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let old_path = found.map_or(name::ROOT_PATH, |user| &user.identity.path);
        let path = input.new_path.as_deref().unwrap_or(old_path);
        let name = input.new_user_name.as_deref().unwrap_or(&input.user_name);
        let target = name::arn(Kind::User, call.account(), path, name).to_string();
        vec![
            entity::need("iam:UpdateUser", call.account(), &input.user_name, found),
            Need::identity("iam:UpdateUser", target).shown_as(entity::shown(Kind::User, name)),
        ]
    }

    async fn run(input: Self::Input, user: Permit<User>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = user.into_inner().identity;
        call.write(&call.service.store, move |tx| {
            let mut user: User = entity::reload(tx, &known)?;
            entity::rename(tx, &mut user, input.new_path, input.new_user_name)
        })
        .await
    }
}

wire::shape! {
    /// The input of `DeleteUser`.
    pub struct DeleteUserInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
    }
}

pub(crate) struct DeleteUser;

impl Operation for DeleteUser {
    type Service = Iam;
    const NAME: &'static str = "DeleteUser";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteUserInput;
    type Output = ();
    type Target = User;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<User, IamError> {
        call.service.entity(call.account(), &input.user_name).await
    }

    fn needs(input: &Self::Input, found: Option<&User>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:DeleteUser", call.account(), &input.user_name, found)]
    }

    async fn run(_: Self::Input, user: Permit<User>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = user.into_inner().identity;
        call.write(&call.service.store, move |tx| {
            let user: User = entity::reload(tx, &known)?;
            let conflict = if !user.access_keys.is_empty() {
                Some(Conflict::AccessKeys)
            } else if login_profile::find(tx, &user.identity.id)?.is_some() {
                Some(Conflict::LoginProfile)
            } else if !tx.page::<SshPublicKey>(&user.identity.id, None, 1)?.items.is_empty() {
                Some(Conflict::SshPublicKeys)
            } else if !tx.page::<ServiceCredential>(&user.identity.id, None, 1)?.items.is_empty() {
                Some(Conflict::ServiceCredentials)
            } else if !user.attached.is_empty() {
                Some(Conflict::AttachedPolicies)
            } else if !user.groups.is_empty() {
                Some(Conflict::Membership)
            } else if !tx.page::<InlinePolicy>(&user.identity.id, None, 1)?.items.is_empty() {
                Some(Conflict::InlinePolicies)
            } else {
                None
            };
            if let Some(conflict) = conflict {
                return Err(IamError::DeleteConflict(conflict));
            }
            if let Some(arn) = &user.boundary {
                attachment::release(tx, &user.identity, arn, Usage::Boundary)?;
            }
            last_use::forget(tx, &user.identity.id)?;
            entity::delete(tx, &user)
        })
        .await
    }
}
