//! From an SSH key to its caller.

use std::sync::Arc;

use crypto::constant_time_eq;
use service::Caller;
use store::StoreError;

use crate::Iam;
use crate::authority::authenticate::describe;
use crate::records::access_key::Status;
use crate::records::ssh_key_owner::SshKeyOwner;
use crate::records::ssh_public_key::SshPublicKey;
use crate::records::user::User;

impl Iam {
    /// The user whose active SSH key has this id and is this key; `None` for any other pair.
    ///
    /// # Errors
    /// Those of [`store::Store::read`].
    pub(crate) async fn ssh_caller(&self, key_id: &str, public_key: &str) -> Result<Option<Arc<Caller>>, StoreError> {
        let (key_id, public_key) = (key_id.to_owned(), public_key.to_owned());
        self.store
            .read(move |tx| {
                let Some(owner) = SshKeyOwner::find(tx, &key_id)? else { return Ok(None) };
                let key = tx.get::<SshPublicKey>(&owner.user, &key_id)?;
                let same = |key: &SshPublicKey| constant_time_eq(key.line.as_bytes(), public_key.as_bytes());
                if !key.is_some_and(|key| key.status == Status::Active && same(&key)) {
                    return Ok(None);
                }
                let Some(user) = tx.get::<User>(&owner.account, &owner.user)? else { return Ok(None) };
                Ok(Some(Arc::new(describe(&key_id, &owner.account, Some(&user)))))
            })
            .await
    }

    /// Records the owners of SSH keys that were uploaded to a version which did not. Returns how many there were.
    ///
    /// # Errors
    /// Those of [`store::Store::write`].
    pub async fn index_ssh_keys(&self) -> Result<usize, StoreError> {
        let (mut found, mut after) = (0, None);
        loop {
            let (added, next) = self.store.write(move |tx| SshKeyOwner::complete(tx, after.as_ref())).await?;
            found += added;
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}
