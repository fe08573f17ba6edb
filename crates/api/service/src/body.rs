//! Bodies as they flow: what a transport offers of a request's body, and the stream behind an answer.
//!
//! Knows neither HTTP connections nor what a body means.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use wire::{CommonFault, Fault, Protocol};

/// A stream of bytes, with trailers where its sender announced some. Ends with an error if it is not complete.
pub type ByteStream = Pin<Box<dyn Body<Data = Bytes, Error = BodyError> + Send>>;

/// Why a body cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than its operation allows.
    #[error("the request body is too large")]
    TooLarge,
    /// Too many bodies are in memory.
    #[error("too many request bodies are in memory")]
    Crowded,
    /// Too few bytes arrived in the time allowed.
    #[error("the request body arrives too slowly")]
    Stalled,
    /// The client stopped sending it, or sent something that is not HTTP.
    #[error("request body aborted")]
    Aborted,
}

impl BodyError {
    /// The fault in a protocol's words.
    #[must_use]
    pub fn fault(self, protocol: Protocol) -> Fault {
        match self {
            Self::TooLarge => CommonFault::RequestEntityTooLarge.fault(protocol),
            Self::Crowded => CommonFault::ServiceUnavailable.fault(protocol),
            Self::Stalled => Fault::new("RequestTimeout", 408, self.to_string()),
            Self::Aborted => Fault::new("IncompleteBody", 400, self.to_string()),
        }
    }
}

/// The body of a request, of which nothing has been read. A client that waits for `100 Continue` gets it with the first
/// read, and not at all if nothing is read.
pub trait RequestBody: Send {
    /// Reads a body of at most `bytes_max` bytes. The body counts against the limits on memory until `self` is dropped.
    ///
    /// # Errors
    /// Every [`BodyError`].
    fn whole(&mut self, bytes_max: usize) -> impl Future<Output = Result<Bytes, BodyError>> + Send;

    /// The number of bytes that the request states, if it does.
    fn stated_length(&self) -> Option<u64>;

    /// Takes the body as a stream. Whoever reads it slowly slows the client down.
    fn stream(&mut self) -> ByteStream;
}

impl RequestBody for Bytes {
    async fn whole(&mut self, bytes_max: usize) -> Result<Bytes, BodyError> {
        if self.len() > bytes_max { Err(BodyError::TooLarge) } else { Ok(self.clone()) }
    }

    fn stated_length(&self) -> Option<u64> {
        u64::try_from(self.len()).ok()
    }

    fn stream(&mut self) -> ByteStream {
        Box::pin(Full::new(std::mem::take(self)).map_err(|never| match never {}))
    }
}
