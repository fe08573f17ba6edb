//! Compresses entries. The one place that names the compressor.

use flate2::{Compress, Compression, FlushCompress, Status};

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
