//! A buffer for answers, which may hold plaintext keys.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes being written. Growing wipes what it leaves behind, and so does dropping.
pub(crate) struct Buffer(Vec<u8>);

/// Room for all but the longest answers. All of it is wiped, so it is not more than that.
const CAPACITY: usize = 640;

impl Buffer {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(CAPACITY))
    }

    /// Writes bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Writes one byte.
    pub(crate) fn put_byte(&mut self, byte: u8) {
        self.make_room(1);
        self.0.push(byte);
    }

    /// Writes a text as it is, between quotes.
    pub(crate) fn put_quoted(&mut self, text: &str) {
        self.make_room(text.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
    }

    /// Writes how a member of an object begins: what stands before it, its name between quotes, a colon.
    pub(crate) fn put_name(&mut self, before: u8, name: &str) {
        self.make_room(name.len() + 4);
        self.0.push(before);
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
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

    /// How many bytes were written.
    pub(crate) fn length(&self) -> usize {
        self.0.len()
    }

    /// Whether these bytes were written since the length was `length`.
    pub(crate) fn has_since(&self, length: usize, bytes: &[u8]) -> bool {
        self.0.get(length..) == Some(bytes)
    }

    /// Takes back what was written since the length was `length`.
    pub(crate) fn take_back(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Makes room for so many bytes more.
    #[inline]
    pub(crate) fn make_room(&mut self, bytes: usize) {
        if bytes > self.0.capacity() - self.0.len() {
            self.grow(self.0.len() + bytes);
        }
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        let mut larger = Vec::with_capacity(length.max(self.0.capacity() * 2));
        larger.extend_from_slice(&self.0);
        crypto::wipe(&mut self.0);
        self.0 = larger;
    }

    /// The bytes; [wiping](crypto::wipe) them is now the caller's.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        crypto::wipe(&mut self.0);
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
