//! Ranges of bytes as requests name them.
//!
//! Source: RFC 9110, section 14; what S3 makes of malformed ones is from its answers.

use std::ops::Range;

use crate::error::{Refusal, S3Error};

/// The bytes of a content that a request asks for; `None` for all, also when the header is malformed or names several ranges.
///
/// # Errors
/// [`Refusal::InvalidRange`] for a range without bytes.
pub(crate) fn of_header(header: &str, bytes: u64) -> Result<Option<Range<u64>>, S3Error> {
    let invalid = || Err(Refusal::InvalidRange { asked: header.to_owned(), length: bytes }.into());
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().unwrap_or(u64::MAX));
    match (first.is_empty(), number(first), last.is_empty(), number(last)) {
        (true, _, false, Some(0)) => invalid(),
        (true, _, false, Some(_)) if bytes == 0 => invalid(),
        (true, _, false, Some(suffix)) => Ok(Some(bytes.saturating_sub(suffix)..bytes)),
        (false, Some(first), true, _) if first < bytes => Ok(Some(first..bytes)),
        (false, Some(first), true, _) if first >= bytes => invalid(),
        (false, Some(first), false, Some(last)) if first <= last => {
            if first >= bytes {
                invalid()
            } else {
                Ok(Some(first..bytes.min(last.saturating_add(1))))
            }
        }
        _ => Ok(None),
    }
}

/// The bytes that a copy of a part asks for, which have to be there.
///
/// # Errors
/// [`Refusal::InvalidArgument`].
pub(crate) fn of_copy_source(header: &str, bytes: u64) -> Result<Range<u64>, S3Error> {
    let parse = || {
        let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
        let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
        (first <= last && last < bytes).then(|| first..last + 1)
    };
    let reason = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
                  zero-based offsets of the first and last bytes to copy";
    let (argument, value) = ("x-amz-copy-source-range", header.to_owned());
    parse().ok_or_else(|| Refusal::InvalidArgument { argument, value, reason: reason.to_owned() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_s3_makes_of_it() {
        for (header, bytes, expected) in [
            ("bytes=0-0", 10, Some(Some(0..1))),
            ("bytes=2-5", 10, Some(Some(2..6))),
            ("bytes=2-", 10, Some(Some(2..10))),
            ("bytes=2-100", 10, Some(Some(2..10))),
            ("bytes=-3", 10, Some(Some(7..10))),
            ("bytes=-30", 10, Some(Some(0..10))),
            ("bytes=9-99999999999999999999999", 10, Some(Some(9..10))),
            ("bytes=-0", 10, None),
            ("bytes=10-", 10, None),
            ("bytes=10-12", 10, None),
            ("bytes=0-", 0, None),
            ("bytes=0-1", 0, None),
            ("bytes=-1", 0, None),
            ("bytes=5-2", 10, Some(None)),
            ("bytes=-", 10, Some(None)),
            ("bytes=a-b", 10, Some(None)),
            ("bytes=0-1,3-4", 10, Some(None)),
            ("items=0-1", 10, Some(None)),
            ("0-1", 10, Some(None)),
            ("bytes=+1-2", 10, Some(None)),
        ] {
            assert_eq!(of_header(header, bytes).ok(), expected, "{header} of {bytes}");
        }
    }

    #[test]
    fn a_copys_range_has_to_be_there() {
        assert_eq!(of_copy_source("bytes=0-9", 10).unwrap(), 0..10);
        for header in ["bytes=0-10", "bytes=0-", "bytes=-5", "bytes=5-2", "0-5", ""] {
            assert!(of_copy_source(header, 10).is_err(), "{header}");
        }
    }
}
