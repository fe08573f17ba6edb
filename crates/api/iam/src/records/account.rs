//! Accounts: who owns everything else, and the record of the root user.

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record, Store, StoreError};
use wire::Timestamp;

use crate::values::error::{IamError, Result};

/// All accounts stand under one parent.
pub(crate) const PARENT: &str = "";

/// An account as it is stored, under its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// The name that its operator gave it; nothing depends on it.
    pub name: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// The ids of the root user's access keys.
    pub(crate) root_access_keys: Vec<String>,
}

impl Record for Account {
    const COLLECTION: &'static str = "iam.account";
}

/// The account with this id.
pub(crate) fn find(tx: &ReadTx<'_>, id: &str) -> Result<Option<Account>, StoreError> {
    tx.get::<Account>(PARENT, id)
}

/// The account with this id or name.
///
/// # Errors
/// [`IamError::NoSuchAccount`].
pub(crate) fn named(tx: &ReadTx<'_>, given: &str) -> Result<Account> {
    let accounts = tx.all::<Account>(PARENT)?;
    let found = accounts.into_iter().find(|account| account.id == given || account.name.as_deref() == Some(given));
    found.ok_or_else(|| IamError::NoSuchAccount { account: given.to_owned() })
}

/// Every account, in the order of their making.
///
/// # Errors
/// Those of [`Store::read`].
pub async fn accounts(store: &Store) -> Result<Vec<Account>, StoreError> {
    let mut accounts = store.read(|tx| tx.all::<Account>(PARENT)).await?;
    accounts.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    Ok(accounts)
}
