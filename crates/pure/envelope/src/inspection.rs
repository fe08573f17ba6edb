//! Inspection of a whole message without a key: its header, and how its body is laid out.

use std::cmp::Ordering;

use crate::ending::find;
use crate::frame::UNFRAMED_OVERHEAD;
use crate::header::{self, Framing, Header};
use crate::positioned::{FromStart, ReadAt};
use crate::{Error, Part};

/// Header and layout of a message, as the message states them. Nothing is authenticated: that takes its data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The header.
    pub header: Header,
    /// The header's length in bytes.
    pub header_bytes: u64,
    /// The plaintext's length in bytes.
    pub plaintext_bytes: u64,
    /// How many frames there are; none in a message without frames.
    pub frames: u64,
    /// The signature's length in bytes, zero in a message without one.
    pub signature_bytes: u64,
}

impl Inspection {
    /// Inspects the message that is the first `length` bytes of `source`. Reads its header and its end.
    ///
    /// # Errors
    /// Those of a malformed header; [`Error::Truncated`], [`Error::TrailingBytes`]; [`Error::Io`].
    pub fn of(source: &impl ReadAt, length: u64) -> Result<Self, Error> {
        let parsed = header::read(FromStart { source, offset: 0, length }, &mut Vec::new(), None)?;
        let (header, begin) = (parsed.header, parsed.bytes as u64);
        if let Framing::Framed(frame_length) = header.framing {
            let ending = find(source, begin, length, frame_length, header.suite.signs())?;
            return Ok(Self {
                header_bytes: begin,
                plaintext_bytes: ending.layout.plaintext_bytes(),
                frames: u64::from(ending.layout.last_sequence()),
                signature_bytes: ending.signature.len() as u64,
                header,
            });
        }
        let mut claimed = [0; 8];
        let nonce = crypto::aead::NONCE_LENGTH as u64;
        if begin + UNFRAMED_OVERHEAD as u64 > length {
            return Err(Error::Truncated { part: Part::Body });
        }
        source.read_exact_at(&mut claimed, begin + nonce)?;
        let plaintext_bytes = u64::from_be_bytes(claimed);
        let rest = (length - begin - UNFRAMED_OVERHEAD as u64).checked_sub(plaintext_bytes);
        let rest = rest.ok_or(Error::Truncated { part: Part::Body })?;
        let signature_bytes = match (header.suite.signs(), rest) {
            (false, 0) => 0,
            (false, _) => return Err(Error::TrailingBytes),
            (true, 0 | 1) => return Err(Error::Truncated { part: Part::Footer }),
            (true, rest) => {
                let mut claimed = [0; 2];
                source.read_exact_at(&mut claimed, length - rest)?;
                match (rest - 2).cmp(&u64::from(u16::from_be_bytes(claimed))) {
                    Ordering::Less => return Err(Error::Truncated { part: Part::Footer }),
                    Ordering::Equal => rest - 2,
                    Ordering::Greater => return Err(Error::TrailingBytes),
                }
            }
        };
        Ok(Self { header, header_bytes: begin, plaintext_bytes, frames: 0, signature_bytes })
    }
}
