//! The bytes of a sealed blob: a header, and chunks that each open by themselves.
//! Does no I/O.
//!
//! `header ‖ chunk 0 ‖ chunk 1 ‖ … ‖ last chunk`. Header: `"SEALBLOB" ‖ version (2) ‖ id (16)`. Chunk: up to 64 KiB of
//! ciphertext, then its tag (16). All chunks but the last are full, and the last is empty only if the blob is. So the
//! length of the file gives the number of chunks, and the last one, sealed as such, proves that the length is right.

use std::ops::Range;

use crypto::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};

use crate::{BlobError, BlobId, Owner};

/// How many bytes of plaintext are sealed together.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// The longest content: 2^32 chunks, within what one key of AES-GCM may seal.
pub const PLAINTEXT_BYTES_MAX: u64 = CHUNK_BYTES as u64 * (1 << 32);

/// The length of a full chunk in the file.
pub(crate) const FRAME_BYTES: usize = CHUNK_BYTES + TAG_LENGTH;

/// The length of a header.
pub(crate) const HEADER_BYTES: usize = MAGIC.len() + 2 + BlobId::BYTES;

const MAGIC: &[u8; 8] = b"SEALBLOB";
const VERSION: u16 = 1;

/// The header of the blob `id`, in the current version.
pub(crate) fn header(id: &BlobId) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let fields = MAGIC.iter().copied().chain(VERSION.to_be_bytes()).chain(id.to_bytes());
    header.iter_mut().zip(fields).for_each(|(place, byte)| *place = byte);
    header
}

/// Refuses any header but that of the blob `id` in a version that is known.
pub(crate) fn check_header(id: &BlobId, found: &[u8; HEADER_BYTES]) -> Result<(), BlobError> {
    if let Some([high, low, ..]) = found.strip_prefix(MAGIC) {
        let version = u16::from_be_bytes([*high, *low]);
        if version != VERSION {
            return Err(BlobError::UnknownVersion { id: *id, version });
        }
    }
    if *found == header(id) { Ok(()) } else { Err(BlobError::NotAuthentic { id: *id }) }
}

/// The id in a header, of whatever version; `None` for bytes that are no header.
pub(crate) fn header_id(header: &[u8; HEADER_BYTES]) -> Option<BlobId> {
    let [_, _, id @ ..] = header.strip_prefix(MAGIC)? else { return None };
    Some(BlobId::from_bytes(id.try_into().ok()?))
}

/// Where the chunks of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// How many chunks there are, at least one.
    pub(crate) chunks: u64,
    /// The length of the content in bytes.
    pub(crate) plaintext_bytes: u64,
    sealed_bytes: u64,
}

impl Layout {
    /// The layout of a file of `sealed_bytes` bytes; `None` if no blob has that length.
    pub(crate) fn of_sealed(sealed_bytes: u64) -> Option<Self> {
        let body = sealed_bytes.checked_sub(HEADER_BYTES as u64)?;
        let chunks = body.div_ceil(FRAME_BYTES as u64).max(1);
        let last = body - (chunks - 1) * FRAME_BYTES as u64;
        let least = TAG_LENGTH as u64 + u64::from(chunks > 1);
        let plaintext_bytes = body.checked_sub(chunks * TAG_LENGTH as u64)?;
        (last >= least && plaintext_bytes <= PLAINTEXT_BYTES_MAX).then_some(Self {
            chunks,
            plaintext_bytes,
            sealed_bytes,
        })
    }

    /// The length of the whole file in bytes.
    pub(crate) const fn sealed_bytes(&self) -> u64 {
        self.sealed_bytes
    }

    /// The number of the last chunk.
    pub(crate) const fn last(&self) -> u64 {
        self.chunks - 1
    }

    /// Where `chunks` are in the file.
    pub(crate) fn frames(&self, chunks: &Range<u64>) -> Range<u64> {
        let offset = |chunk: u64| (HEADER_BYTES as u64 + chunk * FRAME_BYTES as u64).min(self.sealed_bytes);
        offset(chunks.start)..offset(chunks.end)
    }
}

/// Seals and opens the chunks of one blob.
pub(crate) struct Cipher {
    key: AeadKey,
    header: [u8; HEADER_BYTES],
    owner: Owner,
}

/// A chunk that is not the one that was sealed in its place.
#[derive(Debug)]
pub(crate) struct Malformed;

impl Cipher {
    pub(crate) fn new(owner: &Owner, id: &BlobId) -> Self {
        Self { key: AeadKey::aes256(&owner.blob_key(id)), header: header(id), owner: owner.clone() }
    }

    /// Appends a sealed chunk to `out`.
    ///
    /// INVARIANT: called once for each number, so that no nonce is used twice. [`crate::Draft`] counts, and a draft
    /// whose write failed is never written again.
    pub(crate) fn seal(&self, number: u64, last: bool, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let start = out.len();
        out.extend_from_slice(plaintext);
        let (_, data) = out.split_at_mut(start);
        let tag = self.key.seal_in_place(&nonce(number), &self.bound(number, last), data).map_err(|_| Malformed)?;
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Appends the plaintext of a chunk to `out`.
    pub(crate) fn open(&self, number: u64, last: bool, frame: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let (data, tag) = frame.split_last_chunk::<TAG_LENGTH>().ok_or(Malformed)?;
        let start = out.len();
        out.resize(start + data.len(), 0);
        let (_, plaintext) = out.split_at_mut(start);
        let opened = self.key.open_into(&nonce(number), &self.bound(number, last), data, tag, plaintext);
        opened.map_err(|_| Malformed)
    }

    /// Associated data of a chunk: `header ‖ number (8) ‖ last (1) ‖ owner`.
    fn bound(&self, number: u64, last: bool) -> Vec<u8> {
        [&self.header[..], &number.to_be_bytes(), &[u8::from(last)], self.owner.name()].concat()
    }
}

fn nonce(number: u64) -> [u8; NONCE_LENGTH] {
    let mut nonce = [0; NONCE_LENGTH];
    if let Some(place) = nonce.last_chunk_mut() {
        *place = number.to_be_bytes();
    }
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_no_blob_has_is_refused() {
        let (header, frame, tag) = (HEADER_BYTES as u64, FRAME_BYTES as u64, TAG_LENGTH as u64);
        for length in [0, header - 1, header, header + tag - 1, header + frame + 1, header + frame + tag, u64::MAX] {
            assert_eq!(Layout::of_sealed(length), None, "{length}");
        }
        for (length, chunks, plaintext_bytes) in [
            (header + tag, 1, 0),
            (header + tag + 1, 1, 1),
            (header + frame, 1, frame - tag),
            (header + frame + tag + 1, 2, frame - tag + 1),
            (header + 2 * frame, 2, 2 * (frame - tag)),
        ] {
            let layout = Layout { chunks, plaintext_bytes, sealed_bytes: length };
            assert_eq!(Layout::of_sealed(length), Some(layout));
            assert_eq!(layout.frames(&(0..chunks)), header..length);
        }
        let longest = header + (1 << 32) * frame;
        assert_eq!(Layout::of_sealed(longest).expect("the longest").plaintext_bytes, PLAINTEXT_BYTES_MAX);
        assert_eq!(Layout::of_sealed(longest + tag + 1), None);
    }
}
