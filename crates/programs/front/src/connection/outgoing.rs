//! A response's body as hyper asks for it: whole, or a stream that keeps its request open.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use http_body_util::Full;

use crate::application::ResponseStream;
use crate::body::Body;
use crate::connection_limiter::Streaming;
use crate::content::{Content, Piece};

/// A response's body.
pub(super) enum Outgoing {
    Whole(Full<Piece>),
    Stream(Box<Stream>),
}

/// A streamed body.
pub(super) struct Stream {
    stream: ResponseStream,
    streaming: Option<Streaming>,
    /// The request, which lasts as long as its answer.
    _request: Option<Body>,
}

impl Outgoing {
    pub(super) fn whole(bytes: Vec<u8>) -> Self {
        Self::Whole(Full::new(Piece::Whole(Content::from(bytes))))
    }

    pub(super) fn stream(stream: ResponseStream, request: Option<Body>) -> Self {
        let streaming = request.as_ref().map(Body::streams);
        Self::Stream(Box::new(Stream { stream, streaming, _request: request }))
    }
}

impl http_body::Body for Outgoing {
    type Data = Piece;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole).poll_frame(task).map_err(|never| match never {}),
            Self::Stream(streamed) => {
                let polled = streamed.stream.as_mut().poll_frame(task);
                if let Some(streaming) = &mut streamed.streaming {
                    streaming.set_producing(polled.is_pending());
                }
                polled.map_ok(|frame| frame.map_data(Piece::Streamed))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Stream(streamed) => streamed.stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Stream(streamed) => streamed.stream.size_hint(),
        }
    }
}
