//! Groups: the record and the operations on it. Who is in a group is for `membership`.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::principals::users::UserView;
use crate::records::entity::{self, Entity, Identity};
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::membership::{self, Member};
use crate::values::error::{Conflict, IamError};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::page::{self, Window};
use crate::values::unique_id::{self, Prefix};

/// A group as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupView {
    path: String,
    group_name: String,
    group_id: String,
    arn: Arn,
    create_date: Timestamp,
}

impl GroupView {
    pub(crate) fn of(group: Group) -> Self {
        Self {
            arn: group.arn(),
            path: group.identity.path,
            group_name: group.identity.name,
            group_id: group.identity.id,
            create_date: group.created,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupOutput {
    group: GroupView,
}

wire::shape! {
    /// The input of `CreateGroup`.
    pub struct CreateGroupInput {
        "Path" path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
    }
}

pub(crate) struct CreateGroup;

impl Operation for CreateGroup {
    type Service = Iam;
    const NAME: &'static str = "CreateGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateGroupInput;
    type Output = GroupOutput;
    type Target = ();

    async fn find(input: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        name::check(&input.group_name, "groupName")
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let path = input.path.as_deref().unwrap_or(name::ROOT_PATH);
        let arn = name::arn(Kind::Group, call.account(), path, &input.group_name);
        vec![Need::identity("iam:CreateGroup", arn.to_string())]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<GroupOutput, IamError> {
        let group = Group {
            identity: Identity {
                account: call.account().to_owned(),
                id: unique_id::generate(Prefix::Group),
                path: input.path.unwrap_or_else(|| name::ROOT_PATH.to_owned()),
                name: input.group_name,
            },
            created: call.now,
            attached: Vec::new(),
        };
        call.write(&call.service.store, move |tx| {
            entity::insert(tx, &group)?;
            Ok(GroupOutput { group: GroupView::of(group) })
        })
        .await
    }
}

wire::shape! {
    /// The input of `GetGroup`.
    pub struct GetGroupInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetGroupOutput {
    group: GroupView,
    users: Vec<UserView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

pub(crate) struct GetGroup;

impl Operation for GetGroup {
    type Service = Iam;
    const NAME: &'static str = "GetGroup";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetGroupInput;
    type Output = GetGroupOutput;
    type Target = Group;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Group, IamError> {
        call.service.entity(call.account(), &input.group_name).await
    }

    fn needs(input: &Self::Input, found: Option<&Group>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:GetGroup", call.account(), &input.group_name, found)]
    }

    async fn run(input: Self::Input, group: Permit<Group>, call: &Call<'_, Iam>) -> Result<GetGroupOutput, IamError> {
        let group = group.into_inner();
        let window = Window::new(input.marker, input.max_items);
        call.service
            .store
            .read(move |tx| {
                let listed = membership::users(tx, &group.identity, window)?;
                Ok(GetGroupOutput {
                    group: GroupView::of(group),
                    is_truncated: listed.is_truncated(),
                    users: listed.items.into_iter().map(UserView::summary).collect(),
                    marker: listed.marker,
                })
            })
            .await
    }
}

wire::shape! {
    /// The input of `ListGroups`.
    pub struct ListGroupsInput {
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH_PREFIX)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListGroupsOutput {
    pub(crate) groups: Vec<GroupView>,
    pub(crate) is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) marker: Option<String>,
}

pub(crate) struct ListGroups;

impl Operation for ListGroups {
    type Service = Iam;
    const NAME: &'static str = "ListGroups";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListGroupsInput;
    type Output = ListGroupsOutput;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        Ok(())
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let prefix = input.path_prefix.as_deref().unwrap_or(name::ROOT_PATH);
        vec![Need::identity("iam:ListGroups", name::arn(Kind::Group, call.account(), prefix, "").to_string())]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<ListGroupsOutput, IamError> {
        let window = Window::new(input.marker, input.max_items);
        let listed = call.service.list::<Group>(call.account(), window, input.path_prefix).await?;
        Ok(ListGroupsOutput {
            is_truncated: listed.is_truncated(),
            groups: listed.items.into_iter().map(GroupView::of).collect(),
            marker: listed.marker,
        })
    }
}

wire::shape! {
    /// The input of `UpdateGroup`.
    pub struct UpdateGroupInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "NewPath" new_path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "NewGroupName" new_group_name: String, optional, [Rule::Length(1, 128)];
    }
}

pub(crate) struct UpdateGroup;

impl Operation for UpdateGroup {
    type Service = Iam;
    const NAME: &'static str = "UpdateGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateGroupInput;
    type Output = ();
    type Target = Group;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Group, IamError> {
        if let Some(new) = &input.new_group_name {
            name::check(new, "newGroupName")?;
        }
        call.service.entity(call.account(), &input.group_name).await
    }

    /// Both the name that is given up and the one that is taken.
    fn needs(input: &Self::Input, found: Option<&Group>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let old_path = found.map_or(name::ROOT_PATH, |group| &group.identity.path);
        let path = input.new_path.as_deref().unwrap_or(old_path);
        let name = input.new_group_name.as_deref().unwrap_or(&input.group_name);
        let target = name::arn(Kind::Group, call.account(), path, name).to_string();
        vec![
            entity::need("iam:UpdateGroup", call.account(), &input.group_name, found),
            Need::identity("iam:UpdateGroup", target).shown_as(entity::shown(Kind::Group, name)),
        ]
    }

    async fn run(input: Self::Input, group: Permit<Group>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = group.into_inner().identity;
        call.write(&call.service.store, move |tx| {
            let mut group: Group = entity::reload(tx, &known)?;
            entity::rename(tx, &mut group, input.new_path, input.new_group_name)
        })
        .await
    }
}

wire::shape! {
    /// The input of `DeleteGroup`.
    pub struct DeleteGroupInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
    }
}

pub(crate) struct DeleteGroup;

impl Operation for DeleteGroup {
    type Service = Iam;
    const NAME: &'static str = "DeleteGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteGroupInput;
    type Output = ();
    type Target = Group;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Group, IamError> {
        call.service.entity(call.account(), &input.group_name).await
    }

    fn needs(input: &Self::Input, found: Option<&Group>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:DeleteGroup", call.account(), &input.group_name, found)]
    }

    async fn run(_: Self::Input, group: Permit<Group>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let known = group.into_inner().identity;
        call.write(&call.service.store, move |tx| {
            let group: Group = entity::reload(tx, &known)?;
            let conflict = if !tx.page::<Member>(&known.id, None, 1)?.items.is_empty() {
                Some(Conflict::Membership)
            } else if !group.attached.is_empty() {
                Some(Conflict::AttachedPolicies)
            } else if !tx.page::<InlinePolicy>(&known.id, None, 1)?.items.is_empty() {
                Some(Conflict::InlinePolicies)
            } else {
                None
            };
            match conflict {
                Some(conflict) => Err(IamError::DeleteConflict(conflict)),
                None => entity::delete(tx, &group),
            }
        })
        .await
    }
}
