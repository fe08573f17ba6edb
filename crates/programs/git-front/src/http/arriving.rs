//! The body of a request, out of its compression.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use codecommit::transfer::ByteSource;
use flate2::write::MultiGzDecoder;
use front::{Body, BodyStream};
use futures_util::Stream;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body::Body as _;

/// How long a client may be silent in the middle of a push: it makes deltas meanwhile.
const PATIENCE: Duration = Duration::from_mins(10);

/// Compressed bytes that are expanded at a time, so that they become no more than a few megabytes.
const STEP_BYTES: usize = 4096;

/// The body's bytes as the client meant them; `None` for an encoding that is not known.
pub(super) fn source(headers: &HeaderMap, body: &mut Body) -> Option<ByteSource> {
    let stated = headers.get(CONTENT_ENCODING).map(http::HeaderValue::as_bytes);
    let expander = match stated {
        None | Some(b"" | b"identity") => None,
        Some(b"gzip" | b"x-gzip") => Some(Expander::new()),
        Some(_) => return None,
    };
    Some(Box::pin(Arriving { body: Some(body.stream().with_patience(PATIENCE)), expander }))
}

struct Arriving {
    /// `None` after the end.
    body: Option<BodyStream>,
    expander: Option<Expander>,
}

impl Stream for Arriving {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            if let Some(expanded) = self.expander.as_mut().and_then(Expander::next) {
                return Poll::Ready(Some(expanded));
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            let frame = ready!(Pin::new(body).poll_frame(task));
            let bytes = match frame {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(error)) => {
                    self.body = None;
                    return Poll::Ready(Some(Err(io::Error::other(error))));
                }
                None => {
                    self.body = None;
                    if let Some(expander) = self.expander.take() {
                        return Poll::Ready(expander.finish().transpose());
                    }
                    return Poll::Ready(None);
                }
            };
            match &mut self.expander {
                Some(expander) => expander.compressed = bytes,
                None if bytes.is_empty() => {}
                None => return Poll::Ready(Some(Ok(bytes))),
            }
        }
    }
}

/// Expands bytes piece by piece.
struct Expander {
    decoder: MultiGzDecoder<Vec<u8>>,
    compressed: Bytes,
}

impl Expander {
    fn new() -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), compressed: Bytes::new() }
    }

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        while !self.compressed.is_empty() {
            let step = self.compressed.split_to(self.compressed.len().min(STEP_BYTES));
            if let Err(error) = self.decoder.write_all(&step) {
                self.compressed.clear();
                return Some(Err(error));
            }
            let expanded = std::mem::take(self.decoder.get_mut());
            if !expanded.is_empty() {
                return Some(Ok(expanded.into()));
            }
        }
        None
    }

    fn finish(self) -> io::Result<Option<Bytes>> {
        let rest = self.decoder.finish()?;
        Ok((!rest.is_empty()).then(|| rest.into()))
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn compressed_bytes_are_expanded_in_small_steps() {
        let content = vec![b'x'; 64 << 20];
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&content).expect("compressed");
        let compressed = encoder.finish().expect("compressed");
        let mut expander = Expander::new();
        let mut length = 0;
        for piece in compressed.chunks(100_000) {
            expander.compressed = Bytes::copy_from_slice(piece);
            while let Some(expanded) = expander.next() {
                let expanded = expanded.expect("expanded");
                assert!(expanded.len() < 8 << 20, "{}", expanded.len());
                length += expanded.len();
            }
        }
        length += expander.finish().expect("whole").map_or(0, |bytes| bytes.len());
        assert_eq!(length, content.len());
    }

    #[test]
    fn what_is_not_compressed_is_refused() {
        let mut expander = Expander::new();
        expander.compressed = Bytes::from_static(b"0000 and no gzip at all");
        assert!(expander.next().is_some_and(|expanded| expanded.is_err()));
        assert!(expander.next().is_none());
    }
}
