//! Counts changes, so that what was put together from several records is known to be out of date.
//!
//! INVARIANT: the count is registered with the store after every cache of the same records, and the store calls in
//! that order. So whoever reads the count first and the caches afterwards, and finds the same count later, has read
//! nothing that changed in between; and a change that was acknowledged has been counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::{Store, Watch};

use crate::records::access_key::AccessKey;
use crate::records::group::Group;
use crate::records::inline_policy::InlinePolicy;
use crate::records::managed_policy::PolicyDocument;
use crate::records::role::Role;
use crate::records::service_control::ServiceControl;
use crate::records::user::User;

/// The count of changes to what callers are and hold.
pub(crate) struct Epoch(Arc<Count>);

struct Count(AtomicU64);

impl Epoch {
    /// Counts from now on. To be made after the caches.
    pub(crate) fn watching(store: &Store) -> Self {
        // 0 is what nothing was read at.
        let count = Arc::new(Count(AtomicU64::new(1)));
        let watch: Arc<dyn Watch> = count.clone();
        store.watch::<AccessKey>(&watch);
        store.watch::<User>(&watch);
        store.watch::<Group>(&watch);
        store.watch::<Role>(&watch);
        store.watch::<InlinePolicy>(&watch);
        store.watch::<PolicyDocument>(&watch);
        store.watch::<ServiceControl>(&watch);
        Self(count)
    }

    /// The count now. To be read before the records whose currency it proves.
    pub(crate) fn now(&self) -> u64 {
        self.0.0.load(Ordering::Acquire)
    }
}

impl Watch for Count {
    fn changed(&self, _: &str, _: &str) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn all_changed(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}
