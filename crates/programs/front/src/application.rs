//! The seam between a front and the program behind it: a request comes in, a response goes out.
//!
//! Knows nothing of what either means.

use std::error::Error;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode, request};
use http_body::Body;

use crate::body::Body as RequestBody;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its address; an IPv4 address stays one on a socket for both versions.
    pub ip: IpAddr,
    /// Whether the connection is over TLS.
    pub secure: bool,
}

/// A request whose head has arrived, and whose body may not have.
///
/// The body is the front's: it counts the body's bytes and the time that the client takes for it until the request is
/// answered.
#[derive(Debug)]
pub struct Request<'a> {
    /// Method, target as sent, headers.
    pub head: request::Parts,
    /// Its body, of which nothing has been read.
    pub body: &'a mut RequestBody,
    /// Who sent it.
    pub peer: Peer,
}

/// A response.
#[derive(Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, without those that HTTP itself needs (`Content-Length`, `Date`, `Connection`).
    ///
    /// A request's own map, cleared, saves an allocation: the connection reuses it for its next request.
    pub headers: HeaderMap,
    /// Its body.
    pub body: ResponseBody,
}

/// A stream of a response's bytes. One that knows its length says so in its size hint; an error breaks the connection off,
/// so that the client does not take the response for complete.
pub type ResponseStream = Pin<Box<dyn Body<Data = Bytes, Error = Box<dyn Error + Send + Sync>> + Send>>;

/// A response's body.
pub enum ResponseBody {
    /// All of its bytes; wiped once they are sent.
    Whole(Vec<u8>),
    /// Bytes as they come.
    Stream(ResponseStream),
}

impl std::fmt::Debug for ResponseBody {
    /// Lengths only: a body may hold a plaintext or a secret access key.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => write!(out, "Whole({} bytes)", bytes.len()),
            Self::Stream(stream) => write!(out, "Stream({:?} bytes)", stream.size_hint().exact()),
        }
    }
}

impl Response {
    /// A response with one header, `Content-Type`.
    #[must_use]
    pub fn new(status: StatusCode, content_type: HeaderValue, body: impl Into<Vec<u8>>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type);
        Self { status, headers, body: ResponseBody::Whole(body.into()) }
    }

    /// A response with a line of text for people.
    #[must_use]
    pub fn text(status: StatusCode, line: &'static str) -> Self {
        Self::new(status, HeaderValue::from_static("text/plain; charset=utf-8"), line)
    }
}

/// The program behind the HTTP connections.
pub trait Application: Send + Sync + 'static {
    /// Answers a request, whatever is in it.
    ///
    /// A client that hangs up does not stop this halfway; one that takes too long over the body does, while the body is
    /// waited for.
    fn handle(&self, request: Request<'_>) -> impl Future<Output = Response> + Send;

    /// Answers a request with one of the program's own pages, such as its health, without its body; `None` if the
    /// request is for none of them. `draining` says that the program is shutting down.
    fn page(&self, _head: &request::Parts, _peer: Peer, _draining: bool) -> Option<Response> {
        None
    }
}
