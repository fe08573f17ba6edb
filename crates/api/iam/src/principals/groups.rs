//! The operations on groups. Who is in a group is for `memberships`.

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use store::ReadTx;
use wire::shape::Rule;
use wire::{Arn, Timestamp};

use crate::Iam;
use crate::principals::lists::Listable;
use crate::principals::users::UserView;
use crate::records::entity::{self, Entity, Identity};
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::membership::{self, Member};
use crate::resources::at::{At, Place};
use crate::resources::inputs::{GroupListInput, ListInput};
use crate::resources::named::Named;
use crate::values::answer::{Answer, Single};
use crate::values::error::{Conflict, IamError, Result};
use crate::values::name;
use crate::values::page::Item;
use crate::values::unique_id::Prefix;

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

impl Single for GroupView {
    const MEMBER: &'static str = "Group";
}

impl Item for GroupView {
    const LIST: &'static str = "Groups";
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            arn: group.arn(),
            path: group.identity.path,
            group_name: group.identity.name,
            group_id: group.identity.id,
            create_date: group.created,
        }
    }
}

impl Listable for Group {
    const OPERATION: &'static str = "ListGroups";
    type View = GroupView;

    fn listed(self, _: &ReadTx<'_>) -> Result<GroupView> {
        Ok(self.into())
    }
}

wire::shape! {
    /// The input of `CreateGroup`.
    pub struct CreateGroupInput {
        "Path" path: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::PATH)];
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
    }
}

pub(crate) struct CreateGroup;

impl ResourceOperation for CreateGroup {
    type On = At<Group>;
    const NAME: &'static str = "CreateGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateGroupInput;
    type Output = Answer<GroupView>;

    fn key(input: &Self::Input) -> Place<'_> {
        Place { path: input.path.as_deref(), name: &input.group_name }
    }

    fn check(input: &Self::Input) -> Result<()> {
        name::check(&input.group_name, "groupName")
    }

    async fn run(input: Self::Input, _: &Permit<At<Group>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let identity = Identity::new(Prefix::Group, call.account(), input.path, input.group_name);
        let group = Group { identity, created: call.now, attached: Vec::new() };
        call.write(&call.service.store, move |tx| {
            entity::insert(tx, &group)?;
            Ok(Answer(group.into()))
        })
        .await
    }
}

/// A group and a page of its users.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetGroupOutput {
    group: GroupView,
    users: Vec<UserView>,
    is_truncated: bool,
    marker: Option<String>,
}

pub(crate) struct GetGroup;

impl ResourceOperation for GetGroup {
    type On = Named<Group>;
    const NAME: &'static str = "GetGroup";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GroupListInput;
    type Output = GetGroupOutput;

    fn key(input: &GroupListInput) -> &str {
        &input.group_name
    }

    async fn run(input: GroupListInput, group: &Permit<Named<Group>>, call: &Call<'_, Iam>) -> Result<GetGroupOutput> {
        let window = input.window();
        let read = move |tx: &ReadTx<'_>, group: Group| {
            let listed = membership::users(tx, &group.identity, window)?.map(UserView::summary);
            let is_truncated = listed.is_truncated();
            Ok(GetGroupOutput { group: group.into(), users: listed.items, is_truncated, marker: listed.next })
        };
        group.read(call, read).await
    }
}

wire::shape! {
    /// The input of `DeleteGroup`.
    pub struct DeleteGroupInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
    }
}

pub(crate) struct DeleteGroup;

impl ResourceOperation for DeleteGroup {
    type On = Named<Group>;
    const NAME: &'static str = "DeleteGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = DeleteGroupInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.group_name
    }

    async fn run(_: Self::Input, group: &Permit<Named<Group>>, call: &Call<'_, Iam>) -> Result<()> {
        group
            .change(call, |tx, group| {
                let id = &group.identity.id;
                let conflict = if !tx.page::<Member>(id, None, 1)?.items.is_empty() {
                    Conflict::Membership
                } else if !group.attached.is_empty() {
                    Conflict::AttachedPolicies
                } else if !tx.page::<InlinePolicy>(id, None, 1)?.items.is_empty() {
                    Conflict::InlinePolicies
                } else {
                    return entity::delete(tx, &group);
                };
                Err(IamError::DeleteConflict(conflict))
            })
            .await
    }
}
