//! Uploads by forms: their fields, and the file as a stream. Knows nothing of what fields mean.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use wire::form::{Fields, FormFile, FormHead};
use wire::{Fault, Protocol};

use crate::body::{BodyError, ByteStream};
use crate::upload::UploadStream;

/// The input of an operation that a browser's form asks for.
pub struct FormUpload<T> {
    /// Everything but the form.
    pub input: T,
    /// Its fields.
    pub fields: Fields,
    /// Its file.
    pub file: UploadStream,
}

impl<T> Deref for FormUpload<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.input
    }
}

/// Reads a form up to the content of its file.
///
/// # Errors
/// The fault of a form that is malformed, or does not arrive.
pub(crate) async fn read(headers: &HeaderMap, mut stream: ByteStream, protocol: Protocol) -> Result<Arrived, Fault> {
    let content_type = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut head = FormHead::new(content_type.unwrap_or_default()).map_err(|error| error.fault())?;
    loop {
        let frame = std::future::poll_fn(|task| stream.as_mut().poll_frame(task)).await;
        let Some(frame) = frame else { return Err(head.end().fault()) };
        let bytes = frame.map_err(|error| error.fault(protocol))?.into_data().unwrap_or_default();
        if let Some((fields, file)) = head.push(&bytes).map_err(|error| error.fault())? {
            return Ok(Arrived { fields, file, stream });
        }
    }
}

/// A form whose fields have arrived.
pub(crate) struct Arrived {
    pub(crate) fields: Fields,
    file: FormFile,
    stream: ByteStream,
}

impl Arrived {
    /// The fields, and the file as a stream of bytes.
    pub(crate) fn into_parts(self) -> (Fields, ByteStream) {
        let Self { fields, file, stream } = self;
        (fields, Box::pin(FileBody { file, stream }))
    }
}

/// The file of a form as a body.
struct FileBody {
    file: FormFile,
    stream: ByteStream,
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(bytes) = self.file.next_piece() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            match ready!(self.stream.as_mut().poll_frame(task)) {
                Some(Ok(frame)) => self.file.push(&frame.into_data().unwrap_or_default()),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(self.file.finish().err().map(|_| Err(BodyError::Aborted))),
            }
        }
    }
}
