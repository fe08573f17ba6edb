//! Expands zlib streams within bounds. The one place that names the decompressor.
//!
//! Never trusts a declared size: memory grows with what arrives.

use flate2::{Decompress, FlushDecompress, Status};

/// Room beyond an entry's size: with it the decompressor's fast loop runs to the end, and an entry that is too long shows.
const ROOM: usize = 320;

/// Bytes reserved at once for an entry whose compressed length is not known.
const FIRST_BYTES: usize = 256 << 10;

/// Compressed bytes that are no zlib stream, or one of another length than declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    Stream,
    Size,
}

/// A decompressor whose memory serves one stream after the other.
pub struct Inflater(Decompress);

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

/// How far a piece of a stream came.
pub(crate) struct Progress {
    /// Bytes of input that belonged to the stream.
    pub(crate) taken: usize,
    /// Whether the stream has ended.
    pub(crate) ended: bool,
}

impl Inflater {
    /// A decompressor at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self(Decompress::new(true))
    }

    /// Begins another stream.
    pub(crate) fn restart(&mut self) {
        self.0.reset(true);
    }

    /// Takes in the next piece of a stream that makes `size` bytes in all, and appends what it makes to `out`, which holds
    /// all that the stream made before.
    pub(crate) fn whole(&mut self, input: &[u8], size: u64, out: &mut Vec<u8>) -> Result<Progress, Bad> {
        let size = usize::try_from(size).map_err(|_| Bad::Size)?;
        let mut taken = 0;
        loop {
            let room = size.saturating_add(ROOM) - out.len().min(size);
            // Doubles what is there at most: a stream of few bytes that declares gigabytes gets no gigabytes.
            out.reserve(room.min(FIRST_BYTES.max(out.len())));
            let (ins, outs) = (self.0.total_in(), self.0.total_out());
            let rest = input.get(taken..).unwrap_or_default();
            let status = self.0.decompress_vec(rest, out, FlushDecompress::Finish).map_err(|_| Bad::Stream)?;
            let (read, made) = (self.0.total_in() - ins, self.0.total_out() - outs);
            taken += usize::try_from(read).unwrap_or(rest.len());
            if out.len() > size {
                return Err(Bad::Size);
            }
            match status {
                Status::StreamEnd if out.len() == size => return Ok(Progress { taken, ended: true }),
                Status::StreamEnd => return Err(Bad::Size),
                Status::Ok | Status::BufError if taken == input.len() && out.len() < out.capacity() => {
                    return Ok(Progress { taken, ended: false });
                }
                // There was room and input, and nothing came of them.
                Status::Ok | Status::BufError if read == 0 && made == 0 => return Err(Bad::Stream),
                Status::Ok | Status::BufError => {}
            }
        }
    }

    /// Takes in a part of the next piece, and writes what it makes over `out` from its beginning. Returns how much that is.
    pub(crate) fn piece(&mut self, input: &[u8], out: &mut [u8]) -> Result<(Progress, usize), Bad> {
        let (ins, outs) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, out, FlushDecompress::None).map_err(|_| Bad::Stream)?;
        let taken = usize::try_from(self.0.total_in() - ins).unwrap_or(input.len());
        let made = usize::try_from(self.0.total_out() - outs).unwrap_or(out.len());
        let ended = status == Status::StreamEnd;
        if !ended && taken == 0 && made == 0 && !input.is_empty() {
            return Err(Bad::Stream);
        }
        Ok((Progress { taken, ended }, made))
    }

    /// Expands a zlib stream at the beginning of `input` that makes exactly `size` bytes into `out`, whose content is
    /// replaced. `None`: no such stream.
    pub fn inflate(&mut self, input: &[u8], size: u64, out: &mut Vec<u8>) -> Option<usize> {
        out.clear();
        self.restart();
        self.whole(input, size, out).ok().filter(|progress| progress.ended).map(|progress| progress.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::Inflater;
    use crate::Deflater;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Deflater::new().deflate(bytes, &mut out);
        out
    }

    #[test]
    fn what_was_compressed_expands_in_pieces_of_any_size() {
        let mut inflater = Inflater::new();
        for length in [0_usize, 1, 319, 320, 321, 5000, 300_000, 2_000_000] {
            let content: Vec<u8> = (0..length).map(|at| (at * at / 7 % 251) as u8).collect();
            let stream = deflated(&content);
            let mut out = Vec::new();
            assert_eq!(inflater.inflate(&stream, length as u64, &mut out), Some(stream.len()));
            assert_eq!(out, content);
            for piece in [1, 7, 4096] {
                inflater.restart();
                out.clear();
                let mut ended = false;
                for bytes in stream.chunks(piece) {
                    assert!(!ended);
                    let progress = inflater.whole(bytes, length as u64, &mut out).expect("a stream");
                    assert_eq!(progress.taken, bytes.len());
                    ended = progress.ended;
                }
                assert!(ended);
                assert_eq!(out, content);
            }
        }
    }

    #[test]
    fn a_stream_of_another_size_or_a_broken_one_is_refused() {
        let (mut inflater, mut out) = (Inflater::new(), Vec::new());
        let stream = deflated(&[7; 100_000]);
        for size in [0, 1, 99_999, 100_001, 4 << 30] {
            assert_eq!(inflater.inflate(&stream, size, &mut out), None);
            assert!(out.capacity() < 1 << 20, "nothing was reserved for what was only declared");
        }
        let mut broken = stream.clone();
        *broken.last_mut().expect("bytes") ^= 1;
        assert_eq!(inflater.inflate(&broken, 100_000, &mut out), None);
        assert_eq!(inflater.inflate(&stream[..stream.len() - 1], 100_000, &mut out), None);
        assert_eq!(inflater.inflate(&stream, 100_000, &mut out), Some(stream.len()));
    }
}
