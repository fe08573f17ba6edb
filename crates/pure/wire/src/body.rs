//! Bodies that stream: frames taken off, lengths and digests checked against what head and trailer say.
//!
//! Does no I/O: bytes are pushed in as they arrive, and plaintext comes out as pieces of them. Plaintext counts only once
//! [`Body::finish`] has succeeded: whoever stores it before that undoes it.
//!
//! Source: Amazon S3 API Reference, "Signature calculations: transferring payload in multiple chunks", and S3 User Guide,
//! "Checking object integrity".

mod checksum;
mod error;
mod trailer;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};

pub use self::checksum::{Algorithm, Running, combine, composite};
pub use self::error::{BodyError, Given};
use self::trailer::Trailer;
use crate::sigv4::StatedPayload;
use crate::sigv4::streaming::{ChunkChain, Chunks, Piece};

static DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
static CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// Headers of `x-amz-checksum-…` that carry no checksum.
const SETTINGS: [&str; 3] = ["algorithm", "mode", "type"];

/// A body on its way in.
pub struct Body {
    chunks: Option<Chunks>,
    trailer: Trailer,
    /// The bytes of plaintext so far, and how many there have to be.
    length: u64,
    length_stated: Option<u64>,
    running: Vec<Running>,
    expected: Vec<Expected>,
}

/// A digest that the body has to have.
struct Expected {
    algorithm: Algorithm,
    digest: Vec<u8>,
    given: Given,
}

/// A body that was all that its sender said.
#[derive(Debug)]
pub struct Finished {
    /// The plaintext's length in bytes.
    pub length: u64,
    /// The checksum that the sender gave, if one.
    pub given: Option<Algorithm>,
    digests: Vec<(Algorithm, Vec<u8>)>,
}

impl Finished {
    /// The digest by this algorithm, if it was computed: the sender gave it, or [`Body::compute`] asked for it.
    #[must_use]
    pub fn digest(&self, algorithm: Algorithm) -> Option<&[u8]> {
        self.digests.iter().find(|(known, _)| *known == algorithm).map(|(_, digest)| digest.as_slice())
    }

    /// The digest in base64, as headers have it.
    #[must_use]
    pub fn base64(&self, algorithm: Algorithm) -> Option<String> {
        self.digest(algorithm).map(|digest| STANDARD.encode(digest))
    }
}

impl Body {
    /// A body with this head. `chain` continues the signature of the head; only signed chunks need one.
    ///
    /// # Errors
    /// The head contradicts itself, or announces what is not known.
    pub fn new(stated: StatedPayload, headers: &HeaderMap, chain: Option<ChunkChain>) -> Result<Self, BodyError> {
        let mut expected = Vec::new();
        let chunks = match stated {
            StatedPayload::Hash(digest) => {
                let given = Given::Signature;
                expected.push(Expected { algorithm: Algorithm::Sha256, digest: digest.to_vec(), given });
                None
            }
            StatedPayload::Unsigned => None,
            StatedPayload::SignedChunks { trailer } => {
                Some(Chunks::new(Some(chain.ok_or(BodyError::Unchained)?), trailer))
            }
            StatedPayload::UnsignedChunks => Some(Chunks::new(None, true)),
        };
        let takes_trailer =
            matches!(stated, StatedPayload::SignedChunks { trailer: true } | StatedPayload::UnsignedChunks);
        let trailer = Trailer::announced(headers, takes_trailer)?;
        if let Some(md5) = headers.get(&CONTENT_MD5) {
            let digest = Algorithm::Md5.parse(md5.as_bytes()).ok_or(BodyError::ContentMd5)?;
            expected.push(Expected { algorithm: Algorithm::Md5, digest, given: Given::ContentMd5 });
        }
        // A checksum that is accepted unchecked would be a false promise.
        let unknown = |name: &HeaderName| {
            let checksum = name.as_str().strip_prefix("x-amz-checksum-");
            checksum.is_some_and(|rest| !SETTINGS.contains(&rest) && Algorithm::of_header(name.as_str()).is_none())
        };
        if headers.keys().any(unknown) {
            return Err(BodyError::Algorithm);
        }
        let mut given = trailer.algorithm();
        for algorithm in Algorithm::ALL {
            let Some(value) = headers.get(algorithm.header()) else { continue };
            if given.replace(algorithm).is_some() || headers.get_all(algorithm.header()).iter().count() > 1 {
                return Err(BodyError::SeveralChecksums);
            }
            let digest = algorithm.parse(value.as_bytes()).ok_or(BodyError::Checksum { algorithm })?;
            expected.push(Expected { algorithm, digest, given: Given::Checksum });
        }
        let length_stated = match (headers.get(&DECODED_LENGTH), &chunks) {
            (Some(length), Some(_)) => Some(parse_length(length.as_bytes()).ok_or(BodyError::DecodedLength)?),
            (None, Some(_)) => return Err(BodyError::NoDecodedLength),
            (_, None) => None,
        };
        let mut body = Self { chunks, trailer, length: 0, length_stated, running: Vec::new(), expected };
        let algorithms: Vec<_> = body.expected.iter().map(|expected| expected.algorithm).chain(given).collect();
        algorithms.into_iter().for_each(|algorithm| body.compute(algorithm));
        Ok(body)
    }

    /// Computes a digest that nobody gave, such as that of an entity tag. Before the first byte.
    pub fn compute(&mut self, algorithm: Algorithm) {
        if !self.running.iter().any(|running| running.algorithm() == algorithm) {
            self.running.push(Running::new(algorithm));
        }
    }

    /// Whether the body comes in chunks.
    #[must_use]
    pub const fn is_chunked(&self) -> bool {
        self.chunks.is_some()
    }

    /// The plaintext's length, if the head says it in a header of its own.
    #[must_use]
    pub const fn length_stated(&self) -> Option<u64> {
        self.length_stated
    }

    /// Takes the next of these bytes in, and returns the plaintext among them; `None` once there are none left. Called
    /// again with the same bytes until then.
    ///
    /// # Errors
    /// The body is not what its head says; nothing of it counts.
    pub fn push<'b>(&mut self, bytes: &mut &'b [u8]) -> Result<Option<&'b [u8]>, BodyError> {
        let plain = match &mut self.chunks {
            None if bytes.is_empty() => None,
            None => Some(std::mem::take(bytes)),
            Some(chunks) => loop {
                match chunks.next(bytes)? {
                    Piece::Data(plain) => break Some(plain),
                    Piece::Trailer(name, value) => self.trailer.take(name, value)?,
                    Piece::More => break None,
                }
            },
        };
        if let Some(plain) = plain {
            // A slice is never so long that its length does not fit.
            self.length = self.length.saturating_add(u64::try_from(plain.len()).unwrap_or(u64::MAX));
            if self.length_stated.is_some_and(|stated| self.length > stated) {
                return Err(BodyError::Length);
            }
            self.running.iter_mut().for_each(|running| running.update(plain));
        }
        Ok(plain)
    }

    /// Checks that the body is whole and all that head and trailer say.
    ///
    /// # Errors
    /// It is not; nothing of it counts.
    pub fn finish(self) -> Result<Finished, BodyError> {
        if self.chunks.is_some_and(|chunks| !chunks.is_done()) {
            return Err(BodyError::Incomplete);
        }
        if self.length_stated.is_some_and(|stated| self.length != stated) {
            return Err(BodyError::Length);
        }
        let digests: Vec<_> = self.running.into_iter().map(|running| (running.algorithm(), running.finish())).collect();
        let mut expected = self.expected;
        if let Some((algorithm, digest)) = self.trailer.finish()? {
            expected.push(Expected { algorithm, digest, given: Given::Checksum });
        }
        let mut given = None;
        for Expected { algorithm, digest, given: place } in expected {
            let computed = digests.iter().find(|(known, _)| *known == algorithm).map(|(_, digest)| digest.as_slice());
            if computed != Some(digest.as_slice()) {
                return Err(BodyError::Digest { algorithm, given: place });
            }
            given = if place == Given::Checksum { Some(algorithm) } else { given };
        }
        Ok(Finished { length: self.length, given, digests })
    }
}

/// A length in digits, no more than a body can have.
fn parse_length(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if plain { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
