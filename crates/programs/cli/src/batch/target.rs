//! Where outputs go: which file, and whether it is anybody else's.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use super::Files;
use crate::failure::Failure;

/// Where outputs go.
pub(super) enum Destination {
    Stdout,
    File(PathBuf),
    Directory(PathBuf),
}

impl Destination {
    pub(super) fn of(files: &Files) -> Result<Self, Failure> {
        let path = &files.output;
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        if path.is_dir() {
            return Ok(Self::Directory(path.clone()));
        }
        let several = files.input.len() > 1 || files.input.iter().any(|input| input.is_dir());
        if several || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            let missing = format!("the output {} has to be an existing directory", path.display());
            return Err(Failure::Usage(missing));
        }
        Ok(Self::File(path.clone()))
    }
}

/// The file that a target names, through links, and what is known of it if it is there.
pub(super) fn resolved(target: &Path) -> io::Result<(PathBuf, Option<std::fs::Metadata>)> {
    match std::fs::metadata(target) {
        Ok(metadata) if metadata.is_file() && target.is_symlink() => Ok((target.canonicalize()?, Some(metadata))),
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) => Ok((target.to_owned(), Some(metadata))),
        // What links to nothing yet is replaced, as the name that it is.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((target.to_owned(), None)),
        Err(error) => Err(error),
    }
}

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
