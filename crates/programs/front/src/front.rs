//! A front: an application, and all that its connections share.

use std::sync::Arc;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::application::Application;
use crate::certificates::Certificates;
use crate::limits::Limits;
use crate::listener::Listener;
use crate::serving::Serving;
use crate::shared::{Shared, Statistics};
use crate::workers::Workers;

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

/// An application with a front before it.
pub struct Front<A> {
    pub(crate) application: A,
    pub(crate) certificates: Arc<Certificates>,
    /// Whether plain HTTP is answered off loopback too.
    pub(crate) allow_plain_http: bool,
    pub(crate) shared: Arc<Shared>,
    pub(crate) http1: http1::Builder,
    pub(crate) http2: http2::Builder<TokioExecutor>,
}

impl<A: Application> Front<A> {
    /// A front of `application` that answers nobody yet. Plain HTTP is answered on loopback, and elsewhere if
    /// `allow_plain_http`.
    #[must_use]
    pub fn new(application: A, certificates: Arc<Certificates>, limits: Limits, allow_plain_http: bool) -> Self {
        let mut http1 = http1::Builder::new();
        // The connection limiter keeps the time. A limit of hyper's own would cost each request a timer.
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
        Self { application, certificates, allow_plain_http, shared: Arc::new(Shared::new(limits)), http1, http2 }
    }

    /// The application.
    pub const fn application(&self) -> &A {
        &self.application
    }

    /// The certificates that its connections are served with.
    pub const fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// Counts of what happens before a request reaches the application.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics::of(&self.shared)
    }

    /// Accepts connections from now on, and has `workers` serve them.
    ///
    /// Has to be called on a runtime, where connections are accepted and watched.
    #[must_use]
    pub fn serve(self: Arc<Self>, listener: Listener, workers: Workers) -> Serving {
        Serving::start(self, listener, workers)
    }
}
