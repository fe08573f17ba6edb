//! The rest of a body that nobody reads. A short one is discarded, so that the client's next request finds its connection.
//!
//! HTTP/1: before the answer, since the next request comes behind it. HTTP/2: after the answer, since a stream whose
//! client has not ended it would be reset with the answer's end, and some clients give up the connection for that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::next;

/// The longest rest that is discarded, in bytes.
const BYTES_MAX: u64 = 64 * 1024;

/// The time that discarding may take: before an answer, and after it.
const BEFORE_ANSWER: Duration = Duration::from_secs(1);
const AFTER_ANSWER: Duration = Duration::from_secs(5);

/// A body that became a stream, as the request and the stream see it.
#[derive(Clone, Default)]
pub(super) struct Rest(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    /// The stream is being read.
    #[default]
    Reading,
    /// All of it was read.
    Read,
    /// The stream was dropped before its end.
    Unread(Incoming),
    /// The stream failed: nothing can come of it.
    Failed,
    /// The stream is being read, and its request has been answered.
    Answered,
}

impl Rest {
    /// Says that the stream was read to its end.
    pub(super) fn read(&self) {
        *self.lock() = State::Read;
    }

    /// Whether the stream was read to its end.
    pub(super) fn is_read(&self) -> bool {
        matches!(*self.lock(), State::Read)
    }

    /// Says that the stream failed.
    pub(super) fn failed(&self) {
        *self.lock() = State::Failed;
    }

    /// Leaves to the request what the stream did not read; gives it back if the request has been answered.
    pub(super) fn leave(&self, incoming: Incoming) -> Option<Incoming> {
        let mut state = self.lock();
        if matches!(*state, State::Answered) {
            return Some(incoming);
        }
        *state = State::Unread(incoming);
        None
    }

    /// Takes what the stream did not read, if it has been dropped. From here on the request is answered.
    pub(super) fn take(&self) -> Option<Incoming> {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Failed) {
            State::Unread(incoming) => Some(incoming),
            State::Reading | State::Answered => {
                *state = State::Answered;
                None
            }
            ended @ (State::Read | State::Failed) => {
                *state = ended;
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Discards the rest of a body before the answer, if it is short and comes soon. Whether nothing is left of it.
pub(super) async fn discard(mut incoming: Incoming) -> bool {
    incoming.is_end_stream()
        || incoming.size_hint().lower() <= BYTES_MAX
            && timeout(BEFORE_ANSWER, read_away(&mut incoming)).await.unwrap_or_default()
}

/// Discards the rest of a body beside the answer and after it, if it is short and comes soon; otherwise the stream is
/// reset.
pub(super) fn discard_later(mut incoming: Incoming) {
    if incoming.is_end_stream() || incoming.size_hint().lower() > BYTES_MAX {
        return;
    }
    // Outside of a runtime the connection has ended.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move { timeout(AFTER_ANSWER, read_away(&mut incoming)).await });
    }
}

/// Whether the body ended within [`BYTES_MAX`].
async fn read_away(incoming: &mut Incoming) -> bool {
    let mut left = BYTES_MAX;
    loop {
        match next(incoming).await {
            Ok(None) => return true,
            Ok(Some(bytes)) => match left.checked_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX)) {
                Some(less) => left = less,
                None => return false,
            },
            Err(_) => return false,
        }
    }
}
