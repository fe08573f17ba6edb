//! Secret bytes: 256-bit keys in locked memory, and secrets of any length that are zeroised when dropped.
//!
//! Neither type can be printed, compared or cloned by accident.

use std::io;

use zeroize::Zeroize;

use crate::locked::Slots;
use crate::{CryptoError, random_bytes};

/// Thirty-two secret bytes that are not in swap or core dumps, and zeroised when dropped.
pub struct Key256(Slots<1>);

impl Key256 {
    /// A new random key.
    #[must_use]
    pub fn random() -> Self {
        Self::fill(|bytes| random_bytes(bytes))
    }

    /// A key from its bytes. The caller zeroises the original.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when there are not 32.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, CryptoError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| CryptoError::Length { bytes: bytes.len() })?;
        Ok(Self::fill(|key| *key = *bytes))
    }

    /// A key that `write` fills, in the place where it stays. It begins as zeros.
    #[must_use]
    pub fn fill(write: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut slots = Slots::new();
        let [slot] = slots.bytes_mut();
        write(slot);
        Self(slots)
    }

    /// The bytes, for the moment of their use.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        let [slot] = self.0.bytes();
        slot
    }

    /// A second holder of the same key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::fill(|key| *key = *self.expose())
    }
}

/// Secret bytes of any length, zeroised when dropped. Their length is not secret.
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// No bytes yet, with room for `bytes` of them.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Adds bytes at the end. What growing leaves behind is zeroised.
    pub fn extend(&mut self, bytes: &[u8]) {
        let needed = self.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.0.capacity() * 2));
            larger.extend_from_slice(&self.0);
            wipe(&mut self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    /// The bytes, for the moment of their use.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be changed in place.
    #[must_use]
    pub fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes off everything from `length` on, zeroising it.
    pub fn truncate(&mut self, length: usize) {
        if let Some(tail) = self.0.get_mut(length..) {
            tail.zeroize();
        }
        self.0.truncate(length);
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

/// So that a serializer can write a secret without leaving copies behind.
impl io::Write for SecretBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Wipes all the room that bytes have. What is beyond a vector's end is wiped in wide instructions, and what is before it
/// byte by byte, so it is emptied first.
pub fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.zeroize();
}

#[cfg(test)]
pub(crate) mod tests;
