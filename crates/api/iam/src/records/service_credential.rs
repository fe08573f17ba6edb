//! Service-specific credentials as they are stored: under the user, and found by their user names.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;

use crate::records::access_key::Status;

/// A credential as it is stored, under the user's unique id and its own.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ServiceCredential {
    pub(crate) id: String,
    /// The user's name where the credential is used. It stays when the user is renamed.
    pub(crate) service_user_name: String,
    /// SHA-256 of the password.
    pub(crate) digest: [u8; 32],
    pub(crate) status: Status,
    pub(crate) created: Timestamp,
    /// When it ends, if it does.
    pub(crate) expires: Option<Timestamp>,
}

impl Record for ServiceCredential {
    const COLLECTION: &'static str = "iam.service-credential";
}

impl ServiceCredential {
    pub(crate) fn status_at(&self, now: Timestamp) -> Status {
        if self.expires.is_some_and(|expires| expires <= now) { Status::Expired } else { self.status }
    }
}

/// Leads from the account and the user name of a credential to the credential.
#[derive(Serialize, Deserialize)]
pub(crate) struct ServiceUserName {
    pub(crate) service_user_name: String,
    pub(crate) user: String,
    pub(crate) credential: String,
}

impl Record for ServiceUserName {
    const COLLECTION: &'static str = "iam.service-user-name";
}
