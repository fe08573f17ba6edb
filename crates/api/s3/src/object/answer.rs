//! The content of an object as the body of an answer, which knows its length.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use buckets::ContentReading;
use bytes::Bytes;
use futures_util::Stream as _;
use http_body::{Body, Frame, SizeHint};
use service::AnswerStream;

/// A content on its way out.
struct Content {
    reading: ContentReading,
    rest_bytes: u64,
}

/// The body of `bytes` bytes that `reading` yields.
pub(crate) fn answer(reading: ContentReading, bytes: u64) -> AnswerStream {
    Box::pin(Content { reading, rest_bytes: bytes })
}

impl Body for Content {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.reading).poll_next(task);
        polled.map(|piece| {
            piece.map(|piece| {
                let piece = piece?;
                self.rest_bytes = self.rest_bytes.saturating_sub(piece.len() as u64);
                Ok(Frame::data(piece))
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest_bytes)
    }
}
