//! A request's body as a stream, of any length.
//!
//! Times progress, not the whole: a client has the time for a body for each 16 KiB that the reader waits for.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::rest::{self, Rest};
use super::{BodyError, PROGRESS_BYTES};
use crate::connection::Connection;
use crate::connection_limiter::Protocol;

/// A request's body as a stream of data, and of trailers if the client sends some.
pub struct BodyStream {
    /// `None` for a connection that was closed, and after the end.
    incoming: Option<Incoming>,
    connection: Arc<Connection>,
    /// Where it leaves what was not read.
    rest: Rest,
    /// The time for each 16 KiB.
    timeout: Duration,
    /// Runs while the client is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Bytes since the deadline was set.
    received: usize,
}

impl BodyStream {
    pub(super) fn new(incoming: Option<Incoming>, connection: Arc<Connection>, rest: Rest) -> Self {
        let timeout = connection.shared.limits.body_timeout;
        Self { incoming, connection, rest, timeout, deadline: None, received: 0 }
    }

    /// The stream with another time for each 16 KiB than the front's limits have: for clients that compute what they send.
    #[must_use]
    pub const fn with_patience(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether the client has taken too long.
    fn is_late(&mut self, task: &mut Context<'_>) -> bool {
        let timeout = self.timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        deadline.as_mut().poll(task).is_ready()
    }

    fn received(&mut self, bytes: usize) {
        self.received += bytes;
        if self.received >= PROGRESS_BYTES {
            self.received = 0;
            if let Some(deadline) = &mut self.deadline {
                deadline.as_mut().reset(Instant::now() + self.timeout);
            }
        }
    }
}

impl Body for BodyStream {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready((!self.rest.is_read()).then_some(Err(BodyError::Closed)));
        };
        match Pin::new(incoming).poll_frame(task) {
            Poll::Pending if self.is_late(task) => {
                self.rest.failed();
                self.incoming = None;
                Poll::Ready(Some(Err(BodyError::TimedOut)))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                self.rest.read();
                self.incoming = None;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.received(frame.data_ref().map_or(0, Bytes::len));
                if self.is_end_stream() {
                    self.rest.read();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(ip = %self.connection.peer.ip, %error, "request body aborted");
                self.rest.failed();
                self.incoming = None;
                Poll::Ready(Some(Err(BodyError::Broken(error))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_some_and(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(SizeHint::default, Incoming::size_hint)
    }
}

impl Drop for BodyStream {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take() else { return };
        if incoming.is_end_stream() {
            self.rest.read();
        } else if let Some(incoming) = self.rest.leave(incoming)
            && self.connection.protocol == Protocol::Http2
        {
            rest::discard_later(incoming);
        }
    }
}
