//! Logging in with an SSH key: from the key's id, which is the user name of the connection, to its user.

use std::sync::Arc;

use crypto::constant_time_eq;
use serde::{Deserialize, Serialize};
use service::Caller;
use store::{Cursor, Record, StoreError, Tx};

use crate::Iam;
use crate::access_key::Status;
use crate::authenticate;
use crate::entity::Identity;
use crate::ssh_public_key::SshPublicKey;
use crate::user::User;

/// All owners of keys stand under one parent, by the key's id.
const PARENT: &str = "";

/// How many users are looked through in one transaction.
const USERS_A_PAGE: usize = 100;

/// Whose an SSH key is.
#[derive(Serialize, Deserialize)]
struct SshKeyOwner {
    account: String,
    user: String,
}

impl Record for SshKeyOwner {
    const COLLECTION: &'static str = "iam.ssh-key-owner";
}

/// Records whose a key is.
pub(crate) fn insert(tx: &mut Tx<'_>, key_id: &str, user: &Identity) -> Result<(), StoreError> {
    tx.put(PARENT, key_id, &SshKeyOwner { account: user.account.clone(), user: user.id.clone() })
}

/// Removes what [`insert`] recorded.
pub(crate) fn delete(tx: &mut Tx<'_>, key_id: &str) -> Result<(), StoreError> {
    tx.delete::<SshKeyOwner>(PARENT, key_id).map(drop)
}

impl Iam {
    /// The user whose active SSH key has this id and is this key; `None` for any other pair.
    ///
    /// # Errors
    /// Those of [`store::Store::read`].
    pub(crate) async fn ssh_caller(&self, key_id: &str, public_key: &str) -> Result<Option<Arc<Caller>>, StoreError> {
        let (key_id, public_key) = (key_id.to_owned(), public_key.to_owned());
        self.store
            .read(move |tx| {
                let Some(owner) = tx.get::<SshKeyOwner>(PARENT, &key_id)? else { return Ok(None) };
                let key = tx.get::<SshPublicKey>(&owner.user, &key_id)?;
                let same = |key: &SshPublicKey| constant_time_eq(key.line.as_bytes(), public_key.as_bytes());
                if !key.is_some_and(|key| key.status == Status::Active && same(&key)) {
                    return Ok(None);
                }
                let Some(user) = tx.get::<User>(&owner.account, &owner.user)? else { return Ok(None) };
                Ok(Some(Arc::new(authenticate::describe(&key_id, &owner.account, Some(&user)))))
            })
            .await
    }

    /// Records whose each SSH key is, for keys that were uploaded to a version which did not. Returns how many there were.
    ///
    /// # Errors
    /// Those of [`store::Store::write`].
    pub async fn index_ssh_keys(&self) -> Result<usize, StoreError> {
        let (mut found, mut after) = (0, None::<Cursor>);
        loop {
            let (indexed, next) = self
                .store
                .write(move |tx| {
                    let page = tx.scan_collection::<User>(after.as_ref(), USERS_A_PAGE)?;
                    let mut indexed = 0;
                    for user in &page.items {
                        for key in tx.all::<SshPublicKey>(&user.identity.id)? {
                            if tx.get::<SshKeyOwner>(PARENT, &key.id)?.is_none() {
                                insert(tx, &key.id, &user.identity)?;
                                indexed += 1;
                            }
                        }
                    }
                    Ok::<_, StoreError>((indexed, page.next))
                })
                .await?;
            found += indexed;
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}
