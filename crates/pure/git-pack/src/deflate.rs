//! Compresses entries. The one place that names the compressor.

use flate2::{Compress, Compression, FlushCompress, Status};

/// Compressed bytes that are handed over at once.
const PIECE_BYTES: usize = 64 << 10;

/// A compressor whose memory serves one entry after the other.
pub struct Deflater(Compress);

impl Default for Deflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Deflater {
    /// A compressor at zlib's default level, as git's.
    #[must_use]
    pub fn new() -> Self {
        Self(Compress::new(Compression::default(), true))
    }

    /// Hands `bytes` to `each` as one zlib stream, in pieces of about 64 KiB. What is in `out` comes before it.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn deflate_in_pieces<E>(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        each: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.0.reset();
        let mut rest = bytes;
        loop {
            out.reserve(PIECE_BYTES.min(rest.len() / 4 + 128));
            let before = self.0.total_in();
            let status = self.0.compress_vec(rest, out, FlushCompress::Finish);
            let taken = usize::try_from(self.0.total_in() - before).unwrap_or(rest.len());
            rest = rest.get(taken..).unwrap_or_default();
            // A compressor in memory has nothing to fail at: its parameters are constants.
            let ended = !matches!(status, Ok(Status::Ok | Status::BufError));
            if ended || out.len() >= PIECE_BYTES {
                each(out)?;
                out.clear();
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Appends `bytes` to `out` as one zlib stream.
    pub fn deflate(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.reset();
        let mut rest = bytes;
        loop {
            // Beyond this, a stream grows by its header and a few bytes a block.
            out.reserve(rest.len() / 4 + 128);
            let before = self.0.total_in();
            let status = self.0.compress_vec(rest, out, FlushCompress::Finish);
            let taken = usize::try_from(self.0.total_in() - before).unwrap_or(rest.len());
            rest = rest.get(taken..).unwrap_or_default();
            // A compressor in memory has nothing to fail at: its parameters are constants.
            if !matches!(status, Ok(Status::Ok | Status::BufError)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Inflater;

    #[test]
    fn pieces_are_together_what_one_piece_would_be() {
        let mut deflater = Deflater::new();
        for bytes in [0_u32, 1, 1000, 1_000_000] {
            let content: Vec<u8> =
                (0..bytes).flat_map(|at| (at.wrapping_mul(2_654_435_761) >> 7).to_be_bytes()).collect();
            let (mut out, mut all, mut longest) = (b"head".to_vec(), Vec::new(), 0);
            let mut each = |piece: &[u8]| {
                longest = longest.max(piece.len());
                all.extend_from_slice(piece);
                Ok::<_, ()>(())
            };
            deflater.deflate_in_pieces(&content, &mut out, &mut each).expect("nothing fails");
            assert!(out.is_empty() && longest <= 2 * PIECE_BYTES, "{longest}");
            let stream = all.strip_prefix(b"head").expect("what was there comes first");
            let mut back = Vec::new();
            let taken = Inflater::new().inflate(stream, content.len() as u64, &mut back);
            assert!(taken == Some(stream.len()) && back == content);
        }
        assert_eq!(deflater.deflate_in_pieces(b"x", &mut Vec::new(), &mut |_| Err(7)), Err(7));
    }
}
