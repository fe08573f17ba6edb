//! The engines that the suite runs on.

use std::sync::Arc;

use super::Directory;
use crate::engine::Engine;
use crate::engine::sqlite::Sqlite;

/// An engine under test.
pub(super) trait Tested {
    /// A handle on the same database, for as long as `self` lives.
    fn handle(&self) -> Arc<dyn Engine>;
}

/// SQLite on disk; every handle is an engine of its own, as another process would have.
pub(super) mod sqlite_on_disk {
    use super::*;

    struct OnDisk(Directory);

    impl Tested for OnDisk {
        fn handle(&self) -> Arc<dyn Engine> {
            Arc::new(Sqlite::open(&self.0.database()).unwrap())
        }
    }

    pub(in crate::store::tests) fn new() -> impl Tested {
        OnDisk(Directory::new())
    }
}

/// SQLite in memory, where all handles share the one engine.
pub(super) mod sqlite_in_memory {
    use super::*;

    struct InMemory(Arc<dyn Engine>);

    impl Tested for InMemory {
        fn handle(&self) -> Arc<dyn Engine> {
            Arc::clone(&self.0)
        }
    }

    pub(in crate::store::tests) fn new() -> impl Tested {
        InMemory(Arc::new(Sqlite::in_memory().unwrap()))
    }
}
