//! Which files a journal consists of, for whoever copies it. Reads none of them.
//!
//! A copy is an intact journal up to some moment, also while a writer is at work, if it is made in this order: the head
//! is read whole, since it is rewritten in place; then the segments are listed, and each is copied as long as it is by
//! then or longer, since it only grows. The head's end is no later than what was in the segments when it was written.
//! Retention may remove a segment before it is copied.

use std::path::{Path, PathBuf};

use crate::{JournalError, head, segment};

/// The head of the journal in `dir`: a small file that is rewritten in place.
#[must_use]
pub fn head_file(dir: &Path) -> PathBuf {
    head::path(dir)
}

/// The segments of the journal in `dir`, oldest first.
///
/// # Errors
/// [`JournalError::Io`].
pub fn segment_files(dir: &Path) -> Result<Vec<PathBuf>, JournalError> {
    Ok(segment::list(dir)?.into_iter().map(|number| segment::path(dir, number)).collect())
}
