//! Access keys as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;

use crate::values::error::{IamError, Result};
use crate::values::secret::SecretAccessKey;
use crate::values::unique_id::{self, Prefix};

/// All access keys stand under one parent: a request names the key before anything is known of its account.
pub(crate) const PARENT: &str = "";

wire::text_enum! {
    /// Whether an access key is accepted.
    pub enum Status { Active = "Active", Inactive = "Inactive", Expired = "Expired" }
}

impl Status {
    /// Refuses the status that only time gives, with this message.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub(crate) fn check_given(self, message: &'static str) -> Result<()> {
        if self == Self::Expired { Err(IamError::InvalidInput(message)) } else { Ok(()) }
    }
}

/// An access key as it is stored, under its id.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) account: String,
    /// The unique id of the user whose key it is; the root user's if there is none.
    pub(crate) user: Option<String>,
    pub(crate) secret: SecretAccessKey,
    pub(crate) status: Status,
    pub(crate) created: Timestamp,
}

impl Record for AccessKey {
    const COLLECTION: &'static str = "iam.access-key";
}

impl AccessKey {
    /// A new key, active at once.
    pub(crate) fn new(account: &str, user: Option<&str>, created: Timestamp) -> Self {
        Self {
            id: unique_id::generate(Prefix::AccessKey),
            account: account.to_owned(),
            user: user.map(str::to_owned),
            secret: SecretAccessKey::generate(),
            status: Status::Active,
            created,
        }
    }
}
