//! Named 256-bit keys, wrapped under the root key and made when first asked for.
//!
//! A row is `root key id (8) ‖ sealed(key (32) ‖ name)`; its place is a MAC of the name. Both keys that this takes
//! are derived from the root key, so that nothing in the database opens a key.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crypto::{HmacKey, Key256, SecretBytes, kdf, sealed};

use crate::engine::{self, Blind, Engine, Read, RowKey, read_blocking, write_blocking};
use crate::transaction::Transaction;
use crate::vault::truncate;
use crate::{Location, RootKey, RootKeyId, StoreError};

/// The collection of the wrapped keys.
pub(crate) const COLLECTION: &str = "keyring";

/// The key that records are sealed under.
pub(crate) const RECORD: &str = "record";

/// The key that names are blinded under.
pub(crate) const BLIND: &str = "blind";

/// Which root key wraps the keys, as the database itself says.
const META_ROOT: &str = "root key id";

/// All keys stand under one parent.
const PARENT: Blind = [0; 16];

const BATCH: usize = 1000;

/// The keyring of a store.
pub struct Keyring {
    db: Arc<dyn Engine>,
    location: Location,
    wrappings: Arc<Wrappings>,
    unwrapped: Arc<RwLock<HashMap<String, Arc<Key256>>>>,
}

impl Keyring {
    pub(crate) fn open(db: Arc<dyn Engine>, location: &Location, root: &RootKey) -> Result<Self, StoreError> {
        let wrapping = Arc::new(Wrapping::new(root));
        let (given, location) = (root.id(), location.clone());
        // Reading first keeps an ordinary start free of a commit.
        let stored = match read_blocking(&*db, |tx| tx.meta(META_ROOT))? {
            Some(stored) => stored,
            None => write_blocking(&*db, Self::claim(&wrapping))?,
        };
        let stored = root_key_id(&stored)?;
        if stored != given {
            return Err(StoreError::WrongRootKey { database: location, stored, given });
        }
        let wrappings = Arc::new(Wrappings(RwLock::new(vec![wrapping])));
        Ok(Self { db, location, wrappings, unwrapped: Arc::default() })
    }

    /// Puts a new database under the root key and makes the keys that every store needs, in one commit.
    fn claim(
        wrapping: &Arc<Wrapping>,
    ) -> impl FnOnce(&Transaction<'_>) -> Result<Vec<u8>, StoreError> + Send + 'static {
        let wrapping = Arc::clone(wrapping);
        move |tx| {
            if let Some(stored) = tx.meta(META_ROOT)? {
                return Ok(stored);
            }
            for name in [RECORD, BLIND] {
                wrapping.put(tx, name, &Key256::random())?;
            }
            let id = wrapping.root.to_bytes();
            tx.set_meta(META_ROOT, &id)?;
            Ok(id.to_vec())
        }
    }

    /// The key called `name`, made and made durable if there is none yet.
    ///
    /// # Errors
    /// Those of reading and writing; [`StoreError::NotAuthentic`] when the row was changed.
    pub async fn key(&self, name: &str) -> Result<Arc<Key256>, StoreError> {
        if let Some(key) = self.peek(name) {
            return Ok(key);
        }
        let key = engine::write(&*self.db, self.get_or_make(name)).await?;
        Ok(self.remember(name, key))
    }

    /// The key called `name` if it has been used since the store was opened.
    #[must_use]
    pub fn peek(&self, name: &str) -> Option<Arc<Key256>> {
        self.unwrapped.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The key called `name`, if there is one.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`] when the row was changed.
    pub async fn existing(&self, name: &str) -> Result<Option<Arc<Key256>>, StoreError> {
        if let Some(key) = self.peek(name) {
            return Ok(Some(key));
        }
        let (db, wrappings, wanted) = (Arc::clone(&self.db), Arc::clone(&self.wrappings), name.to_owned());
        let read = tokio::task::spawn_blocking(move || read_blocking(&*db, |tx| wrappings.of(tx)?.get(tx, &wanted)));
        let key = read.await.unwrap_or(Err(StoreError::Panicked))?;
        Ok(key.map(|key| self.remember(name, key)))
    }

    /// Removes the key called `name`, durably. What is sealed under it never opens again.
    ///
    /// # Errors
    /// Those of writing.
    pub async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let (wrappings, unwanted) = (Arc::clone(&self.wrappings), name.to_owned());
        let remove = move |tx: &Transaction<'_>| tx.delete(row(&wrappings.of(tx)?.id(&unwanted))).map(|_| ());
        engine::write(&*self.db, remove).await?;
        self.unwrapped.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }

    /// The names of all keys, sorted.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`].
    pub async fn names(&self) -> Result<Vec<String>, StoreError> {
        let (db, wrappings) = (Arc::clone(&self.db), Arc::clone(&self.wrappings));
        let read = tokio::task::spawn_blocking(move || read_blocking(&*db, |tx| names(tx, &wrappings)));
        read.await.unwrap_or(Err(StoreError::Panicked))
    }

    pub(crate) fn names_blocking(&self) -> Result<Vec<String>, StoreError> {
        read_blocking(&*self.db, |tx| names(tx, &self.wrappings))
    }

    /// A key that is there since the database was claimed. A new one in its place would open nothing.
    pub(crate) fn first_key(&self, name: &str) -> Result<Arc<Key256>, StoreError> {
        let key = read_blocking(&*self.db, |tx| self.wrappings.of(tx)?.get(tx, name))?.ok_or_else(refused)?;
        Ok(self.remember(name, key))
    }

    fn get_or_make(&self, name: &str) -> impl FnOnce(&Transaction<'_>) -> Result<Key256, StoreError> + Send + 'static {
        let (wrappings, name) = (Arc::clone(&self.wrappings), name.to_owned());
        move |tx| {
            let wrapping = wrappings.of(tx)?;
            match wrapping.get(tx, &name)? {
                Some(key) => Ok(key),
                None => {
                    let key = Key256::random();
                    wrapping.put(tx, &name, &key)?;
                    Ok(key)
                }
            }
        }
    }

    /// Moves every key from the root key `old` to `new`, in one transaction, while the store is in use. Does nothing
    /// where that is done already. Blocks.
    ///
    /// # Errors
    /// [`StoreError::WrongRootKey`] when the database is under neither; those of writing.
    pub fn rewrap(&self, old: &RootKey, new: &RootKey) -> Result<(), StoreError> {
        self.wrappings.begin(new);
        rewrap_in(&*self.db, &self.location, old, new)?;
        self.wrappings.end(new);
        Ok(())
    }

    fn remember(&self, name: &str, key: Key256) -> Arc<Key256> {
        let mut unwrapped = self.unwrapped.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(unwrapped.entry(name.to_owned()).or_insert_with(|| Arc::new(key)))
    }
}

fn names(tx: &dyn Read, wrappings: &Wrappings) -> Result<Vec<String>, StoreError> {
    let mut names: Vec<String> = wrappings.of(tx)?.all(tx)?.into_iter().map(|(_, name, _)| name).collect();
    names.sort_unstable();
    Ok(names)
}

/// Moves every key of the database at `location` from the root key `old` to `new`, in one transaction. Does nothing where
/// that is done already. No store may be open on the database.
///
/// # Errors
/// [`StoreError::WrongRootKey`] when the database is under neither; those of [`Store::open`](crate::Store::open).
pub fn rewrap(location: impl Into<Location>, old: &RootKey, new: &RootKey) -> Result<(), StoreError> {
    let location = location.into();
    let db = engine::open(&location)?;
    // The ledger has to follow, and its key is under the root key that the database is under.
    if let Some(stored) = read_blocking(&*db, |tx| tx.meta(META_ROOT))? {
        let current = if root_key_id(&stored)? == new.id() { new } else { old };
        let keyring = Keyring::open(Arc::clone(&db), &location, current)?;
        crate::store::follow(&db, &*keyring.first_key(RECORD)?)?;
    }
    rewrap_in(&*db, &location, old, new)?;
    // The log still has the keys as they were wrapped before.
    db.checkpoint()
}

pub(crate) fn rewrap_in(db: &dyn Engine, location: &Location, old: &RootKey, new: &RootKey) -> Result<(), StoreError> {
    let (database, old, new) = (location.clone(), old.duplicate(), new.duplicate());
    write_blocking(db, move |tx| {
        // A database that nobody has opened yet is under no root key.
        let Some(stored) = tx.meta(META_ROOT)? else { return Ok(()) };
        let stored = root_key_id(&stored)?;
        if stored == new.id() {
            return Ok(());
        }
        if stored != old.id() {
            return Err(StoreError::WrongRootKey { database, stored, given: old.id() });
        }
        let (from, to) = (Wrapping::new(&old), Wrapping::new(&new));
        for (id, name, key) in from.all(tx)? {
            tx.delete(row(&id))?;
            to.put(tx, &name, &key)?;
        }
        tx.set_meta(META_ROOT, &new.id().to_bytes())
    })
}

/// The root keys that the rows may be under: one, and two while a rotation is under way.
///
/// Transactions of one commit see each other's changes, and a commit may fail after they did. So which root key it is,
/// each transaction asks the database.
struct Wrappings(RwLock<Vec<Arc<Wrapping>>>);

impl Wrappings {
    fn of(&self, tx: &dyn Read) -> Result<Arc<Wrapping>, StoreError> {
        let root = root_key_id(&tx.meta(META_ROOT)?.ok_or_else(refused)?)?;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|wrapping| wrapping.root == root).cloned().ok_or_else(refused)
    }

    fn begin(&self, new: &RootKey) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|wrapping| wrapping.root == new.id()) {
            known.push(Arc::new(Wrapping::new(new)));
        }
    }

    fn end(&self, new: &RootKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retain(|wrapping| wrapping.root == new.id());
    }
}

/// The keys derived from a root key, which name and wrap the keyring's rows.
struct Wrapping {
    root: RootKeyId,
    wrap: Key256,
    index: HmacKey,
}

impl Wrapping {
    fn new(root: &RootKey) -> Self {
        Self {
            root: root.id(),
            wrap: kdf::derive(root.key(), b"sealstack keyring wrap", &[]),
            index: HmacKey::new(kdf::derive(root.key(), b"sealstack keyring index", &[]).expose()),
        }
    }

    fn id(&self, name: &str) -> Blind {
        truncate(&self.index.sign(&[name.as_bytes()]))
    }

    fn get(&self, tx: &dyn Read, name: &str) -> Result<Option<Key256>, StoreError> {
        let id = self.id(name);
        let Some(value) = tx.get(row(&id))? else { return Ok(None) };
        let (found, key) = self.unwrap(&id, &value)?;
        if found == name { Ok(Some(key)) } else { Err(refused()) }
    }

    fn put(&self, tx: &Transaction<'_>, name: &str, key: &Key256) -> Result<(), StoreError> {
        let id = self.id(name);
        let mut plaintext = SecretBytes::with_capacity(32 + name.len());
        plaintext.extend(key.expose());
        plaintext.extend(name.as_bytes());
        let mut value = self.root.to_bytes().to_vec();
        value.extend(sealed::seal(&self.wrap, &self.associated(&id), plaintext.expose()));
        if tx.insert(row(&id), &value)? { Ok(()) } else { Err(refused()) }
    }

    fn all(&self, tx: &dyn Read) -> Result<Vec<(Blind, String, Key256)>, StoreError> {
        let mut all = Vec::new();
        let mut after: Option<Blind> = None;
        loop {
            let rows = tx.page(COLLECTION, &PARENT, after.as_ref(), BATCH)?;
            let Some(last) = rows.last() else { return Ok(all) };
            after = Some(last.id);
            for row in rows {
                let (name, key) = self.unwrap(&row.id, &row.value)?;
                all.push((row.id, name, key));
            }
        }
    }

    fn unwrap(&self, id: &Blind, value: &[u8]) -> Result<(String, Key256), StoreError> {
        let (root, wrapped) = value.split_first_chunk::<8>().ok_or_else(refused)?;
        if *root != self.root.to_bytes() {
            return Err(refused());
        }
        let plaintext = sealed::open(&self.wrap, &self.associated(id), wrapped).map_err(|_| refused())?;
        let (key, name) = plaintext.expose().split_first_chunk::<32>().ok_or_else(refused)?;
        let key = Key256::from_slice(key).map_err(|_| refused())?;
        Ok((std::str::from_utf8(name).map_err(|_| refused())?.to_owned(), key))
    }

    fn associated(&self, id: &Blind) -> Vec<u8> {
        [COLLECTION.as_bytes(), &[0], &self.root.to_bytes(), id].concat()
    }
}

fn row(id: &Blind) -> RowKey<'_> {
    RowKey { collection: COLLECTION, parent: &PARENT, id }
}

fn root_key_id(stored: &[u8]) -> Result<RootKeyId, StoreError> {
    stored.try_into().map(RootKeyId::from_bytes).map_err(|_| refused())
}

fn refused() -> StoreError {
    StoreError::NotAuthentic { collection: COLLECTION.to_owned() }
}

#[cfg(test)]
mod tests;
