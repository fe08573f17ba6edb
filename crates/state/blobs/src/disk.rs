//! The file operations that durability rests on, behind a seam so that tests can make each of them fail.
//! Knows nothing of what is written.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{fsync, renameat};

/// Writes, syncs and renames.
pub(crate) trait Disk: Send + Sync {
    fn write_all(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written to a file last.
    fn sync_file(&self, file: &File) -> io::Result<()>;

    /// Gives a file of the directory `from` a place in the directory `to`.
    fn rename(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &str) -> io::Result<()>;

    /// Makes creations and renames in a directory last.
    fn sync_dir(&self, dir: &OwnedFd) -> io::Result<()>;
}

/// The operating system's files.
pub(crate) struct OsDisk;

impl Disk for OsDisk {
    fn write_all(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &str) -> io::Result<()> {
        Ok(renameat(from, name, to, name)?)
    }

    fn sync_dir(&self, dir: &OwnedFd) -> io::Result<()> {
        Ok(fsync(dir)?)
    }
}
