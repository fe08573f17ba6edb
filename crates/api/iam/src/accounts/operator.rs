//! Actions of the host's operator: creating accounts, and an administrator where there is none left.
//!
//! Works on the store of a server that is stopped. Who may run it is for the operating system.

use serde_json::json;
use service::Operator;
use store::{Store, Tx};
use wire::Arn;

use crate::policies::attachments;
use crate::records::access_key::{self, AccessKey};
use crate::records::account::{self, Account};
use crate::records::aws_managed::ADMINISTRATOR_ACCESS;
use crate::records::entity::{self, Entity as _};
use crate::records::user::User;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::secret::SecretAccessKey;
use crate::values::{name, unique_id};

/// The name of a recovered administrator, with a number behind it if need be.
const RECOVERED: &str = "recovered-administrator";

/// How often another name is tried.
const NAMES_MAX: u32 = 1000;

/// How long an account's name can be.
const NAME_LENGTH_MAX: usize = 50;

/// A credential that is handed to the operator: shown once and never again.
pub struct Handover {
    /// The account.
    pub account: String,
    /// The ARN of its owner.
    pub arn: Arn,
    /// The access key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: SecretAccessKey,
}

/// Makes an account called `name` with an access key of its root user.
///
/// A name has up to 50 letters, digits, `-`, `_` and `.`, and names one account of the server.
///
/// # Errors
/// [`IamError::Validation`], [`IamError::AccountExists`], [`IamError::Store`].
pub async fn create_account(store: &Store, name: &str, by: Operator) -> Result<Handover> {
    let formed = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !formed || name.is_empty() || name.len() > NAME_LENGTH_MAX || name == "default" || unique_id::is_account(name) {
        return Err(IamError::Validation(format!(
            "An account's name has up to {NAME_LENGTH_MAX} letters, digits, '-', '_' and '.', and is neither \
             'default' nor a number of twelve digits."
        )));
    }
    let (name, now) = (name.to_owned(), by.time);
    store
        .write(move |tx| {
            let known = tx.all::<Account>(account::PARENT)?;
            if known.iter().any(|one| one.name.as_ref() == Some(&name)) {
                return Err(IamError::AccountExists { name });
            }
            let mut id = unique_id::generate_account();
            while known.iter().any(|one| one.id == id) {
                id = unique_id::generate_account();
            }
            let key = AccessKey::new(&id, None, now);
            tx.insert(access_key::PARENT, &key.id, &key)?;
            let account = Account { id, name: Some(name), created: now, root_access_keys: vec![key.id.clone()] };
            tx.insert(account::PARENT, &account.id, &account)?;
            tx.record(&by.event("CreateAccount", &json!({"account": account.id, "name": account.name})))?;
            let arn = Arn::new("iam", "", &account.id, "root");
            Ok(Handover { account: account.id, arn, access_key_id: key.id, secret_access_key: key.secret })
        })
        .await
}

/// Makes a user with the policy `AdministratorAccess` and an access key in an account, given by its id or name; it may
/// be left out if there is one only.
///
/// # Errors
/// [`IamError::NoSuchAccount`], [`IamError::Validation`], [`IamError::Store`].
pub async fn recover(store: &Store, account: Option<&str>, by: Operator) -> Result<Handover> {
    let (account, now) = (account.map(str::to_owned), by.time);
    store
        .write(move |tx| {
            let account = chosen(tx, account.as_deref())?;
            let name = free_name(tx, &account.id)?;
            let mut user = User::new(&account.id, name::ROOT_PATH, &name, now);
            let key = AccessKey::new(&account.id, Some(&user.identity.id), now);
            tx.insert(access_key::PARENT, &key.id, &key)?;
            user.access_keys.push(key.id.clone());
            entity::insert(tx, &user)?;
            attachments::attach::<User>(tx, &user.identity, ADMINISTRATOR_ACCESS)?;
            let arn = user.arn();
            tx.record(&by.event("CreateAdministrator", &json!({"account": account.id, "arn": arn.as_str()})))?;
            Ok(Handover { account: account.id, arn, access_key_id: key.id, secret_access_key: key.secret })
        })
        .await
}

fn chosen(tx: &Tx<'_>, given: Option<&str>) -> Result<Account> {
    if let Some(given) = given {
        return account::named(tx, given);
    }
    let mut accounts = tx.all::<Account>(account::PARENT)?;
    match (accounts.pop(), accounts.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(IamError::Validation("There are several accounts: name one of them.".to_owned())),
        (None, _) => Err(IamError::Validation("There is no account yet.".to_owned())),
    }
}

fn free_name(tx: &Tx<'_>, account: &str) -> Result<String> {
    for number in 1..=NAMES_MAX {
        let name = if number == 1 { RECOVERED.to_owned() } else { format!("{RECOVERED}-{number}") };
        if entity::find::<User>(tx, account, &name)?.is_none() {
            return Ok(name);
        }
    }
    Err(IamError::EntityExists { kind: Kind::User, name: RECOVERED.to_owned() })
}
