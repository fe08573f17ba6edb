//! Single frames, and the one block of a message without frames: their bytes, sealed and opened between buffers.

use crypto::CryptoError;
use crypto::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};

use crate::{Error, Part};

/// How many bytes a frame takes beyond its plaintext: sequence number, nonce, tag.
pub(crate) const REGULAR_OVERHEAD: usize = 4 + NONCE_LENGTH + TAG_LENGTH;

/// How many bytes the final frame takes beyond its plaintext: a mark and a length as well.
pub(crate) const FINAL_OVERHEAD: usize = 4 + REGULAR_OVERHEAD + 4;

/// How many bytes the final frame holds before its content: mark, sequence number, nonce, length.
pub(crate) const FINAL_HEAD: usize = FINAL_OVERHEAD - TAG_LENGTH;

/// How many bytes the block of a message without frames holds before its content: nonce, length.
pub(crate) const UNFRAMED_HEAD: usize = NONCE_LENGTH + 8;

/// How many bytes that block takes beyond its plaintext.
pub(crate) const UNFRAMED_OVERHEAD: usize = UNFRAMED_HEAD + TAG_LENGTH;

/// Stands where a regular frame has its sequence number.
pub(crate) const FINAL_MARK: u32 = u32::MAX;

/// The most frames that a message has: sequence numbers begin at 1, and the largest number is the mark.
pub(crate) const FRAMES_MAX: u64 = 0xffff_fffe;

/// The longest plaintext of one block: GCM's own bound.
pub(crate) const UNFRAMED_MAX: u64 = (1 << 36) - 32;

/// Kind of a piece of the body, as named in its associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Regular,
    Final,
    Unframed,
}

impl Content {
    const fn text(self) -> &'static [u8] {
        match self {
            Self::Regular => b"AWSKMSEncryptionClient Frame",
            Self::Final => b"AWSKMSEncryptionClient Final Frame",
            Self::Unframed => b"AWSKMSEncryptionClient Single Block",
        }
    }
}

/// The longest associated data: message identifier, content text, sequence number, length.
const AAD_MAX: usize = 32 + 35 + 4 + 8;

/// Associated data, put together without allocating.
struct Aad {
    bytes: [u8; AAD_MAX],
    length: usize,
}

impl Aad {
    /// Source: AWS Encryption SDK Specification, Message Body AAD.
    fn new(message_id: &[u8], content: Content, sequence: u32, length: usize) -> Self {
        let mut aad = Self { bytes: [0; AAD_MAX], length: 0 };
        aad.push(message_id);
        aad.push(content.text());
        aad.push(&sequence.to_be_bytes());
        aad.push(&(length as u64).to_be_bytes());
        aad
    }

    fn push(&mut self, part: &[u8]) {
        let place = self.bytes.get_mut(self.length..).and_then(|rest| rest.get_mut(..part.len()));
        if let Some(place) = place {
            place.copy_from_slice(part);
            self.length += part.len();
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn nonce_of(sequence: u32) -> [u8; NONCE_LENGTH] {
    let mut nonce = [0; NONCE_LENGTH];
    if let Some(end) = nonce.last_chunk_mut() {
        *end = sequence.to_be_bytes();
    }
    nonce
}

/// A buffer is not as long as its content takes: a defect of the caller in this crate.
const fn misfit(bytes: usize) -> Error {
    Error::Crypto(CryptoError::Length { bytes })
}

/// The head of a final frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FinalHead {
    pub(crate) sequence: u32,
    pub(crate) length: u32,
}

/// Reads the head of a final frame, mark included.
pub(crate) fn parse_final_head(head: &[u8; FINAL_HEAD]) -> Option<FinalHead> {
    let mut cursor = crate::cursor::Cursor::new(head);
    let mark = cursor.u32()?;
    let sequence = cursor.u32()?;
    cursor.take(NONCE_LENGTH)?;
    let length = cursor.u32()?;
    (mark == FINAL_MARK).then_some(FinalHead { sequence, length })
}

/// Seals and opens the frames of one message.
pub(crate) struct FrameCipher {
    key: AeadKey,
    message_id: Vec<u8>,
}

impl FrameCipher {
    pub(crate) const fn new(key: AeadKey, message_id: Vec<u8>) -> Self {
        Self { key, message_id }
    }

    fn seal(
        &self,
        content: Content,
        sequence: u32,
        plaintext: &[u8],
        ciphertext: &mut [u8],
        tag: &mut [u8; TAG_LENGTH],
    ) -> Result<(), Error> {
        let aad = Aad::new(&self.message_id, content, sequence, plaintext.len());
        Ok(self.key.seal_into(&nonce_of(sequence), aad.bytes(), plaintext, ciphertext, tag)?)
    }

    fn open(
        &self,
        content: Content,
        sequence: u32,
        nonce: &[u8; NONCE_LENGTH],
        sealed: &[u8],
        plaintext: &mut [u8],
    ) -> Result<(), Error> {
        let (ciphertext, tag) = sealed.split_last_chunk().ok_or(Error::Truncated { part: Part::Body })?;
        let aad = Aad::new(&self.message_id, content, sequence, ciphertext.len());
        self.key.open_into(nonce, aad.bytes(), ciphertext, tag, plaintext).map_err(|error| match error {
            CryptoError::NotAuthentic => Error::FrameNotAuthentic { sequence },
            error => Error::Crypto(error),
        })
    }

    /// Seals a regular frame into `out`, which is [`REGULAR_OVERHEAD`] longer than `plaintext`.
    pub(crate) fn seal_regular(&self, sequence: u32, plaintext: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let bytes = out.len();
        let (number, out) = out.split_first_chunk_mut::<4>().ok_or(misfit(bytes))?;
        let (nonce, out) = out.split_first_chunk_mut().ok_or(misfit(bytes))?;
        let (ciphertext, tag) = out.split_last_chunk_mut().ok_or(misfit(bytes))?;
        *number = sequence.to_be_bytes();
        *nonce = nonce_of(sequence);
        self.seal(Content::Regular, sequence, plaintext, ciphertext, tag)
    }

    /// Seals the final frame into `out`, which is [`FINAL_OVERHEAD`] longer than `plaintext`.
    pub(crate) fn seal_final(&self, sequence: u32, plaintext: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let bytes = out.len();
        let (mark, out) = out.split_first_chunk_mut::<4>().ok_or(misfit(bytes))?;
        let (number, out) = out.split_first_chunk_mut::<4>().ok_or(misfit(bytes))?;
        let (nonce, out) = out.split_first_chunk_mut().ok_or(misfit(bytes))?;
        let (length, out) = out.split_first_chunk_mut::<4>().ok_or(misfit(bytes))?;
        let (ciphertext, tag) = out.split_last_chunk_mut().ok_or(misfit(bytes))?;
        *mark = FINAL_MARK.to_be_bytes();
        *number = sequence.to_be_bytes();
        *nonce = nonce_of(sequence);
        *length = u32::try_from(plaintext.len()).map_err(|_| misfit(bytes))?.to_be_bytes();
        self.seal(Content::Final, sequence, plaintext, ciphertext, tag)
    }

    /// Seals a whole message without frames into `out`, which is [`UNFRAMED_OVERHEAD`] longer than `plaintext`.
    pub(crate) fn seal_unframed(&self, plaintext: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let bytes = out.len();
        let (nonce, out) = out.split_first_chunk_mut().ok_or(misfit(bytes))?;
        let (length, out) = out.split_first_chunk_mut::<8>().ok_or(misfit(bytes))?;
        let (ciphertext, tag) = out.split_last_chunk_mut().ok_or(misfit(bytes))?;
        *nonce = nonce_of(1);
        *length = (plaintext.len() as u64).to_be_bytes();
        self.seal(Content::Unframed, 1, plaintext, ciphertext, tag)
    }

    /// Opens the regular frame `frame`, which has to be number `sequence`, into `plaintext`.
    pub(crate) fn open_regular(&self, sequence: u32, frame: &[u8], plaintext: &mut [u8]) -> Result<(), Error> {
        let truncated = Error::Truncated { part: Part::Body };
        let Some((number, rest)) = frame.split_first_chunk() else { return Err(truncated) };
        let found = u32::from_be_bytes(*number);
        if found != sequence {
            return Err(Error::FrameOrder { expected: sequence, found });
        }
        let Some((nonce, sealed)) = rest.split_first_chunk() else { return Err(truncated) };
        self.open(Content::Regular, sequence, nonce, sealed, plaintext)
    }

    /// Opens the final frame `frame`, which has to be number `sequence`, into `plaintext`.
    pub(crate) fn open_final(&self, sequence: u32, frame: &[u8], plaintext: &mut [u8]) -> Result<(), Error> {
        let truncated = Error::Truncated { part: Part::Body };
        let Some((bytes, sealed)) = frame.split_first_chunk::<FINAL_HEAD>() else { return Err(truncated) };
        let head = parse_final_head(bytes)
            .ok_or(Error::Malformed { field: "final frame", reason: "it does not begin with its mark" })?;
        if head.sequence != sequence {
            return Err(Error::FrameOrder { expected: sequence, found: head.sequence });
        }
        let Some((_, rest)) = bytes.split_first_chunk::<8>() else { return Err(truncated) };
        let Some((nonce, _)) = rest.split_first_chunk() else { return Err(truncated) };
        self.open(Content::Final, sequence, nonce, sealed, plaintext)
    }

    /// Opens the block of a message without frames into `plaintext`.
    pub(crate) fn open_unframed(&self, block: &[u8], plaintext: &mut [u8]) -> Result<(), Error> {
        let truncated = Error::Truncated { part: Part::Body };
        let Some((head, sealed)) = block.split_first_chunk::<UNFRAMED_HEAD>() else { return Err(truncated) };
        let Some((nonce, _length)) = head.split_first_chunk() else { return Err(truncated) };
        self.open(Content::Unframed, 1, nonce, sealed, plaintext)
    }
}
