//! A front that serves, and how it ends: accepting stops, open requests finish, threads end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinHandle;

use crate::application::Application;
use crate::front::Front;
use crate::listener::Listener;
use crate::shared::Shared;
use crate::workers::Workers;

/// A front that serves; dropping it leaves the connections to the workers.
pub struct Serving {
    shared: Arc<Shared>,
    workers: Arc<Workers>,
    accepting: JoinHandle<()>,
    watching: JoinHandle<()>,
}

/// A front without connections, whose threads may still do work that blocks.
pub struct Drained {
    workers: Arc<Workers>,
}

impl Serving {
    pub(crate) fn start<A: Application>(front: Arc<Front<A>>, listener: Listener, workers: Workers) -> Self {
        let (shared, workers) = (Arc::clone(&front.shared), Arc::new(workers));
        let watched = Arc::clone(&shared);
        let watching = tokio::spawn(async move { watched.connections.sweep().await });
        let accepting = tokio::spawn(listener.accept(front, Arc::clone(&workers)));
        Self { shared, workers, accepting, watching }
    }

    /// Stops accepting, finishes the requests that are running for as long as the limits allow, and closes every
    /// connection.
    pub async fn drain(self) -> Drained {
        let Self { shared, workers, accepting, watching } = self;
        shared.draining.store(true, Ordering::Relaxed);
        accepting.abort();
        // However it ended, the port is free.
        let _ = accepting.await;
        shared.connections.drain(shared.limits.shutdown_timeout).await;
        watching.abort();
        let _ = watching.await;
        Drained { workers }
    }
}

impl Drained {
    /// Ends the threads, and returns once they have ended. Work that blocks is waited for.
    pub async fn stop(self) {
        if let Some(workers) = Arc::into_inner(self.workers) {
            workers.stop().await;
        }
    }
}
