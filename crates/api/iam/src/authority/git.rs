//! From a user name and password for Git to their caller.

use std::sync::Arc;

use crypto::{constant_time_eq, sha256};
use service::Caller;
use store::StoreError;
use wire::Timestamp;

use crate::Iam;
use crate::authority::authenticate::describe;
use crate::records::access_key::Status;
use crate::records::service_credential::{ServiceCredential, ServiceUserName};
use crate::records::user::User;

impl Iam {
    /// The user whose active credential for Git has this user name and password; `None` for any other pair.
    ///
    /// # Errors
    /// Those of [`store::Store::read`].
    pub(crate) async fn git_caller(
        &self,
        user_name: &str,
        password: &[u8],
        now: Timestamp,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        let Some((_, account)) = user_name.rsplit_once("-at-") else { return Ok(None) };
        let (account, name, digest) = (account.to_owned(), user_name.to_owned(), sha256(password));
        self.store
            .read(move |tx| {
                let Some(entry) = tx.get::<ServiceUserName>(&account, &name)? else { return Ok(None) };
                let credential = tx.get::<ServiceCredential>(&entry.user, &entry.credential)?;
                let Some(credential) = credential.filter(|found| found.status_at(now) == Status::Active) else {
                    return Ok(None);
                };
                if !constant_time_eq(&credential.digest, &digest) {
                    return Ok(None);
                }
                let Some(user) = tx.get::<User>(&account, &entry.user)? else { return Ok(None) };
                Ok(Some(Arc::new(describe(&credential.id, &account, Some(&user)))))
            })
            .await
    }
}
