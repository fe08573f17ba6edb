//! Who is in which group.
//!
//! A user's record lists its groups, for the hot path; a record for each member leads from the group to the user. The
//! two change together.

use service::{AuditClass, Call, Need, Operation, Permit};
use store::{ReadTx, Tx};
use wire::shape::Rule;

use crate::Iam;
use crate::policies::last_administrator;
use crate::principals::groups::{GroupView, ListGroupsOutput};
use crate::records::entity::{self, Identity};
use crate::records::group::Group;
use crate::records::membership::Member;
use crate::records::user::User;
use crate::values::error::{IamError, Quota};
use crate::values::page::{self, Window};

/// How many groups a user can be in.
const GROUPS_MAX: usize = 10;

/// Makes a user a member of a group; does nothing if they are one already.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded`, `DeleteConflict`.
pub(crate) fn join(tx: &mut Tx<'_>, group: &Identity, user: &Identity) -> Result<(), IamError> {
    let group: Group = entity::reload(tx, group)?;
    let mut user: User = entity::reload(tx, user)?;
    if user.groups.contains(&group.identity.id) {
        return Ok(());
    }
    if user.groups.len() >= GROUPS_MAX {
        return Err(IamError::LimitExceeded(Quota::Count { name: "GroupsPerUser", limit: GROUPS_MAX }));
    }
    let risky = last_administrator::takes(tx, &group)?;
    last_administrator::with_lockout_check(tx, &group.identity.account, risky, |tx| {
        let member = Member { user: user.identity.id.clone() };
        tx.put(&group.identity.id, &member.user, &member)?;
        user.groups.push(group.identity.id.clone());
        entity::put(tx, &user)
    })
}

/// A group and a user that is to join or leave it.
pub(crate) struct Pair {
    group: Group,
    user: User,
}

/// AWS looks for the user first.
async fn pair(group_name: &str, user_name: &str, call: &Call<'_, Iam>) -> Result<Pair, IamError> {
    let (account, group, user) = (call.account().to_owned(), group_name.to_owned(), user_name.to_owned());
    let read = move |tx: &ReadTx<'_>| -> Result<Pair, IamError> {
        Ok(Pair { user: entity::load(tx, &account, &user)?, group: entity::load(tx, &account, &group)? })
    };
    call.service.store.read(read).await
}

wire::shape! {
    /// The input of `AddUserToGroup`.
    pub struct AddUserToGroupInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
    }
}

pub(crate) struct AddUserToGroup;

impl Operation for AddUserToGroup {
    type Service = Iam;
    const NAME: &'static str = "AddUserToGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = AddUserToGroupInput;
    type Output = ();
    type Target = Pair;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Pair, IamError> {
        pair(&input.group_name, &input.user_name, call).await
    }

    fn needs(input: &Self::Input, found: Option<&Pair>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let group = found.map(|pair| &pair.group);
        vec![entity::need("iam:AddUserToGroup", call.account(), &input.group_name, group)]
    }

    async fn run(_: Self::Input, pair: Permit<Pair>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let Pair { group, user } = pair.into_inner();
        call.write(&call.service.store, move |tx| join(tx, &group.identity, &user.identity)).await
    }
}

wire::shape! {
    /// The input of `RemoveUserFromGroup`.
    pub struct RemoveUserFromGroupInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
    }
}

pub(crate) struct RemoveUserFromGroup;

impl Operation for RemoveUserFromGroup {
    type Service = Iam;
    const NAME: &'static str = "RemoveUserFromGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = RemoveUserFromGroupInput;
    type Output = ();
    type Target = Pair;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<Pair, IamError> {
        pair(&input.group_name, &input.user_name, call).await
    }

    fn needs(input: &Self::Input, found: Option<&Pair>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let group = found.map(|pair| &pair.group);
        vec![entity::need("iam:RemoveUserFromGroup", call.account(), &input.group_name, group)]
    }

    /// Removing somebody who is not in the group is no error.
    async fn run(_: Self::Input, pair: Permit<Pair>, call: &Call<'_, Iam>) -> Result<(), IamError> {
        let Pair { group, user } = pair.into_inner();
        call.write(&call.service.store, move |tx| {
            let mut user: User = entity::reload(tx, &user.identity)?;
            let risky = last_administrator::grants_admin(tx, &group)?;
            let account = user.identity.account.clone();
            last_administrator::with_lockout_check(tx, &account, risky, |tx| {
                if tx.delete::<Member>(&group.identity.id, &user.identity.id)? {
                    user.groups.retain(|id| *id != group.identity.id);
                    entity::put(tx, &user)?;
                }
                Ok(())
            })
        })
        .await
    }
}

wire::shape! {
    /// The input of `ListGroupsForUser`.
    pub struct ListGroupsForUserInput {
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

pub(crate) struct ListGroupsForUser;

impl Operation for ListGroupsForUser {
    type Service = Iam;
    const NAME: &'static str = "ListGroupsForUser";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListGroupsForUserInput;
    type Output = ListGroupsOutput;
    type Target = User;

    async fn find(input: &Self::Input, call: &Call<'_, Iam>) -> Result<User, IamError> {
        call.service.entity(call.account(), &input.user_name).await
    }

    fn needs(input: &Self::Input, found: Option<&User>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        vec![entity::need("iam:ListGroupsForUser", call.account(), &input.user_name, found)]
    }

    async fn run(input: Self::Input, user: Permit<User>, call: &Call<'_, Iam>) -> Result<ListGroupsOutput, IamError> {
        let user = user.into_inner();
        let window = Window::new(input.marker, input.max_items);
        call.service
            .store
            .read(move |tx| {
                let mut groups = Vec::with_capacity(user.groups.len());
                for id in &user.groups {
                    groups.extend(tx.get::<Group>(&user.identity.account, id)?);
                }
                groups.sort_by(|a, b| a.identity.name.cmp(&b.identity.name));
                let listed = window.cut(groups)?;
                Ok(ListGroupsOutput {
                    is_truncated: listed.is_truncated(),
                    groups: listed.items.into_iter().map(GroupView::of).collect(),
                    marker: listed.marker,
                })
            })
            .await
    }
}
