//! Threads of a token's own, for callers that must not block: a token that hangs holds up nobody but those who asked it.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::{Token, TokenError};

/// Calls that may wait for each thread.
const WAITING_PER_THREAD: usize = 32;

/// How long a call may take, its wait included.
const TIMEOUT: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce(&Token) + Send>;

/// A token and the threads that use it. They end when it is dropped and what they do is done.
pub struct TokenThreads {
    token: Arc<Token>,
    jobs: SyncSender<Job>,
}

impl TokenThreads {
    /// So many threads for `token`: as many calls run in it at the same time at most.
    ///
    /// # Errors
    /// [`TokenError::Failed`] when the system gives no threads.
    pub fn new(token: Token, threads: usize) -> Result<Self, TokenError> {
        let token = Arc::new(token);
        let (jobs, waiting) = sync_channel(threads * WAITING_PER_THREAD);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads {
            let (token, waiting) = (Arc::clone(&token), Arc::clone(&waiting));
            let worker = move || {
                while let Some(job) = next(&waiting) {
                    job(&token);
                }
            };
            let started = std::thread::Builder::new().name("token".to_owned()).spawn(worker);
            started.map_err(|error| TokenError::Failed { reason: error.to_string() })?;
        }
        Ok(Self { token, jobs })
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Has a thread do `work`.
    ///
    /// # Errors
    /// Those of the work; [`TokenError::Busy`] when too many calls wait; [`TokenError::TimedOut`].
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Token) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<T, TokenError> {
        let (answer, answered) = oneshot::channel();
        let job = move |token: &Token| {
            // Whoever gave up waiting needs no answer, and the token no work.
            if !answer.is_closed() {
                let _ = answer.send(work(token));
            }
        };
        self.jobs.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => TokenError::Busy,
            TrySendError::Disconnected(_) => TokenError::Failed { reason: "its threads have ended".to_owned() },
        })?;
        match tokio::time::timeout(TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(TokenError::Failed { reason: "its thread has ended".to_owned() }),
            Err(_) => Err(TokenError::TimedOut),
        }
    }
}

fn next(waiting: &Mutex<Receiver<Job>>) -> Option<Job> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
