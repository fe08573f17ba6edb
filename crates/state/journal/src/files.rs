//! Which files a journal consists of, for whoever copies it. Reads none of them.

use std::path::{Path, PathBuf};

use crate::{JournalError, head, segment};

/// The files of the journal in `dir`: its head, then its segments, oldest first.
///
/// Copied in this order, each as long as it is by then, they are an intact journal up to some moment, also while a writer
/// is at work. Retention may remove a segment before it is copied.
///
/// # Errors
/// [`JournalError::Io`].
pub fn files(dir: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let segments = segment::list(dir)?;
    Ok(std::iter::once(head::path(dir)).chain(segments.into_iter().map(|number| segment::path(dir, number))).collect())
}
