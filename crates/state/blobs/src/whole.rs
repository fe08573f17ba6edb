//! Whole blobs in memory: the format without a place. For small blobs that lie elsewhere, and for tests.

use crate::format::{CHUNK_BYTES, Cipher, header};
use crate::frames::Frames;
use crate::{BlobError, BlobId, Owner, PLAINTEXT_BYTES_MAX};

/// Seals `plaintext` as a new blob of the owner. Yields its id and the sealed bytes.
///
/// # Errors
/// [`BlobError::TooLong`].
pub fn seal_whole(owner: &Owner, plaintext: &[u8]) -> Result<(BlobId, Vec<u8>), BlobError> {
    let id = BlobId::generate();
    let cipher = Cipher::new(owner, &id);
    let mut sealed = header(&id).to_vec();
    let last = (plaintext.len().div_ceil(CHUNK_BYTES).max(1) - 1) as u64;
    // An empty blob has a chunk as well, which says so.
    let empty = plaintext.is_empty().then_some(plaintext);
    for (number, chunk) in (0..).zip(plaintext.chunks(CHUNK_BYTES).chain(empty)) {
        let done = cipher.seal(number, number == last, chunk, &mut sealed);
        done.map_err(|_| BlobError::TooLong { bytes_max: PLAINTEXT_BYTES_MAX })?;
    }
    Ok((id, sealed))
}

/// Opens all of a sealed blob.
///
/// # Errors
/// [`BlobError::NotAuthentic`], [`BlobError::UnknownVersion`].
pub fn open_whole(owner: &Owner, id: &BlobId, sealed: &[u8]) -> Result<Vec<u8>, BlobError> {
    let frames = Frames::open(sealed, owner, id)?;
    frames.read(0..frames.layout().chunks)
}
