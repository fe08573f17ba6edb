//! Which blobs somebody in this process is about to refer to, so that no sweep removes them meanwhile.
//! Knows no files.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::BlobId;

/// The ids that are in use.
#[derive(Clone, Default)]
pub(crate) struct Held(Arc<Mutex<HashSet<BlobId>>>);

impl Held {
    pub(crate) fn hold(&self, id: BlobId) -> Hold {
        self.with(|held| held.insert(id));
        Hold { held: self.clone(), id }
    }

    pub(crate) fn contains(&self, id: &BlobId) -> bool {
        self.with(|held| held.contains(id))
    }

    fn with<T>(&self, then: impl FnOnce(&mut HashSet<BlobId>) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keeps sweeps away from a blob until it is dropped.
pub(crate) struct Hold {
    held: Held,
    id: BlobId,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.held.with(|held| held.remove(&self.id));
    }
}
