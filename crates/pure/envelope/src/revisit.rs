//! Reading a source twice and being sure that it was the same: marks of its chunks, made by a key that nobody else has.

use std::io::{self, Read, Write};

use crypto::Key256;
use crypto::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};

use crate::buffer::Buffer;

/// The length of chunks in bytes: each takes 16 bytes of memory.
const CHUNK_BYTES: usize = 1 << 20;

/// Marks of a source's content: a GMAC tag of each chunk.
pub(crate) struct Marks {
    key: AeadKey,
    tags: Vec<[u8; TAG_LENGTH]>,
}

impl Marks {
    fn tag(&self, index: usize, chunk: &[u8]) -> io::Result<[u8; TAG_LENGTH]> {
        let mut nonce = [0; NONCE_LENGTH];
        if let Some(end) = nonce.last_chunk_mut() {
            *end = (index as u64).to_be_bytes();
        }
        self.key.seal_in_place(&nonce, chunk, &mut []).map_err(io::Error::other)
    }
}

/// Marks bytes as they pass.
pub(crate) struct Marker {
    chunk: Buffer,
    marks: Marks,
}

impl Marker {
    pub(crate) fn new() -> Self {
        let marks = Marks { key: AeadKey::aes256(&Key256::random()), tags: Vec::new() };
        Self { chunk: Buffer::default(), marks }
    }

    /// Takes in the next bytes.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = CHUNK_BYTES - self.chunk.len();
            let (taken, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.chunk.push(taken);
            if self.chunk.len() == CHUNK_BYTES {
                self.mark()?;
            }
            bytes = rest;
        }
        Ok(())
    }

    fn mark(&mut self) -> io::Result<()> {
        let tag = self.marks.tag(self.marks.tags.len(), self.chunk.filled())?;
        self.marks.tags.push(tag);
        self.chunk.clear();
        Ok(())
    }

    /// Marks of all bytes that passed. The last chunk has one too, even when it is empty.
    pub(crate) fn finish(mut self) -> io::Result<Marks> {
        self.mark()?;
        Ok(self.marks)
    }
}

/// Marks what is read from a source, and copies it to `copy`.
pub(crate) struct Marking<R, W> {
    source: R,
    copy: W,
    marker: Marker,
}

impl<R: Read, W: Write> Marking<R, W> {
    pub(crate) fn new(source: R, copy: W) -> Self {
        Self { source, copy, marker: Marker::new() }
    }

    /// Reads `count` bytes and passes over them.
    pub(crate) fn skip(&mut self, count: usize) -> io::Result<()> {
        skip(self, count)
    }

    /// The source, what was seen of it, and the copy.
    pub(crate) fn finish(mut self) -> io::Result<(R, Marks, W)> {
        self.copy.flush()?;
        Ok((self.source, self.marker.finish()?, self.copy))
    }
}

impl<R: Read, W: Write> Read for Marking<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        self.copy.write_all(bytes)?;
        self.marker.pass(bytes)?;
        Ok(read)
    }
}

/// Reads a source again and hands out no byte of a chunk that is not what it was.
pub(crate) struct Rechecking<R> {
    pub(crate) source: R,
    pub(crate) chunks: Chunks,
}

/// The chunk that is read again, and then handed out.
pub(crate) struct Chunks {
    marks: Marks,
    /// How many chunks were checked.
    checked: usize,
    chunk: Buffer,
    /// Whether the chunk is one that was checked, of which `read` bytes are handed out already.
    good: bool,
    read: usize,
}

impl Chunks {
    /// Whether all of the chunk is handed out, so that the next one is to be read.
    pub(crate) const fn spent(&self) -> bool {
        !self.good || self.read == self.chunk.len()
    }

    /// Room for what is missing of the next chunk: none when it is whole, or when there is no other.
    pub(crate) fn room(&mut self) -> (usize, &mut [u8]) {
        if self.good {
            self.chunk.clear();
            (self.good, self.read) = (false, 0);
        }
        let have = self.chunk.len();
        let left = self.marks.tags.len() - self.checked;
        // One byte more than a chunk, to see that the last one ends where it ended.
        let whole = if left == 0 { 0 } else { CHUNK_BYTES + usize::from(left == 1) };
        (have, self.chunk.extend(whole.saturating_sub(have)))
    }

    /// Tells how many bytes the chunk has, once so many of its room were filled.
    pub(crate) fn filled(&mut self, length: usize) {
        self.chunk.truncate(length);
    }

    /// Checks the chunk, of which the source has no more.
    pub(crate) fn check(&mut self) -> io::Result<()> {
        if let Some(expected) = self.marks.tags.get(self.checked) {
            if !crypto::constant_time_eq(&self.marks.tag(self.checked, self.chunk.filled())?, expected) {
                self.chunk.clear();
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the message changed while it was read"));
            }
            self.checked += 1;
        }
        self.good = true;
        Ok(())
    }

    /// Hands out bytes of a checked chunk.
    pub(crate) fn hand_out(&mut self, buffer: &mut [u8]) -> usize {
        let rest = self.chunk.filled().get(self.read..).filter(|_| self.good).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.read += count;
        count
    }
}

impl<R> Rechecking<R> {
    pub(crate) fn new(source: R, marks: Marks) -> Self {
        let chunks = Chunks { marks, checked: 0, chunk: Buffer::default(), good: true, read: 0 };
        Self { source, chunks }
    }
}

impl<R: Read> Rechecking<R> {
    /// Reads `count` bytes and passes over them.
    pub(crate) fn skip(&mut self, count: usize) -> io::Result<()> {
        skip(self, count)
    }

    fn refill(&mut self) -> io::Result<()> {
        loop {
            let (have, room) = self.chunks.room();
            if room.is_empty() {
                return self.chunks.check();
            }
            let read = self.source.read(room);
            self.chunks.filled(have + read.as_ref().map_or(0, |read| *read));
            match read {
                Ok(0) => return self.chunks.check(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R: Read> Read for Rechecking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunks.spent() {
            self.refill()?;
        }
        Ok(self.chunks.hand_out(buffer))
    }
}

fn skip(source: &mut impl Read, count: usize) -> io::Result<()> {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    match io::copy(&mut source.take(count), &mut io::sink())? {
        skipped if skipped == count => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(source: &[u8]) -> (Marks, Vec<u8>) {
        let mut marking = Marking::new(source, Vec::new());
        let mut read = Vec::new();
        marking.skip(3).unwrap();
        marking.read_to_end(&mut read).unwrap();
        assert_eq!(read, source[3..]);
        let (_, marks, copy) = marking.finish().unwrap();
        (marks, copy)
    }

    #[test]
    fn what_is_the_same_is_read_again_whatever_its_length() {
        for length in [3, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 77] {
            let source: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let (marks, copy) = marks(&source);
            assert_eq!(copy, source);
            let mut again = Vec::new();
            Rechecking::new(&source[..], marks).read_to_end(&mut again).unwrap();
            assert!(again == source, "{length}");
        }
    }

    #[test]
    fn no_byte_of_a_changed_chunk_is_handed_out() {
        let source = vec![1; 2 * CHUNK_BYTES + 5];
        let mut changed = source.clone();
        changed[CHUNK_BYTES + 9] = 2;
        let shorter = &source[..source.len() - 1];
        let longer = [&source[..], &[1]].concat();
        for (other, intact) in [(&changed[..], CHUNK_BYTES), (shorter, 2 * CHUNK_BYTES), (&longer, 2 * CHUNK_BYTES)] {
            let mut read = Vec::new();
            let refused = Rechecking::new(other, marks(&source).0).read_to_end(&mut read).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
            assert_eq!(read.len(), intact);
        }
    }
}
