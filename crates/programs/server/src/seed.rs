//! The seed file: accounts, people, credentials, keys and policies to be made at the first start, the same every time.
//!
//! Knows TOML. What the parts of a seed may say is for the services.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use iam::{FirstAdministrator, Iam, IamError, SeedAccessKey, SeedAccount, SeedGroup, SeedPolicy, SeedRole, SeedUser};
use kms::{KmsError, SeedKey};
use serde::Deserialize;
use service::Regions;
use store::Store;
use zeroize::Zeroizing;

use crate::error::ServerError;
use crate::operator::here;
use front::private_file::is_everybodys;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    account: Vec<AccountTable>,
}

/// An account, and everything in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AccountTable {
    id: String,
    name: Option<String>,
    administrator: Option<SeedAccessKey>,
    #[serde(default)]
    policy: Vec<SeedPolicy>,
    #[serde(default)]
    group: Vec<SeedGroup>,
    #[serde(default)]
    user: Vec<SeedUser>,
    #[serde(default)]
    role: Vec<SeedRole>,
    #[serde(default)]
    key: Vec<SeedKey>,
}

/// An account's administrator, and the profile that gets the credential.
pub(crate) struct Seeded {
    /// The account's name or id.
    pub(crate) profile: String,
    pub(crate) administrator: FirstAdministrator,
}

impl From<FirstAdministrator> for Seeded {
    fn from(administrator: FirstAdministrator) -> Self {
        Self { profile: administrator.account.clone(), administrator }
    }
}

/// A seed, read and not yet planted.
pub(crate) struct Seed {
    accounts: Vec<AccountTable>,
}

impl Seed {
    /// Reads a seed file.
    ///
    /// # Errors
    /// [`ServerError::Io`]; [`ServerError::Seed`] with the line of what is wrong.
    pub(crate) fn read(path: &Path) -> Result<Self, ServerError> {
        let failed = |cause| ServerError::Io { action: "read", path: path.to_owned(), cause };
        let mut file = std::fs::File::open(path).map_err(failed)?;
        if is_everybodys(&file.metadata().map_err(failed)?) {
            let reason = format!("every user may write {}: run chmod o-w on it", path.display());
            return Err(ServerError::Seed { reason });
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(failed)?;
        // The library's own message prints the line, which may hold a secret.
        let File { account: accounts } = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
            ServerError::Seed { reason: format!("line {line} of {}: {}", path.display(), error.message()) }
        })?;
        if accounts.is_empty() {
            return Err(ServerError::Seed { reason: format!("{} has no account", path.display()) });
        }
        Ok(Self { accounts })
    }

    /// Makes everything, unless there is an account already. `begun` has the administrators of a first start that was
    /// interrupted and is continued. `region` is where keys are that name none, out of the Regions that there are.
    ///
    /// # Errors
    /// [`ServerError::Seed`], [`ServerError::Store`].
    pub(crate) async fn plant(
        self,
        store: &Store,
        begun: Option<Vec<FirstAdministrator>>,
        (region, regions): (&str, &Regions),
    ) -> Result<Option<Vec<Seeded>>, ServerError> {
        let by = here();
        let (mut accounts, mut keys, mut profiles) = (Vec::new(), Vec::new(), BTreeMap::new());
        for AccountTable { id, name, administrator, policy, group, user, role, key } in self.accounts {
            keys.push((id.clone(), key));
            profiles.insert(id.clone(), name.clone().unwrap_or_else(|| id.clone()));
            let (policies, groups, users, roles) = (policy, group, user, role);
            accounts.push(SeedAccount { id, name, administrator, policies, groups, users, roles });
        }
        let made = match begun {
            Some(begun) => Some(begun),
            None => iam::seed(store, accounts, by).await.map_err(|error| match error {
                IamError::Store(error) => ServerError::Store(error),
                error => ServerError::Seed { reason: error.to_string() },
            })?,
        };
        let Some(made) = made else { return Ok(None) };
        // The file may have other accounts by now than those that were begun.
        keys.retain(|(account, _)| made.iter().any(|administrator| administrator.account == *account));
        // Key policies name people, who are there by now.
        let principals = Iam::new(store.clone());
        for (account, keys) in keys {
            kms::seed(store, &principals, &account, (region, regions), keys, by).await.map_err(
                |error| match error {
                    KmsError::Store(error) => ServerError::Store(error),
                    error => ServerError::Seed { reason: format!("account {account}: {error}") },
                },
            )?;
        }
        let seeded = made.into_iter().map(|administrator| {
            let profile = profiles.remove(&administrator.account).unwrap_or_else(|| administrator.account.clone());
            Seeded { profile, administrator }
        });
        Ok(Some(seeded.collect()))
    }
}
