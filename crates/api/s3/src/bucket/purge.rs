//! Removal of contents that nothing shows any more: parts of removed objects and of aborted uploads, removed some at a time so that no call waits.

use crate::S3;
use crate::error::S3Error;

/// How many parts one transaction removes.
const BATCH: usize = 200;

impl S3 {
    /// Removes what was left by changes that were recorded before. Returns how many things.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self) -> Result<usize, S3Error> {
        let mut removed = 0;
        loop {
            match self.store.write(|tx| buckets::collect(tx, BATCH)).await? {
                0 => return Ok(removed),
                some => removed += some,
            }
        }
    }
}
