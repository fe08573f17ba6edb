//! Watchers of changed records: the caches of this process are notified after each commit, before it is acknowledged.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, Weak};

/// Is notified of changes to a collection's records. Called on the writer's thread: it must be quick and must not write.
pub trait Watch: Send + Sync {
    /// The record `id` of `parent` was written or removed.
    fn changed(&self, parent: &str, id: &str);

    /// Any record may have changed.
    fn all_changed(&self);
}

/// A record that a transaction wrote or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) collection: String,
    pub(crate) parent: String,
    pub(crate) id: String,
}

impl Touched {
    pub(crate) fn new(collection: &str, parent: &str, id: &str) -> Self {
        Self { collection: collection.to_owned(), parent: parent.to_owned(), id: id.to_owned() }
    }
}

/// The watchers of each collection.
#[derive(Default)]
pub(crate) struct Watchers(RwLock<HashMap<&'static str, Vec<Weak<dyn Watch>>>>);

impl Watchers {
    pub(crate) fn add(&self, collection: &'static str, watch: Weak<dyn Watch>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let watchers = all.entry(collection).or_default();
        watchers.retain(|watcher| watcher.strong_count() > 0);
        watchers.push(watch);
    }

    pub(crate) fn changed(&self, touched: &[Touched]) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for Touched { collection, parent, id } in touched {
            let watchers = all.get(collection.as_str()).into_iter().flatten();
            watchers.filter_map(Weak::upgrade).for_each(|watcher| watcher.changed(parent, id));
        }
    }

    pub(crate) fn all_changed(&self) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.values().flatten().filter_map(Weak::upgrade).for_each(|watcher| watcher.all_changed());
    }
}
