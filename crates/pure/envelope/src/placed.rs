//! A buffer whose bytes lie in memory as they lie in a file.
//!
//! Processors copy between places that are equally far into a page faster than between others, and frames are no
//! multiples of anything: reading and writing at any offset goes through such buffers.

/// The size of a page, or a divisor of it, in bytes.
const PAGE: usize = 4096;

/// Memory for part of a file. It stays initialised, and is used again for other parts.
#[derive(Default)]
pub(crate) struct Placed {
    memory: Vec<u8>,
    begin: usize,
    length: usize,
}

impl Placed {
    /// Room for `length` bytes that are at `offset` in the file; it holds anything.
    pub(crate) fn at(&mut self, offset: u64, length: usize) -> &mut [u8] {
        let needed = length.saturating_add(PAGE);
        if self.memory.len() < needed {
            self.memory.resize(needed, 0);
        }
        let into_page = usize::try_from(offset % PAGE as u64).unwrap_or(0);
        self.begin = into_page.wrapping_sub(self.memory.as_ptr().addr()) % PAGE;
        self.length = length;
        self.memory.get_mut(self.begin..).and_then(|rest| rest.get_mut(..length)).unwrap_or_default()
    }

    /// The bytes that there was room made for last.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.get(self.begin..).and_then(|rest| rest.get(..self.length)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_lie_as_far_into_a_page_as_in_the_file() {
        let mut placed = Placed::default();
        assert!(placed.bytes().is_empty());
        for (offset, length) in [(0, 1), (4095, 4097), (1 << 20, 1 << 20), ((1 << 32) + 532, 33), (7, 0)] {
            let room = placed.at(offset, length);
            assert_eq!(room.len(), length);
            room.fill(length.to_le_bytes()[0]);
            assert_eq!(placed.bytes(), vec![length.to_le_bytes()[0]; length]);
            assert_eq!(placed.bytes().as_ptr().addr() % PAGE, usize::try_from(offset).expect("64 bits") % PAGE);
        }
    }
}
