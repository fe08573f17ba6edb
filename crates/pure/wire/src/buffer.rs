//! A buffer for answers, which may hold plaintext keys.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes being written. Growing wipes what it leaves behind, and so does dropping.
pub(crate) struct Buffer(Zeroizing<Vec<u8>>);

/// Room for all but the longest answers. All of it is wiped, so it is not more than that.
const CAPACITY: usize = 640;

impl Buffer {
    pub(crate) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(CAPACITY)))
    }

    /// Writes bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.put_all([bytes]);
    }

    /// Writes bytes piece after piece, making room once.
    #[inline]
    pub(crate) fn put_all<const N: usize>(&mut self, pieces: [&[u8]; N]) {
        self.make_room(pieces.iter().map(|piece| piece.len()).sum());
        for piece in pieces {
            self.0.extend_from_slice(piece);
        }
    }

    /// Writes bytes in base64.
    pub(crate) fn put_base64(&mut self, bytes: &[u8]) {
        // A slice is never so long that its length in base64 is no number.
        let length = base64::encoded_len(bytes.len(), true).unwrap_or(usize::MAX);
        self.make_room(length);
        let start = self.0.len();
        self.0.resize(start + length, 0);
        // The room is as long as the text.
        let _ = STANDARD.encode_slice(bytes, self.0.get_mut(start..).unwrap_or_default());
    }

    /// Whether the last byte written is this.
    pub(crate) fn ends_with(&self, byte: u8) -> bool {
        self.0.last() == Some(&byte)
    }

    #[inline]
    fn make_room(&mut self, bytes: usize) {
        if bytes > self.0.capacity() - self.0.len() {
            self.grow(self.0.len() + bytes);
        }
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        let mut larger = Vec::with_capacity(length.max(self.0.capacity() * 2));
        larger.extend_from_slice(&self.0);
        self.0.zeroize();
        *self.0 = larger;
    }

    /// The bytes; wiping them is now the caller's.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_buffer_keeps_its_bytes_while_it_grows() {
        let mut buffer = Buffer::new();
        let mut expected = Vec::new();
        for byte in 0..=255 {
            buffer.write_all(&[byte; 33]).expect("written");
            expected.extend_from_slice(&[byte; 33]);
        }
        assert_eq!(buffer.into_bytes(), expected);
    }
}
