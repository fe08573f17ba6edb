//! The statements: rows in and out of one transaction on one connection, and what the engine's failures mean.

use std::cell::RefCell;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Params, params};

use crate::engine::{Blind, Read, Row, RowKey, Rows};
use crate::space::Space;
use crate::{Location, StoreError};

/// A transaction on a connection.
pub(super) struct Session<'a> {
    connection: &'a Connection,
    location: &'a Location,
    /// The last failure, for when SQLite has undone the transaction because of it.
    failure: RefCell<Option<StoreError>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(connection: &'a Connection, location: &'a Location) -> Self {
        Self { connection, location, failure: RefCell::new(None) }
    }

    /// Runs a statement that yields no rows; returns how many rows it changed.
    fn change(&self, sql: &str, values: impl Params) -> Result<usize, StoreError> {
        self.noting(self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values)))
    }

    pub(super) fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.change(sql, []).map(|_| ())
    }

    /// Whether SQLite has undone the whole transaction.
    pub(super) fn is_lost(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Why it has.
    pub(super) fn failure(&self) -> StoreError {
        let failure = self.failure.borrow().clone();
        failure.unwrap_or_else(|| StoreError::Engine { detail: "the transaction was rolled back".to_owned() })
    }

    fn noting<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let error = failure(self.location, &error);
            self.failure.replace(Some(error.clone()));
            error
        })
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.connection.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map(values, read)?;
            rows.collect()
        });
        self.noting(rows)
    }
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { parent: row.get(0)?, id: row.get(1)?, value: row.get(2)? })
}

/// SQLite counts in 64 signed bits.
fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// An event's or a page's number. No database lives to see 2^63 changes.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The highest version of a space; no space lives to see 2^48 commits.
const VERSION_MAX: u64 = (1 << 48) - 1;

/// The id of the feed's row for the version of a space: ordered by space, then by version.
fn feed_id(space: Space, version: u64) -> i64 {
    number(u64::from(space.number()) << 48 | version.min(VERSION_MAX))
}

/// The version in a feed row's id.
const fn version_of(id: i64) -> u64 {
    id.unsigned_abs() & VERSION_MAX
}

impl Read for Session<'_> {
    fn get(&self, key: RowKey<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        const GET: &str = "SELECT value FROM records WHERE collection = ?1 AND parent = ?2 AND id = ?3";
        let found = self.connection.prepare_cached(GET).and_then(|mut statement| {
            statement.query_row(params![key.collection, key.parent, key.id], |row| row.get(0)).optional()
        });
        self.noting(found)
    }

    fn get_many(&self, keys: &[RowKey<'_>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        // Each costs microseconds: nothing is gained by asking for them together.
        keys.iter().map(|key| self.get(*key)).collect()
    }

    fn page(
        &self,
        collection: &str,
        parent: &Blind,
        after: Option<&Blind>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        const PAGE: &str = "SELECT parent, id, value FROM records
            WHERE collection = ?1 AND parent = ?2 AND id > ?3 ORDER BY id LIMIT ?4";
        // Nothing comes before the empty id.
        let after = after.map_or(&[][..], |after| &after[..]);
        self.rows(PAGE, params![collection, parent, after, bound(limit)], read_row)
    }

    fn scan(&self, collection: &str, after: Option<(&Blind, &Blind)>, limit: usize) -> Result<Vec<Row>, StoreError> {
        const SCAN: &str = "SELECT parent, id, value FROM records
            WHERE collection = ?1 AND (parent, id) > (?2, ?3) ORDER BY parent, id LIMIT ?4";
        let (parent, id) = after.map_or((&[][..], &[][..]), |(parent, id)| (&parent[..], &id[..]));
        self.rows(SCAN, params![collection, parent, id, bound(limit)], read_row)
    }

    fn collections(&self) -> Result<Vec<String>, StoreError> {
        self.rows("SELECT DISTINCT collection FROM records", [], |row| row.get(0))
    }

    fn feed(&self, space: Space, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        const FEED: &str = "SELECT id, names FROM feed WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3";
        let read = |row: &rusqlite::Row<'_>| Ok((version_of(row.get(0)?), row.get(1)?));
        self.rows(FEED, params![feed_id(space, after), feed_id(space, VERSION_MAX), bound(limit)], read)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        const META: &str = "SELECT value FROM meta WHERE name = ?1";
        let found = self.connection.prepare_cached(META);
        let found = found.and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional());
        self.noting(found)
    }

    fn events(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        const EVENTS: &str = "SELECT number, event FROM outbox WHERE number > ?1 ORDER BY number LIMIT ?2";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?));
        self.rows(EVENTS, params![number(after), bound(limit)], read)
    }

    fn index_page(&self, id: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        const PAGE: &str = "SELECT version, value FROM pages WHERE id = ?1";
        let found = self.connection.prepare_cached(PAGE).and_then(|mut statement| {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?));
            statement.query_row([number(id)], read).optional()
        });
        self.noting(found)
    }

    fn index_pages(&self, after: u64, limit: usize) -> Result<Vec<u64>, StoreError> {
        const PAGES: &str = "SELECT id FROM pages WHERE id > ?1 ORDER BY id LIMIT ?2";
        self.rows(PAGES, params![number(after), bound(limit)], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))
    }
}

impl Rows for Session<'_> {
    fn put(&self, key: RowKey<'_>, value: &[u8]) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO records (collection, parent, id, value) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET value = excluded.value";
        self.change(PUT, params![key.collection, key.parent, key.id, value]).map(|_| ())
    }

    fn delete(&self, key: RowKey<'_>) -> Result<(), StoreError> {
        const DELETE: &str = "DELETE FROM records WHERE collection = ?1 AND parent = ?2 AND id = ?3";
        self.change(DELETE, params![key.collection, key.parent, key.id]).map(|_| ())
    }

    fn put_feed(&self, space: Space, version: u64, row: &[u8]) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO feed (id, names) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET names = excluded.names";
        self.change(PUT, params![feed_id(space, version), row]).map(|_| ())
    }

    fn trim_feed(&self, space: Space, up_to: u64) -> Result<(), StoreError> {
        const TRIM: &str = "DELETE FROM feed WHERE id >= ?1 AND id <= ?2";
        self.change(TRIM, params![feed_id(space, 0), feed_id(space, up_to)]).map(|_| ())
    }

    fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        const SET: &str = "INSERT INTO meta (name, value) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET value = excluded.value";
        self.change(SET, params![name, value]).map(|_| ())
    }

    fn put_index_page(&self, id: u64, version: u64, value: &[u8]) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO pages (id, version, value) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET version = excluded.version, value = excluded.value";
        self.change(PUT, params![number(id), number(version), value]).map(|_| ())
    }

    fn delete_index_page(&self, id: u64) -> Result<(), StoreError> {
        self.change("DELETE FROM pages WHERE id = ?1", [number(id)]).map(|_| ())
    }

    fn append_events(&self, last: u64, batch: &[u8]) -> Result<(), StoreError> {
        self.change("INSERT INTO outbox (number, event) VALUES (?1, ?2)", params![number(last), batch]).map(|_| ())
    }

    fn drop_events(&self, up_to: u64) -> Result<(), StoreError> {
        self.change("DELETE FROM outbox WHERE number <= ?1", [number(up_to)]).map(|_| ())
    }
}

/// The error for the operating system's refusal to open or make a file.
pub(super) fn denied(path: &std::path::Path, error: &std::io::Error) -> StoreError {
    let database = path.into();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full { database },
        _ => StoreError::Denied { database, detail: error.to_string() },
    }
}

/// The error for a failure of SQLite. Its messages name tables and files, never values.
pub(super) fn failure(location: &Location, error: &rusqlite::Error) -> StoreError {
    let (database, detail) = (location.clone(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Corrupt { database, detail },
        Some(ErrorCode::DiskFull) => StoreError::Full { database },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            StoreError::Denied { database, detail }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { database },
        Some(ErrorCode::SystemIoFailure) => StoreError::Io { database, detail },
        // A column of another type or length than the schema has: somebody else wrote it.
        None => StoreError::Corrupt { database, detail },
        Some(_) => StoreError::Engine { detail },
    }
}
