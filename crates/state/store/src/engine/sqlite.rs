//! The embedded engine: SQLite in WAL mode with full sync, one writer that commits in groups, a few readers.
//!
//! The only module that names the SQL library. Refuses to know what the bytes mean.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use self::migrations::{APPLICATION_ID, STEPS};
use self::session::{Session, denied, failure};
use self::writer::Writer;
use crate::engine::{Engine, Job, Read, WriteCounts};
use crate::ledger::Ledger;
use crate::outbox::{Attached, Outbox, Outlet};
use crate::{Location, StoreError};

mod migrations;
mod session;
mod snapshot;
mod writer;

pub use snapshot::snapshot;

/// How long to wait for another process that has the database locked.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The page cache of the writer, in KiB.
const WRITER_CACHE_KIB: u32 = 2048;

/// The page cache of each reader, in KiB. Behind it stand the operating system's and the store's own.
const READER_CACHE_KIB: u32 = 512;

/// How many prepared statements a connection caches: more than there are.
const STATEMENTS_KEPT: usize = 64;

/// The write-ahead log is cut back to this after a checkpoint, in bytes.
const LOG_BYTES_MAX: u32 = 8 * 1024 * 1024;

/// The engine, open.
pub(crate) struct Sqlite {
    location: Location,
    /// `None` once closing.
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
    connection: Arc<Mutex<Connection>>,
    /// Idle readers. In memory the writer's connection is the only one.
    readers: Mutex<Vec<Connection>>,
    counts: Arc<Counts>,
    attached: Arc<Attached>,
}

#[derive(Default)]
struct Counts {
    closures: AtomicU64,
    commits: AtomicU64,
    events_waiting: AtomicU64,
}

impl Sqlite {
    /// Opens the database at `path`, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.try_exists().map_err(|error| denied(path, &error))? {
            create(path)?;
        }
        if std::fs::metadata(path).map_err(|error| denied(path, &error))?.len() == 0 {
            // SQLite would take it for a new database, and everything in it would be gone without a word.
            return Err(StoreError::Corrupt { database: path.into(), detail: "the file is empty".to_owned() });
        }
        let connection = connect(path, WRITER_CACHE_KIB)?;
        migrate(&connection, &path.into())?;
        Self::start(path.into(), connection)
    }

    /// A database that is gone when dropped.
    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory().map_err(|error| failure(&Location::Memory, &error))?;
        upgrade(&connection, &Location::Memory, 0)?;
        Self::start(Location::Memory, connection)
    }

    fn start(location: Location, connection: Connection) -> Result<Self, StoreError> {
        let connection = Arc::new(Mutex::new(connection));
        let counts = Arc::new(Counts::default());
        let attached = Arc::new(Attached::default());
        let (queue, jobs) = mpsc::channel();
        let writer = Writer {
            location: location.clone(),
            connection: Arc::clone(&connection),
            jobs,
            counts: Arc::clone(&counts),
            outbox: Outbox::new(Arc::clone(&attached)),
        };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run());
        let thread = thread.map_err(|error| StoreError::Engine { detail: error.to_string() })?;
        let (queue, writer) = (Some(queue), Some(thread));
        Ok(Self { location, queue, writer, connection, readers: Mutex::default(), counts, attached })
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The writer finishes what is queued, and the last connection to close empties the log.
        self.queue = None;
        // A closure may have had the last handle; the writer cannot wait for itself.
        if let Some(writer) = self.writer.take()
            && writer.thread().id() != std::thread::current().id()
            && writer.join().is_err()
        {
            tracing::error!("the database writer panicked");
        }
    }
}

impl Engine for Sqlite {
    fn submit(&self, job: Box<dyn Job>) {
        let refused = match &self.queue {
            Some(queue) => queue.send(job).err().map(|mpsc::SendError(job)| job),
            None => Some(job),
        };
        if let Some(job) = refused {
            job.done(Err(StoreError::Closed));
        }
    }

    fn read(&self, query: &mut dyn FnMut(&dyn Read)) -> Result<(), StoreError> {
        let Location::File(path) = &self.location else {
            query(&Session::new(&lock(&self.connection), &self.location));
            return Ok(());
        };
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(path, READER_CACHE_KIB)?,
        };
        let tx = connection.unchecked_transaction().map_err(|error| failure(&self.location, &error))?;
        query(&Session::new(&connection, &self.location));
        let ended = tx.rollback();
        // A reader whose snapshot cannot be ended would hold the log for ever, so it is closed instead.
        if ended.is_ok() {
            lock(&self.readers).push(connection);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        let examine = |connection: &Connection| {
            let found = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
            found.map_err(|error| failure(&self.location, &error))
        };
        // On disk it reads beside the writer, for it may take long.
        let found = match &self.location {
            Location::File(path) => examine(&connect(path, READER_CACHE_KIB)?)?,
            Location::Memory => examine(&lock(&self.connection))?,
        };
        match found {
            found if found == "ok" => Ok(()),
            detail => Err(StoreError::Corrupt { database: self.location.clone(), detail }),
        }
    }

    fn checkpoint(&self) -> Result<(), StoreError> {
        let connection = lock(&self.connection);
        let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        match busy.map_err(|error| failure(&self.location, &error))? {
            true => Err(StoreError::Busy { database: self.location.clone() }),
            false => Ok(()),
        }
    }

    fn counts(&self) -> WriteCounts {
        WriteCounts {
            closures: self.counts.closures.load(Ordering::Relaxed),
            commits: self.counts.commits.load(Ordering::Relaxed),
            events_waiting: self.counts.events_waiting.load(Ordering::Relaxed),
        }
    }

    fn keep_ledger(&self, ledger: Arc<Ledger>) {
        // A database has one record key, and so one ledger.
        let _ = self.attached.ledger.set(ledger);
    }

    fn attach(&self, outlet: Arc<dyn Outlet>) {
        if self.attached.outlet.set(outlet).is_err() {
            tracing::error!("the outbox has a receiver already");
        }
    }
}

/// Makes an empty database beside `path` and moves it there whole, so that a crash leaves either none or a good one.
fn create(path: &Path) -> Result<(), StoreError> {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    if beside("-wal").exists() {
        let detail = "the main file is missing, though its -wal file is there".to_owned();
        return Err(StoreError::Corrupt { database: path.into(), detail });
    }
    let (new, journal) = (beside(".new"), beside(".new-journal"));
    for left in [&new, &journal] {
        match std::fs::remove_file(left) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(denied(path, &error)),
            _ => {}
        }
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
    let file = file.map_err(|error| denied(path, &error))?;
    let connection = connect_plain(&new).map_err(|error| failure(&path.into(), &error))?;
    connection.execute_batch("PRAGMA synchronous = OFF").map_err(|error| failure(&path.into(), &error))?;
    upgrade(&connection, &path.into(), 0)?;
    connection.close().map_err(|(_, error)| failure(&path.into(), &error))?;
    file.sync_all().map_err(|error| denied(path, &error))?;
    std::fs::rename(&new, path).map_err(|error| denied(path, &error))?;
    // The name has to last as well as the file.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| denied(path, &error))
}

/// Checks whose database it is, and brings an older one up to date.
fn migrate(connection: &Connection, location: &Location) -> Result<(), StoreError> {
    let pragma = |name: &str| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        value.map_err(|error| failure(location, &error))
    };
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    if application != APPLICATION_ID {
        return Err(StoreError::Foreign { database: location.clone() });
    }
    let known = schema();
    match u32::try_from(version) {
        Ok(found) if found == known => Ok(()),
        Ok(found) if found < known => upgrade(connection, location, found),
        found => {
            let found = found.unwrap_or(u32::MAX);
            Err(StoreError::NewerSchema { database: location.clone(), found, known })
        }
    }
}

/// The schema that this version makes.
fn schema() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// Takes the steps from the schema `from` on, all or none.
fn upgrade(connection: &Connection, location: &Location, from: u32) -> Result<(), StoreError> {
    let work = || {
        let tx = connection.unchecked_transaction()?;
        for step in STEPS.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)) {
            tx.execute_batch(step)?;
        }
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", schema())?;
        tx.commit()
    };
    work().map_err(|error| failure(location, &error))
}

fn connect_plain(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Opens a connection. Deleted content is overwritten with zeros, since a destroyed key must not linger in a free page.
fn connect(path: &Path, cache_kib: u32) -> Result<Connection, StoreError> {
    let open = || {
        let connection = connect_plain(path)?;
        connection.execute_batch(&format!(
            "PRAGMA cache_size = -{cache_kib};
             PRAGMA mmap_size = 0;
             PRAGMA temp_store = MEMORY;
             PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON;
             PRAGMA secure_delete = ON;
             PRAGMA synchronous = FULL;
             PRAGMA journal_size_limit = {LOG_BYTES_MAX};"
        ))?;
        let journal: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        Ok((connection, journal))
    };
    match open().map_err(|error| failure(&path.into(), &error))? {
        (connection, journal) if journal == "wal" => Ok(connection),
        _ => Err(StoreError::Denied {
            database: path.into(),
            detail: "the file system has no shared memory for a write-ahead log".to_owned(),
        }),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
