//! A buffer for answers, which may hold plaintext keys.

use std::io;

use zeroize::{Zeroize as _, Zeroizing};

/// Bytes being written. Growing wipes what it leaves behind, and so does dropping.
pub(crate) struct Buffer(Zeroizing<Vec<u8>>);

/// Room for all but the longest answers.
const CAPACITY: usize = 1024;

impl Buffer {
    pub(crate) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(CAPACITY)))
    }

    /// The bytes; wiping them is now the caller's.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.0.len() + bytes.len();
        if length > self.0.capacity() {
            let mut larger = Vec::with_capacity(length.max(self.0.capacity() * 2));
            larger.extend_from_slice(&self.0);
            self.0.zeroize();
            *self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
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
