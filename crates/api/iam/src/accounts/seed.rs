//! Accounts with given ids, people and credentials, made at once: the world of a test suite, the same every time.
//!
//! Unique ids follow from ARNs instead of chance. What a seed may say is held to the rules of the operations.

use std::collections::BTreeMap;

use policy::Kind as Grammar;
use serde::Deserialize;
use serde_json::json;
use service::Operator;
use store::{Store, Tx};
use wire::{Arn, Timestamp};

use crate::accounts::bootstrap::{self, ADMINISTRATOR, FirstAdministrator};
use crate::policies::{attachments, boundaries, inline_policies, managed_policies};
use crate::principals::memberships;
use crate::records::access_key::{self, AccessKey, Status};
use crate::records::account::{self, Account};
use crate::records::aws_managed::ADMINISTRATOR_ACCESS;
use crate::records::entity::{self, Entity as _, Holder, Identity};
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::managed_policy::{self, ManagedPolicy};
use crate::records::role::{Role, SESSION_SECONDS_DEFAULT};
use crate::records::trust::Trust;
use crate::records::user::User;
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::secret::SecretAccessKey;
use crate::values::tag::{self, TagInput};
use crate::values::unique_id::{self, Prefix};
use crate::values::{document, name};

/// An account and who is in it.
pub struct SeedAccount {
    /// Twelve digits.
    pub id: String,
    /// The name that its operator gave it.
    pub name: Option<String>,
    /// The access key of its administrator; generated if it is not given.
    pub administrator: Option<SeedAccessKey>,
    /// Its customer-managed policies.
    pub policies: Vec<SeedPolicy>,
    /// Its groups.
    pub groups: Vec<SeedGroup>,
    /// Its users.
    pub users: Vec<SeedUser>,
    /// Its roles.
    pub roles: Vec<SeedRole>,
}

/// An access key that is given, both halves of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedAccessKey {
    id: String,
    secret: SecretAccessKey,
}

/// A customer-managed policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeedPolicy {
    name: String,
    #[serde(default = "root_path")]
    path: String,
    description: Option<String>,
    document: String,
}

/// A group.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeedGroup {
    name: String,
    #[serde(default = "root_path")]
    path: String,
    /// Managed policies: ARNs, or names of the account's own.
    #[serde(default)]
    policies: Vec<String>,
    /// Inline policies: documents by name.
    #[serde(default)]
    inline_policies: BTreeMap<String, String>,
}

/// A user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeedUser {
    name: String,
    #[serde(default = "root_path")]
    path: String,
    #[serde(default)]
    access_keys: Vec<SeedAccessKey>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    boundary: Option<String>,
    /// Managed policies: ARNs, or names of the account's own.
    #[serde(default)]
    policies: Vec<String>,
    /// Inline policies: documents by name.
    #[serde(default)]
    inline_policies: BTreeMap<String, String>,
}

/// A role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeedRole {
    name: String,
    #[serde(default = "root_path")]
    path: String,
    description: Option<String>,
    trust: String,
    session_seconds_max: Option<u32>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    boundary: Option<String>,
    /// Managed policies: ARNs, or names of the account's own.
    #[serde(default)]
    policies: Vec<String>,
    /// Inline policies: documents by name.
    #[serde(default)]
    inline_policies: BTreeMap<String, String>,
}

fn root_path() -> String {
    name::ROOT_PATH.to_owned()
}

/// Makes the accounts of a seed, all or nothing, each with a user called `administrator`. Returns their credentials in
/// the seed's order; `None`, and changes nothing, if there is an account already.
///
/// # Errors
/// Those of the operations that make the same, such as [`IamError::Validation`] and `MalformedPolicyDocument`.
pub async fn seed(store: &Store, accounts: Vec<SeedAccount>, by: Operator) -> Result<Option<Vec<FirstAdministrator>>> {
    let now = by.time;
    store
        .write(move |tx| {
            if !tx.page::<Account>(account::PARENT, None, 1)?.items.is_empty() {
                return Ok(None);
            }
            // Accounts first: trust policies may name any of them.
            for SeedAccount { id, name, .. } in &accounts {
                make_account(tx, id, name.as_deref(), now)?;
                tx.record(&by.event("SeedAccount", &json!({"account": id, "name": name})))?;
            }
            let planted = accounts.into_iter().map(|seed| {
                let account = seed.id.clone();
                Planting { tx: &mut *tx, account, now }.all(seed)
            });
            let made = planted.collect::<Result<Vec<_>>>()?;
            bootstrap::begin(tx, &made)?;
            Ok(Some(made))
        })
        .await
}

fn make_account(tx: &mut Tx<'_>, id: &str, name: Option<&str>, now: Timestamp) -> Result<()> {
    if !unique_id::is_account(id) {
        return Err(IamError::Validation(format!("The account {id} has an id of another form than twelve digits.")));
    }
    if account::find(tx, id)?.is_some() {
        return Err(IamError::Validation(format!("The account {id} is given twice.")));
    }
    let account =
        Account { id: id.to_owned(), name: name.map(str::to_owned), created: now, root_access_keys: Vec::new() };
    Ok(tx.insert(account::PARENT, id, &account)?)
}

/// An account that is being seeded.
struct Planting<'t, 'tx> {
    tx: &'t mut Tx<'tx>,
    account: String,
    now: Timestamp,
}

impl Planting<'_, '_> {
    fn all(mut self, seed: SeedAccount) -> Result<FirstAdministrator> {
        for policy in seed.policies {
            self.policy(policy)?;
        }
        for group in seed.groups {
            self.group(group)?;
        }
        for user in seed.users {
            self.user(user)?;
        }
        for role in seed.roles {
            self.role(role)?;
        }
        self.administrator(seed.administrator)
    }

    fn identity(&self, kind: Kind, prefix: Prefix, path: String, name: String) -> Result<Identity> {
        name::check(&name, "name")?;
        let formed = path.starts_with('/') && path.ends_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
        if name.is_empty() || name.len() > 64 || !formed || path.len() > 512 {
            return Err(IamError::Validation(format!("{path}{name} is not a path and a name.")));
        }
        let id = unique_id::of_seed(prefix, name::arn(kind, &self.account, &path, &name).as_str());
        Ok(Identity { account: self.account.clone(), id, path, name })
    }

    fn policy(&mut self, seed: SeedPolicy) -> Result<()> {
        managed_policies::check_document(&seed.document)?;
        let identity = self.identity(Kind::Policy, Prefix::Policy, seed.path, seed.name)?;
        let policy = ManagedPolicy::new(identity, seed.description, Vec::new(), self.now);
        managed_policy::insert(self.tx, &policy, seed.document)
    }

    fn group(&mut self, seed: SeedGroup) -> Result<()> {
        let identity = self.identity(Kind::Group, Prefix::Group, seed.path, seed.name)?;
        let group = Group { identity, created: self.now, attached: Vec::new() };
        entity::insert(self.tx, &group)?;
        self.hold::<Group>(&group.identity, seed.policies, seed.inline_policies)
    }

    fn user(&mut self, seed: SeedUser) -> Result<()> {
        let identity = self.identity(Kind::User, Prefix::User, seed.path, seed.name)?;
        let mut user = User { identity, tags: tags(seed.tags)?, ..User::new("", "", "", self.now) };
        for key in seed.access_keys {
            user.access_keys.push(self.access_key(&user.identity, key)?);
        }
        user.boundary = seed.boundary.map(|policy| self.arn(policy));
        entity::insert(self.tx, &user)?;
        if let Some(arn) = &user.boundary {
            boundaries::occupy::<User>(self.tx, &user.identity, arn)?;
        }
        for name in seed.groups {
            let group: Group = entity::load(self.tx, &self.account, &name)?;
            memberships::join(self.tx, &group.identity, &user.identity)?;
        }
        self.hold::<User>(&user.identity, seed.policies, seed.inline_policies)
    }

    fn role(&mut self, seed: SeedRole) -> Result<()> {
        let identity = self.identity(Kind::Role, Prefix::Role, seed.path, seed.name)?;
        let role = Role {
            identity,
            created: self.now,
            description: seed.description,
            trust: Trust::resolve(self.tx, seed.trust)?,
            session_seconds_max: seed.session_seconds_max.unwrap_or(SESSION_SECONDS_DEFAULT),
            tags: tags(seed.tags)?,
            boundary: seed.boundary.map(|policy| self.arn(policy)),
            attached: Vec::new(),
        };
        entity::insert(self.tx, &role)?;
        if let Some(arn) = &role.boundary {
            boundaries::occupy::<Role>(self.tx, &role.identity, arn)?;
        }
        self.hold::<Role>(&role.identity, seed.policies, seed.inline_policies)
    }

    fn administrator(&mut self, key: Option<SeedAccessKey>) -> Result<FirstAdministrator> {
        let identity = self.identity(Kind::User, Prefix::User, root_path(), ADMINISTRATOR.to_owned())?;
        let mut user = User { identity, ..User::new("", "", "", self.now) };
        let key = match key {
            Some(key) => self.checked(&user.identity, key)?,
            None => AccessKey::new(&self.account, Some(&user.identity.id), self.now),
        };
        self.tx.insert(access_key::PARENT, &key.id, &key)?;
        user.access_keys.push(key.id.clone());
        entity::insert(self.tx, &user)?;
        attachments::attach::<User>(self.tx, &user.identity, ADMINISTRATOR_ACCESS)?;
        Ok(FirstAdministrator {
            account: self.account.clone(),
            arn: user.arn(),
            access_key_id: key.id,
            secret_access_key: key.secret,
        })
    }

    fn access_key(&mut self, user: &Identity, key: SeedAccessKey) -> Result<String> {
        let key = self.checked(user, key)?;
        self.tx.insert(access_key::PARENT, &key.id, &key)?;
        Ok(key.id)
    }

    fn checked(&self, user: &Identity, SeedAccessKey { id, secret }: SeedAccessKey) -> Result<AccessKey> {
        let letters = id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !letters || !id.starts_with("AKIA") || !(16..=128).contains(&id.len()) {
            return Err(IamError::Validation(format!(
                "The access key {id} has to begin with AKIA and to have 16 to 128 capital letters and digits."
            )));
        }
        if secret.expose().len() < 16 {
            return Err(IamError::Validation(format!(
                "The secret of the access key {id} is shorter than 16 characters."
            )));
        }
        if self.tx.get::<AccessKey>(access_key::PARENT, &id)?.is_some() {
            return Err(IamError::Validation(format!("The access key {id} is given twice.")));
        }
        let user = Some(user.id.clone());
        Ok(AccessKey { id, account: self.account.clone(), user, secret, status: Status::Active, created: self.now })
    }

    /// Gives an entity its policies.
    fn hold<E: Holder>(
        &mut self,
        entity: &Identity,
        attached: Vec<String>,
        inline: BTreeMap<String, String>,
    ) -> Result<()> {
        for policy in attached {
            let arn = self.arn(policy);
            attachments::attach::<E>(self.tx, entity, &arn)?;
        }
        for (name, document) in inline {
            name::check(&name, "policyName")?;
            document::parse(&document, Grammar::Identity)?;
            inline_policies::put::<E>(self.tx, entity, &InlinePolicy { name, document })?;
        }
        Ok(())
    }

    /// The ARN of a policy that is given by ARN, or by its name if it is the account's own.
    fn arn(&self, policy: String) -> String {
        if policy.parse::<Arn>().is_ok() {
            policy
        } else {
            name::arn(Kind::Policy, &self.account, name::ROOT_PATH, &policy).to_string()
        }
    }
}

fn tags(given: BTreeMap<String, String>) -> Result<Vec<tag::Tag>> {
    let given: Vec<_> = given.into_iter().map(|(key, value)| TagInput { key, value }).collect();
    tag::checked(&given)
}

#[cfg(test)]
mod tests;
