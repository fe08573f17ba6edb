//! SSH public keys as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;

use crate::records::access_key::Status;

/// An SSH public key as it is stored, under the user's unique id and its own.
#[derive(Serialize, Deserialize)]
pub(crate) struct SshPublicKey {
    pub(crate) id: String,
    /// As one line of OpenSSH: `ssh-rsa AAAA…`.
    pub(crate) line: String,
    pub(crate) fingerprint: String,
    pub(crate) status: Status,
    pub(crate) uploaded: Timestamp,
}

impl Record for SshPublicKey {
    const COLLECTION: &'static str = "iam.ssh-public-key";
}
