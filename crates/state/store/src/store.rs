//! The store as its users see it: opened under a root key, written and read in typed transactions.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot};

use crate::changes::{Touched, Watch, Watchers};
pub use crate::db::WriteCounts;
use crate::db::{self, Blind, Db, RowKey, Task, read_blocking};
use crate::keyring::{self, Keyring};
use crate::record::{ReadTx, Record, Tx};
use crate::sqlite::Sqlite;
use crate::vault::Vault;
use crate::{RootKey, StoreError};

/// How many writes may wait for the writer before further ones wait to join them.
const WRITES_WAITING_MAX: usize = 1024;

/// How many reads run at once; each has a connection and, while it runs, a thread.
const READS_AT_ONCE: usize = 4;

/// How many changes or rows are read at once.
const BATCH: usize = 1000;

/// What a check found in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How many records there are.
    pub records: u64,
    /// How many keys the keyring holds.
    pub keys: u64,
}

/// Sealed records on disk. Clones share one database; the last one dropped closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Arc<dyn Db>,
    vault: Arc<Vault>,
    watchers: Arc<Watchers>,
    keyring: Keyring,
    writes: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

impl Store {
    /// Opens the database at `path`, or makes it, under the root key that it was or will be sealed with. Blocks for
    /// some milliseconds.
    ///
    /// # Errors
    /// [`StoreError::WrongRootKey`], [`StoreError::Corrupt`], [`StoreError::Foreign`], [`StoreError::NewerSchema`],
    /// [`StoreError::Denied`], [`StoreError::Full`], [`StoreError::Busy`], [`StoreError::Io`].
    pub fn open(path: &Path, root: &RootKey) -> Result<Self, StoreError> {
        Self::over(Arc::new(Sqlite::open(path)?), path, root)
    }

    /// A store that lasts as long as its last clone, under a root key of its own.
    ///
    /// # Errors
    /// [`StoreError::Engine`].
    pub fn open_in_memory() -> Result<Self, StoreError> {
        Self::over(Arc::new(Sqlite::in_memory()?), &PathBuf::from("in memory"), &RootKey::random())
    }

    pub(crate) fn over(db: Arc<dyn Db>, path: &Path, root: &RootKey) -> Result<Self, StoreError> {
        let keyring = Keyring::open(Arc::clone(&db), path, root)?;
        let vault = Arc::new(Vault::new(keyring.first_key(keyring::RECORD)?, &*keyring.first_key(keyring::BLIND)?));
        Ok(Self {
            inner: Arc::new(Inner {
                db,
                vault,
                watchers: Arc::default(),
                keyring,
                writes: Arc::new(Semaphore::new(WRITES_WAITING_MAX)),
                reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
            }),
        })
    }

    /// Runs `change` as one atomic transaction and returns once it is durable and every cache has heard of it.
    ///
    /// Transactions run one after another, each on what the former left; several may share one commit. An error or a
    /// panic undoes this transaction alone. Once queued it runs even if the caller stops waiting. `change` must be
    /// quick and must not wait for anything.
    ///
    /// # Errors
    /// Those of `change`; and of the commit, after which nothing of the change is visible.
    pub async fn write<T, E>(&self, change: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Inner { db, vault, watchers, writes, .. } = &*self.inner;
        let permit = Arc::clone(writes).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let (vault, watchers) = (Arc::clone(vault), Arc::clone(watchers));
        let work = move |tx: &dyn db::Write| -> Result<(T, Vec<Touched>), E> {
            let mut tx = Tx::new(tx, &vault);
            let value = change(&mut tx)?;
            Ok((value, tx.finish()?))
        };
        db.submit(Box::new(Task::new(work, move |result: Result<(T, Vec<Touched>), E>| {
            let result = result.map(|(value, touched)| {
                watchers.changed(&touched);
                value
            });
            drop(permit);
            // The caller may have stopped waiting.
            let _ = answer.send(result);
        })));
        answered.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Runs `query` on one snapshot.
    ///
    /// # Errors
    /// Those of `query`; [`StoreError::Busy`], [`StoreError::Corrupt`], [`StoreError::Io`].
    pub async fn read<T, E>(&self, query: impl FnOnce(&ReadTx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.inner.reads).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (db, vault) = (Arc::clone(&self.inner.db), Arc::clone(&self.inner.vault));
        let read = tokio::task::spawn_blocking(move || {
            let result = read_blocking(&*db, |tx| query(&ReadTx::new(tx, &vault)));
            drop(permit);
            result
        });
        read.await.unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    /// The keys that are wrapped under the root key.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.inner.keyring
    }

    /// Tells `watch` of every change to records of `R` before the change is acknowledged, for as long as it lives.
    pub fn watch<R: Record>(&self, watch: &Arc<dyn Watch>) {
        self.inner.watchers.add(R::COLLECTION, Arc::downgrade(watch));
    }

    /// The position of the changes feed now, to begin [`poll_changes`](Self::poll_changes) from.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn change_position(&self) -> Result<i64, StoreError> {
        self.read_db(|tx| Ok(tx.change_bounds()?.map_or(0, |(_, last)| last))).await
    }

    /// Tells the caches what other processes changed since the position `after`, and returns the new position.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`].
    pub async fn poll_changes(&self, after: i64) -> Result<i64, StoreError> {
        let mut position = after;
        loop {
            let (first, changes) = self
                .read_db(move |tx| Ok((tx.change_bounds()?.map(|(first, _)| first), tx.changes(position, BATCH)?)))
                .await?;
            // Older changes than the feed still has were missed.
            if first.is_some_and(|first| first > position.saturating_add(1)) {
                self.inner.watchers.all_changed();
            }
            let Some(last) = changes.last() else { return Ok(position) };
            position = last.seq;
            let mut touched = Vec::with_capacity(changes.len());
            for change in &changes {
                let (parent, id) = self.inner.vault.open_name(&change.collection, &change.key)?;
                touched.push(Touched { collection: change.collection.clone(), parent, id });
            }
            self.inner.watchers.changed(&touched);
        }
    }

    /// Examines the database's structure, opens every record and change, and unwraps every key. Blocks, and takes its time.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::NotAuthentic`]; those of reading.
    pub fn check(&self) -> Result<CheckReport, StoreError> {
        let Inner { db, vault, keyring, .. } = &*self.inner;
        db.check()?;
        let keys = keyring.names_blocking()?.len() as u64;
        let records = read_blocking::<_, StoreError>(&**db, |tx| {
            let mut records = 0;
            for collection in tx.collections()?.iter().filter(|collection| *collection != keyring::COLLECTION) {
                let mut after: Option<(Blind, Blind)> = None;
                loop {
                    let rows = tx.scan(collection, after.as_ref().map(|(parent, id)| (parent, id)), BATCH)?;
                    for row in &rows {
                        vault.open_bytes(RowKey { collection, parent: &row.parent, id: &row.id }, &row.value)?;
                        records += 1;
                    }
                    match rows.last() {
                        Some(row) => after = Some((row.parent, row.id)),
                        None => break,
                    }
                }
            }
            let mut position = i64::MIN;
            loop {
                let changes = tx.changes(position, BATCH)?;
                for change in &changes {
                    vault.open_name(&change.collection, &change.key)?;
                }
                match changes.last() {
                    Some(change) => position = change.seq,
                    None => return Ok(records),
                }
            }
        })?;
        Ok(CheckReport { records, keys })
    }

    /// Moves all that is committed into the main file and empties the log, in which removed records otherwise last a
    /// while. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::Full`], [`StoreError::Io`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.inner.db.checkpoint()
    }

    /// How much the writer has done since the store was opened.
    #[must_use]
    pub fn write_counts(&self) -> WriteCounts {
        self.inner.db.counts()
    }

    async fn read_db<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn db::Read) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let db = Arc::clone(&self.inner.db);
        let read = tokio::task::spawn_blocking(move || read_blocking(&*db, query));
        read.await.unwrap_or(Err(StoreError::Panicked))
    }
}

#[cfg(test)]
pub(crate) mod tests;
