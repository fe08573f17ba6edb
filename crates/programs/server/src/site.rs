//! What all connections of a server share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::config::Limits;
use crate::connection_limiter::ConnectionLimiter;
use crate::tls::Certificates;

/// Bytes of request bodies that may wait in memory over all connections. A body in one piece, as nearly all are, does
/// not count: it stays in its connection's read buffer.
const BODIES_BYTES_MAX: usize = 64 << 20;

/// Bytes that an HTTP/1 connection reads ahead at most.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Requests that an HTTP/2 connection may have open.
const STREAMS_MAX: u32 = 128;

/// HTTP/2 flow control: bytes that a client may send ahead on a stream, and on a connection.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// HTTP/2 streams that a client may open and reset before they are served, and resets that it may provoke; more of
/// either end the connection.
const RESETS_MAX: usize = 64;

/// What all connections share.
pub(crate) struct Site<A> {
    pub(crate) application: A,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) limits: Limits,
    /// Whether plain HTTP is answered off loopback too.
    pub(crate) allow_plain_http: bool,
    pub(crate) connections: Arc<ConnectionLimiter>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) bodies: Bodies,
    pub(crate) draining: AtomicBool,
    pub(crate) http1: http1::Builder,
    pub(crate) http2: http2::Builder<TokioExecutor>,
}

impl<A> Site<A> {
    pub(crate) fn new(
        application: A,
        certificates: Arc<Certificates>,
        (limits, allow_plain_http): (Limits, bool),
        connections: Arc<ConnectionLimiter>,
        traffic: Arc<Traffic>,
    ) -> Self {
        let mut http1 = http1::Builder::new();
        // The connections keeps the time. A limit of hyper's own would cost each request a timer.
        http1.header_read_timeout(None).max_header_size(limits.head_bytes_max);
        http1.max_buf_size(limits.head_bytes_max.max(READ_BUFFER_BYTES));
        // A client that hangs up does not stop its call halfway: what has been changed has to reach the audit trail.
        http1.half_close(true);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_pending_accept_reset_streams(RESETS_MAX)
            .max_local_error_reset_streams(RESETS_MAX);
        Self {
            application,
            certificates,
            limits,
            allow_plain_http,
            connections,
            traffic,
            bodies: Bodies::default(),
            draining: AtomicBool::new(false),
            http1,
            http2,
        }
    }
}

/// Counts of what happens before a request reaches a service.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Connections accepted.
    pub(crate) accepted: AtomicU64,
    /// TLS handshakes that failed.
    pub(crate) handshakes_failed: AtomicU64,
    /// Connections that spoke plain HTTP where only TLS is answered.
    pub(crate) plain_refused: AtomicU64,
    /// Requests refused for a body over the limit.
    pub(crate) bodies_too_large: AtomicU64,
    /// Requests refused because too many bodies waited in memory.
    pub(crate) bodies_crowded_out: AtomicU64,
}

/// The bytes of request bodies in memory, counted.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    bytes: AtomicUsize,
}

/// Some of those bytes, given back when dropped.
pub(crate) struct Charge<'a> {
    bodies: &'a Bodies,
    bytes: usize,
}

impl Bodies {
    /// A charge of nothing yet.
    pub(crate) const fn charge(&self) -> Charge<'_> {
        Charge { bodies: self, bytes: 0 }
    }
}

impl Charge<'_> {
    /// Takes so many bytes more, unless that is too much for all.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let before = self.bodies.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before.saturating_add(bytes) <= BODIES_BYTES_MAX
    }
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.bodies.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_all_connections_share_one_bound_and_give_back_what_they_took() {
        let bodies = Bodies::default();
        {
            let (mut first, mut second) = (bodies.charge(), bodies.charge());
            assert!(first.take(BODIES_BYTES_MAX - 1));
            assert!(second.take(1));
            assert!(!second.take(1));
        }
        assert!(bodies.charge().take(BODIES_BYTES_MAX));
    }
}
