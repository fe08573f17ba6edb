//! Where requests begin and end in an HTTP/1 connection's bytes, read more strictly than hyper reads them.
//!
//! Bytes that two readers could understand differently are refused: a line that ends without a carriage return, a
//! header folded over lines, two statements of a body's length. Knows bytes only; hyper parses the rest.

use smallvec::SmallVec;

/// Bytes of a line in pieces that are examined. A header that states a length has fewer.
const LINE_BYTES_MAX: usize = 128;

/// Digits that a number of 64 bits has at most.
const DIGITS_MAX: usize = 20;

/// Bytes for hyper where something was refused: no line feed, and then an end of a head, without which it would wait
/// for more.
pub(super) const NO_LINE_FEED: &[u8] = b"\0\r\n\r\n";

/// A connection's framing, byte by byte.
#[derive(Debug, Default)]
pub(super) struct Framing {
    place: Place,
    /// The bytes of a line whose end has not arrived.
    line: SmallVec<[u8; LINE_BYTES_MAX]>,
    /// Whether more of it has arrived than is in `line`.
    cut: bool,
    /// The last byte before this piece.
    last: u8,
    body: Body,
}

/// The element of HTTP at a place in the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// A request's line, or empty lines before it.
    #[default]
    RequestLine,
    Header,
    /// So many bytes of a body, or of a chunk of one.
    Content {
        left: u64,
        chunk: bool,
    },
    ChunkSize,
    /// The end of a chunk.
    ChunkEnd,
    Trailer,
    /// Something that was refused.
    Refused,
}

/// A request's body according to its headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Body {
    #[default]
    None,
    Length(u64),
    Chunked,
}

impl Framing {
    /// How many of the next bytes pass. When a line is refused, what passes ends with a carriage return in the place of
    /// its end. With [`NO_LINE_FEED`] behind that hyper refuses the head or the body, wherever the line is.
    pub(super) fn pass(&mut self, bytes: &mut [u8]) -> usize {
        let mut at = 0;
        if self.is_refused() {
            return 0;
        }
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match self.place {
                Place::Content { left, chunk } => {
                    let here = u64::try_from(rest.len()).unwrap_or(u64::MAX).min(left);
                    at += usize::try_from(here).unwrap_or(usize::MAX);
                    self.place = match (left - here, chunk) {
                        (0, true) => Place::ChunkEnd,
                        (0, false) => Place::RequestLine,
                        (left, chunk) => Place::Content { left, chunk },
                    };
                }
                _ => {
                    let Some(length) = memchr::memchr(b'\n', rest) else {
                        self.keep(rest);
                        break;
                    };
                    let (line, _) = rest.split_at(length);
                    at += length + 1;
                    if self.end_of_line(line).is_none() {
                        self.place = Place::Refused;
                        if let Some(end) = bytes.get_mut(at - 1) {
                            *end = b'\r';
                        }
                        return at;
                    }
                    self.line.clear();
                    (self.cut, self.last) = (false, 0);
                }
            }
        }
        bytes.len()
    }

    /// Whether something was refused, and nothing passes any more.
    pub(super) fn is_refused(&self) -> bool {
        self.place == Place::Refused
    }

    /// Keeps what has arrived of a line.
    fn keep(&mut self, part: &[u8]) {
        let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
        self.cut |= part.len() > room;
        self.line.extend_from_slice(part.get(..room).unwrap_or(part));
        self.last = part.last().copied().unwrap_or(self.last);
    }

    /// Goes on behind a line, whose last piece is `piece`. `None` if it may not be so.
    fn end_of_line(&mut self, piece: &[u8]) -> Option<()> {
        if piece.last().copied().unwrap_or(self.last) != b'\r' {
            return None;
        }
        let mut kept;
        let line = if self.line.is_empty() {
            piece
        } else {
            kept = std::mem::take(&mut self.line);
            let room = LINE_BYTES_MAX.saturating_sub(kept.len());
            self.cut |= piece.len() > room;
            kept.extend_from_slice(piece.get(..room).unwrap_or(piece));
            &kept
        };
        let line = if self.cut { line } else { line.strip_suffix(b"\r").unwrap_or(line) };
        self.place = match self.place {
            Place::RequestLine if line.is_empty() => Place::RequestLine,
            Place::RequestLine => {
                self.body = Body::None;
                Place::Header
            }
            Place::Header if line.is_empty() => match self.body {
                Body::Chunked => Place::ChunkSize,
                Body::None | Body::Length(0) => Place::RequestLine,
                Body::Length(left) => Place::Content { left, chunk: false },
            },
            Place::Header => {
                self.header(line)?;
                Place::Header
            }
            Place::ChunkSize => match chunk_size(line).filter(|_| !self.cut)? {
                0 => Place::Trailer,
                left => Place::Content { left, chunk: true },
            },
            Place::ChunkEnd if line.is_empty() => Place::ChunkSize,
            Place::Trailer if line.is_empty() => Place::RequestLine,
            Place::Trailer if !is_folded(line) => Place::Trailer,
            _ => return None,
        };
        Some(())
    }

    /// Reads a header. The first letter is enough to pass over most.
    fn header(&mut self, line: &[u8]) -> Option<()> {
        if is_folded(line) {
            return None;
        }
        if !matches!(line.first(), Some(b'c' | b'C' | b't' | b'T')) {
            return Some(());
        }
        if let Some(value) = value_of(line, b"content-length:") {
            let digits = std::str::from_utf8(value).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
            let length = digits.parse().ok().filter(|_| digits.len() <= DIGITS_MAX)?;
            match self.body {
                Body::None => self.body = Body::Length(length),
                Body::Length(before) if before == length => {}
                Body::Length(_) | Body::Chunked => return None,
            }
        } else if let Some(value) = value_of(line, b"transfer-encoding:") {
            if self.cut || self.body != Body::None || !value.eq_ignore_ascii_case(b"chunked") {
                return None;
            }
            self.body = Body::Chunked;
        }
        Some(())
    }
}

/// Whether a line continues the header before it.
fn is_folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// The value of a header, if it has this name.
fn value_of<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// The size on a chunk's line.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| *byte == b';').unwrap_or(line.len());
    let (size, extension) = line.split_at_checked(end)?;
    let plain = extension.iter().all(|byte| *byte == b'\t' || (b' '..=b'~').contains(byte));
    let digits = plain && !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
    let size = std::str::from_utf8(size).ok().filter(|_| digits)?;
    u64::from_str_radix(size, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all of it passes, in one piece and in all pairs of pieces and byte by byte.
    fn passes(text: &str) -> bool {
        let look = |pieces: &[usize]| {
            let (mut framing, mut bytes) = (Framing::default(), text.as_bytes().to_vec());
            let mut rest = &mut bytes[..];
            for length in pieces {
                let (piece, others) = rest.split_at_mut(*length);
                framing.pass(piece);
                rest = others;
            }
            framing.pass(rest);
            !framing.is_refused()
        };
        let whole = look(&[]);
        for middle in 0..text.len() {
            assert_eq!(look(&[middle]), whole, "{text:?} in pieces at {middle}");
        }
        assert_eq!(look(&vec![1; text.len()]), whole, "{text:?} byte by byte");
        whole
    }

    #[test]
    fn only_one_reading_passes() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\n";
        for (rest, expected) in [
            ("\r\n", true),
            ("\r\nGET / HTTP/1.1\r\n\r\n", true),
            ("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", true),
            ("Content-Length: 3\r\n\r\na\nbGET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
            ("content-length:3\r\nContent-Length: 3\r\n\r\n\n\n\n", true),
            ("Content-Length: 0\r\n\r\nGET / HTTP/1.1\r\n\r\n", true),
            (
                "Transfer-Encoding: chunked\r\n\r\n3\r\n\n\n\n\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
                true,
            ),
            ("TRANSFER-ENCODING:\tChunked \r\n\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n\r\n", true),
            ("Content-Type: a\r\nTe: trailers\r\nCookie: \r\n\r\n", true),
            ("\n", false),
            ("X: y\n\r\n", false),
            ("X: y\r\n\n", false),
            ("X: y\r\n z\r\n\r\n", false),
            ("X: y\r\n\tz\r\n\r\n", false),
            ("\r\nGET / HTTP/1.1\n\r\n", false),
            ("Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\nHost: x\r\n\r\n", false),
            ("Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", false),
            ("Content-Length: 3, 3\r\n\r\nabc", false),
            ("Content-Length: +3\r\n\r\nabc", false),
            ("Content-Length: 0x3\r\n\r\nabc", false),
            ("Content-Length:\r\n\r\n", false),
            ("Content-Length: 99999999999999999999\r\n\r\n", false),
            ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false),
            ("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", false),
            ("Transfer-Encoding: identity\r\n\r\n", false),
            ("Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n", false),
            ("Transfer-Encoding:\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n\r\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n0\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n", false),
            ("Transfer-Encoding: chunked\r\n\r\n0\r\n X: y\r\n\r\n", false),
        ] {
            assert_eq!(passes(&format!("{head}{rest}")), expected, "{rest:?}");
        }
        let zeros = "0".repeat(200);
        assert!(!passes(&format!("{head}Content-Length: {zeros}3\r\n\r\nabc")));
        let long = "a".repeat(1000);
        assert!(passes(&format!("{head}Cookie: {long}\r\nX: {long}\r\n\r\nGET / HTTP/1.1\r\n\r\n")));
        assert!(!passes(&format!("{head}Cookie: {long}\n\r\n")));
    }
}
