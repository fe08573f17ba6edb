//! The connections of this process to key stores: one a store, opened by the first call that needs it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ports::KeyStore;

/// Every connection, by the store's path.
#[derive(Default)]
pub(crate) struct Connections {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

/// The connection to a store.
#[derive(Default)]
struct Slot {
    /// Locked while a call connects, so that a store is not connected twice at a time.
    connecting: tokio::sync::Mutex<()>,
    current: Mutex<Option<Current>>,
}

struct Current {
    /// The attempt to connect of which this came. A connection of an earlier one is not used: place and secrets may
    /// have changed since.
    attempt: u64,
    store: Arc<dyn KeyStore>,
}

impl Connections {
    /// The connection to the store at `path` of this `attempt`, opened by `connect` if there is none.
    ///
    /// # Errors
    /// Those of `connect`.
    pub(super) async fn open<E>(
        &self,
        path: &str,
        attempt: u64,
        connect: impl Future<Output = Result<Arc<dyn KeyStore>, E>>,
    ) -> Result<Arc<dyn KeyStore>, E> {
        let slot = self.slot(path);
        if let Some(store) = slot.of(attempt) {
            return Ok(store);
        }
        let _alone = slot.connecting.lock().await;
        if let Some(store) = slot.of(attempt) {
            return Ok(store);
        }
        let store = connect.await?;
        let next = Current { attempt, store: Arc::clone(&store) };
        let previous = slot.current.lock().unwrap_or_else(PoisonError::into_inner).replace(next);
        close(previous);
        Ok(store)
    }

    /// Gives the store's connection up. Calls that are under way keep theirs to their end.
    pub(super) fn forget(&self, path: &str) {
        let slot = self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        close(slot.and_then(|slot| slot.current.lock().unwrap_or_else(PoisonError::into_inner).take()));
    }

    fn slot(&self, path: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(path.to_owned()).or_default())
    }
}

impl Slot {
    fn of(&self, attempt: u64) -> Option<Arc<dyn KeyStore>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|current| current.attempt == attempt).map(|current| Arc::clone(&current.store))
    }
}

/// Drops a connection where that may take its time.
fn close(connection: Option<Current>) {
    if let Some(connection) = connection {
        drop(tokio::task::spawn_blocking(move || drop(connection)));
    }
}
