//! Users' passwords as they are stored.

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record, StoreError};
use wire::Timestamp;

use crate::records::password::PasswordHash;

/// A user's password, under the user's unique id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct LoginProfile {
    pub(crate) created: Timestamp,
    /// When the password was last set.
    pub(crate) changed: Timestamp,
    /// Whether the user has to choose another one.
    pub(crate) reset_required: bool,
    pub(crate) password: PasswordHash,
    /// The passwords before it, newest first.
    pub(crate) earlier: Vec<PasswordHash>,
}

/// The id of the only profile under a user.
pub(crate) const PROFILE: &str = "profile";

impl Record for LoginProfile {
    const COLLECTION: &'static str = "iam.login-profile";
}

/// The user's login profile.
pub(crate) fn find(tx: &ReadTx<'_>, user: &str) -> Result<Option<LoginProfile>, StoreError> {
    tx.get::<LoginProfile>(user, PROFILE)
}
