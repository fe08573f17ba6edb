//! The index that leads from an SSH key's id to its user.

use serde::{Deserialize, Serialize};
use store::{Cursor, ReadTx, Record, StoreError, Tx};

use crate::records::entity::Identity;
use crate::records::ssh_public_key::SshPublicKey;
use crate::records::user::User;

/// All owners of keys stand under one parent, by the key's id.
const PARENT: &str = "";

/// How many users are looked through in one transaction.
const USERS_A_PAGE: usize = 100;

/// The owner of an SSH key.
#[derive(Serialize, Deserialize)]
pub(crate) struct SshKeyOwner {
    pub(crate) account: String,
    /// The user's unique id.
    pub(crate) user: String,
}

impl Record for SshKeyOwner {
    const COLLECTION: &'static str = "iam.ssh-key-owner";
}

impl SshKeyOwner {
    /// Records the owner of a key.
    pub(crate) fn insert(tx: &mut Tx<'_>, key_id: &str, user: &Identity) -> Result<(), StoreError> {
        tx.put(PARENT, key_id, &Self { account: user.account.clone(), user: user.id.clone() })
    }

    /// Removes a key that is deleted.
    pub(crate) fn delete(tx: &mut Tx<'_>, key_id: &str) -> Result<(), StoreError> {
        tx.delete::<Self>(PARENT, key_id).map(drop)
    }

    /// The owner of a key.
    pub(crate) fn find(tx: &ReadTx<'_>, key_id: &str) -> Result<Option<Self>, StoreError> {
        tx.get::<Self>(PARENT, key_id)
    }

    /// Records the owners of a page of users' keys that have none yet: they were uploaded to an older version. Returns how
    /// many there were, and where the next page begins.
    pub(crate) fn complete(tx: &mut Tx<'_>, after: Option<&Cursor>) -> Result<(usize, Option<Cursor>), StoreError> {
        let page = tx.scan_collection::<User>(after, USERS_A_PAGE)?;
        let mut added = 0;
        for user in &page.items {
            for key in tx.all::<SshPublicKey>(&user.identity.id)? {
                if Self::find(tx, &key.id)?.is_none() {
                    Self::insert(tx, &key.id, &user.identity)?;
                    added += 1;
                }
            }
        }
        Ok((added, page.next))
    }
}
