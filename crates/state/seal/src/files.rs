//! Small files that are either as they were or as they are to be, whenever the power fails, and that only the owner
//! may read.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crypto::SecretBytes;

use crate::SealError;

/// `path` with more at its end.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Makes a directory for the owner alone, unless it is there.
pub(crate) fn make_directory(path: &Path) -> Result<(), SealError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(SealError::io(path))
}

/// Who owns a file or directory, by user id, if that is neither the user of this process nor root: somebody who could
/// change it at any time.
fn foreign_owner(found: &Metadata) -> Option<u32> {
    let owner = found.uid();
    (owner != 0 && owner != rustix::process::geteuid().as_raw()).then_some(owner)
}

/// The content of a file of at most `bytes_max` bytes; `None` if there is no file.
pub(crate) fn read(path: &Path, bytes_max: usize) -> Result<Option<SecretBytes>, SealError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SealError::io(path)(error)),
    };
    // Of the open file, so that the one that is checked is the one that is read.
    let found = file.metadata().map_err(SealError::io(path))?;
    if let Some(owner) = foreign_owner(&found) {
        return Err(SealError::Foreign { path: path.to_owned(), owner });
    }
    let mode = found.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SealError::Exposed { path: path.to_owned(), mode });
    }
    let mut content = SecretBytes::from(vec![0; bytes_max + 1]);
    let mut length = 0;
    while let Some(room) = content.expose_mut().get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(bytes) => length += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(SealError::io(path)(error)),
        }
    }
    if length > bytes_max {
        return Err(SealError::io(path)(ErrorKind::FileTooLarge.into()));
    }
    content.truncate(length);
    Ok(Some(content))
}

/// Path of the temporary file beside a file that is being written.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    with_suffix(path, ".tmp")
}

/// Makes `content` the whole of the file, durably.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), SealError> {
    let new = temporary(path);
    remove_if_there(&new)?;
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(SealError::io(&new))?;
    rename(&new, path)
}

/// Moves a file within its directory, durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), SealError> {
    std::fs::rename(from, to).map_err(SealError::io(to))?;
    sync_directory(to)
}

/// Removes a file, durably. Returns whether there was one.
pub(crate) fn remove(path: &Path) -> Result<bool, SealError> {
    let removed = remove_if_there(path)?;
    if removed {
        sync_directory(path)?;
    }
    Ok(removed)
}

fn remove_if_there(path: &Path) -> Result<bool, SealError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(SealError::io(path)(error)),
    }
}

fn sync_directory(of: &Path) -> Result<(), SealError> {
    let directory = of.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(SealError::io(directory))
}
