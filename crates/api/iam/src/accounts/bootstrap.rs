//! The first start: an account, and somebody in it who can do the rest.

use serde::{Deserialize, Serialize};
use serde_json::json;
use service::Operator;
use store::{Record, Store, StoreError, Tx};
use wire::Arn;

use crate::policies::attachments;
use crate::records::access_key::{self, AccessKey};
use crate::records::account::{self, Account};
use crate::records::aws_managed::ADMINISTRATOR_ACCESS;
use crate::records::entity::{self, Entity};
use crate::records::user::User;
use crate::values::error::{IamError, Result};
use crate::values::secret::SecretAccessKey;
use crate::values::{name, unique_id};

/// The name of the first administrator.
pub(crate) const ADMINISTRATOR: &str = "administrator";

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

/// A first start whose access keys are not handed over yet. It is stored in the transaction that makes the accounts, and
/// removed once somebody has the keys: accounts without it are in use.
#[derive(Serialize, Deserialize)]
struct FirstStart {
    /// The ids of the administrators' access keys.
    access_keys: Vec<String>,
}

impl Record for FirstStart {
    const COLLECTION: &'static str = "iam.first-start";
}

/// There is one first start.
const PLACE: (&str, &str) = ("", "");

/// Records that access keys are to be handed over.
///
/// # Errors
/// Those of the store.
pub(crate) fn begin(tx: &mut Tx<'_>, administrators: &[FirstAdministrator]) -> Result<(), StoreError> {
    let access_keys = administrators.iter().map(|made| made.access_key_id.clone()).collect();
    tx.insert(PLACE.0, PLACE.1, &FirstStart { access_keys })
}

/// The administrators that a first start made which was interrupted before their access keys were handed over; `None`
/// when there was no such first start.
///
/// # Errors
/// [`IamError::Store`].
pub async fn unfinished_first_start(store: &Store) -> Result<Option<Vec<FirstAdministrator>>> {
    let found = store.read(|tx| {
        let Some(begun) = tx.get::<FirstStart>(PLACE.0, PLACE.1)? else { return Ok(None) };
        let mut made = Vec::with_capacity(begun.access_keys.len());
        for id in &begun.access_keys {
            let Some(key) = tx.get::<AccessKey>(access_key::PARENT, id)? else { continue };
            let Some(user) = tx.get::<User>(&key.account, key.user.as_deref().unwrap_or_default())? else { continue };
            made.push(FirstAdministrator {
                account: key.account,
                arn: user.arn(),
                access_key_id: key.id,
                secret_access_key: key.secret,
            });
        }
        Ok::<_, StoreError>(Some(made))
    });
    Ok(found.await?)
}

/// Records that all access keys of the first start are handed over.
///
/// # Errors
/// [`IamError::Store`].
pub async fn end_first_start(store: &Store) -> Result<()> {
    store.write(|tx| tx.delete::<FirstStart>(PLACE.0, PLACE.1)).await?;
    Ok(())
}

/// Makes the first account with an administrator and one access key, all or nothing. Returns `None` and changes nothing
/// if there is an account already.
///
/// `account_id` is twelve digits; one is generated if it is not given.
///
/// # Errors
/// [`IamError::Validation`] for an account id of another form; [`IamError::Store`].
pub async fn bootstrap(store: &Store, account_id: Option<String>, by: Operator) -> Result<Option<FirstAdministrator>> {
    let id = account_id.unwrap_or_else(unique_id::generate_account);
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
            attachments::attach::<User>(tx, &user.identity, ADMINISTRATOR_ACCESS)?;
            tx.record(&by.event("CreateFirstAccount", &json!({"account": account.id, "arn": user.arn().as_str()})))?;
            let made = FirstAdministrator {
                account: account.id,
                arn: user.arn(),
                access_key_id: key.id,
                secret_access_key: key.secret,
            };
            begin(tx, std::slice::from_ref(&made))?;
            Ok(Some(made))
        })
        .await
}

#[cfg(test)]
mod tests;
