//! A request's body: read within bounds of length, time and memory.
//!
//! Counts what it takes on behalf of all connections. Knows nothing of what is in it.

mod rest;
mod stream;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use memmap2::MmapMut;
use tokio::time::{Instant, timeout_at};

use crate::application::Response;
use crate::connection::Connection;
use crate::connection_limiter::{Protocol, Streaming, Turn};
use rest::Rest;

pub use stream::BodyStream;

/// Why a body cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than is allowed.
    #[error("the body is too long")]
    TooLarge,
    /// Too many bodies are in memory.
    #[error("too many bodies are in memory")]
    Crowded,
    /// The client took too long over it.
    #[error("the body took too long")]
    TimedOut,
    /// The client stopped sending it, or sent something that isn't HTTP.
    #[error("the body is not HTTP: {0}")]
    Broken(#[source] hyper::Error),
    /// The connection was closed. Whatever is answered reaches nobody.
    #[error("the connection was closed")]
    Closed,
}

impl BodyError {
    /// A response that says so in a line of text, for applications with no other form for it.
    #[must_use]
    pub fn response(&self) -> Response {
        let (status, line) = match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too long.\n"),
            Self::Crowded => (StatusCode::SERVICE_UNAVAILABLE, "Too much is being sent at once. Try again.\n"),
            Self::TimedOut => (StatusCode::REQUEST_TIMEOUT, "The body took too long.\n"),
            Self::Broken(_) => (StatusCode::BAD_REQUEST, "The body is not HTTP.\n"),
            Self::Closed => (StatusCode::SERVICE_UNAVAILABLE, "The connection was closed.\n"),
        };
        Response::text(status, line)
    }
}

/// Bytes of a body that begin its time anew: a client that sends fewer in that time is too slow.
const PROGRESS_BYTES: usize = 16 * 1024;

/// A request's body, and the request's turn on its connection.
pub struct Body {
    /// `None` once it is a stream.
    incoming: Option<Incoming>,
    connection: Arc<Connection>,
    turn: Turn,
    /// Whether the client waits to be asked for it.
    awaits_continue: bool,
    /// The rest of the stream that it became.
    rest: Option<Rest>,
    /// Bytes that are counted among those of all bodies in memory.
    counted: usize,
    end: End,
}

/// How reading a body ended, as far as its connection has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Well, or it has not.
    Well,
    /// Not all of it was read: what follows is not the next request.
    Unread,
    /// The connection was closed.
    Closed,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, connection: Arc<Connection>, turn: Turn, awaits_continue: bool) -> Self {
        let (incoming, rest) = (Some(incoming), None);
        Self { incoming, connection, turn, awaits_continue, rest, counted: 0, end: End::Well }
    }

    /// Whether the request can go on: one without a body is the server's work at once. False when the connection was
    /// closed.
    pub(crate) fn begins(&mut self) -> bool {
        !self.incoming.as_ref().is_some_and(Incoming::is_end_stream) || self.turn.serves()
    }

    /// The length that the head states, in bytes; `None` if it states none.
    #[must_use]
    pub fn stated_length(&self) -> Option<u64> {
        self.incoming.as_ref().and_then(|incoming| incoming.size_hint().exact())
    }

    /// Reads all of it, `bytes_max` bytes or what the front's limits allow at most. Nothing is left to be read after it.
    ///
    /// From here on the request is the server's work, however long that takes.
    ///
    /// # Errors
    /// Every [`BodyError`]. The connection of an HTTP/1 request is closed after its answer then.
    pub async fn whole(&mut self, bytes_max: usize) -> Result<Bytes, BodyError> {
        let collected = self.collect(bytes_max.min(self.connection.shared.limits.body_bytes_max)).await;
        let collected = collected.and_then(|body| if self.turn.serves() { Ok(body) } else { Err(BodyError::Closed) });
        match &collected {
            // All of it was read, whatever trailers hyper still has of it.
            Ok(_) => self.incoming = None,
            Err(error) => self.failed(error),
        }
        collected
    }

    /// Takes it as a stream, of any length. Reading it slowly slows the client down; a client that sends less than 16 KiB
    /// in the time for a body ends it with [`BodyError::TimedOut`].
    ///
    /// From here on the request is the server's work.
    pub fn stream(&mut self) -> BodyStream {
        let rest = Rest::default();
        self.rest = Some(rest.clone());
        let open = self.turn.serves();
        if !open {
            self.end = End::Closed;
        }
        let incoming = self.incoming.take().filter(|_| open);
        BodyStream::new(incoming, Arc::clone(&self.connection), rest)
    }

    /// Says that the answer to the request is a stream.
    pub(crate) fn streams(&self) -> Streaming {
        self.connection.state.streams()
    }

    /// Discards what the application did not read, if that is short; otherwise an HTTP/1 connection ends with the answer.
    pub(crate) async fn finish(&mut self) {
        if self.end != End::Well || self.rest.as_ref().is_some_and(Rest::is_read) {
            return;
        }
        let read = match self.take_rest() {
            Some(incoming) => incoming.is_end_stream() || !self.awaits_continue && rest::discard(incoming).await,
            None => self.rest.is_none(),
        };
        if !read {
            self.connection.state.refuses_the_rest();
            self.end = End::Unread;
        }
    }

    /// The rest that nobody has read, and nobody is reading.
    fn take_rest(&mut self) -> Option<Incoming> {
        self.incoming.take().or_else(|| self.rest.as_ref().and_then(Rest::take))
    }

    /// Whether the client may still be sending it, so that nothing else can come on an HTTP/1 connection.
    pub(crate) fn is_unread(&self) -> bool {
        self.end == End::Unread
    }

    /// Whether the connection was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.end == End::Closed
    }

    async fn collect(&mut self, bytes_max: usize) -> Result<Bytes, BodyError> {
        let Self { incoming: Some(incoming), connection, turn, counted, .. } = self else { return Ok(Bytes::new()) };
        // A stated length over the limit is refused before a byte of it is read.
        if incoming.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
            return Err(BodyError::TooLarge);
        }
        let stated = incoming.size_hint().upper().and_then(|stated| usize::try_from(stated).ok());
        let mut patience = Patience::new(connection, turn);
        let Some(first) = patience.next(incoming).await? else { return Ok(Bytes::new()) };
        if first.len() > bytes_max {
            return Err(BodyError::TooLarge);
        }
        if incoming.is_end_stream() {
            return Ok(first);
        }
        let mut whole = Whole::new(stated.unwrap_or(bytes_max));
        let mut piece = Some(first);
        while let Some(bytes) = piece {
            if whole.len() + bytes.len() > bytes_max {
                return Err(BodyError::TooLarge);
            }
            *counted += bytes.len();
            if !connection.shared.bodies.take(bytes.len()) {
                return Err(BodyError::Crowded);
            }
            whole.add(&bytes).map_err(|_| BodyError::Crowded)?;
            patience.received(bytes.len());
            piece = patience.next(incoming).await?;
        }
        Ok(whole.into_bytes())
    }

    fn failed(&mut self, error: &BodyError) {
        let Connection { shared, state, peer, .. } = &*self.connection;
        if !matches!(error, BodyError::TooLarge | BodyError::Crowded) {
            self.incoming = None;
        }
        self.end = match error {
            BodyError::TooLarge => {
                shared.traffic.bodies_too_large.fetch_add(1, Ordering::Relaxed);
                state.refuses_the_rest();
                End::Unread
            }
            BodyError::Crowded => {
                shared.traffic.bodies_crowded_out.fetch_add(1, Ordering::Relaxed);
                state.refuses_the_rest();
                End::Unread
            }
            BodyError::Broken(error) => {
                tracing::debug!(ip = %peer.ip, %error, "request body aborted");
                End::Unread
            }
            BodyError::TimedOut => End::Unread,
            BodyError::Closed => End::Closed,
        };
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Body").field("stated_length", &self.stated_length()).field("end", &self.end).finish()
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.connection.shared.bodies.give_back(self.counted);
        if self.connection.protocol == Protocol::Http2
            && !self.awaits_continue
            && let Some(incoming) = self.take_rest()
        {
            rest::discard_later(incoming);
        }
    }
}

/// The time that a client has for the next 16 KiB of a body that is read whole.
struct Patience<'a> {
    turn: &'a Turn,
    timeout: Duration,
    /// Of HTTP/2, where each request has a timer of its own. The connection limiter closes an HTTP/1 connection whose
    /// only request's body is late.
    deadline: Option<Instant>,
    received: usize,
}

impl<'a> Patience<'a> {
    fn new(connection: &Connection, turn: &'a Turn) -> Self {
        let timeout = connection.shared.limits.body_timeout;
        let deadline = (connection.protocol == Protocol::Http2).then(|| Instant::now() + timeout);
        Self { turn, timeout, deadline, received: 0 }
    }

    async fn next(&self, incoming: &mut Incoming) -> Result<Option<Bytes>, BodyError> {
        match self.deadline {
            None => next(incoming).await,
            Some(deadline) => match timeout_at(deadline, next(incoming)).await {
                Ok(piece) => piece,
                Err(_) => Err(BodyError::TimedOut),
            },
        }
    }

    fn received(&mut self, bytes: usize) {
        self.received += bytes;
        if self.received >= PROGRESS_BYTES {
            self.received = 0;
            self.turn.progresses();
            self.deadline = self.deadline.map(|_| Instant::now() + self.timeout);
        }
    }
}

/// A body that is put together.
///
/// A long one has pages of its own, which go back to the operating system with it. What is freed in the heap stays with
/// the process for as long as anything is in use behind it: many long bodies at once would have cost their memory for
/// good.
enum Whole {
    Short { bytes: BytesMut, length_max: usize },
    Long { pages: MmapMut, length: usize },
}

/// A body longer than this has pages of its own.
const SHORT_BYTES_MAX: usize = 64 * 1024;

impl Whole {
    /// A body that gets no longer than `length_max`.
    fn new(length_max: usize) -> Self {
        Self::Short { bytes: BytesMut::new(), length_max }
    }

    fn len(&self) -> usize {
        match self {
            Self::Short { bytes, .. } => bytes.len(),
            Self::Long { length, .. } => *length,
        }
    }

    fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        if let Self::Short { bytes, length_max } = self {
            let length = bytes.len() + piece.len();
            if length <= SHORT_BYTES_MAX {
                bytes.extend_from_slice(piece);
                return Ok(());
            }
            // A page takes memory once it is written to: stating a length costs a stranger nothing, and us neither.
            let mut pages = MmapMut::map_anon((*length_max).max(length))?;
            let before = bytes.len();
            pages.get_mut(..before).unwrap_or_default().copy_from_slice(bytes);
            *self = Self::Long { pages, length: before };
        }
        if let Self::Long { pages, length } = self {
            let end = *length + piece.len();
            pages.get_mut(*length..end).ok_or(io::ErrorKind::OutOfMemory)?.copy_from_slice(piece);
            *length = end;
        }
        Ok(())
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Short { bytes, .. } => bytes.freeze(),
            Self::Long { pages, length } => Bytes::from_owner(pages).slice(..length),
        }
    }
}

/// The next piece of data; trailers are nobody's.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, BodyError> {
    while !body.is_end_stream() {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                Ok(_) | Err(_) => {}
            },
            Some(Err(error)) => return Err(BodyError::Broken(error)),
            None => return Ok(None),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_same_in_one_piece_and_in_many() {
        for length in [0, 1, SHORT_BYTES_MAX, SHORT_BYTES_MAX + 1, 5 * SHORT_BYTES_MAX] {
            let body: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
            for size in [1000, SHORT_BYTES_MAX, length.max(1)] {
                let mut whole = Whole::new(length);
                for piece in body.chunks(size) {
                    whole.add(piece).expect("room");
                }
                assert_eq!(whole.len(), length);
                assert_eq!(whole.into_bytes(), body, "{length} bytes in pieces of {size}");
            }
        }
    }
}
