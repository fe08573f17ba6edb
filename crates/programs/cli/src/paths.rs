//! Which files a command reads and which it writes: none is both, whatever names it goes by.
//!
//! Knows files by device and inode, so that links and other spellings are the same file. Opens none of them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};
use server::ServerError;
use server::config::{Place, SealConfig, SealKind, Settings};
use server::data_dir::Layout;
use wire::shown_path;

use crate::failure::Failure;

/// A file, however many names it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file; `None` for what keeps nothing that was written to it: pipes, sockets, terminals; and for directories.
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        let kind = metadata.file_type();
        let keeps = kind.is_file() || kind.is_block_device();
        keeps.then(|| Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// As [`FileId::of`].
    pub(crate) fn of_stat(found: &Stat) -> Option<Self> {
        let keeps = matches!(FileType::from_raw_mode(found.st_mode), FileType::RegularFile | FileType::BlockDevice);
        keeps.then_some(Self { device: found.st_dev, inode: found.st_ino })
    }
}

/// How many links may lead to a file.
const LINKS_MAX: usize = 40;

/// Where a file is, or will be once it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Spot {
    There(FileId),
    /// A name that is free, and the device and inode of its directory.
    Free(u64, u64, OsString),
}

impl Spot {
    /// Where `path` leads; `None` for streams and directories, and for what can't be examined.
    fn of(path: &Path) -> Option<Self> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            match std::fs::metadata(&path) {
                Ok(metadata) => return FileId::of(&metadata).map(Self::There),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(_) => return None,
            }
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match std::fs::read_link(&path) {
                // A link to a name that is free: the file will be there.
                Ok(to) => path = parent.join(to),
                Err(_) => {
                    let directory = std::fs::metadata(parent).ok()?;
                    return Some(Self::Free(directory.dev(), directory.ino(), path.file_name()?.to_owned()));
                }
            }
        }
        None
    }
}

/// A file as a message calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    what: &'static str,
    path: PathBuf,
}

impl std::fmt::Display for Named {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "the {}", self.what)?;
        if self.path.as_os_str().is_empty() { Ok(()) } else { write!(out, " {}", shown_path(&self.path)) }
    }
}

/// The files that a command reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads(HashMap<Spot, Named>);

impl Reads {
    /// The file at `path` is read, as the command's `what`.
    pub(crate) fn add(&mut self, what: &'static str, path: &Path) {
        if let Some(spot) = Spot::of(path) {
            self.0.entry(spot).or_insert_with(|| Named { what, path: path.to_owned() });
        }
    }

    /// An open file is read.
    pub(crate) fn add_open(&mut self, what: &'static str, id: Option<FileId>) {
        if let Some(id) = id {
            self.0.entry(Spot::There(id)).or_insert_with(|| Named { what, path: PathBuf::new() });
        }
    }

    /// The files that open the root seal are read.
    pub(crate) fn add_seal(&mut self, seal: &SealConfig) {
        let files = [
            ("passphrase file", &seal.passphrase_file),
            ("PIN file", &seal.pin_file),
            ("PKCS#11 module", &seal.token_module),
        ];
        for (what, path) in files {
            path.iter().for_each(|path| self.add(what, path));
        }
    }

    /// The input that an existing file is read as.
    pub(crate) fn find(&self, id: FileId) -> Option<&Named> {
        self.0.get(&Spot::There(id))
    }
}

/// The files that a command writes.
#[derive(Debug, Default)]
pub(crate) struct Writes(HashMap<Spot, Named>);

impl Writes {
    /// The file at `path` is going to be written, as the command's `what`.
    ///
    /// # Errors
    /// [`Failure::SameFile`] if it is read, or written as something else.
    pub(crate) fn add(&mut self, what: &'static str, path: &Path, reads: &Reads) -> Result<(), Failure> {
        Spot::of(path).map_or(Ok(()), |spot| self.claim(spot, Named { what, path: path.to_owned() }, reads))
    }

    /// An open file is going to be written. As for [`Writes::add`].
    pub(crate) fn add_open(&mut self, what: &'static str, id: Option<FileId>, reads: &Reads) -> Result<(), Failure> {
        let named = Named { what, path: PathBuf::new() };
        id.map_or(Ok(()), |id| self.claim(Spot::There(id), named, reads))
    }

    /// Everything is going to be written that whoever opens a data directory and its root seal may write.
    fn add_data(&mut self, layout: &Layout, seal: &SealConfig, reads: &Reads) -> Result<(), Failure> {
        for path in layout.written() {
            self.add("data directory's file", &path, reads)?;
        }
        self.add_key_file(layout, seal, reads)
    }

    /// The key file of a root seal is going to be written, and what stands beside it meanwhile.
    pub(crate) fn add_key_file(&mut self, layout: &Layout, seal: &SealConfig, reads: &Reads) -> Result<(), Failure> {
        let is_key_file = seal.kind.is_none_or(|kind| kind == SealKind::KeyFile);
        let configured = seal.file.as_deref().filter(|_| is_key_file);
        for path in seal::key_files(&layout.seal(), configured) {
            self.add("key file", &path, reads)?;
        }
        Ok(())
    }

    fn claim(&mut self, spot: Spot, written: Named, reads: &Reads) -> Result<(), Failure> {
        let other = reads.0.get(&spot).or_else(|| self.0.get(&spot).filter(|other| other.what != written.what));
        match other {
            Some(other) => Err(Failure::SameFile { written, other: other.clone() }),
            None => {
                self.0.insert(spot, written);
                Ok(())
            }
        }
    }
}

/// Finds a command's data directory, and what its configuration sets, which is a file that it reads.
///
/// # Errors
/// As for [`Place::resolve`].
pub(crate) fn resolve(place: &Place) -> Result<(PathBuf, Settings, Reads), Failure> {
    let (data, settings) = place.clone().resolve().map_err(ServerError::from)?;
    let mut reads = Reads::default();
    reads.add("configuration", &place.file(&data));
    Ok((data, settings, reads))
}

/// Refuses a command on a data directory that would write what it reads. Returns what it writes there.
///
/// # Errors
/// [`Failure::SameFile`].
pub(crate) fn apart(layout: &Layout, seal: &SealConfig, reads: &mut Reads) -> Result<Writes, Failure> {
    reads.add_seal(seal);
    let mut writes = Writes::default();
    writes.add_data(layout, seal, reads)?;
    Ok(writes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory with the file `f`, which has other names, and one that is read.
    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("f"), "precious").expect("written");
        std::fs::hard_link(path("f"), path("hard")).expect("linked");
        symlink("f", path("link")).expect("linked");
        symlink(path("link"), path("link to link")).expect("linked");
        symlink("free", path("to free")).expect("linked");
        symlink("loop", path("loop")).expect("linked");
        std::fs::create_dir(path("d")).expect("made");
        directory
    }

    #[test]
    fn a_file_is_the_same_by_every_name() {
        let directory = directory();
        let path = |name: &str| directory.path().join(name);
        for (read, written, same) in [
            ("f", "f", true),
            ("f", "./d/../f", true),
            ("f", "hard", true),
            ("link to link", "hard", true),
            ("f", "free", false),
            ("free", "free", true),
            ("free", "d/../free", true),
            ("free", "to free", true),
            ("free", "d/free", false),
            ("loop", "loop", false),
            ("none/free", "none/free", false),
            ("d", "d", false),
            ("/dev/null", "/dev/null", false),
        ] {
            let mut reads = Reads::default();
            reads.add("input", &path(read));
            let refused = Writes::default().add("output", &path(written), &reads);
            assert_eq!(refused.is_err(), same, "{read} {written}: {refused:?}");
            let mut writes = Writes::default();
            writes.add("output", &path(read), &Reads::default()).expect("nothing is read");
            writes.add("output", &path(read), &Reads::default()).expect("the same thing");
            let refused = writes.add("metadata file", &path(written), &Reads::default());
            assert_eq!(refused.is_err(), same, "{read} {written}: {refused:?}");
        }
    }

    #[test]
    fn a_refusal_names_both_files() {
        let directory = directory();
        let mut reads = Reads::default();
        reads.add("key", &directory.path().join("f"));
        let refused = Writes::default().add("output", &directory.path().join("hard"), &reads).expect_err("refused");
        let expected = format!("the output {0}/hard can't be written: it is the key {0}/f", directory.path().display());
        assert_eq!(refused.to_string(), expected);
        assert_eq!(refused.exit_code(), 2);
    }
}
