//! MD5 of a content that arrives, on a thread of its own once the content is long, beside sealing and writing.
//! Knows no content's place.

use bytes::Bytes;
use md5::{Digest as _, Md5};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::BucketsError;

/// Up to so many bytes are hashed where they arrive: the way to another thread takes as long.
const HERE_BYTES_MAX: usize = 16 * 1024;

/// How many bytes are hashed at once, and how many wait meanwhile.
const BATCH_BYTES: usize = 256 * 1024;

/// A digest being computed.
pub(crate) struct Hashing {
    state: State,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
}

enum State {
    Idle(Md5),
    Running(JoinHandle<Md5>),
    /// Another thread failed.
    Lost,
}

impl Hashing {
    pub(crate) fn new() -> Self {
        Self { state: State::Idle(Md5::new()), waiting: Vec::new(), waiting_bytes: 0 }
    }

    pub(crate) async fn update(&mut self, bytes: Bytes) -> Result<(), BucketsError> {
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
        if self.waiting_bytes >= BATCH_BYTES {
            let digest = self.idle().await?;
            let batch = std::mem::take(&mut self.waiting);
            self.waiting_bytes = 0;
            self.state = State::Running(spawn_blocking(move || absorb(digest, &batch)));
        }
        Ok(())
    }

    pub(crate) async fn finish(mut self) -> Result<[u8; 16], BucketsError> {
        let digest = self.idle().await?;
        let batch = self.waiting;
        let digest = match self.waiting_bytes {
            0..=HERE_BYTES_MAX => absorb(digest, &batch),
            _ => spawn_blocking(move || absorb(digest, &batch)).await.map_err(|_| BucketsError::Interrupted)?,
        };
        Ok(digest.finalize().into())
    }

    /// The digest of what was handed over, once it is computed.
    async fn idle(&mut self) -> Result<Md5, BucketsError> {
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Idle(digest) => Ok(digest),
            State::Running(task) => task.await.map_err(|_| BucketsError::Interrupted),
            State::Lost => Err(BucketsError::Interrupted),
        }
    }
}

fn absorb(mut digest: Md5, batch: &[Bytes]) -> Md5 {
    batch.iter().for_each(|bytes| digest.update(bytes));
    digest
}
