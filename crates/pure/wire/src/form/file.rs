//! The content of a form's file: all bytes up to the delimiter behind it.

use bytes::{Bytes, BytesMut};

use super::FormError;

/// The file of a form, being read.
pub struct FormFile {
    /// A line end, two hyphens and the boundary.
    end: Vec<u8>,
    /// Bytes that may be content or the beginning of the delimiter.
    waiting: BytesMut,
    done: bool,
}

impl FormFile {
    /// A file whose content begins with `first`. `delimiter` is two hyphens and the boundary.
    pub(super) fn new(delimiter: &[u8], first: Vec<u8>) -> Self {
        Self { end: [b"\r\n", delimiter].concat(), waiting: BytesMut::from(first.as_slice()), done: false }
    }

    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        // What follows the file is of no use.
        if !self.done {
            self.waiting.extend_from_slice(bytes);
        }
    }

    /// The next bytes of the content, of those that have arrived; `None` when there are none that are surely content.
    pub fn next_piece(&mut self) -> Option<Bytes> {
        if self.done {
            return None;
        }
        if let Some(length) = memchr::memmem::find(&self.waiting, &self.end) {
            self.done = true;
            let content = self.waiting.split_to(length).freeze();
            self.waiting = BytesMut::new();
            return Some(content).filter(|content| !content.is_empty());
        }
        // The last bytes may begin the delimiter.
        let sure = self.waiting.len().saturating_sub(self.end.len() - 1);
        (sure > 0).then(|| self.waiting.split_to(sure).freeze())
    }

    /// Checks that the file has ended.
    ///
    /// # Errors
    /// [`FormError::Malformed`] if it has not.
    pub const fn finish(&self) -> Result<(), FormError> {
        if self.done { Ok(()) } else { Err(FormError::Malformed) }
    }
}
