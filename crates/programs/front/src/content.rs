//! An answer's bytes on their way out: wiped once they are sent, since they may hold a plaintext or a secret access key.

use bytes::Buf;

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
