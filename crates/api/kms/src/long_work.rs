//! Work that takes long enough to hold up a worker's other connections: it is done on a thread of its own, and only so
//! much of it at once.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use crate::error::KmsError;

/// One kind of long work.
pub(crate) struct LongWork(Arc<Semaphore>);

impl LongWork {
    /// Work that may take the whole machine.
    pub(crate) fn on_every_core() -> Self {
        Self(Arc::new(Semaphore::new(cores())))
    }

    /// Work that leaves half of the machine to others.
    pub(crate) fn on_half_the_cores() -> Self {
        Self(Arc::new(Semaphore::new((cores() / 2).max(1))))
    }

    /// Does `work` when its turn comes. Once started it runs to its end, also if the caller has gone by then.
    ///
    /// # Errors
    /// `work`'s; [`KmsError::Damaged`] if it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, KmsError> + Send + 'static,
    ) -> Result<T, KmsError> {
        let ended = || KmsError::Damaged("work of the server's own ended early".to_owned());
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(|_| ended())?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| ended())?
    }
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}
