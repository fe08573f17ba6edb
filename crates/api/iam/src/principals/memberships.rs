//! The operations on the members of groups.
//!
//! A user's record lists its groups, for the hot path; a record for each member leads from the group to the user. The
//! two change together.

use service::{AuditClass, Call, Need, Permit, Resource, ResourceOperation};
use store::{ReadTx, Tx};
use wire::shape::Rule;

use crate::Iam;
use crate::policies::last_administrator;
use crate::principals::groups::GroupView;
use crate::records::entity::{self, Identity};
use crate::records::group::Group;
use crate::records::membership::Member;
use crate::records::user::User;
use crate::resources::inputs::{ListInput, UserListInput};
use crate::resources::named::Named;
use crate::values::error::{IamError, Quota, Result};
use crate::values::page::Page;

/// How many groups a user can be in.
const GROUPS_MAX: usize = 10;

/// Makes a user a member of a group; does nothing if they are one already.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded`, `DeleteConflict`.
pub(crate) fn join(tx: &mut Tx<'_>, group: &Identity, user: &Identity) -> Result<()> {
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

wire::shape! {
    /// The input of `AddUserToGroup` and `RemoveUserFromGroup`.
    pub struct MembershipInput {
        "GroupName" group_name: String, required, [Rule::Length(1, 128)];
        "UserName" user_name: String, required, [Rule::Length(1, 128)];
    }
}

impl Resource for Pair {
    type Service = Iam;
    type Key<'a> = &'a MembershipInput;

    /// AWS looks for the user first.
    async fn find<'a>(names: &'a MembershipInput, call: &'a Call<'_, Iam>) -> Result<Self> {
        let (account, group) = (call.account().to_owned(), names.group_name.clone());
        let user = names.user_name.clone();
        let read = move |tx: &ReadTx<'_>| -> Result<Self> {
            Ok(Self { user: entity::load(tx, &account, &user)?, group: entity::load(tx, &account, &group)? })
        };
        call.service.store.read(read).await
    }

    fn need<'n>(&'n self, names: &'n MembershipInput, action: &'static str, call: &'n Call<'_, Iam>) -> Need<'n> {
        entity::need(action, call.account(), &names.group_name, Some(&self.group))
    }

    fn need_of_missing<'n>(
        names: &'n MembershipInput,
        action: &'static str,
        call: &'n Call<'_, Iam>,
    ) -> Option<Need<'n>> {
        Some(entity::need::<Group>(action, call.account(), &names.group_name, None))
    }
}

pub(crate) struct AddUserToGroup;

impl ResourceOperation for AddUserToGroup {
    type On = Pair;
    const NAME: &'static str = "AddUserToGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = MembershipInput;
    type Output = ();

    fn key(input: &MembershipInput) -> &MembershipInput {
        input
    }

    async fn run(_: MembershipInput, pair: &Permit<Pair>, call: &Call<'_, Iam>) -> Result<()> {
        let (group, user) = (pair.group.identity.clone(), pair.user.identity.clone());
        call.write(&call.service.store, move |tx| join(tx, &group, &user)).await
    }
}

pub(crate) struct RemoveUserFromGroup;

impl ResourceOperation for RemoveUserFromGroup {
    type On = Pair;
    const NAME: &'static str = "RemoveUserFromGroup";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = MembershipInput;
    type Output = ();

    fn key(input: &MembershipInput) -> &MembershipInput {
        input
    }

    async fn run(_: MembershipInput, pair: &Permit<Pair>, call: &Call<'_, Iam>) -> Result<()> {
        let (group, user) = (pair.group.clone(), pair.user.identity.clone());
        call.write(&call.service.store, move |tx| leave(tx, &group, &user)).await
    }
}

/// Removes a user from a group. Removing somebody who is not in the group is no error.
fn leave(tx: &mut Tx<'_>, group: &Group, user: &Identity) -> Result<()> {
    let mut user: User = entity::reload(tx, user)?;
    let risky = last_administrator::grants_admin(tx, group)?;
    let account = user.identity.account.clone();
    last_administrator::with_lockout_check(tx, &account, risky, |tx| {
        if tx.delete::<Member>(&group.identity.id, &user.identity.id)? {
            user.groups.retain(|id| *id != group.identity.id);
            entity::put(tx, &user)?;
        }
        Ok(())
    })
}

pub(crate) struct ListGroupsForUser;

impl ResourceOperation for ListGroupsForUser {
    type On = Named<User>;
    const NAME: &'static str = "ListGroupsForUser";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = UserListInput;
    type Output = Page<GroupView>;

    fn key(input: &UserListInput) -> &str {
        &input.user_name
    }

    async fn run(input: UserListInput, user: &Permit<Named<User>>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let window = input.window();
        let read = move |tx: &ReadTx<'_>, user: User| {
            let mut groups = Vec::with_capacity(user.groups.len());
            for id in &user.groups {
                groups.extend(tx.get::<Group>(&user.identity.account, id)?);
            }
            groups.sort_by(|a, b| a.identity.name.cmp(&b.identity.name));
            Ok(window.by_count(groups)?.map(GroupView::from).into())
        };
        user.read(call, read).await
    }
}
