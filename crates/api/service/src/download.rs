//! Answers whose payload is a stream: a downloaded object, a pack.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::trail::Trail;

/// The stream of an answer. One that knows its length says so in its size hint. An error ends the connection, so that the
/// client does not take the answer for complete.
pub type AnswerStream = Pin<Box<dyn Body<Data = Bytes, Error = Box<dyn Error + Send + Sync>> + Send>>;

/// The output of an operation whose payload is a stream.
pub struct Download<T> {
    /// Everything but the payload.
    pub output: T,
    /// The payload.
    pub stream: AnswerStream,
}

/// A stream whose failure is recorded: the record of its call was written when it began, as that of a success.
pub(crate) struct Watched {
    stream: AnswerStream,
    request_id: String,
    /// Where a failure is recorded, and its event.
    failure: Option<(Trail, Vec<u8>)>,
}

impl Watched {
    pub(crate) fn new(stream: AnswerStream, request_id: &str, trail: &Trail, event: Vec<u8>) -> Self {
        Self { stream, request_id: request_id.to_owned(), failure: Some((trail.clone(), event)) }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = self.stream.as_mut().poll_frame(task);
        if let Poll::Ready(Some(Err(error))) = &polled
            && let Some((trail, event)) = self.failure.take()
        {
            let request_id = &self.request_id;
            tracing::error!(request_id, %error, "an answer broke off");
            if let Err(error) = trail.append_encoded(&event) {
                tracing::error!(request_id, %error, "the audit record of an answer that broke off could not be written");
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.stream.size_hint()
    }
}
