//! The few file operations that writing needs, behind a seam so that tests can make each of them fail.
//! Knows nothing of what is written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

/// Where files are made and written.
pub(crate) trait Disk: Send + 'static {
    type File: DiskFile;

    /// Makes a file, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<Self::File>;

    /// Opens a file for writing, making it if it is missing.
    fn open(&self, path: &Path) -> io::Result<Self::File>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes creations and removals in a directory last.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file that is written in place.
pub(crate) trait DiskFile: Send {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Makes what was written last.
    fn sync(&self) -> io::Result<()>;
}

/// The operating system's files, readable by their owner alone.
pub(crate) struct OsDisk;

impl Disk for OsDisk {
    type File = File;

    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

impl DiskFile for File {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        Self::set_len(self, length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes a directory for its owner alone, if it is missing.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}
