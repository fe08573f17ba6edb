//! The canonical request: one text that client and server both arrive at, written in one pass into one buffer.

use crypto::hex;
use http::HeaderMap;
use smallvec::SmallVec;

use super::{ALGORITHM, PathForm, RequestParts};

/// The parts of a canonical request.
pub(super) struct Canonical<'a, 'h> {
    pub(super) parts: &'a RequestParts<'a>,
    /// Those of the request.
    pub(super) headers: &'a Headers<'h>,
    pub(super) path: PathForm,
    /// Whether a parameter `X-Amz-Signature` is the signature rather than a part of what is signed.
    pub(super) presigned: bool,
    /// Lower-case names in ascending order, joined by semicolons.
    pub(super) signed_headers: &'a str,
    /// The hash of the body, or the text that stands for it.
    pub(super) payload: &'a [u8],
}

/// A request's headers in a row: they are looked through for every name that is signed, and a map is slow to walk.
///
/// There are few: this is faster than reading each name as a header's and hashing it.
pub(super) struct Headers<'a>(SmallVec<[(&'a str, &'a [u8]); 16]>);

impl<'a> Headers<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        Self(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect())
    }

    /// The name of each value.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// The values of one name.
    fn values(&self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(header, _)| header.as_bytes() == name).map(|(_, value)| *value)
    }
}

/// A header is named as signed that the request does not have.
pub(super) struct HeaderAbsent;

impl Canonical<'_, '_> {
    /// The text.
    pub(super) fn write(&self) -> Result<Vec<u8>, HeaderAbsent> {
        let RequestParts { method, path, query, .. } = self.parts;
        let mut out = Vec::with_capacity(768 + path.len() + query.len() + 2 * self.signed_headers.len());
        out.extend_from_slice(method.as_bytes());
        out.push(b'\n');
        match self.path {
            _ if matches!(*path, "" | "/") => out.push(b'/'),
            PathForm::Normalized => write_normalized_path(path, &mut out),
            PathForm::Unnormalized => encode(path.as_bytes(), true, &mut out),
            PathForm::AsSent => out.extend_from_slice(path.as_bytes()),
        }
        out.push(b'\n');
        write_query(query, self.presigned, &mut out);
        out.push(b'\n');
        for name in names(self.signed_headers) {
            out.extend_from_slice(name);
            out.push(b':');
            let mut values = self.headers.values(name);
            match (values.next(), self.parts.host) {
                (Some(value), _) => write_header_value(value, &mut out),
                (None, Some(host)) if name == b"host" => write_header_value(host.as_bytes(), &mut out),
                (None, _) => return Err(HeaderAbsent),
            }
            for value in values {
                out.push(b',');
                write_header_value(value, &mut out);
            }
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload);
        Ok(out)
    }
}

/// The names in a list of signed headers, as bytes: they are short, and a byte is found quicker than a character.
pub(super) fn names(signed_headers: &str) -> impl Iterator<Item = &[u8]> {
    signed_headers.as_bytes().split(|byte| *byte == b';')
}

/// The signature of a canonical request. `time` is the time of signing as `20150830T123600Z`, `scope` the credential's
/// from its date to its end.
pub(super) fn signature(key: &super::SigningKey, time: &[u8], scope: &str, canonical: Vec<u8>) -> [u8; 32] {
    let hash = hex::encode_hash(&crypto::sha256(&canonical));
    // The string to sign takes the place of what it was made of: one text is hashed faster than a dozen pieces.
    let mut text = canonical;
    text.clear();
    for line in [ALGORITHM.as_bytes(), time, scope.as_bytes()] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(&hash);
    key.sign(&[&text])
}

/// Whether RFC 3986 calls the byte unreserved, so that it stands for itself everywhere.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn push_escaped(byte: u8, out: &mut Vec<u8>) {
    const fn digit(value: u8) -> u8 {
        if value < 10 { b'0' + value } else { b'A' + value - 10 }
    }
    out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
}

/// Percent-encodes every byte that is not unreserved, slashes excepted if `slashes`.
pub(super) fn encode(text: &[u8], slashes: bool, out: &mut Vec<u8>) {
    for byte in text {
        if is_unreserved(*byte) || (slashes && *byte == b'/') {
            out.push(*byte);
        } else {
            push_escaped(*byte, out);
        }
    }
}

/// Writes a part of a query in its one canonical encoding, whichever encoding it came in. A plus is a space, as in
/// forms; a percent sign that begins no escape stands for itself.
fn recode(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        let mut byte = *byte;
        match (byte, after) {
            (b'+', _) => byte = b' ',
            (b'%', [high, low, after @ ..]) => {
                if let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low)) {
                    byte = high << 4 | low;
                    rest = after;
                }
            }
            _ => {}
        }
        if is_unreserved(byte) {
            out.push(byte);
        } else {
            push_escaped(byte, out);
        }
    }
}

const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Resolves `.` and `..`, drops empty segments, encodes what remains once more, and keeps a slash at the end.
fn write_normalized_path(path: &str, out: &mut Vec<u8>) {
    let start = out.len();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                let parent = out.iter().skip(start).rposition(|byte| *byte == b'/').unwrap_or_default();
                out.truncate(start + parent);
            }
            _ => {
                out.push(b'/');
                encode(segment.as_bytes(), false, out);
            }
        }
    }
    if out.len() == start || path.ends_with('/') {
        out.push(b'/');
    }
}

/// Writes the parameters sorted by encoded name, then by encoded value.
fn write_query(query: &str, presigned: bool, out: &mut Vec<u8>) {
    if query.is_empty() {
        return;
    }
    let mut encoded = Vec::with_capacity(query.len() + query.len() / 2);
    // Where in `encoded` each name begins, where its value begins, and where that ends.
    let mut pairs: Vec<[usize; 3]> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let start = encoded.len();
        recode(name.as_bytes(), &mut encoded);
        let middle = encoded.len();
        if presigned && encoded.get(start..).is_some_and(|name| name == b"X-Amz-Signature") {
            encoded.truncate(start);
            continue;
        }
        recode(value.as_bytes(), &mut encoded);
        pairs.push([start, middle, encoded.len()]);
    }
    let text = |from, to| encoded.get(from..to).unwrap_or_default();
    pairs.sort_unstable_by_key(|[start, middle, end]| (text(*start, *middle), text(*middle, *end)));
    for (index, [start, middle, end]) in pairs.into_iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(text(start, middle));
        out.push(b'=');
        out.extend_from_slice(text(middle, end));
    }
}

/// Writes a value without the blanks around it and with one space for every run of blanks in it.
///
/// A value that is not UTF-8 is taken for Latin-1 and signed as UTF-8: botocore sends the one and signs the other.
fn write_header_value(value: &[u8], out: &mut Vec<u8>) {
    let value = value.trim_ascii();
    // Looking at every byte without leaving early: the compiler makes a few wide instructions of it. Most values have
    // no blank at all.
    if value.iter().fold(true, |plain, byte| plain & byte.is_ascii_graphic()) {
        out.extend_from_slice(value);
        return;
    }
    let ascii = value.iter().fold(true, |plain, byte| plain & byte.is_ascii() & (*byte != b'\t'));
    let pairs = value.iter().zip(value.iter().skip(1));
    let single = pairs.fold(true, |single, (byte, next)| single & !((*byte == b' ') & (*next == b' ')));
    if ascii && single {
        out.extend_from_slice(value);
        return;
    }
    let latin = std::str::from_utf8(value).is_err();
    let mut space = false;
    for byte in value {
        if matches!(byte, b' ' | b'\t') {
            space = true;
            continue;
        }
        if space {
            out.push(b' ');
            space = false;
        }
        if latin {
            out.extend_from_slice(char::from(*byte).encode_utf8(&mut [0; 2]).as_bytes());
        } else {
            out.push(*byte);
        }
    }
}
