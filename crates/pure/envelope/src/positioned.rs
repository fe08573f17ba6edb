//! Reading and writing at positions, as several threads do at once.

use std::io;

/// Bytes that can be read at any position, by several threads at once.
///
/// On Unix every file is one.
pub trait ReadAt: Sync {
    /// Reads at `offset` into `buffer` and returns how many bytes were read; 0 at the end.
    ///
    /// # Errors
    /// The source's.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// The source's; [`io::ErrorKind::UnexpectedEof`] when it ends before.
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    buffer = buffer.get_mut(read..).unwrap_or_default();
                    offset += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A place to write bytes at any position, by several threads at once.
///
/// On Unix every file is one.
pub trait WriteAt: Sync {
    /// Writes all of `buffer` at `offset`.
    ///
    /// # Errors
    /// The sink's.
    fn write_all_at(&self, buffer: &[u8], offset: u64) -> io::Result<()>;
}

#[cfg(unix)]
impl<F: std::os::unix::fs::FileExt + Sync> ReadAt for F {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }
}

#[cfg(unix)]
impl<F: std::os::unix::fs::FileExt + Sync> WriteAt for F {
    fn write_all_at(&self, buffer: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, buffer, offset)
    }
}

/// Bytes in memory to read from.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl ReadAt for Bytes<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// Reads a source of known length in order.
pub(crate) struct FromStart<'a, S> {
    pub(crate) source: &'a S,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl<S: ReadAt> io::Read for FromStart<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let limit = buffer.len().min(left);
        let read = self.source.read_at(buffer.get_mut(..limit).unwrap_or_default(), self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
