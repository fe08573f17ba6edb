//! Reading a source twice and being sure that it was the same: marks of its chunks, made by a key that nobody else has.

use std::io::{self, Read, Write};

use crypto::Key256;
use crypto::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};

use crate::buffer::Buffer;

/// The length of chunks in bytes: 16 bytes of memory are kept for each.
const CHUNK_BYTES: usize = 1 << 20;

/// What was seen of a source: a GMAC tag of each chunk.
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

/// Marks what is read from a source, and copies it to `copy`.
pub(crate) struct Marking<R, W> {
    source: R,
    copy: W,
    chunk: Buffer,
    marks: Marks,
}

impl<R: Read, W: Write> Marking<R, W> {
    pub(crate) fn new(source: R, copy: W) -> Self {
        let marks = Marks { key: AeadKey::aes256(&Key256::random()), tags: Vec::new() };
        Self { source, copy, chunk: Buffer::default(), marks }
    }

    /// Reads `count` bytes and passes over them.
    pub(crate) fn skip(&mut self, count: usize) -> io::Result<()> {
        skip(self, count)
    }

    fn mark(&mut self) -> io::Result<()> {
        let tag = self.marks.tag(self.marks.tags.len(), self.chunk.filled())?;
        self.marks.tags.push(tag);
        self.chunk.clear();
        Ok(())
    }

    /// The source, what was seen of it, and the copy.
    pub(crate) fn finish(mut self) -> io::Result<(R, Marks, W)> {
        self.mark()?;
        self.copy.flush()?;
        Ok((self.source, self.marks, self.copy))
    }
}

impl<R: Read, W: Write> Read for Marking<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = buffer.len().min(CHUNK_BYTES - self.chunk.len());
        let read = self.source.read(buffer.get_mut(..limit).unwrap_or_default())?;
        let bytes = buffer.get(..read).unwrap_or_default();
        self.copy.write_all(bytes)?;
        self.chunk.push(bytes);
        if self.chunk.len() == CHUNK_BYTES {
            self.mark()?;
        }
        Ok(read)
    }
}

/// Reads a source again and hands out no byte of a chunk that is not what it was.
pub(crate) struct Rechecking<R> {
    source: R,
    marks: Marks,
    next: usize,
    chunk: Buffer,
    read: usize,
}

impl<R: Read> Rechecking<R> {
    pub(crate) fn new(source: R, marks: Marks) -> Self {
        Self { source, marks, next: 0, chunk: Buffer::default(), read: 0 }
    }

    /// Reads `count` bytes and passes over them.
    pub(crate) fn skip(&mut self, count: usize) -> io::Result<()> {
        skip(self, count)
    }

    fn refill(&mut self) -> io::Result<()> {
        self.chunk.clear();
        self.read = 0;
        let Some(expected) = self.marks.tags.get(self.next) else { return Ok(()) };
        // One byte more than a chunk, to see that the last one ends where it ended.
        let last = self.next + 1 == self.marks.tags.len();
        let wanted = CHUNK_BYTES + usize::from(last);
        while self.chunk.len() < wanted {
            let have = self.chunk.len();
            let read = self.source.read(self.chunk.extend(wanted - have));
            self.chunk.truncate(have + read.as_ref().map_or(0, |read| *read));
            match read {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if !crypto::constant_time_eq(&self.marks.tag(self.next, self.chunk.filled())?, expected) {
            self.chunk.clear();
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the message changed while it was read"));
        }
        self.next += 1;
        Ok(())
    }
}

impl<R: Read> Read for Rechecking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.chunk.len() {
            self.refill()?;
        }
        let rest = self.chunk.filled().get(self.read..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.read += count;
        Ok(count)
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
