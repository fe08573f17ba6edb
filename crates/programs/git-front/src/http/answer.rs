//! Answers over HTTP: headers, streams, and refusals in words.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use codecommit::transfer::{Packets, TransferError};
use front::Response;
use git_wire::clean;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderValue, PRAGMA};
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// An answer as it is made.
pub(super) struct Answer {
    pieces: Option<mpsc::Receiver<Bytes>>,
}

impl Answer {
    pub(super) const fn new(pieces: mpsc::Receiver<Bytes>) -> Self {
        Self { pieces: Some(pieces) }
    }

    pub(super) const fn empty() -> Self {
        Self { pieces: None }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut self.pieces {
            Some(pieces) => pieces.poll_recv(task).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes)))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.pieces.is_none() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}

/// The headers of every answer of Git's: nothing of it may be cached.
///
/// Source: gitprotocol-http, "Smart Server Response".
pub(super) fn headers(content_type: &str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0, must-revalidate"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("Fri, 01 Jan 1980 00:00:00 GMT"));
    headers
}

/// A refusal in a line of text, which clients show.
pub(super) fn refuse(status: StatusCode, line: impl Into<String>) -> Response {
    let headers = headers("text/plain; charset=utf-8");
    Response { status, headers, body: front::ResponseBody::Whole(line.into().into_bytes()) }
}

/// The refusal of a transfer that has not begun.
pub(super) fn refused(error: &TransferError) -> Response {
    let words = clean(error.words().as_bytes());
    let status = match error {
        TransferError::Refused(fault) => match fault.code {
            "AccessDeniedException" => StatusCode::FORBIDDEN,
            "RepositoryDoesNotExistException" => StatusCode::NOT_FOUND,
            // A client shows the text of this one, and asks for no other password.
            _ if fault.status == StatusCode::BAD_REQUEST => StatusCode::FORBIDDEN,
            _ => StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        },
        TransferError::Wire(_) => StatusCode::BAD_REQUEST,
        TransferError::Input(_) | TransferError::Slow | TransferError::Gone => StatusCode::REQUEST_TIMEOUT,
        TransferError::Git(_) if error.is_ours() => {
            tracing::error!(%error, "a repository could not be opened");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        TransferError::Git(_) => StatusCode::BAD_REQUEST,
    };
    refuse(status, words + "\n")
}

/// A refusal in Git's own form, of a request of which not all was read.
pub(super) async fn told(content_type: &str, error: &TransferError, mut packets: Packets) -> Response {
    packets.drain().await;
    let refusal = packets.refusal(&clean(error.words().as_bytes()));
    Response { status: StatusCode::OK, headers: headers(content_type), body: front::ResponseBody::Whole(refusal) }
}
