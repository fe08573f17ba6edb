//! aws-chunked bodies: chunks with or without signatures, and the trailer behind them.
//!
//! Takes frames off and checks signatures; bounds every line. Digests and lengths are [`Body`](crate::body::Body)'s.
//!
//! Source: Amazon S3 API Reference, "Signature calculations for the Authorization header: transferring payload in multiple
//! chunks" and "… with trailing headers".

use std::sync::Arc;

use crypto::hex;

use super::{Authorization, SigningKey};
use crate::body::BodyError;

/// The longest line between chunks or in a trailer, in bytes. A chunk's head has at most 16 digits and a signature.
const LINE_BYTES_MAX: usize = 256;

/// The most lines of a trailer.
const TRAILER_LINES_MAX: usize = 8;

/// The text between a chunk's length and its signature.
const CHUNK_SIGNATURE: &str = ";chunk-signature=";

/// The line with a trailer's signature.
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// Signatures of chunks, each of which covers the one before; the first continues the request's.
pub struct ChunkChain {
    key: Arc<SigningKey>,
    /// The request's time and the credential's scope, a line each.
    scope: String,
    previous: [u8; 64],
}

impl Authorization<'_> {
    /// The chain that this request's signature begins. The signature itself is verified before:
    /// [`verify`](Self::verify).
    #[must_use]
    pub fn chunk_chain(&self, key: Arc<SigningKey>) -> ChunkChain {
        let time = String::from_utf8_lossy(&self.time_text);
        ChunkChain { key, scope: format!("{time}\n{}\n", self.scope()), previous: self.signature }
    }
}

impl ChunkChain {
    /// The signature that follows, over these lines.
    fn sign(&self, algorithm: &str, lines: &[&[u8]]) -> [u8; 64] {
        let mut text = Vec::with_capacity(320);
        for part in [algorithm.as_bytes(), b"\n", self.scope.as_bytes(), self.previous.as_slice()] {
            text.extend_from_slice(part);
        }
        for line in lines {
            text.push(b'\n');
            text.extend_from_slice(line);
        }
        hex::encode_hash(&self.key.sign(&[&text]))
    }

    /// Goes on to the signature of a chunk with this SHA-256.
    fn chunk(&mut self, given: &[u8; 64], digest: &[u8; 32]) -> Result<(), BodyError> {
        const EMPTY: &[u8] = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let computed = self.sign("AWS4-HMAC-SHA256-PAYLOAD", &[EMPTY, &hex::encode_hash(digest)]);
        self.advance(given, computed)
    }

    /// Goes on to the signature of a trailer with this SHA-256.
    fn trailer(&mut self, given: &[u8; 64], digest: &[u8; 32]) -> Result<(), BodyError> {
        let computed = self.sign("AWS4-HMAC-SHA256-TRAILER", &[&hex::encode_hash(digest)]);
        self.advance(given, computed)
    }

    fn advance(&mut self, given: &[u8; 64], computed: [u8; 64]) -> Result<(), BodyError> {
        if !crypto::constant_time_eq(given, &computed) {
            return Err(BodyError::Signature);
        }
        self.previous = computed;
        Ok(())
    }
}

/// The next part of a body.
pub(crate) enum Piece<'b, 'l> {
    /// Plaintext.
    Data(&'b [u8]),
    /// A line of the trailer: its name and its value.
    Trailer(&'l str, &'l str),
    /// Nothing until there are more bytes.
    More,
}

/// Where in the framing the next byte is.
enum State {
    /// In the line before a chunk.
    Head,
    /// In a chunk, of which so many bytes are left.
    Data(u64),
    /// In the line end behind a chunk.
    DataEnd,
    /// In a line of the trailer.
    Trailer,
    /// Behind the last line: nothing but line ends, of which so many bytes are taken.
    Done(usize),
}

/// A signed chunk being read: its signature, and its digest so far.
struct Signed {
    signature: [u8; 64],
    digest: crypto::Sha256,
}

/// A chunked body, read from front to back.
pub(crate) struct Chunks {
    chain: Option<ChunkChain>,
    has_trailer: bool,
    state: State,
    /// The line that is being read, without its end.
    line: Vec<u8>,
    chunk: Option<Signed>,
    trailer_lines: usize,
    /// The digest of the trailer so far, and whether its signature has passed.
    trailer_digest: crypto::Sha256,
    trailer_signed: bool,
}

impl Chunks {
    pub(crate) fn new(chain: Option<ChunkChain>, has_trailer: bool) -> Self {
        Self {
            chain,
            has_trailer,
            state: State::Head,
            line: Vec::new(),
            chunk: None,
            trailer_lines: 0,
            trailer_digest: crypto::Sha256::new(),
            trailer_signed: false,
        }
    }

    /// Whether the last line has passed.
    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.state, State::Done(_))
    }

    /// Takes the next of these bytes.
    pub(crate) fn next<'b>(&mut self, bytes: &mut &'b [u8]) -> Result<Piece<'b, '_>, BodyError> {
        while !bytes.is_empty() {
            match self.state {
                State::Data(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (data, rest) = bytes.split_at_checked(here).unwrap_or((bytes, &[]));
                    *bytes = rest;
                    // No more were taken than were left.
                    let left = left.saturating_sub(u64::try_from(here).unwrap_or(u64::MAX));
                    self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                    if let Some(chunk) = &mut self.chunk {
                        chunk.digest.update(data);
                    }
                    if left == 0 {
                        self.verify_chunk()?;
                    }
                    return Ok(Piece::Data(data));
                }
                State::Head => {
                    if self.line(bytes)? {
                        self.head()?;
                    }
                }
                State::DataEnd => {
                    if self.line(bytes)? {
                        if self.line != b"\r\n" {
                            return Err(BodyError::Framing);
                        }
                        self.line.clear();
                        self.state = State::Head;
                    }
                }
                State::Trailer => {
                    if self.line(bytes)? && self.trailer_line()? {
                        let (name, value) = field(&self.line)?;
                        return Ok(Piece::Trailer(name, value));
                    }
                }
                // Some clients send one line end too many.
                State::Done(taken) => {
                    let (byte, rest) = bytes.split_first().ok_or(BodyError::Framing)?;
                    match (taken, byte) {
                        (0, b'\r') | (1, b'\n') => self.state = State::Done(taken + 1),
                        _ => return Err(BodyError::Framing),
                    }
                    *bytes = rest;
                }
            }
        }
        Ok(Piece::More)
    }

    /// Takes bytes up to a line feed into the line, and returns whether that was there. A line that was returned before
    /// makes room for the next.
    fn line(&mut self, bytes: &mut &[u8]) -> Result<bool, BodyError> {
        if self.line.last() == Some(&b'\n') {
            self.line.clear();
        }
        let end = memchr::memchr(b'\n', bytes);
        let here = end.map_or(bytes.len(), |end| end + 1);
        if self.line.len() + here > LINE_BYTES_MAX {
            return Err(if matches!(self.state, State::Trailer) { BodyError::Trailer } else { BodyError::Framing });
        }
        let (taken, rest) = bytes.split_at_checked(here).unwrap_or((bytes, &[]));
        self.line.extend_from_slice(taken);
        *bytes = rest;
        Ok(end.is_some())
    }

    /// Reads the line before a chunk.
    fn head(&mut self) -> Result<(), BodyError> {
        let line = self.line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok());
        let line = line.ok_or(BodyError::Framing)?;
        let (digits, signature) = match (line.split_once(CHUNK_SIGNATURE), &self.chain) {
            (Some((digits, signature)), Some(_)) => {
                let signature = signature.as_bytes().try_into().map_err(|_| BodyError::Framing)?;
                (digits, Some(signature))
            }
            (None, None) => (line, None),
            // A chunk without a signature where each has one, or the other way around.
            (None, Some(_)) => return Err(BodyError::Signature),
            (Some(_), None) => return Err(BodyError::Framing),
        };
        let hexadecimal = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let length = u64::from_str_radix(digits, 16).ok().filter(|_| hexadecimal).ok_or(BodyError::Framing)?;
        self.chunk = signature.map(|signature| Signed { signature, digest: crypto::Sha256::new() });
        self.line.clear();
        if length > 0 {
            self.state = State::Data(length);
            return Ok(());
        }
        self.verify_chunk()?;
        self.state = State::Trailer;
        Ok(())
    }

    fn verify_chunk(&mut self) -> Result<(), BodyError> {
        match (&mut self.chain, self.chunk.take()) {
            (Some(chain), Some(chunk)) => chain.chunk(&chunk.signature, &chunk.digest.finish()),
            (None, None) => Ok(()),
            _ => Err(BodyError::Signature),
        }
    }

    /// Reads a line behind the last chunk, and returns whether it is one of the trailer.
    fn trailer_line(&mut self) -> Result<bool, BodyError> {
        self.trailer_lines += 1;
        if self.trailer_lines > TRAILER_LINES_MAX {
            return Err(BodyError::Trailer);
        }
        if without_end(&self.line).is_empty() {
            // Some clients send an empty line before the trailer's signature.
            if !self.has_trailer || self.chain.is_none() || self.trailer_signed {
                self.state = State::Done(0);
            }
            return Ok(false);
        }
        if !self.has_trailer || self.trailer_signed {
            return Err(BodyError::Trailer);
        }
        let (name, value) = field(&self.line)?;
        let name = name.to_ascii_lowercase();
        if name != TRAILER_SIGNATURE {
            for part in [name.as_bytes(), b":", value.as_bytes(), b"\n"] {
                self.trailer_digest.update(part);
            }
            return Ok(true);
        }
        let signature = value.as_bytes().try_into().map_err(|_| BodyError::Trailer)?;
        let chain = self.chain.as_mut().ok_or(BodyError::Trailer)?;
        chain.trailer(signature, &self.trailer_digest.clone().finish())?;
        self.trailer_signed = true;
        Ok(false)
    }
}

/// A line without the line feed, or carriage return and line feed, that ends it.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The name and the value of a trailer's line.
fn field(line: &[u8]) -> Result<(&str, &str), BodyError> {
    let line = std::str::from_utf8(without_end(line)).map_err(|_| BodyError::Trailer)?;
    let (name, value) = line.split_once(':').ok_or(BodyError::Trailer)?;
    let blanks = [' ', '\t'];
    Ok((name.trim_matches(blanks), value.trim_matches(blanks)))
}
