//! The threads that connections live on: one for each core, each with a runtime of its own (ADR 22).
//!
//! A connection stays where it was put: what it touches stays in one core's cache, and no thread has to wake another
//! for it. Knows nothing of what a connection is for.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::error::FrontError;

/// Threads for what blocks in calls, such as the database's reads: over all workers, and what each has at least.
const BLOCKING_THREADS: usize = 16;
const BLOCKING_THREADS_MIN: usize = 4;

/// The workers of a server; dropping them ends their threads, and what runs on them at its next wait.
pub struct Workers {
    workers: Vec<Worker>,
}

struct Worker {
    runtime: Handle,
    /// Each of its connections holds one of these.
    presence: Arc<()>,
    thread: JoinHandle<()>,
    _end: oneshot::Sender<()>,
}

impl Workers {
    /// Starts `count` workers; as many as there are cores if that is not given.
    ///
    /// # Errors
    /// [`FrontError::System`] when there are no threads to be had.
    pub fn start(count: Option<NonZeroUsize>) -> Result<Self, FrontError> {
        let count = count.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let blocking = (BLOCKING_THREADS / count).max(BLOCKING_THREADS_MIN);
        let workers = (0..count).map(|_| Worker::start(blocking)).collect::<std::io::Result<_>>();
        Ok(Self { workers: workers.map_err(|cause| FrontError::System { action: "start threads", cause })? })
    }

    /// Serves a connection on the worker that has the fewest.
    ///
    /// # Errors
    /// When the connection can't be handed over; it is closed then.
    pub(crate) fn serve<F>(
        &self,
        stream: TcpStream,
        serving: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) -> std::io::Result<()>
    where
        F: Future<Output = ()> + Send,
    {
        let stream = stream.into_std()?;
        let Some(worker) = self.workers.iter().min_by_key(|worker| Arc::strong_count(&worker.presence)) else {
            return Ok(());
        };
        let presence = Arc::clone(&worker.presence);
        worker.runtime.spawn(async move {
            match TcpStream::from_std(stream) {
                Ok(stream) => serving(stream).await,
                Err(error) => tracing::error!(%error, "a connection could not be served"),
            }
            drop(presence);
        });
        Ok(())
    }

    /// Ends the threads, and returns once they have ended. Work that blocks is waited for.
    pub(crate) async fn stop(self) {
        let join = || {
            // All are asked to end before the first is waited for.
            let threads: Vec<_> = self.workers.into_iter().map(|worker| worker.thread).collect();
            for thread in threads {
                // A panic has been logged by then.
                let _ = thread.join();
            }
        };
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

impl Worker {
    fn start(blocking: usize) -> std::io::Result<Self> {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().max_blocking_threads(blocking).thread_name("sealstack-call").build()?;
        let (handle, (end, ended)) = (runtime.handle().clone(), oneshot::channel());
        let work = move || {
            // Sent by nobody: the other end goes with the workers.
            let _ = runtime.block_on(ended);
        };
        let thread = thread::Builder::new().name("sealstack-work".to_owned()).spawn(work)?;
        Ok(Self { runtime: handle, presence: Arc::default(), thread, _end: end })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn connections_go_to_the_worker_with_the_fewest_and_end_with_them() {
        let workers = Workers::start(NonZeroUsize::new(3)).expect("threads");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let met = Arc::new(Mutex::new(HashMap::<thread::ThreadId, usize>::new()));
        let mut clients = Vec::new();
        for _ in 0..9 {
            clients.push(TcpStream::connect(address).await.expect("a connection"));
            let (stream, _) = listener.accept().await.expect("a connection");
            let met = Arc::clone(&met);
            let serving = move |mut stream: TcpStream| async move {
                *met.lock().expect("no panic").entry(thread::current().id()).or_default() += 1;
                stream.write_all(b"!").await.expect("sent");
                std::future::pending().await
            };
            workers.serve(stream, serving).expect("handed over");
        }
        for client in &mut clients {
            assert_eq!(client.read_u8().await.expect("an answer"), b'!');
        }
        assert_eq!(met.lock().expect("no panic").values().copied().collect::<Vec<_>>(), [3, 3, 3]);
        workers.stop().await;
        for mut client in clients {
            assert_eq!(client.read(&mut [0]).await.expect("an end"), 0);
        }
    }
}
