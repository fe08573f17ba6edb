//! Caches of decoded records that the hot path reads instead of the database.
//!
//! INVARIANT: a lookup that starts after a write was acknowledged never sees what the write replaced. The writer
//! invalidates before it acknowledges; and a lookup that read the database before an invalidation is prevented from
//! filling in what it read afterwards: it notes its shard's generation first, and each invalidation moves it on.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::Equivalent;

use crate::changes::Watch;
use crate::{ReadTx, Record, Store, StoreError};

/// How many groups of keys have a generation each, so that a write disturbs few of the loads that are under way.
const SHARDS: usize = 64;

#[derive(PartialEq, Eq, Hash)]
struct Key {
    parent: Box<str>,
    id: Box<str>,
}

/// Borrowed twin of [`Key`]: hashes alike, costs nothing to make.
#[derive(Hash)]
struct KeyRef<'a> {
    parent: &'a str,
    id: &'a str,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.parent == *key.parent && *self.id == *key.id
    }
}

/// The entries and the generations that guard their filling.
struct Entries<T> {
    cached: quick_cache::sync::Cache<Key, T>,
    generations: [Mutex<u64>; SHARDS],
    hasher: RandomState,
    /// Whether an entry stands for all of a parent's records, its id being empty.
    by_parent: bool,
}

impl<T: Clone> Entries<T> {
    fn new(capacity: usize, by_parent: bool) -> Self {
        Self {
            cached: quick_cache::sync::Cache::new(capacity),
            generations: [const { Mutex::new(0) }; SHARDS],
            hasher: RandomState::new(),
            by_parent,
        }
    }

    fn get(&self, parent: &str, id: &str) -> Option<T> {
        self.cached.get(&KeyRef { parent, id })
    }

    fn generation(&self, parent: &str, id: &str) -> MutexGuard<'_, u64> {
        let hash = self.hasher.hash_one(KeyRef { parent, id });
        let shard = usize::try_from(hash % SHARDS as u64).unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "a remainder is below its divisor")]
        self.generations[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills in a value that was read at `generation`, unless it may be out of date by now.
    fn fill(&self, parent: &str, id: &str, generation: u64, value: T) {
        let current = self.generation(parent, id);
        if *current == generation {
            self.cached.insert(Key { parent: parent.into(), id: id.into() }, value);
        }
    }
}

impl<T: Clone + Send + Sync> Watch for Entries<T> {
    fn changed(&self, parent: &str, id: &str) {
        let id = if self.by_parent { "" } else { id };
        let mut generation = self.generation(parent, id);
        *generation = generation.wrapping_add(1);
        self.cached.remove(&KeyRef { parent, id });
    }

    fn all_changed(&self) {
        for generation in &self.generations {
            let mut generation = generation.lock().unwrap_or_else(PoisonError::into_inner);
            *generation = generation.wrapping_add(1);
        }
        self.cached.clear();
    }
}

/// Reads and decodes what an entry stands for, by parent and id.
type Load<T> = dyn Fn(&ReadTx<'_>, &str, &str) -> Result<T, StoreError> + Send + Sync;

/// The parts of both kinds of cache: entries, and how a missing one is read.
struct Loading<T> {
    entries: Arc<Entries<T>>,
    store: Store,
    load: Arc<Load<T>>,
}

impl<T: Clone + Send + Sync + 'static> Loading<T> {
    fn new<R: Record>(
        store: &Store,
        capacity: usize,
        by_parent: bool,
        load: impl Fn(&ReadTx<'_>, &str, &str) -> Result<T, StoreError> + Send + Sync + 'static,
    ) -> Self {
        let entries = Arc::new(Entries::new(capacity, by_parent));
        let watch: Arc<dyn Watch> = entries.clone();
        store.watch::<R>(&watch);
        Self { entries, store: store.clone(), load: Arc::new(load) }
    }

    async fn load(&self, parent: &str, id: &str) -> Result<T, StoreError> {
        // Before the snapshot is taken: whatever commits from here on moves the generation on.
        let generation = *self.entries.generation(parent, id);
        let (load, name) = (Arc::clone(&self.load), (parent.to_owned(), id.to_owned()));
        let value = self.store.read(move |tx| load(tx, &name.0, &name.1)).await?;
        self.entries.fill(parent, id, generation, value.clone());
        Ok(value)
    }
}

/// Decoded records of one type, by parent and id. That a record is missing is remembered as well.
pub struct Cache<V>(Loading<Option<Arc<V>>>);

impl<V: Send + Sync + 'static> Cache<V> {
    /// A cache of at most about `capacity` records, decoded once when loaded.
    #[must_use]
    pub fn new<R: Record>(store: &Store, capacity: usize, decode: impl Fn(R) -> V + Send + Sync + 'static) -> Self {
        Self(Loading::new::<R>(store, capacity, false, move |tx, parent, id| {
            Ok(tx.get::<R>(parent, id)?.map(|record| Arc::new(decode(record))))
        }))
    }

    /// The record `id` of `parent`, from the cache or the store.
    ///
    /// # Errors
    /// Those of [`Store::read`]. They are not remembered.
    pub async fn get(&self, parent: &str, id: &str) -> Result<Option<Arc<V>>, StoreError> {
        match self.peek(parent, id) {
            Some(known) => Ok(known),
            // Boxed, so that a call that finds what it needs does not carry the room for reading it.
            None => Box::pin(self.0.load(parent, id)).await,
        }
    }

    /// The record if it is cached: `Some(None)` when it is known to be missing, `None` when nothing is known.
    #[must_use]
    pub fn peek(&self, parent: &str, id: &str) -> Option<Option<Arc<V>>> {
        self.0.entries.get(parent, id)
    }
}

/// All the records of one type under a parent, decoded together.
pub struct ListCache<V>(Loading<Arc<V>>);

impl<V: Send + Sync + 'static> ListCache<V> {
    /// A cache of at most about `capacity` parents; `decode` takes all of a parent's records, of which there may be none.
    #[must_use]
    pub fn new<R: Record>(
        store: &Store,
        capacity: usize,
        decode: impl Fn(Vec<R>) -> V + Send + Sync + 'static,
    ) -> Self {
        Self(Loading::new::<R>(store, capacity, true, move |tx, parent, _| Ok(Arc::new(decode(tx.all::<R>(parent)?)))))
    }

    /// The decoded records of `parent`, from the cache or the store.
    ///
    /// # Errors
    /// Those of [`Store::read`]. They are not remembered.
    pub async fn get(&self, parent: &str) -> Result<Arc<V>, StoreError> {
        match self.peek(parent) {
            Some(known) => Ok(known),
            None => Box::pin(self.0.load(parent, "")).await,
        }
    }

    /// The decoded records of `parent`, if they are cached.
    #[must_use]
    pub fn peek(&self, parent: &str) -> Option<Arc<V>> {
        self.0.entries.get(parent, "")
    }
}

#[cfg(test)]
mod tests;
