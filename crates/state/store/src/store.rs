//! The store as its users see it: opened under a root key, written and read in typed transactions.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::Arc;

use crypto::Key256;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::changes::{Watch, Watchers};
pub use crate::engine::WriteCounts;
use crate::engine::{self, Blind, Engine, Read, RowKey, Task, Work, Worked, read_blocking, returned};
use crate::keyring::{self, Keyring};
use crate::ledger::{Ledger, Standing};
use crate::outbox::Outlet;
use crate::record::{ReadTx, Record, Tx};
use crate::space::{Position, Space, Spaces};
use crate::transaction::Transaction;
use crate::vault::Vault;
use crate::{Location, RootKey, StoreError, index};

/// How many writes may wait for the writer before further ones wait to join them.
const WRITES_WAITING_MAX: usize = 1024;

/// How many reads run at once; each has a connection and, while it runs, a thread.
const READS_AT_ONCE: usize = 4;

/// How many rows are read at once.
const BATCH: usize = 1000;

/// How many batches of events are read at once.
const EVENT_BATCHES: usize = 16;

/// Counts of a check that found everything in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How many records there are.
    pub records: u64,
    /// How many keys the keyring has.
    pub keys: u64,
    /// How many ordered indexes there are.
    pub indexes: u64,
    /// How many entries they have.
    pub entries: u64,
}

/// Sealed records on disk. Clones share one database; the last one dropped closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Arc<dyn Engine>,
    vault: Arc<Vault>,
    ledger: Arc<Ledger>,
    watchers: Arc<Watchers>,
    keyring: Keyring,
    writes: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

impl Store {
    /// Opens the database at `location`, or makes it, under the root key that it was or will be sealed with. Blocks for
    /// some milliseconds.
    ///
    /// # Errors
    /// [`StoreError::WrongRootKey`], [`StoreError::Corrupt`], [`StoreError::Foreign`], [`StoreError::NewerSchema`],
    /// [`StoreError::Denied`], [`StoreError::Full`], [`StoreError::Busy`], [`StoreError::Io`].
    pub fn open(location: impl Into<Location>, root: &RootKey) -> Result<Self, StoreError> {
        let location = location.into();
        Self::over(engine::open(&location)?, &location, root)
    }

    /// A store that lasts as long as its last clone, under a root key of its own.
    ///
    /// # Errors
    /// [`StoreError::Engine`].
    pub fn open_in_memory() -> Result<Self, StoreError> {
        Self::open(Location::Memory, &RootKey::random())
    }

    pub(crate) fn over(db: Arc<dyn Engine>, location: &Location, root: &RootKey) -> Result<Self, StoreError> {
        let keyring = Keyring::open(Arc::clone(&db), location, root)?;
        let record = keyring.first_key(keyring::RECORD)?;
        let ledger = follow(&db, &record)?;
        let vault = Arc::new(Vault::new(record, &*keyring.first_key(keyring::BLIND)?));
        Ok(Self {
            inner: Arc::new(Inner {
                db,
                vault,
                ledger,
                watchers: Arc::default(),
                keyring,
                writes: Arc::new(Semaphore::new(WRITES_WAITING_MAX)),
                reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
            }),
        })
    }

    /// Runs `change` as one atomic transaction and returns once it is durable and every cache was notified. For what
    /// the audit trail does not record, such as upkeep; what somebody asked for goes through
    /// [`write_recorded`](Self::write_recorded).
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
        self.write_in(Space::MAIN.into(), change).await
    }

    /// Runs `change` as [`write`](Self::write) does, in any of `spaces`: it goes from one to another by
    /// [`Tx::enter`]. Each space that it changes has its version increased by the commit.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub async fn write_in<T, E>(
        &self,
        spaces: Spaces,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let vault = Arc::clone(&self.inner.vault);
        let work = move |tx: &Transaction<'_>| {
            let mut tx = Tx::new(tx, &vault, spaces);
            let result = change(&mut tx).and_then(|value| Ok((value, tx.finish()?)));
            Worked::new::<T, E>(result)
        };
        self.inner.submit(Box::new(work)).await?.returned()
    }

    /// Runs `change` as [`write`](Self::write) does, and records the `event` of its value in the same transaction if it
    /// writes anything: if the change is there, so is its record, whatever happens. Returns with the value whether it was
    /// recorded.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub async fn write_recorded<T, E>(
        &self,
        event: impl FnOnce(&T) -> Vec<u8> + Send + 'static,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, bool), E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let recorded = move |tx: &mut Tx<'_>| {
            let value = change(tx)?;
            let writes = tx.writes();
            if writes {
                tx.record(&event(&value))?;
            }
            Ok((value, writes))
        };
        self.write(recorded).await
    }

    /// Hands recorded events to `outlet` from now on, those that wait in the outbox first. Once for each open database.
    pub fn attach(&self, outlet: Arc<dyn Outlet>) {
        self.inner.db.attach(outlet);
        // Any turn of the writer offers what waits.
        self.inner.db.submit(Box::new(Task::new(engine::work(|_| Ok(())), drop)));
    }

    /// Offers waiting events to the outlet again, and removes those from the outbox that it has on its disk.
    ///
    /// # Errors
    /// Those of writing.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        self.write(|_| Ok(())).await
    }

    /// Where the database stands now: what anchors elsewhere are compared with. Blocks.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`].
    pub fn standing(&self) -> Result<Standing, StoreError> {
        let Inner { db, ledger, .. } = &*self.inner;
        Ok(read_blocking(&**db, |tx| ledger.read(tx))?.unwrap_or_default().standing)
    }

    /// The number of the first event that waits in the outbox, if any does. Blocks.
    ///
    /// # Errors
    /// Those of reading.
    pub fn first_waiting(&self) -> Result<Option<u64>, StoreError> {
        let Inner { db, ledger, .. } = &*self.inner;
        read_blocking(&**db, |tx| {
            let Some((last, batch)) = tx.events(0, 1)?.pop() else { return Ok(None) };
            Ok(ledger.open_events(last, &batch)?.first().map(|(number, _)| *number))
        })
    }

    /// Compares the digest of all rows with the one that the ledger has, on one snapshot. `pause` is called after each
    /// thousand rows, and may break it off. Blocks for as long as reading all rows takes.
    ///
    /// # Errors
    /// [`StoreError::RowsPutBack`] when they differ; those of reading.
    pub fn check_digest(&self, pause: impl FnMut() -> ControlFlow<()>) -> Result<(), StoreError> {
        let Inner { db, ledger, .. } = &*self.inner;
        read_blocking(&**db, |tx| {
            let standing = ledger.read(tx)?.unwrap_or_default().standing;
            match ledger.digest(tx, pause)? {
                Some(digest) if digest != standing.digest => Err(StoreError::RowsPutBack),
                _ => Ok(()),
            }
        })
    }

    /// Takes the rows as they are for what was written, and goes on behind the commit `version` if that is later, and
    /// behind the event `recorded`, the last that the outlet has: for an operator who accepts that something was put
    /// back. Records `event`.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub async fn accept(&self, version: u64, recorded: u64, event: Vec<u8>) -> Result<(), StoreError> {
        let ledger = Arc::clone(&self.inner.ledger);
        self.write_db(move |tx| {
            ledger.reset(tx, version, recorded)?;
            tx.record(&event)
        })
        .await
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
        let vault = Arc::clone(&self.inner.vault);
        let work = move |tx: &dyn Read| -> Box<dyn Any + Send> { Box::new(query(&ReadTx::new(tx, &vault))) };
        returned(self.inner.query(Box::new(work)).await?)
    }

    /// The keys that are wrapped under the root key.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.inner.keyring
    }

    /// Notifies `watch` of every change to records of `R` before the change is acknowledged, for as long as it lives.
    pub fn watch<R: Record>(&self, watch: &Arc<dyn Watch>) {
        self.inner.watchers.add(R::COLLECTION, Arc::downgrade(watch));
    }

    /// Notifies `watch` of every change to indexes, as of records whose parent is [`Indexed::NAME`](crate::Indexed::NAME)
    /// and whose id is the index's name.
    pub fn watch_indexes(&self, watch: &Arc<dyn Watch>) {
        self.inner.watchers.add(index::COLLECTION, Arc::downgrade(watch));
    }

    /// The position of the changes feed now, to begin [`poll_changes`](Self::poll_changes) from.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`].
    pub async fn change_position(&self) -> Result<Position, StoreError> {
        let ledger = Arc::clone(&self.inner.ledger);
        self.read_db(move |tx| Ok(Position(ledger.read(tx)?.unwrap_or_default().versions))).await
    }

    /// Drops from the caches what other processes changed since the position `after`, and returns the new position. When
    /// the feed does not say all that was changed, the caches drop everything.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`].
    pub async fn poll_changes(&self, after: &Position) -> Result<Position, StoreError> {
        let mut position = after.clone();
        for (space, version) in self.change_position().await?.0.iter() {
            while position.version(space) != version {
                let seen = position.version(space);
                let rows = self.read_db(move |tx| tx.feed(space, seen, BATCH)).await?;
                let rows = rows.into_iter().take_while(|(at, _)| *at <= version).collect::<Vec<_>>();
                position.0.set(space, self.follow_feed(space, seen, version, rows));
            }
        }
        Ok(position)
    }

    /// Drops from the caches what `rows` of a space's feed say, which come after the version `seen`. Returns the version up
    /// to which the caches are right then; `version` is the space's own.
    fn follow_feed(&self, space: Space, seen: u64, version: u64, rows: Vec<(u64, Vec<u8>)>) -> u64 {
        let Inner { ledger, watchers, .. } = &*self.inner;
        // Older commits than the feed still has were missed, or an older database was put in this one's place.
        if rows.first().map(|(first, _)| *first) != seen.checked_add(1) {
            watchers.all_changed();
            return version;
        }
        let (mut next, mut touched) = (seen, Vec::new());
        for (at, row) in rows {
            next = next.saturating_add(1);
            match ledger.feed.open(space, at, &row) {
                Ok(Some(names)) if at == next => touched.extend(names),
                Ok(None) if at == next => {
                    watchers.all_changed();
                }
                _ => {
                    tracing::error!(space = space.number(), at, "the changes feed is damaged: every cache is dropped");
                    watchers.all_changed();
                    next = at;
                }
            }
        }
        watchers.changed(&touched);
        next
    }

    /// Examines the database's structure, opens every record, event and change, walks every index, unwraps every key,
    /// and compares the digest of all rows. Blocks, and takes its time.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`], [`StoreError::NotAuthentic`], [`StoreError::RowsPutBack`]; those of reading.
    pub fn check(&self) -> Result<CheckReport, StoreError> {
        let Inner { db, vault, keyring, ledger, .. } = &*self.inner;
        db.check()?;
        let keys = keyring.names_blocking()?.len() as u64;
        let (records, found) = read_blocking::<_, StoreError>(&**db, |tx| {
            let found = index::check(tx, vault)?;
            let mut records = 0;
            let apart = [keyring::COLLECTION, index::COLLECTION];
            for collection in tx.collections()?.iter().filter(|collection| !apart.contains(&collection.as_str())) {
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
            let mut after = 0;
            loop {
                let batches = tx.events(after, EVENT_BATCHES)?;
                for (last, batch) in &batches {
                    ledger.open_events(*last, batch)?;
                }
                match batches.last() {
                    Some((last, _)) => after = *last,
                    None => break,
                }
            }
            for space in (0..Space::COUNT).filter_map(Space::new) {
                check_feed(tx, ledger, space)?;
            }
            Ok((records, found))
        })?;
        self.check_digest(|| ControlFlow::Continue(()))?;
        Ok(CheckReport { records, keys, indexes: found.trees, entries: found.entries })
    }

    /// Moves all that is committed into the main file and empties the log, in which removed records otherwise last a
    /// while. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::Full`], [`StoreError::Io`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.inner.db.checkpoint()
    }

    /// How many writes wait for the writer or are being done. One with an answer that nobody has taken yet is over.
    #[must_use]
    pub fn writes_waiting(&self) -> usize {
        WRITES_WAITING_MAX.saturating_sub(self.inner.writes.available_permits())
    }

    /// How much the writer has done since the store was opened.
    #[must_use]
    pub fn write_counts(&self) -> WriteCounts {
        self.inner.db.counts()
    }

    async fn write_db<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        engine::write(&*self.inner.db, work).await
    }

    async fn read_db<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn engine::Read) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let work = move |tx: &dyn Read| -> Box<dyn Any + Send> { Box::new(query(tx)) };
        returned(self.inner.run(Box::new(work), None).await?)
    }
}

/// A query of any type for the engine.
type Query = Box<dyn FnOnce(&dyn Read) -> Box<dyn Any + Send> + Send>;

// What stands here is compiled once, whatever the closures of transactions and queries are.
impl Inner {
    /// Runs a transaction once few enough others wait.
    async fn submit(&self, work: Work) -> Result<Worked, StoreError> {
        let permit = Arc::clone(&self.writes).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        let watchers = Arc::clone(&self.watchers);
        self.db.submit(Box::new(Task::new(work, move |worked| {
            if let Ok(Worked { touched: Some(touched), .. }) = &worked {
                watchers.changed(touched);
            }
            drop(permit);
            // The caller may have stopped waiting.
            let _ = answer.send(worked);
        })));
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Runs a query once few enough others run.
    async fn query(&self, query: Query) -> Result<Box<dyn Any + Send>, StoreError> {
        let permit = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        self.run(query, Some(permit)).await
    }

    /// Runs a query on one snapshot, on a thread that may block, and gives `permit` back after it.
    async fn run(&self, query: Query, permit: Option<OwnedSemaphorePermit>) -> Result<Box<dyn Any + Send>, StoreError> {
        let db = Arc::clone(&self.db);
        let read = tokio::task::spawn_blocking(move || {
            let result = read_blocking(&*db, |tx| Ok(query(tx)));
            drop(permit);
            result
        });
        read.await.unwrap_or(Err(StoreError::Panicked))
    }
}

/// Opens every row of a space's changes feed.
fn check_feed(tx: &dyn engine::Read, ledger: &Ledger, space: Space) -> Result<(), StoreError> {
    let mut after = 0;
    loop {
        let rows = tx.feed(space, after, BATCH)?;
        for (version, row) in &rows {
            let damaged = |_| StoreError::NotAuthentic { collection: "feed".to_owned() };
            ledger.feed.open(space, *version, row).map_err(damaged)?;
        }
        match rows.last() {
            Some((version, _)) => after = *version,
            None => return Ok(()),
        }
    }
}

/// Has the ledger of the database whose records are sealed under `record` follow every change, and begins it if there
/// is none. Blocks.
pub(crate) fn follow(db: &Arc<dyn Engine>, record: &Key256) -> Result<Arc<Ledger>, StoreError> {
    let ledger = Arc::new(Ledger::new(record));
    db.keep_ledger(Arc::clone(&ledger));
    // Reading first keeps an ordinary start free of a commit.
    if read_blocking(&**db, |tx| ledger.read(tx))?.is_none() {
        let begun = Arc::clone(&ledger);
        engine::write_blocking(&**db, move |tx| begun.begin(tx))?;
    }
    Ok(ledger)
}

#[cfg(test)]
pub(crate) mod tests;
