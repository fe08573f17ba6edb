//! The look at all rows beside the calls: whether they are those that were last written, each in its place.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use service::Trail;
use store::{Store, StoreError};

/// How long the look pauses after each thousand rows, so that calls have the machine to themselves for most of the time.
const PAUSE: Duration = Duration::from_millis(5);

/// Ends the look when it is dropped.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Compares the digest of all rows with that of the database's ledger, once. If they differ no call is served any more.
pub(crate) async fn verify(store: Store, trail: Trail) {
    let ended = Arc::new(AtomicBool::new(false));
    let _ends = Ended(Arc::clone(&ended));
    let begun = Instant::now();
    let looked = tokio::task::spawn_blocking(move || {
        store.check_digest(|| {
            std::thread::sleep(PAUSE);
            if ended.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    });
    match looked.await.unwrap_or(Err(StoreError::Panicked)) {
        Ok(()) => tracing::debug!(elapsed = ?begun.elapsed(), "the rows are those that were last written"),
        Err(error @ (StoreError::RowsPutBack | StoreError::NotAuthentic { .. })) => {
            tracing::error!(%error, "no call is served any more");
            trail.stop();
        }
        Err(error) => tracing::error!(%error, "whether rows were put back could not be found out"),
    }
}
