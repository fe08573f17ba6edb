//! When access keys, users and roles were last used, and for what: noted in memory by each call, written to the store
//! now and then.
//!
//! A use is remembered to the minute, so that a key in constant use costs the hot path one comparison.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record, Store, StoreError, Tx};
use wire::Timestamp;

use crate::records::access_key::{self, AccessKey};
use crate::records::role::Role;
use crate::records::user::User;

/// The last use of an access key or of a role, under its id and the parent of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastUse {
    pub(crate) at: Timestamp,
    /// The service's name in the credential scope.
    pub(crate) service: String,
    pub(crate) region: String,
}

impl Record for LastUse {
    const COLLECTION: &'static str = "iam.access-key-use";
}

/// The last time that a user or role asked for an action, under its unique id and the action.
///
/// As in AWS, asking counts, whatever was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActionUse {
    pub(crate) action: String,
    pub(crate) at: Timestamp,
    pub(crate) region: String,
}

impl Record for ActionUse {
    const COLLECTION: &'static str = "iam.action-use";
}

/// A user or role, by its account and unique id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Actor {
    pub(crate) account: String,
    pub(crate) id: String,
}

/// The credential or role that is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Used {
    /// The access key with this id.
    AccessKey(String),
    /// A role, by its account and unique id.
    Role(String, String),
}

impl Used {
    fn place(&self) -> (&str, &str) {
        match self {
            Self::AccessKey(id) => (access_key::PARENT, id),
            Self::Role(account, id) => (account, id),
        }
    }

    /// Whether its record is still there.
    fn exists(&self, tx: &ReadTx<'_>) -> Result<bool, StoreError> {
        let (parent, id) = self.place();
        Ok(match self {
            Self::AccessKey(_) => tx.get::<AccessKey>(parent, id)?.is_some(),
            Self::Role(..) => tx.get::<Role>(parent, id)?.is_some(),
        })
    }
}

/// A call, as far as it is noted.
pub(crate) struct Use<'a> {
    pub(crate) action: &'static str,
    pub(crate) region: &'a str,
    pub(crate) at: Timestamp,
}

/// Uses that are not written yet.
#[derive(Default)]
pub(crate) struct LastUses {
    pending: Mutex<Pending>,
}

#[derive(Clone, Default)]
struct Pending {
    credentials: HashMap<Used, LastUse>,
    actions: HashMap<(Actor, &'static str), ActionUse>,
}

impl LastUses {
    /// Notes a use of a credential, and what its holder asked for.
    pub(crate) fn note(&self, call: &Use<'_>, used: Option<Used>, actor: Option<Actor>) {
        let Use { action, region, at } = *call;
        let service = action.split(':').next().unwrap_or_default();
        let mut pending = self.pending();
        if let Some(used) = used {
            let last = LastUse { at, service: service.to_owned(), region: region.to_owned() };
            // Calls end in another order than that in which they came.
            if pending.credentials.get(&used).is_none_or(|known| known.at <= at) {
                pending.credentials.insert(used, last);
            }
        }
        if let Some(actor) = actor {
            let last = ActionUse { action: action.to_owned(), at, region: region.to_owned() };
            let key = (actor, action);
            if pending.actions.get(&key).is_none_or(|known| known.at <= at) {
                pending.actions.insert(key, last);
            }
        }
    }

    /// The last use, written or not.
    pub(crate) async fn get(&self, store: &Store, used: Used) -> Result<Option<LastUse>, StoreError> {
        let pending = self.pending().credentials.get(&used).cloned();
        if pending.is_some() {
            return Ok(pending);
        }
        store
            .read(move |tx| {
                let (parent, id) = used.place();
                tx.get::<LastUse>(parent, id)
            })
            .await
    }

    /// Writes what was noted since the last time.
    pub(crate) async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let pending = self.pending().clone();
        if pending.credentials.is_empty() && pending.actions.is_empty() {
            return Ok(());
        }
        let written = pending.clone();
        store.write(move |tx| write(tx, &pending)).await?;
        let mut pending = self.pending();
        pending.credentials.retain(|used, last| written.credentials.get(used) != Some(last));
        pending.actions.retain(|used, last| written.actions.get(used) != Some(last));
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes uses of credentials and roles that still exist, unless another server has written a later one.
fn write(tx: &mut Tx<'_>, pending: &Pending) -> Result<(), StoreError> {
    let places: Vec<_> = pending.credentials.keys().map(Used::place).collect();
    tx.prefetch::<LastUse>(&places)?;
    let actors = || pending.actions.keys().map(|(actor, action)| (actor, &**action));
    let accounts: Vec<_> = actors().map(|(Actor { account, id }, _)| (&**account, &**id)).collect();
    tx.prefetch::<User>(&accounts)?;
    tx.prefetch::<Role>(&accounts)?;
    tx.prefetch::<ActionUse>(&actors().map(|(actor, action)| (&*actor.id, action)).collect::<Vec<_>>())?;
    for (used, last) in &pending.credentials {
        let (parent, id) = used.place();
        if used.exists(tx)? && tx.get::<LastUse>(parent, id)?.is_none_or(|known| known.at <= last.at) {
            tx.put(parent, id, last)?;
        }
    }
    for ((Actor { account, id }, action), last) in &pending.actions {
        let exists = tx.get::<User>(account, id)?.is_some() || tx.get::<Role>(account, id)?.is_some();
        if exists && tx.get::<ActionUse>(id, action)?.is_none_or(|known| known.at <= last.at) {
            tx.put(id, action, last)?;
        }
    }
    Ok(())
}

/// Forgets what a user or role did, which is deleted.
pub(crate) fn forget(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    for last in tx.all::<ActionUse>(id)? {
        tx.delete::<ActionUse>(id, &last.action)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::entity;
    use crate::values::name::ROOT_PATH;

    const ACCOUNT: &str = "111122223333";

    #[tokio::test]
    async fn a_use_that_is_written_late_replaces_no_later_one() {
        let store = Store::open_in_memory().expect("a store");
        let (key, user) = store
            .write(|tx| {
                let user = User::new(ACCOUNT, ROOT_PATH, "ana", Timestamp::from_millis(0));
                let key = AccessKey::new(ACCOUNT, Some(&user.identity.id), Timestamp::from_millis(0));
                tx.insert(access_key::PARENT, &key.id, &key)?;
                entity::insert(tx, &user)?;
                Ok::<_, crate::values::error::IamError>((key.id, user.identity.id))
            })
            .await
            .expect("made");
        let note = |uses: &LastUses, millis| {
            let call = Use { action: "kms:Encrypt", region: "us-east-1", at: Timestamp::from_millis(millis) };
            let actor = Actor { account: ACCOUNT.to_owned(), id: user.clone() };
            uses.note(&call, Some(Used::AccessKey(key.clone())), Some(actor));
        };
        // Two servers, of which each has seen one use; then one of them, whose calls end out of order.
        let (one, other) = (LastUses::default(), LastUses::default());
        for (expect, noted) in [(9, [(&one, 5), (&other, 9)]), (12, [(&one, 12), (&one, 11)])] {
            noted.into_iter().for_each(|(uses, millis)| note(uses, millis));
            other.flush(&store).await.expect("written");
            one.flush(&store).await.expect("written");
            let (key, user) = (key.clone(), user.clone());
            let last = store.read(move |tx| {
                let of_key = tx.get::<LastUse>(access_key::PARENT, &key)?.expect("used");
                let of_user = tx.get::<ActionUse>(&user, "kms:Encrypt")?.expect("used");
                Ok::<_, StoreError>((of_key.at.millis(), of_user.at.millis()))
            });
            assert_eq!(last.await.expect("read"), (expect, expect));
        }
    }
}
