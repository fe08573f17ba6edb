//! Where a message in a source of known length ends, found without reading its frames.

use std::num::NonZeroU32;

use crate::frame::{FINAL_HEAD, FINAL_MARK, FINAL_OVERHEAD, REGULAR_OVERHEAD, parse_final_head};
use crate::layout::Layout;
use crate::message_digest::SIGNATURE_MAX;
use crate::positioned::ReadAt;
use crate::{Error, Part};

/// Where the body and the footer of a message are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) layout: Layout,
    /// The signature, empty for a message without one.
    pub(crate) signature: Vec<u8>,
}

/// Finds the final frame of a body that begins at `begin`, in a source of `length` bytes.
///
/// # Errors
/// Why the source does not hold just the message: it is cut short, or bytes follow it.
pub(crate) fn find(
    source: &impl ReadAt,
    begin: u64,
    length: u64,
    frame_length: NonZeroU32,
    signed: bool,
) -> Result<Ending, Error> {
    let rest = length.saturating_sub(begin);
    // The footer's length is not known yet, so there may be some places where the final frame can begin.
    let (footer_min, footer_max) = if signed { (2, 2 + SIGNATURE_MAX as u64) } else { (0, 0) };
    let frame = u64::from(frame_length.get());
    let stride = frame + REGULAR_OVERHEAD as u64;
    let most = rest.saturating_sub(footer_min + FINAL_OVERHEAD as u64) / stride;
    let least = rest.saturating_sub(footer_max + FINAL_OVERHEAD as u64 + frame).div_ceil(stride);
    for regular in (least..=most).rev() {
        if let Some(ending) = ending_at(source, begin, length, frame_length, signed, regular)? {
            return Ok(ending);
        }
    }
    Err(reason(source, begin, length, stride, signed)?)
}

/// The ending, if the final frame is the one after `regular` others and the message ends where the source does.
fn ending_at(
    source: &impl ReadAt,
    begin: u64,
    length: u64,
    frame_length: NonZeroU32,
    signed: bool,
    regular: u64,
) -> Result<Option<Ending>, Error> {
    let offset = begin + regular * (u64::from(frame_length.get()) + REGULAR_OVERHEAD as u64);
    let mut head = [0; FINAL_HEAD];
    if offset + FINAL_HEAD as u64 > length {
        return Ok(None);
    }
    source.read_exact_at(&mut head, offset)?;
    let Some(head) = parse_final_head(&head) else { return Ok(None) };
    let end = offset + u64::from(head.length) + FINAL_OVERHEAD as u64;
    let Some(layout) = end.checked_sub(begin).and_then(|bytes| Layout::of_body(bytes, frame_length)) else {
        return Ok(None);
    };
    if head.length > frame_length.get() || layout.last_sequence() != head.sequence {
        return Ok(None);
    }
    let mut signature = Vec::new();
    if signed {
        let mut count = [0; 2];
        if end + 2 > length {
            return Ok(None);
        }
        source.read_exact_at(&mut count, end)?;
        let count = u16::from_be_bytes(count);
        if end + 2 + u64::from(count) != length {
            return Ok(None);
        }
        signature.resize(usize::from(count), 0);
        source.read_exact_at(&mut signature, end + 2)?;
    } else if end != length {
        return Ok(None);
    }
    Ok(Some(Ending { layout, signature }))
}

/// Walks over the frames to tell what is wrong with the end.
fn reason(source: &impl ReadAt, begin: u64, length: u64, stride: u64, signed: bool) -> Result<Error, Error> {
    let mut offset = begin;
    let mut mark = [0; 4];
    while offset + stride <= length {
        source.read_exact_at(&mut mark, offset)?;
        if u32::from_be_bytes(mark) == FINAL_MARK {
            break;
        }
        offset += stride;
    }
    let mut head = [0; FINAL_HEAD];
    if offset + FINAL_HEAD as u64 > length {
        return Ok(Error::Truncated { part: Part::Body });
    }
    source.read_exact_at(&mut head, offset)?;
    let Some(head) = parse_final_head(&head) else { return Ok(Error::Truncated { part: Part::Body }) };
    if u64::from(head.length) + REGULAR_OVERHEAD as u64 > stride {
        return Ok(Error::Malformed { field: "final frame", reason: "it is longer than the others" });
    }
    let mut end = offset + u64::from(head.length) + FINAL_OVERHEAD as u64;
    if end > length {
        return Ok(Error::Truncated { part: Part::Body });
    }
    if signed {
        let mut count = [0; 2];
        if end + 2 > length {
            return Ok(Error::Truncated { part: Part::Footer });
        }
        source.read_exact_at(&mut count, end)?;
        end += 2 + u64::from(u16::from_be_bytes(count));
        if end > length {
            return Ok(Error::Truncated { part: Part::Footer });
        }
    }
    if end < length {
        return Ok(Error::TrailingBytes);
    }
    // The final frame stands where it has to, so its number is not the number of its place.
    let expected = u32::try_from((offset - begin) / stride + 1).unwrap_or(u32::MAX);
    Ok(Error::FrameOrder { expected, found: head.sequence })
}
