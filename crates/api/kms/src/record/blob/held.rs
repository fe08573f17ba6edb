//! The ciphertext of a key in a custom key store: encrypted here first, and the result once more there.
//!
//! | bytes | what |
//! |---|---|
//! | 59 | the header, as of any ciphertext, with version 2 |
//! | 1, n | the key store's vector behind its length |
//! | 1, n | the key store's metadata behind its length |
//! | 16 | the key store's tag |
//! | n | what the key store encrypted: our own ciphertext and tag, encrypted again |
//!
//! The store is given the header and a digest of the encryption context as associated data: neither more of the
//! context than its digest nor any plaintext leaves this server.

use crate::ports::HeldCiphertext;

use super::{
    BlobError, Check, Header, IV, NONCE_LENGTH_OF_CALL, PLAINTEXT_MAX, TAG_LENGTH, append_header, associated_data,
    message_key,
};
use crate::record::{EncryptionContext, KeyVersion, context};
use crypto::kdf::DerivationKey;
use crypto::{random_nonce, sha256};
use zeroize::Zeroizing;

/// The version of these ciphertexts.
pub(super) const VERSION: u8 = 2;

/// The first half of making such a ciphertext: sealed here, not yet there.
pub(crate) struct HalfSealed {
    header: Vec<u8>,
    /// The input for the key store's encryption.
    pub(crate) inner: Vec<u8>,
    /// The additional authenticated data.
    pub(crate) aad: Vec<u8>,
}

/// Seals `plaintext` under our own `material` of the key.
pub(crate) fn seal(
    material: &DerivationKey,
    names: &KeyVersion,
    context: &EncryptionContext,
    plaintext: &[u8],
) -> HalfSealed {
    let nonce: [u8; NONCE_LENGTH_OF_CALL] = random_nonce();
    let mut header = Vec::new();
    append_header(VERSION, names, &nonce, &mut header);
    let associated = associated_data(&header, context);
    let mut inner = plaintext.to_vec();
    #[expect(clippy::expect_used, reason = "only a plaintext of more than 64 GiB is refused")]
    let tag = message_key(material, &nonce).seal_in_place(&IV, &associated, &mut inner).expect("within GCM's bounds");
    inner.extend_from_slice(&tag);
    let aad = aad(&header, context);
    HalfSealed { header, inner, aad }
}

impl HalfSealed {
    /// The ciphertext, once the key store has done its part. `None` when it did not do it as it must.
    pub(crate) fn finish(self, outer: &HeldCiphertext) -> Option<Vec<u8>> {
        let mut blob = self.header;
        append_outer(outer, &mut blob)?;
        (outer.ciphertext.len() == self.inner.len()).then_some(blob)
    }
}

/// Appends the key store's part; `None` when a part is longer than any may be.
fn append_outer(outer: &HeldCiphertext, blob: &mut Vec<u8>) -> Option<()> {
    for part in [&outer.vector, &outer.metadata] {
        blob.push(u8::try_from(part.len()).ok()?);
        blob.extend_from_slice(part);
    }
    blob.extend_from_slice(&outer.tag);
    blob.extend_from_slice(&outer.ciphertext);
    Some(())
}

/// Such a ciphertext taken apart, not yet known to be authentic.
#[derive(Debug)]
pub struct HeldBlob<'a> {
    /// Which version of which key it names.
    pub names: KeyVersion,
    header: Header<'a>,
    /// The input for the key store's decryption.
    pub(crate) outer: HeldCiphertext,
}

impl<'a> HeldBlob<'a> {
    /// Takes a ciphertext apart.
    ///
    /// # Errors
    /// [`BlobError`].
    pub fn parse(blob: &'a [u8]) -> Result<Self, BlobError> {
        Self::read(blob, Check::Compare)
    }

    pub(super) fn read(blob: &'a [u8], check: Check) -> Result<Self, BlobError> {
        let length = BlobError::Length { bytes: blob.len() };
        let (names, header, rest) = Header::read(blob, VERSION, check)?;
        let (vector, rest) = behind_length(rest).ok_or(length)?;
        let (metadata, rest) = behind_length(rest).ok_or(length)?;
        let (tag, ciphertext) = rest.split_first_chunk::<TAG_LENGTH>().ok_or(length)?;
        if !(TAG_LENGTH + 1..=TAG_LENGTH + PLAINTEXT_MAX).contains(&ciphertext.len()) {
            return Err(length);
        }
        let outer = HeldCiphertext {
            ciphertext: ciphertext.to_vec(),
            vector: vector.to_vec(),
            tag: *tag,
            metadata: metadata.to_vec(),
        };
        Ok(Self { names, header, outer })
    }

    /// The ciphertext put together again.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut blob = self.header.bytes.to_vec();
        append_outer(&self.outer, &mut blob).map_or_else(Vec::new, |()| blob)
    }

    /// The additional authenticated data of the key store's ciphertext.
    pub(crate) fn aad(&self, context: &EncryptionContext) -> Vec<u8> {
        aad(self.header.bytes, context)
    }

    /// Opens what the key store has decrypted with our own `material`.
    ///
    /// # Errors
    /// [`BlobError::NotAuthentic`].
    pub(crate) fn open(
        &self,
        inner: &[u8],
        material: &DerivationKey,
        context: &EncryptionContext,
    ) -> Result<Zeroizing<Vec<u8>>, BlobError> {
        let (data, tag) = inner.split_last_chunk::<TAG_LENGTH>().ok_or(BlobError::NotAuthentic)?;
        self.header.open(data, tag, material, context)
    }
}

fn behind_length(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(length))
}

fn aad(header: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let mut canonical = Vec::with_capacity(context::canonical_length(context));
    context::append_canonical(context, &mut canonical);
    [header, &sha256(&canonical)].concat()
}

#[cfg(test)]
mod tests;
