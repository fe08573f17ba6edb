//! A copy of a database as it is at one moment, also while another process writes to it.

use std::path::Path;

use super::session::failure;
use super::{READER_CACHE_KIB, connect};
use crate::StoreError;

/// Copies the database at `database` to `target`, which must be missing or empty.
///
/// Every commit that returned before is in the copy, and nothing of a destroyed record: only live rows are copied. Needs
/// no keys. The copy is not synced.
///
/// # Errors
/// Those of opening and reading the database; [`StoreError::Full`] and others for the target.
pub fn snapshot(database: &Path, target: &Path) -> Result<(), StoreError> {
    let connection = connect(database, READER_CACHE_KIB)?;
    let target = target
        .to_str()
        .ok_or_else(|| StoreError::Denied { path: target.to_owned(), detail: "the path is not UTF-8".to_owned() })?;
    // The statement reads within one transaction, and the log keeps what that sees until it ends.
    connection.execute("VACUUM INTO ?1", [target]).map(|_| ()).map_err(|error| failure(database, &error))
}
