//! The seam between the store and a database engine: opaque bytes under opaque names, in transactions.
//!
//! An engine owns durability, isolation and order. It refuses to know records, keys and caches: collections are the
//! only text that it sees.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::changes::Touched;
use crate::index::Working;
use crate::ledger::Ledger;
use crate::outbox::Outlet;
use crate::space::Space;
use crate::transaction::Transaction;
use crate::{Location, StoreError};

pub(crate) mod sqlite;

/// A parent or an id as the engine sees it: a truncated MAC of the name.
pub(crate) type Blind = [u8; 16];

/// Names a row.
#[derive(Clone, Copy)]
pub(crate) struct RowKey<'a> {
    pub(crate) collection: &'a str,
    pub(crate) parent: &'a Blind,
    pub(crate) id: &'a Blind,
}

/// A row of a listing, whose collection the caller knows.
pub(crate) struct Row {
    pub(crate) parent: Blind,
    pub(crate) id: Blind,
    pub(crate) value: Vec<u8>,
}

/// One snapshot of the database.
pub(crate) trait Read {
    /// A row's value.
    fn get(&self, key: RowKey<'_>) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values of many rows, in the order of the keys.
    fn get_many(&self, keys: &[RowKey<'_>]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// At most `limit` rows of one parent in the order of their blinded ids, from after `after` on.
    fn page(
        &self,
        collection: &str,
        parent: &Blind,
        after: Option<&Blind>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// At most `limit` rows of a collection in the order of their blinded parents and ids, from after `after` on.
    fn scan(&self, collection: &str, after: Option<(&Blind, &Blind)>, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// The names of the collections that have rows.
    fn collections(&self) -> Result<Vec<String>, StoreError>;

    /// At most `limit` rows of a space's changes feed with a version above `after`, in order: versions and sealed names.
    fn feed(&self, space: Space, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// A value about the database itself.
    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` batches of sealed events of the outbox whose last event has a number above `after`, in order.
    fn events(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// A sealed page of an index and the commit that wrote it.
    fn index_page(&self, id: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError>;

    /// At most `limit` numbers of index pages above `after`, in order.
    fn index_pages(&self, after: u64, limit: usize) -> Result<Vec<u64>, StoreError>;

    /// The pages of indexes that the transaction has changed so far, if it is one that may.
    fn working(&self) -> Option<&RefCell<Working>> {
        None
    }
}

/// A transaction of an engine that may change rows.
pub(crate) trait Rows: Read {
    /// Writes a row, whether or not it is there.
    fn put(&self, key: RowKey<'_>, value: &[u8]) -> Result<(), StoreError>;

    /// Removes a row, if it is there.
    fn delete(&self, key: RowKey<'_>) -> Result<(), StoreError>;

    /// Writes the row of the changes feed for the version `version` of a space.
    fn put_feed(&self, space: Space, version: u64, row: &[u8]) -> Result<(), StoreError>;

    /// Removes the rows of a space's changes feed up to a version.
    fn trim_feed(&self, space: Space, up_to: u64) -> Result<(), StoreError>;

    /// Writes a value about the database itself.
    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Writes a sealed page of an index, of the commit `version`.
    fn put_index_page(&self, id: u64, version: u64, value: &[u8]) -> Result<(), StoreError>;

    /// Removes a page of an index, if it is there.
    fn delete_index_page(&self, id: u64) -> Result<(), StoreError>;

    /// Appends a batch of sealed events to the outbox, whose last event has the number `last`.
    fn append_events(&self, last: u64, batch: &[u8]) -> Result<(), StoreError>;

    /// Removes the batches from the outbox whose last event has at most this number.
    fn drop_events(&self, up_to: u64) -> Result<(), StoreError>;
}

/// A unit of work for the writer, all or nothing.
pub(crate) trait Job: Send {
    /// Does the work. `false` or a panic undoes it, and nothing else.
    fn run(&mut self, tx: &Transaction<'_>) -> bool;

    /// Takes the outcome: `Ok` once the work is durable (or was undone at its own wish), or else why it is not.
    fn done(self: Box<Self>, outcome: Result<(), StoreError>);
}

/// How much the writer has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteCounts {
    /// Closures that were run.
    pub closures: u64,
    /// Durable commits, each for one or more closures.
    pub commits: u64,
    /// Events in the outbox that its receiver does not have on the disk yet, as of the last commit.
    pub events_waiting: u64,
}

/// A database engine.
pub(crate) trait Engine: Send + Sync {
    /// Queues work for the writer. Every job is answered through [`Job::done`], in the order in which they came.
    fn submit(&self, job: Box<dyn Job>);

    /// Runs `query` on one snapshot. Blocks.
    fn read(&self, query: &mut dyn FnMut(&dyn Read)) -> Result<(), StoreError>;

    /// Examines the engine's structures in full. Blocks.
    fn check(&self) -> Result<(), StoreError>;

    /// Moves all that is committed to its final place and discards the log. Blocks.
    fn checkpoint(&self) -> Result<(), StoreError>;

    /// How much the writer has done so far.
    fn counts(&self) -> WriteCounts;

    /// Follows every change in `ledger` from now on.
    fn keep_ledger(&self, ledger: Arc<Ledger>);

    /// Hands recorded events to `outlet` from now on, beginning with those that wait in the outbox.
    fn attach(&self, outlet: Arc<dyn Outlet>);
}

/// Opens the database at `location`, or makes it.
pub(crate) fn open(location: &Location) -> Result<Arc<dyn Engine>, StoreError> {
    Ok(match location {
        Location::File(path) => Arc::new(sqlite::Sqlite::open(path)?),
        Location::Memory => Arc::new(sqlite::Sqlite::in_memory()?),
    })
}

/// The outcome of a closure, whatever its type: what it returned, and what it touched unless it refused.
///
/// Values of one type let everything behind a closure be compiled once, instead of once for each closure.
pub(crate) struct Worked {
    /// Rows for caches to drop; `None` undoes the transaction.
    pub(crate) touched: Option<Vec<Touched>>,
    returned: Box<dyn Any + Send>,
}

impl Worked {
    /// The outcome `result` of a closure, which touched what stands beside its value.
    pub(crate) fn new<T: Send + 'static, E: Send + 'static>(result: Result<(T, Vec<Touched>), E>) -> Self {
        let (touched, returned) = match result {
            Ok((value, touched)) => (Some(touched), Ok(value)),
            Err(error) => (None, Err(error)),
        };
        Self { touched, returned: Box::new(returned) }
    }

    /// The closure's result, which has to be asked for as the types of [`new`](Self::new).
    pub(crate) fn returned<T: 'static, E: From<StoreError> + 'static>(self) -> Result<T, E> {
        returned(self.returned)
    }
}

/// A result behind a box of any type, which has to be that of `T` and `E`.
pub(crate) fn returned<T: 'static, E: From<StoreError> + 'static>(any: Box<dyn Any + Send>) -> Result<T, E> {
    match any.downcast::<Result<T, E>>() {
        Ok(result) => *result,
        Err(_) => Err(StoreError::Panicked.into()),
    }
}

/// Work for the writer.
pub(crate) type Work = Box<dyn FnOnce(&Transaction<'_>) -> Worked + Send>;

/// Work that touches nothing which caches know.
pub(crate) fn work<T: Send + 'static>(
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Work {
    Box::new(move |tx| Worked::new(work(tx).map(|value| (value, Vec::new()))))
}

/// Turns work into jobs.
pub(crate) struct Task<A> {
    work: Option<Work>,
    worked: Option<Worked>,
    answer: A,
}

impl<A: FnOnce(Result<Worked, StoreError>) + Send> Task<A> {
    /// A job that does `work` and hands its outcome, once durable, to `answer`.
    pub(crate) const fn new(work: Work, answer: A) -> Self {
        Self { work: Some(work), worked: None, answer }
    }
}

impl<A: FnOnce(Result<Worked, StoreError>) + Send> Job for Task<A> {
    fn run(&mut self, tx: &Transaction<'_>) -> bool {
        self.worked = self.work.take().map(|work| work(tx));
        self.worked.as_ref().is_some_and(|worked| worked.touched.is_some())
    }

    fn done(self: Box<Self>, outcome: Result<(), StoreError>) {
        // A failed commit overrides a closure's own refusal, which may rest on what was undone with it.
        (self.answer)(outcome.and(self.worked.ok_or(StoreError::Panicked)));
    }
}

/// Runs `work` on the writer and waits. For opening and for the command line; never on an async thread.
pub(crate) fn write_blocking<T: Send + 'static>(
    db: &dyn Engine,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (answer, answered) = std::sync::mpsc::channel();
    db.submit(Box::new(Task::new(self::work(work), move |worked| {
        // Nobody waits when the caller's thread is gone.
        let _ = answer.send(worked);
    })));
    answered.recv().unwrap_or(Err(StoreError::Closed))?.returned()
}

/// Runs `work` on the writer, beside what waits for its turn there.
pub(crate) async fn write<T: Send + 'static>(
    db: &dyn Engine,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (answer, answered) = oneshot::channel();
    db.submit(Box::new(Task::new(self::work(work), move |worked| {
        // The caller may have stopped waiting.
        let _ = answer.send(worked);
    })));
    answered.await.unwrap_or(Err(StoreError::Closed))?.returned()
}

/// Runs `query` on one snapshot and returns its result. Blocks.
pub(crate) fn read_blocking<T, E: From<StoreError>>(
    db: &dyn Engine,
    query: impl FnOnce(&dyn Read) -> Result<T, E>,
) -> Result<T, E> {
    let (mut query, mut result) = (Some(query), None);
    db.read(&mut |tx| result = query.take().map(|query| query(tx)))?;
    result.unwrap_or_else(|| Err(StoreError::Closed.into()))
}
