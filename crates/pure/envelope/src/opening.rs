//! A message whose header is authentic: its body opened piece by piece, and its end verified. Does no I/O.

use std::sync::Arc;

use crate::buffer::Buffer;
use crate::frame::{
    FINAL_HEAD, FINAL_MARK, FINAL_OVERHEAD, FRAMES_MAX, FrameCipher, REGULAR_OVERHEAD, UNFRAMED_HEAD,
    UNFRAMED_OVERHEAD, parse_final_head,
};
use crate::header::{Framing, Header};
use crate::message_digest::{DigestLane, MessageDigest};
use crate::sealing::READ_BYTES;
use crate::{EncryptionContext, Error, Part, VerificationKey};

/// Header, encryption context and wrapping key of a message that was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its header.
    pub header: Header,
    /// Its whole encryption context, with what the header does not store.
    pub context: EncryptionContext,
    /// Which of its encrypted data keys was opened, from 0.
    pub data_key_index: usize,
    /// The wrapping key that opened it, for people to read.
    pub wrapping_key: String,
}

/// A message whose data key is open and whose header is authentic. Its signature, if it has one, is not verified yet.
pub struct Opening {
    pub(crate) opened: Opened,
    pub(crate) bytes: Vec<u8>,
    pub(crate) cipher: Arc<FrameCipher>,
    pub(crate) verification_key: Option<VerificationKey>,
    /// Whether the signature was verified already, in another pass over the same bytes.
    pub(crate) verified: bool,
    pub(crate) frame_bytes_max: u64,
    pub(crate) threads: usize,
}

impl Opening {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.opened.header
    }

    /// The whole encryption context, with what the header does not store.
    #[must_use]
    pub const fn context(&self) -> &EncryptionContext {
        &self.opened.context
    }

    /// Where the body begins, in bytes from the beginning of the message.
    #[must_use]
    pub const fn body_offset(&self) -> usize {
        self.bytes.len()
    }

    /// Header, encryption context and wrapping key of the message.
    #[must_use]
    pub const fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The same message once more, for a second pass over it after its signature was verified.
    pub(crate) fn again(&self) -> Self {
        Self {
            opened: self.opened.clone(),
            bytes: self.bytes.clone(),
            cipher: Arc::clone(&self.cipher),
            verification_key: None,
            verified: true,
            frame_bytes_max: self.frame_bytes_max,
            threads: self.threads,
        }
    }

    /// A digest that has taken in the header.
    pub(crate) fn digest(&self) -> Option<MessageDigest> {
        let mut digest = MessageDigest::new(self.verification_key.as_ref()?.algorithm());
        digest.update(&self.bytes);
        Some(digest)
    }

    /// Refuses frames of this length when they are longer than may be held in memory.
    pub(crate) const fn check_memory(&self, bytes: u64) -> Result<(), Error> {
        if bytes > self.frame_bytes_max {
            return Err(Error::FrameTooLong { bytes, max: self.frame_bytes_max });
        }
        Ok(())
    }
}

/// How far opening came with the input it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It needs this many more bytes of input at least.
    Needs(usize),
    /// There is plaintext to release.
    Released,
    /// The message is at its end, verified, and nothing follows it.
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Body,
    Footer,
    End,
}

/// Opens a message's body in order.
pub(crate) struct OpeningCore {
    pub(crate) opening: Opening,
    lane: Option<DigestLane>,
    stage: Stage,
    next_sequence: u32,
}

impl OpeningCore {
    pub(crate) fn new(opening: Opening) -> Self {
        let lane = opening.digest().map(|digest| DigestLane::new(digest, opening.threads > 1));
        Self { opening, lane, stage: Stage::Body, next_sequence: 1 }
    }

    /// How much input at a time suits the message, in bytes: whole frames, unless they are long.
    pub(crate) fn read_bytes(&self) -> usize {
        match self.opening.header().framing {
            Framing::Framed(length) => {
                let frame = usize::try_from(length.get()).unwrap_or(usize::MAX);
                let frames = READ_BYTES / frame;
                if frames == 0 { READ_BYTES } else { frames * (frame + REGULAR_OVERHEAD) }
            }
            Framing::Unframed => READ_BYTES,
        }
    }

    /// Opens what it can of `input`, takes that off it, and appends to `plaintext`. `ended` tells that the source
    /// holds no more than `input`. The plaintext of the final frame comes only once everything is verified.
    pub(crate) fn advance(
        &mut self,
        input: &mut Buffer,
        ended: bool,
        plaintext: &mut Buffer,
    ) -> Result<Progress, Error> {
        if self.stage == Stage::Body {
            let needed = self.body(input, plaintext)?;
            if self.stage == Stage::Body {
                return match (plaintext.is_empty(), ended) {
                    (false, _) => Ok(Progress::Released),
                    (true, false) => Ok(Progress::Needs(needed)),
                    (true, true) => Err(Error::Truncated { part: Part::Body }),
                };
            }
        }
        if self.stage == Stage::Footer {
            let needed = self.footer(input)?;
            if self.stage == Stage::Footer {
                return if ended { Err(Error::Truncated { part: Part::Footer }) } else { Ok(Progress::Needs(needed)) };
            }
        }
        match (input.is_empty(), ended) {
            (false, _) => Err(Error::TrailingBytes),
            (true, false) => Ok(Progress::Needs(1)),
            (true, true) => Ok(Progress::Done),
        }
    }

    /// Opens the frames that `input` holds as a whole. Returns how many more bytes the next one takes at least.
    fn body(&mut self, input: &mut Buffer, plaintext: &mut Buffer) -> Result<usize, Error> {
        let (consumed, needed) = match self.opening.header().framing {
            Framing::Framed(length) => {
                let frame_length = usize::try_from(length.get()).unwrap_or(usize::MAX);
                self.frames(frame_length, input.filled(), plaintext)?
            }
            Framing::Unframed => self.unframed(input.filled(), plaintext)?,
        };
        self.consume(input, consumed);
        Ok(needed)
    }

    /// Takes bytes of the body off the input and into the digest.
    fn consume(&mut self, input: &mut Buffer, count: usize) {
        match &mut self.lane {
            Some(lane) if count > 0 => {
                let mut rest = lane.spare();
                rest.clear();
                rest.push(input.filled().get(count..).unwrap_or_default());
                input.truncate(count);
                lane.push(std::mem::replace(input, rest));
            }
            _ => input.consume(count),
        }
    }

    fn frames(
        &mut self,
        frame_length: usize,
        mut input: &[u8],
        plaintext: &mut Buffer,
    ) -> Result<(usize, usize), Error> {
        let begin = input.len();
        loop {
            let Some((mark, _)) = input.split_first_chunk() else {
                return Ok((begin - input.len(), 4 - input.len()));
            };
            if u32::from_be_bytes(*mark) == FINAL_MARK {
                let needed = self.final_frame(frame_length, &mut input, plaintext)?;
                return Ok((begin - input.len(), needed));
            }
            self.opening.check_memory(frame_length as u64)?;
            let bytes = frame_length.saturating_add(REGULAR_OVERHEAD);
            let Some((frame, rest)) = input.split_at_checked(bytes) else {
                return Ok((begin - input.len(), bytes - input.len()));
            };
            let sequence = self.next_sequence;
            if u64::from(sequence) > FRAMES_MAX {
                return Err(Error::Malformed { field: "body", reason: "it has more frames than there are numbers" });
            }
            self.open(plaintext, frame_length, |cipher, plaintext| cipher.open_regular(sequence, frame, plaintext))?;
            self.next_sequence += 1;
            input = rest;
        }
    }

    fn final_frame(&mut self, frame_length: usize, input: &mut &[u8], plaintext: &mut Buffer) -> Result<usize, Error> {
        let Some((head, _)) = input.split_first_chunk::<FINAL_HEAD>() else { return Ok(FINAL_HEAD - input.len()) };
        let head = parse_final_head(head).map_or(u32::MAX, |head| head.length);
        let length = usize::try_from(head).unwrap_or(usize::MAX);
        if length > frame_length {
            return Err(Error::Malformed { field: "final frame", reason: "it is longer than the others" });
        }
        self.opening.check_memory(length as u64)?;
        let Some((frame, rest)) = input.split_at_checked(length + FINAL_OVERHEAD) else {
            return Ok(length + FINAL_OVERHEAD - input.len());
        };
        let sequence = self.next_sequence;
        self.open(plaintext, length, |cipher, plaintext| cipher.open_final(sequence, frame, plaintext))?;
        self.stage = Stage::Footer;
        *input = rest;
        Ok(0)
    }

    fn unframed(&mut self, input: &[u8], plaintext: &mut Buffer) -> Result<(usize, usize), Error> {
        let Some((head, _)) = input.split_first_chunk::<UNFRAMED_HEAD>() else {
            return Ok((0, UNFRAMED_HEAD - input.len()));
        };
        let length = head.last_chunk().map_or(0, |length| u64::from_be_bytes(*length));
        self.opening.check_memory(length)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = length.saturating_add(UNFRAMED_OVERHEAD);
        let Some((block, _)) = input.split_at_checked(bytes) else { return Ok((0, bytes - input.len())) };
        self.open(plaintext, length, |cipher, plaintext| cipher.open_unframed(block, plaintext))?;
        self.stage = Stage::Footer;
        Ok((bytes, 0))
    }

    /// Opens `length` bytes onto the end of `plaintext`; on an error they are not there.
    fn open(
        &self,
        plaintext: &mut Buffer,
        length: usize,
        open: impl FnOnce(&FrameCipher, &mut [u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let before = plaintext.len();
        let opened = open(&self.opening.cipher, plaintext.extend(length));
        if opened.is_err() {
            plaintext.truncate(before);
        }
        opened
    }

    /// Verifies the signature once `input` holds it. Returns how many more bytes it takes at least.
    fn footer(&mut self, input: &mut Buffer) -> Result<usize, Error> {
        if self.opening.header().suite.signs() {
            let Some((length, rest)) = input.filled().split_first_chunk() else { return Ok(2 - input.len()) };
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((signature, _)) = rest.split_at_checked(length) else { return Ok(length - rest.len()) };
            if !self.opening.verified {
                let key = self.opening.verification_key.as_ref().ok_or(Error::PublicKeyMissing)?;
                let digest = self.lane.take().ok_or(Error::SignatureNotAuthentic)?.finish()?;
                key.verify(&digest, signature)?;
            }
            input.consume(2 + length);
        }
        self.stage = Stage::End;
        Ok(0)
    }
}
