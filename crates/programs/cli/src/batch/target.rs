//! Where outputs go: which file, and whether it is anybody else's.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags};
use wire::shown_path;

use super::Files;
use super::directory::{Directory, look};
use super::inputs::directory;
use crate::failure::Failure;
use crate::paths::FileId;

/// Where outputs go.
pub(super) enum Destination {
    Stdout,
    File(PathBuf),
    Directory(Arc<Directory>),
}

impl Destination {
    pub(super) fn of(files: &Files) -> Result<Self, Failure> {
        let path = &files.output;
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        if path.is_dir() {
            let failed = |cause| Failure::File { action: "open", path: path.clone(), cause };
            return Ok(Self::Directory(Arc::new(Directory::open(path).map_err(failed)?)));
        }
        let several = files.input.len() > 1 || files.input.iter().any(|input| input.is_dir());
        if several || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            let missing = format!("the output {} has to be an existing directory", shown_path(path));
            return Err(Failure::Usage(missing));
        }
        Ok(Self::File(path.clone()))
    }
}

/// A name in a directory, for one output.
pub(super) struct Target {
    pub(super) directory: Arc<Directory>,
    pub(super) name: OsString,
    /// Its path, for messages.
    pub(super) path: PathBuf,
    /// Whether it was named itself, so that links in its place are followed.
    named: bool,
}

/// A file where an output goes.
pub(super) struct Standing {
    /// Which file it is, if it is one that can be compared.
    pub(super) id: Option<FileId>,
    /// Whether it is a file, which an output replaces. Anything else is written to as a stream.
    pub(super) is_file: bool,
}

impl Target {
    /// The file at `path`, through links.
    pub(super) fn named(path: &Path) -> io::Result<Self> {
        let file = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() && path.is_symlink() => path.canonicalize()?,
            // What links to nothing yet is replaced, as the name that it is.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => path.to_owned(),
        };
        let name = file.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
        let directory = Arc::new(Directory::open(directory(&file))?);
        Ok(Self { directory, name, path: path.to_owned(), named: true })
    }

    /// A name in a directory.
    pub(super) fn within(directory: &Arc<Directory>, name: OsString) -> Self {
        let path = directory.path().join(&name);
        Self { directory: Arc::clone(directory), name, path, named: false }
    }

    /// Whether anything has the name.
    pub(super) fn is_there(&self) -> bool {
        self.directory.handle().and_then(|handle| look(&handle, &self.name)).is_ok_and(|found| found.is_some())
    }

    /// The file that is there now.
    pub(super) fn standing(&self) -> io::Result<Option<Standing>> {
        let Some(found) = look(&*self.directory.handle()?, &self.name)? else { return Ok(None) };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => Err(io::ErrorKind::IsADirectory.into()),
            FileType::Symlink if self.named => {
                // It leads to no file, or it would have been followed: to a device, a pipe, or nothing.
                let stream = std::fs::metadata(&self.path).ok();
                Ok(stream.map(|metadata| Standing { id: FileId::of(&metadata), is_file: false }))
            }
            FileType::Symlink => Err(io::Error::other(LINK)),
            kind => Ok(Some(Standing { id: FileId::of_stat(&found), is_file: kind == FileType::RegularFile })),
        }
    }

    /// Opens what is no file and stands there.
    pub(super) fn stream(&self) -> io::Result<File> {
        if self.named {
            return File::options().write(true).open(&self.path);
        }
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&*self.directory.handle()?, &self.name, flags, Mode::empty())?.into())
    }
}

/// Why an output does not go where a link in a directory leads.
const LINK: &str = "a link has its name, and links in an output directory are not followed";

/// The outputs that are taken already, each as a hash: there may be a million.
#[derive(Default)]
pub(super) struct Targets {
    state: RandomState,
    taken: HashSet<u64>,
}

impl Targets {
    /// False when there is one of that name already.
    pub(super) fn insert(&mut self, target: &Path) -> bool {
        self.taken.insert(self.state.hash_one(target))
    }
}
