//! The content of a blob as a stream. Knows no owner and no key.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::frames::Frames;
use crate::place::Source;
use crate::{BlobError, CHUNK_BYTES};

/// Bytes of a blob, in pieces of up to 256 KiB of a file or 2 MiB of an object, each found authentic. Ends after an error.
///
/// While one piece is with the caller, the next is read.
pub struct Reading {
    frames: Arc<Frames<Source>>,
    /// The range that nobody has begun to read.
    rest: Range<u64>,
    remaining_bytes: u64,
    ahead: Option<Ahead>,
}

/// The next piece.
enum Ahead {
    Ready(Bytes),
    Running(JoinHandle<Result<Bytes, BlobError>>),
}

impl Reading {
    pub(crate) const fn new(frames: Arc<Frames<Source>>, range: Range<u64>) -> Self {
        Self { frames, remaining_bytes: range.end - range.start, rest: range, ahead: None }
    }

    /// How many bytes the stream has not yielded yet.
    #[must_use]
    pub const fn remaining_bytes(&self) -> u64 {
        self.remaining_bytes
    }

    /// How many bytes nobody has begun to read.
    #[cfg(test)]
    pub(crate) const fn unread_bytes(&self) -> u64 {
        self.rest.end - self.rest.start
    }

    /// Begins to read the next piece; `None` at the end.
    fn start(&mut self) -> Option<Ahead> {
        let Range { start, end } = self.rest;
        if start >= end {
            return None;
        }
        let chunk_bytes = CHUNK_BYTES as u64;
        let (first, last) = (start / chunk_bytes, self.frames.layout().last());
        if first == last {
            // It was read when the blob was opened.
            self.rest.start = end;
            let (from, to) = (start - first * chunk_bytes, end - first * chunk_bytes);
            return Some(Ahead::Ready(slice(&self.frames.last().clone(), from..to)));
        }
        let chunks = first..end.div_ceil(chunk_bytes).min(first + self.frames.batch()).min(last);
        let stop = end.min(chunks.end * chunk_bytes);
        self.rest.start = stop;
        let frames = Arc::clone(&self.frames);
        Some(Ahead::Running(spawn_blocking(move || {
            let base = first * chunk_bytes;
            Ok(slice(&frames.read(chunks)?.into(), start - base..stop - base))
        })))
    }
}

/// A part of a piece, as far as the piece reaches.
fn slice(bytes: &Bytes, range: Range<u64>) -> Bytes {
    let place = |offset| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(place(range.start)..place(range.end))
}

impl Stream for Reading {
    type Item = Result<Bytes, BlobError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ahead.is_none() {
            self.ahead = self.start();
        }
        let piece = match &mut self.ahead {
            None => return Poll::Ready(None),
            Some(Ahead::Ready(bytes)) => Ok(std::mem::take(bytes)),
            Some(Ahead::Running(task)) => match ready!(Pin::new(task).poll(context)) {
                Ok(piece) => piece,
                Err(_) => Err(BlobError::Interrupted),
            },
        };
        match &piece {
            Ok(bytes) => self.remaining_bytes -= bytes.len() as u64,
            Err(_) => (self.rest.start, self.remaining_bytes) = (self.rest.end, 0),
        }
        self.ahead = self.start();
        Poll::Ready(Some(piece))
    }
}
