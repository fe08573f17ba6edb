//! The first start: an account, and somebody in it who can do the rest.

use serde_json::json;
use service::Operator;
use store::Store;
use wire::Arn;

use crate::access_key::{self, AccessKey};
use crate::account::{self, Account};
use crate::attachment;
use crate::entity::{self, Entity};
use crate::error::IamError;
use crate::name;
use crate::secret::SecretAccessKey;
use crate::unique_id;
use crate::user::User;

/// What the first administrator is called.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// What an administrator may do: everything.
pub(crate) const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The first administrator's credential, which is shown once and never again.
pub struct FirstAdministrator {
    /// The account that was made.
    pub account: String,
    /// The administrator's ARN.
    pub arn: Arn,
    /// The access key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: SecretAccessKey,
}

/// Makes the first account with an administrator and one access key, all or nothing. Returns `None` and changes nothing
/// if there is an account already.
///
/// `account_id` is twelve digits; one is drawn if it is not given.
///
/// # Errors
/// [`IamError::Validation`] for an account id of another form; [`IamError::Store`].
pub async fn bootstrap(
    store: &Store,
    account_id: Option<String>,
    by: Operator,
) -> Result<Option<FirstAdministrator>, IamError> {
    let id = account_id.unwrap_or_else(unique_id::draw_account);
    if !unique_id::is_account(&id) {
        return Err(IamError::Validation("An account id has twelve digits.".to_owned()));
    }
    let now = by.time;
    store
        .write(move |tx| {
            if !tx.page::<Account>(account::PARENT, None, 1)?.items.is_empty() {
                return Ok(None);
            }
            let account = Account { id, name: None, created: now, root_access_keys: Vec::new() };
            tx.insert(account::PARENT, &account.id, &account)?;
            let mut user = User::new(&account.id, name::ROOT_PATH, ADMINISTRATOR, now);
            let key = AccessKey::new(&account.id, Some(&user.identity.id), now);
            tx.insert(access_key::PARENT, &key.id, &key)?;
            user.access_keys.push(key.id.clone());
            entity::insert(tx, &user)?;
            attachment::attach::<User>(tx, &user.identity, ADMINISTRATOR_ACCESS)?;
            tx.record(&by.event("CreateFirstAccount", &json!({"account": account.id, "arn": user.arn().as_str()})))?;
            Ok(Some(FirstAdministrator {
                account: account.id,
                arn: user.arn(),
                access_key_id: key.id,
                secret_access_key: key.secret,
            }))
        })
        .await
}

#[cfg(test)]
mod tests;
