//! Bytes that are filled, used and filled again without being zeroed in between.

/// A buffer whose memory beyond its length stays initialised.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Buffer {
    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    pub(crate) const fn clear(&mut self) {
        self.length = 0;
    }

    /// Makes the buffer `count` bytes longer and returns them; they hold anything.
    pub(crate) fn extend(&mut self, count: usize) -> &mut [u8] {
        let begin = self.length;
        self.length += count;
        if self.bytes.len() < self.length {
            self.bytes.resize(self.length, 0);
        }
        self.bytes.get_mut(begin..self.length).unwrap_or_default()
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.extend(bytes.len()).copy_from_slice(bytes);
    }

    /// Makes the buffer shorter.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Takes `count` bytes off the front.
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.length);
        self.bytes.copy_within(count..self.length, 0);
        self.length -= count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_shrinks_and_moves_up() {
        let mut buffer = Buffer::default();
        buffer.push(b"header");
        buffer.push(b"body");
        buffer.consume(6);
        assert_eq!(buffer.filled(), b"body");
        buffer.truncate(2);
        buffer.push(b"x");
        assert_eq!(buffer.filled(), b"box");
        buffer.consume(9);
        assert!(buffer.is_empty());
        assert_eq!(buffer.extend(3).len(), 3);
        buffer.clear();
        assert_eq!(buffer.len(), 0);
    }
}
