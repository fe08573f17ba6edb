//! The engines that the suite runs on.

use std::sync::Arc;

use super::Directory;
use crate::db::Db;
use crate::sqlite::Sqlite;

/// An engine under test.
pub(super) trait Engine {
    /// A handle on the same database, for as long as `self` lives.
    fn handle(&self) -> Arc<dyn Db>;
}

/// SQLite on disk; every handle is an engine of its own, as another process would have.
pub(super) mod sqlite_on_disk {
    use super::*;

    struct OnDisk(Directory);

    impl Engine for OnDisk {
        fn handle(&self) -> Arc<dyn Db> {
            Arc::new(Sqlite::open(&self.0.database()).unwrap())
        }
    }

    pub(in crate::store::tests) fn new() -> impl Engine {
        OnDisk(Directory::new())
    }
}

/// SQLite in memory, where all handles share the one engine.
pub(super) mod sqlite_in_memory {
    use super::*;

    struct InMemory(Arc<dyn Db>);

    impl Engine for InMemory {
        fn handle(&self) -> Arc<dyn Db> {
            Arc::clone(&self.0)
        }
    }

    pub(in crate::store::tests) fn new() -> impl Engine {
        InMemory(Arc::new(Sqlite::in_memory().unwrap()))
    }
}
