//! A request's body, whole and within bounds.

use std::io;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use memmap2::MmapMut;

use crate::site::Charge;

/// Why a body is not to be had.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It is longer than any request may be.
    TooLarge,
    /// Too many bodies are in memory.
    Crowded,
    /// The client stopped sending it, or sent something that isn't HTTP.
    Broken(hyper::Error),
}

/// Reads a body of at most `bytes_max` bytes. What it takes of `charge` has to be kept as long as the body.
pub(super) async fn collect(mut body: Incoming, bytes_max: usize, charge: &mut Charge<'_>) -> Result<Bytes, BodyError> {
    // A stated length over the limit is refused before a byte of it is read.
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLarge);
    }
    let stated = body.size_hint().upper().and_then(|stated| usize::try_from(stated).ok());
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() > bytes_max {
        return Err(BodyError::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = Whole::new(stated.unwrap_or(bytes_max));
    let mut piece = Some(first);
    while let Some(bytes) = piece {
        if whole.len() + bytes.len() > bytes_max {
            return Err(BodyError::TooLarge);
        }
        if !charge.take(bytes.len()) {
            return Err(BodyError::Crowded);
        }
        whole.add(&bytes).map_err(|_| BodyError::Crowded)?;
        piece = next(&mut body).await?;
    }
    Ok(whole.into_bytes())
}

/// A body that is put together.
///
/// A long one has pages of its own, which go back to the operating system with it. What is freed in the heap stays with
/// the process for as long as anything is in use behind it: many long bodies at once would have cost their memory for
/// good.
enum Whole {
    Short { bytes: BytesMut, length_max: usize },
    Long { pages: MmapMut, length: usize },
}

/// A body longer than this has pages of its own.
const SHORT_BYTES_MAX: usize = 64 * 1024;

impl Whole {
    /// A body that gets no longer than `length_max`.
    fn new(length_max: usize) -> Self {
        Self::Short { bytes: BytesMut::new(), length_max }
    }

    fn len(&self) -> usize {
        match self {
            Self::Short { bytes, .. } => bytes.len(),
            Self::Long { length, .. } => *length,
        }
    }

    fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        if let Self::Short { bytes, length_max } = self {
            let length = bytes.len() + piece.len();
            if length <= SHORT_BYTES_MAX {
                bytes.extend_from_slice(piece);
                return Ok(());
            }
            // A page takes memory once it is written to: stating a length costs a stranger nothing, and us neither.
            let mut pages = MmapMut::map_anon((*length_max).max(length))?;
            let before = bytes.len();
            pages.get_mut(..before).unwrap_or_default().copy_from_slice(bytes);
            *self = Self::Long { pages, length: before };
        }
        if let Self::Long { pages, length } = self {
            let end = *length + piece.len();
            pages.get_mut(*length..end).ok_or(io::ErrorKind::OutOfMemory)?.copy_from_slice(piece);
            *length = end;
        }
        Ok(())
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Short { bytes, .. } => bytes.freeze(),
            Self::Long { pages, length } => Bytes::from_owner(pages).slice(..length),
        }
    }
}

/// The next piece of data; trailers are nobody's.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, BodyError> {
    while !body.is_end_stream() {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                Ok(_) | Err(_) => {}
            },
            Some(Err(error)) => return Err(BodyError::Broken(error)),
            None => return Ok(None),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_same_in_one_piece_and_in_many() {
        for length in [0, 1, SHORT_BYTES_MAX, SHORT_BYTES_MAX + 1, 5 * SHORT_BYTES_MAX] {
            let body: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect();
            for size in [1000, SHORT_BYTES_MAX, length.max(1)] {
                let mut whole = Whole::new(length);
                for piece in body.chunks(size) {
                    whole.add(piece).expect("room");
                }
                assert_eq!(whole.len(), length);
                assert_eq!(whole.into_bytes(), body, "{length} bytes in pieces of {size}");
            }
        }
    }
}
