//! Entities: users, groups, roles and managed policies, each with a unique id, a name, a path and an ARN.
//!
//! A record is stored under its account by unique id, so a rename moves nothing that refers to it; an entry for each name
//! leads to the id and keeps names unique.

use serde::{Deserialize, Serialize};
use service::Need;
use store::{ReadTx, Record, StoreError, Tx};
use wire::Arn;

use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::tag::{self, Tag};
use crate::values::unique_id::{self, Prefix};

/// Something with a name and a unique id.
pub(crate) trait Entity: Record + Clone {
    /// The kind of entity.
    const KIND: Kind;

    /// Its names.
    fn identity(&self) -> &Identity;

    /// The same, to be renamed or moved.
    fn identity_mut(&mut self) -> &mut Identity;

    /// Its tags. Groups have none.
    fn tags(&self) -> &[Tag];

    /// Its ARN now.
    fn arn(&self) -> Arn {
        let Identity { account, path, name, .. } = self.identity();
        name::arn(Self::KIND, account, path, name)
    }
}

/// An entity whose tags can be changed.
pub(crate) trait Tagged: Entity {
    /// Its tags, to be changed.
    fn tags_mut(&mut self) -> &mut Vec<Tag>;
}

/// An entity that policies are attached to: a user, a group, a role.
pub(crate) trait Holder: Entity {
    /// The most that its inline policies may have together, in characters without white space.
    ///
    /// Source: IAM User Guide, "IAM and AWS STS quotas".
    const INLINE_SIZE_MAX: usize;
    /// AWS's name for the quota of attached policies.
    const ATTACHED_QUOTA: &'static str;

    /// The ARNs of the managed policies attached to it.
    fn attached(&self) -> &[String];

    /// The same, to be changed.
    fn attached_mut(&mut self) -> &mut Vec<String>;

    /// The ARN of its permissions boundary. Groups have none.
    fn boundary(&self) -> Option<&str>;

    /// Refuses changes to the role of a service.
    ///
    /// # Errors
    /// `UnmodifiableEntity`.
    fn check_unprotected(&self) -> Result<()> {
        Ok(())
    }
}

/// The names of an entity: one that stays and one that people use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The account it belongs to.
    pub(crate) account: String,
    /// Its unique id.
    pub(crate) id: String,
    /// Its path, which begins and ends with a slash.
    pub(crate) path: String,
    /// Its name in the letter case it was given.
    pub(crate) name: String,
}

impl Identity {
    /// The names of something new, at the root if no path is given.
    pub(crate) fn new(prefix: Prefix, account: &str, path: Option<String>, name: String) -> Self {
        Self {
            account: account.to_owned(),
            id: unique_id::generate(prefix),
            path: path.unwrap_or_else(|| name::ROOT_PATH.to_owned()),
            name,
        }
    }
}

/// Leads from a name to a unique id.
#[derive(Serialize, Deserialize)]
struct NameEntry {
    id: String,
}

impl Record for NameEntry {
    const COLLECTION: &'static str = "iam.name";
}

fn names_of(kind: Kind, account: &str) -> String {
    format!("{account}/{kind}")
}

/// The entity that bears `name`, in this letter case.
pub(crate) fn find<E: Entity>(tx: &ReadTx<'_>, account: &str, name: &str) -> Result<Option<E>, StoreError> {
    let Some(entry) = tx.get::<NameEntry>(&names_of(E::KIND, account), &name::folded(name))? else { return Ok(None) };
    let found = tx.get::<E>(account, &entry.id)?;
    Ok(found.filter(|entity| entity.identity().name == name))
}

/// The entity that bears `name`.
///
/// # Errors
/// `NoSuchEntity`.
pub(crate) fn load<E: Entity>(tx: &ReadTx<'_>, account: &str, name: &str) -> Result<E> {
    find(tx, account, name)?.ok_or_else(|| IamError::NoSuchEntity { kind: E::KIND, name: name.to_owned() })
}

/// The entity as it is now, for a change that was allowed on what it was a moment ago.
///
/// # Errors
/// `NoSuchEntity`, when it was deleted meanwhile.
pub(crate) fn reload<E: Entity>(tx: &ReadTx<'_>, known: &Identity) -> Result<E> {
    tx.get::<E>(&known.account, &known.id)?
        .ok_or_else(|| IamError::NoSuchEntity { kind: E::KIND, name: known.name.clone() })
}

/// Adds an entity whose name must be free.
///
/// # Errors
/// `EntityAlreadyExists`.
pub(crate) fn insert<E: Entity>(tx: &mut Tx<'_>, entity: &E) -> Result<()> {
    let Identity { account, id, name, .. } = entity.identity();
    take_name(tx, E::KIND, account, name, id)?;
    Ok(tx.insert(account, id, entity)?)
}

/// Writes a changed entity whose name is the same.
pub(crate) fn put<E: Entity>(tx: &mut Tx<'_>, entity: &E) -> Result<()> {
    let Identity { account, id, .. } = entity.identity();
    Ok(tx.put(account, id, entity)?)
}

/// Gives an entity another name, path or both.
///
/// # Errors
/// `EntityAlreadyExists`.
pub(crate) fn rename<E: Entity>(
    tx: &mut Tx<'_>,
    entity: &mut E,
    path: Option<String>,
    name: Option<String>,
) -> Result<()> {
    if let Some(new) = name {
        let Identity { account, id, name: old, .. } = entity.identity().clone();
        // Another letter case of the same name is no conflict with itself.
        if name::folded(&new) != name::folded(&old) {
            take_name(tx, E::KIND, &account, &new, &id)?;
            tx.delete::<NameEntry>(&names_of(E::KIND, &account), &name::folded(&old))?;
        }
        entity.identity_mut().name = new;
    }
    if let Some(path) = path {
        entity.identity_mut().path = path;
    }
    put(tx, entity)
}

/// Removes an entity and frees its name.
pub(crate) fn delete<E: Entity>(tx: &mut Tx<'_>, entity: &E) -> Result<()> {
    let Identity { account, id, name, .. } = entity.identity();
    tx.delete::<NameEntry>(&names_of(E::KIND, account), &name::folded(name))?;
    tx.delete::<E>(account, id)?;
    Ok(())
}

/// The need of `action` on the entity called `name`, under the ARN that its name alone gives when there is none.
///
/// A refusal names it without its path, which would reveal to a stranger that the entity exists.
pub(crate) fn need<E: Entity>(action: &'static str, account: &str, name: &str, found: Option<&E>) -> Need<'static> {
    match found {
        Some(entity) => tag::on_resource(Need::identity(action, entity.arn().to_string()), entity.tags())
            .shown_as(shown(E::KIND, &entity.identity().name)),
        None => Need::identity(action, name::arn(E::KIND, account, name::ROOT_PATH, name).to_string())
            .shown_as(shown(E::KIND, name)),
    }
}

/// An entity's name in a refusal, as AWS writes it: `user ana`.
pub(crate) fn shown(kind: Kind, name: &str) -> String {
    format!("{} {name}", kind.as_words())
}

fn take_name(tx: &mut Tx<'_>, kind: Kind, account: &str, name: &str, id: &str) -> Result<()> {
    match tx.insert(&names_of(kind, account), &name::folded(name), &NameEntry { id: id.to_owned() }) {
        Ok(()) => Ok(()),
        Err(StoreError::Exists { .. }) => Err(match kind {
            Kind::Policy => IamError::PolicyExists { name: name.to_owned() },
            kind => IamError::EntityExists { kind, name: name.to_owned() },
        }),
        Err(error) => Err(error.into()),
    }
}
