//! The second layer of sealing: frames that fill the chunks of a blob exactly, sealed under a key of their own.
//!
//! A frame is up to 65,520 bytes of ciphertext and its tag (16). So frame and chunk have the same number, and a range opens the
//! same chunks as without this layer. Knows neither blobs' format nor whose the key is.

use std::ops::Range;

use blobs::{BlobId, CHUNK_BYTES};
use bytes::{Bytes, BytesMut};
use crypto::Key256;
use crypto::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};

use crate::{BucketsError, ObjectKey};

/// How many bytes are sealed together.
const FRAME_BYTES: usize = CHUNK_BYTES - TAG_LENGTH;

/// Seals a content, frame by frame.
pub(crate) struct Sealing {
    cipher: AeadKey,
    number: u64,
    pending: Vec<u8>,
}

impl Sealing {
    /// Begins the layer of a new blob.
    ///
    /// INVARIANT: once for each blob, whose id makes the key its own, so that no nonce is used twice.
    pub(crate) fn new(inner: &Key256, blob: &BlobId) -> Self {
        Self { cipher: AeadKey::aes256(&ObjectKey::layer_key(inner, blob)), number: 0, pending: Vec::new() }
    }

    /// Takes in bytes. Yields a frame once more than one is there, and takes no more than that needs: call it until `bytes` is
    /// empty.
    pub(crate) fn write(&mut self, bytes: &mut Bytes) -> Result<Option<Bytes>, BucketsError> {
        // More is to follow, so that it is not the last.
        let frame = if self.pending.len() == FRAME_BYTES && !bytes.is_empty() { Some(self.seal(false)?) } else { None };
        let next = bytes.split_to(bytes.len().min(FRAME_BYTES - self.pending.len()));
        self.pending.extend_from_slice(&next);
        Ok(frame)
    }

    /// The last frame.
    pub(crate) fn finish(mut self) -> Result<Bytes, BucketsError> {
        self.seal(true)
    }

    fn seal(&mut self, last: bool) -> Result<Bytes, BucketsError> {
        let mut frame = std::mem::replace(&mut self.pending, Vec::with_capacity(FRAME_BYTES));
        let tag = self.cipher.seal_in_place(&nonce(self.number), &[u8::from(last)], &mut frame);
        frame.extend_from_slice(&tag.map_err(|_| BucketsError::damaged("a frame cannot be sealed"))?);
        self.number += 1;
        Ok(frame.into())
    }
}

/// The length of a sealed content of `bytes` bytes.
pub(crate) const fn sealed_bytes(bytes: u64) -> u64 {
    let frames = bytes.div_ceil(FRAME_BYTES as u64);
    bytes + if frames == 0 { 1 } else { frames } * TAG_LENGTH as u64
}

/// Opens the frames of a range.
pub(crate) struct Opening {
    cipher: AeadKey,
    number: u64,
    last: u64,
    pending: BytesMut,
    /// Bytes to be left out of the first frame.
    skip: usize,
    /// Bytes to be yielded yet.
    rest: u64,
}

impl Opening {
    /// Begins to open `range` of a content of `bytes` bytes. Yields the range of the sealed content that is needed.
    pub(crate) fn new(inner: &Key256, blob: &BlobId, bytes: u64, range: &Range<u64>) -> (Self, Range<u64>) {
        let frame = FRAME_BYTES as u64;
        let last = bytes.div_ceil(frame).max(1) - 1;
        let number = (range.start / frame).min(last);
        let end = range.end.div_ceil(frame).max(number + 1);
        let sealed = number * CHUNK_BYTES as u64..(end * CHUNK_BYTES as u64).min(sealed_bytes(bytes));
        let cipher = AeadKey::aes256(&ObjectKey::layer_key(inner, blob));
        let skip = usize::try_from(range.start - number * frame).unwrap_or(usize::MAX);
        (Self { cipher, number, last, pending: BytesMut::new(), skip, rest: range.end - range.start }, sealed)
    }

    /// Takes in sealed bytes. Yields what they open to, if that is something; `end` says that no more come.
    pub(crate) fn open(&mut self, sealed: &[u8], end: bool) -> Result<Bytes, BucketsError> {
        self.pending.extend_from_slice(sealed);
        let mut opened = BytesMut::with_capacity(self.pending.len());
        while self.pending.len() >= CHUNK_BYTES || end && !self.pending.is_empty() {
            let mut frame = self.pending.split_to(self.pending.len().min(CHUNK_BYTES));
            let (data, tag) = frame.split_last_chunk_mut::<TAG_LENGTH>().ok_or(BucketsError::NotAuthentic)?;
            let bound = [u8::from(self.number == self.last)];
            let authentic = self.cipher.open_in_place(&nonce(self.number), &bound, data, tag);
            authentic.map_err(|_| BucketsError::NotAuthentic)?;
            self.number += 1;
            let data = data.get(std::mem::take(&mut self.skip)..).unwrap_or_default();
            let wanted = usize::try_from(self.rest).unwrap_or(usize::MAX).min(data.len());
            opened.extend_from_slice(data.get(..wanted).unwrap_or_default());
            self.rest -= wanted as u64;
        }
        Ok(opened.freeze())
    }

    /// Whether all of the range was yielded.
    pub(crate) const fn is_done(&self) -> bool {
        self.rest == 0
    }
}

fn nonce(number: u64) -> [u8; NONCE_LENGTH] {
    let mut nonce = [0; NONCE_LENGTH];
    if let Some(place) = nonce.last_chunk_mut() {
        *place = number.to_be_bytes();
    }
    nonce
}
