//! A request's body, whole and within bounds.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

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
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() > bytes_max {
        return Err(BodyError::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    // Not the stated length, which costs a stranger nothing to state.
    let mut whole = BytesMut::new();
    let mut piece = Some(first);
    while let Some(bytes) = piece {
        if whole.len() + bytes.len() > bytes_max {
            return Err(BodyError::TooLarge);
        }
        if !charge.take(bytes.len()) {
            return Err(BodyError::Crowded);
        }
        whole.extend_from_slice(&bytes);
        piece = next(&mut body).await?;
    }
    Ok(whole.freeze())
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
