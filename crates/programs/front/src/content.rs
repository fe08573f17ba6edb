//! An answer's bytes on their way out. A whole answer is wiped once it is sent, since it may hold a plaintext or a secret
//! access key.

use bytes::{Buf, Bytes};

/// A piece of an answer.
pub(crate) enum Piece {
    /// All of it.
    Whole(Content),
    /// A piece of a stream.
    Streamed(Bytes),
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        match self {
            Self::Whole(content) => content.remaining(),
            Self::Streamed(bytes) => bytes.remaining(),
        }
    }

    fn chunk(&self) -> &[u8] {
        match self {
            Self::Whole(content) => content.chunk(),
            Self::Streamed(bytes) => bytes.chunk(),
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Whole(content) => content.advance(count),
            Self::Streamed(bytes) => bytes.advance(count.min(bytes.len())),
        }
    }
}

/// The bytes of an answer, of which the first so many are sent.
pub(crate) struct Content {
    bytes: Vec<u8>,
    sent: usize,
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, sent: 0 }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        crypto::wipe(&mut self.bytes);
    }
}

impl Buf for Content {
    fn remaining(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        // No further than the end, however far the caller means to go.
        self.sent = self.bytes.len().min(self.sent.saturating_add(count));
    }
}
