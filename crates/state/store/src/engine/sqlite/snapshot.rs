//! A copy of a database as it is at one moment, also while another process writes to it.

use std::path::Path;

use super::session::failure;
use super::{READER_CACHE_KIB, connect};
use crate::{Location, StoreError};

/// Copies the database at `database` to the file `target`, which must be missing or empty.
///
/// Every commit that returned before is in the copy, and nothing of a destroyed record: only live rows are copied. Needs
/// no keys. The copy is not synced.
///
/// # Errors
/// Those of opening and reading the database; [`StoreError::Full`] and others for the target; [`StoreError::Denied`] for
/// a database in memory.
pub fn snapshot(database: impl Into<Location>, target: &Path) -> Result<(), StoreError> {
    let denied = |database, detail: &str| StoreError::Denied { database, detail: detail.to_owned() };
    let database = database.into();
    let Location::File(path) = &database else {
        return Err(denied(database, "nobody but its process can read it"));
    };
    let connection = connect(path, READER_CACHE_KIB)?;
    let target = target.to_str().ok_or_else(|| denied(target.into(), "the path is not UTF-8"))?;
    // The statement reads within one transaction, and the log keeps what that sees until it ends.
    connection.execute("VACUUM INTO ?1", [target]).map(|_| ()).map_err(|error| failure(&database, &error))
}
