//! A connection's bytes: their arrival is recorded in its state, their framing is checked, and a client that is still
//! sending at the end is read for a moment longer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::framing::{Framing, NO_LINE_FEED};
use crate::connection_limiter::{ConnectionState, Protocol};

/// How long, and for how many bytes, a client may go on sending what was refused. Closing at once would reset the
/// connection, and the client would lose the answer that says why.
const LEAVE: Duration = Duration::from_secs(2);
const LEAVE_BYTES: usize = 8 << 20;

/// A stream that its connection's state hears of.
pub(super) struct ActivityStream<S> {
    stream: S,
    state: Arc<ConnectionState>,
    /// Of HTTP/1.
    framing: Option<Framing>,
    leave: Option<Leave>,
}

struct Leave {
    deadline: Pin<Box<Sleep>>,
    bytes: usize,
}

impl<S> ActivityStream<S> {
    pub(super) fn new(stream: S, state: Arc<ConnectionState>, protocol: Protocol) -> Self {
        let framing = (protocol == Protocol::Http1).then(Framing::default);
        Self { stream, state, framing, leave: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ActivityStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.framing.as_ref().is_some_and(Framing::is_refused) {
            if self.state.is_still_sending() {
                return Poll::Pending;
            }
            self.state.refuses_the_rest();
            buffer.put_slice(NO_LINE_FEED.get(..buffer.remaining()).unwrap_or(NO_LINE_FEED));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(task, buffer))?;
        if buffer.filled().len() > before && !self.state.heard() {
            // The sweep closed it just now: nothing of a request may be read any more.
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if let Some(framing) = &mut self.framing {
            let passed = framing.pass(buffer.filled_mut().get_mut(before..).unwrap_or_default());
            buffer.set_filled(before + passed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ActivityStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(task, bytes));
        self.state.wrote();
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(task, bytes));
        self.state.wrote();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.leave.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(task))?;
            if !self.state.is_still_sending() {
                return Poll::Ready(Ok(()));
            }
        }
        let Self { stream, leave, .. } = &mut *self;
        let leave = leave.get_or_insert_with(|| Leave { deadline: Box::pin(tokio::time::sleep(LEAVE)), bytes: 0 });
        let mut discarded = [0; 8192];
        while leave.bytes < LEAVE_BYTES && leave.deadline.as_mut().poll(task).is_pending() {
            let mut buffer = ReadBuf::new(&mut discarded);
            match ready!(Pin::new(&mut *stream).poll_read(task, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => leave.bytes += buffer.filled().len(),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
