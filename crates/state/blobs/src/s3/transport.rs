//! The seam between this crate and whoever has sockets: one request goes out, one answer comes back.
//! Knows neither credentials nor TLS.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// A request that is not signed yet.
#[derive(Clone, Debug)]
pub struct S3Request {
    /// The method.
    pub method: Method,
    /// The path with bucket and key, and the query: what follows the host, percent-encoded.
    pub path_and_query: String,
    /// Headers besides those that sign the request.
    pub headers: HeaderMap,
    /// The body. Sealed bytes, or XML without secrets.
    pub body: Bytes,
}

/// An answer of any status.
#[derive(Clone, Debug)]
pub struct S3Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Why there is no answer. Nothing secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct S3Unanswered {
    /// The reason.
    pub detail: String,
    /// Whether the same request may fare better a moment later.
    pub transient: bool,
}

/// Signs and sends requests to one server.
///
/// Must bound the time of a request, and the length of an answer at no less than [`S3_ANSWER_BYTES_MAX`]. Must follow no
/// redirection, and try nothing twice that may have arrived.
pub trait S3Transport: Send + Sync {
    /// Sends the request once and waits for the whole answer. Blocks; called on a thread that may.
    ///
    /// # Errors
    /// [`S3Unanswered`]: whether the request arrived is not known.
    fn send(&self, request: &S3Request) -> Result<S3Answer, S3Unanswered>;
}

/// The longest answer that is expected: a range of a blob, or a page of a listing.
pub const S3_ANSWER_BYTES_MAX: usize = 8 << 20;
