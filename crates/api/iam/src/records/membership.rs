//! Members of groups as they are stored.
//!
//! A user's record lists its groups, for the hot path; a record for each member leads from the group to the user. The
//! two change together.

use serde::{Deserialize, Serialize};
use service::{Listed, Window};
use store::{ReadTx, Record};

use crate::records::entity::Identity;
use crate::records::user::User;
use crate::values::error::{IamError, Result};
use crate::values::page;

/// A member of a group, under the group's unique id and the user's.
#[derive(Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) user: String,
}

impl Record for Member {
    const COLLECTION: &'static str = "iam.member";
}

/// A page of a group's users.
pub(crate) fn users(tx: &ReadTx<'_>, group: &Identity, window: Window) -> Result<Listed<User>> {
    let id = |member: &Member| member.user.clone();
    let user = |member: Member| tx.get::<User>(&group.account, &member.user);
    let mut listed =
        window.filtered::<Member, _, IamError>(tx, &group.id, page::SCANNED_MAX, id, |member| Ok(user(member)?))?;
    listed.items.sort_by(|a, b| a.identity.name.cmp(&b.identity.name));
    Ok(listed)
}
