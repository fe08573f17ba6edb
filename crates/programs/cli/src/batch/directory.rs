//! Directories that outputs go to, by handle: below the one that was named no link is followed, whoever swaps one in.
//!
//! Knows names and handles; what is written there is a draft's.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

/// A directory, open for what is made in it.
pub(crate) type Handle = Arc<OwnedFd>;

/// How a directory is opened: to make files in it, which takes no right to read it.
const PLACE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A directory that outputs go to: the one that was named, or one below it.
pub(crate) struct Directory {
    root: Handle,
    /// The way from the root: plain names, none of them a link.
    below: PathBuf,
    /// Its path, for messages.
    path: PathBuf,
    /// Shared by the drafts in it, and opened again once they are gone: there may be more directories than handles.
    open: Mutex<Weak<OwnedFd>>,
}

impl Directory {
    /// The directory at `path`, to which links may lead: whoever named it means where they lead.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let root = Arc::new(rustix::fs::openat(CWD, here(path), PLACE, Mode::empty())?);
        Ok(Self { root, below: PathBuf::new(), path: path.to_owned(), open: Mutex::default() })
    }

    /// The directory at `below` in this one, which must be made of plain names. It need not be there.
    pub(super) fn below(&self, below: &Path) -> io::Result<Self> {
        if !below.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(io::Error::other("its name leads out of the output directory"));
        }
        let (root, below, path) = (Arc::clone(&self.root), self.below.join(below), self.path.join(below));
        Ok(Self { root, below, path, open: Mutex::default() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory as it is now, or as it was when the drafts began that are not published yet.
    pub(crate) fn handle(&self) -> io::Result<Handle> {
        if self.below.as_os_str().is_empty() {
            return Ok(Arc::clone(&self.root));
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = open.upgrade() {
            return Ok(handle);
        }
        let handle = Arc::new(beneath(&self.root, &self.below).map_err(explained)?);
        *open = Arc::downgrade(&handle);
        Ok(handle)
    }

    /// Makes the directory, and those that it lies in, unless they are there. The ones that were made go to `made`, by
    /// their way from the root.
    pub(super) fn make(&self, made: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        if made.contains(&self.below) {
            return Ok(());
        }
        match beneath(&self.root, &self.below) {
            Err(Errno::NOENT) => {}
            found => return found.map(drop).map_err(explained),
        }
        let (mut at, mut way) = (Arc::clone(&self.root), PathBuf::new());
        for name in &self.below {
            way.push(name);
            match rustix::fs::mkdirat(&at, name, Mode::from_raw_mode(0o777)) {
                Ok(()) => {
                    made.insert(way.clone());
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            at = Arc::new(rustix::fs::openat(&at, name, PLACE | OFlags::NOFOLLOW, Mode::empty()).map_err(explained)?);
        }
        Ok(())
    }

    /// Whether nothing is in the directory.
    pub(super) fn is_empty(&self) -> bool {
        let entries = || Dir::read_from(readable(&*self.handle()?)?).map_err(io::Error::from);
        let is_name = |name: &std::ffi::CStr| name != c"." && name != c"..";
        let foreign = |entry: rustix::io::Result<rustix::fs::DirEntry>| entry.is_ok_and(|it| is_name(it.file_name()));
        entries().is_ok_and(|mut entries| !entries.any(foreign))
    }

    /// Whether the directory's name still leads to `handle`: what was published there is there for others too.
    pub(super) fn leads_to(&self, handle: &OwnedFd) -> io::Result<()> {
        let now = if self.below.as_os_str().is_empty() {
            rustix::fs::stat(here(&self.path))
        } else {
            beneath(&self.root, &self.below).and_then(rustix::fs::fstat)
        };
        let same = |one: &Stat, other: &Stat| (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino);
        let then = rustix::fs::fstat(handle)?;
        if now.is_ok_and(|now| same(&now, &then)) {
            return Ok(());
        }
        Err(io::Error::other(format!("the directory {} was replaced meanwhile", wire::shown_path(&self.path))))
    }

    /// Makes the names in the directory last.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync(&*self.handle()?)
    }
}

/// Makes the names in a directory last.
pub(super) fn sync(handle: &OwnedFd) -> io::Result<()> {
    Ok(rustix::fs::fsync(readable(handle)?)?)
}

/// The status of an entry of a directory, of a link itself if it is one; `None` if there is none.
pub(super) fn look(handle: &OwnedFd, name: &OsStr) -> io::Result<Option<Stat>> {
    match rustix::fs::statat(handle, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A path that may be empty, which is where the process is.
fn here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

fn readable(handle: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(handle, ".", flags, Mode::empty())?)
}

/// Opens a directory below another one through no link.
fn beneath(root: &OwnedFd, below: &Path) -> rustix::io::Result<OwnedFd> {
    /// Kernels before Linux 5.6 lack it, and some sandboxes forbid it.
    static AT_ONCE: AtomicBool = AtomicBool::new(true);
    if AT_ONCE.load(Ordering::Relaxed) {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(root, below, PLACE, Mode::empty(), resolve) {
            Err(Errno::NOSYS | Errno::PERM) => AT_ONCE.store(false, Ordering::Relaxed),
            opened => return opened,
        }
    }
    name_by_name(root, below)
}

/// Opens a directory below another one, each name on the way by itself.
fn name_by_name(root: &OwnedFd, below: &Path) -> rustix::io::Result<OwnedFd> {
    let mut at = None;
    for name in below {
        let from = at.as_ref().unwrap_or(root);
        at = Some(rustix::fs::openat(from, name, PLACE | OFlags::NOFOLLOW, Mode::empty())?);
    }
    at.ok_or(Errno::INVAL)
}

/// Says of a link what its error number does not.
fn explained(error: Errno) -> io::Error {
    match error {
        Errno::LOOP | Errno::NOTDIR => io::Error::other(LINKED),
        error => error.into(),
    }
}

/// Why an output is not written through a link.
const LINKED: &str = "a link or a file stands for a directory there, and links in an output directory are not followed";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn root() -> (tempfile::TempDir, Directory) {
        let directory = tempfile::tempdir().expect("a directory");
        let root = Directory::open(directory.path()).expect("it opens");
        (directory, root)
    }

    #[test]
    fn directories_are_made_and_found_below_their_root() {
        let (directory, root) = root();
        let deep = root.below(Path::new("a/b/c")).expect("plain names");
        assert!(deep.handle().is_err());
        let mut made = BTreeSet::new();
        deep.make(&mut made).expect("made");
        assert_eq!(made.iter().map(|path| path.to_str().expect("UTF-8")).collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
        let mut again = BTreeSet::new();
        deep.make(&mut again).expect("there");
        assert!(again.is_empty() && deep.is_empty());
        assert_eq!(deep.path(), directory.path().join("a/b/c"));
        deep.leads_to(&deep.handle().expect("it opens")).expect("it does");
        deep.sync().expect("synced");
        std::fs::write(directory.path().join("a/b/c/x"), "").expect("written");
        assert!(!deep.is_empty());
        assert!(Arc::ptr_eq(&root.handle().expect("open"), &root.handle().expect("open")));
    }

    #[test]
    fn no_link_and_no_name_leads_out() {
        let (directory, root) = root();
        let elsewhere = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(directory.path().join("a/b")).expect("made");
        for (name, to) in [("out", elsewhere.path()), ("a/up", Path::new("..")), ("a/beside", Path::new("b"))] {
            symlink(to, directory.path().join(name)).expect("linked");
        }
        std::fs::write(directory.path().join("file"), "").expect("written");
        for way in ["out", "out/x", "a/up", "a/beside", "a/up/out", "file"] {
            let below = root.below(Path::new(way)).expect("plain names");
            let said = below.make(&mut BTreeSet::new()).expect_err(way).to_string();
            assert!(said.contains("link") && below.handle().is_err(), "{way}: {said}");
            assert!(name_by_name(&root.root, Path::new(way)).is_err(), "{way}");
        }
        assert!(name_by_name(&root.root, Path::new("a/b")).is_ok());
        assert!(elsewhere.path().read_dir().expect("it").next().is_none());
        for way in ["..", "a/../..", "/etc", "a/./../b"] {
            assert!(root.below(Path::new(way)).is_err(), "{way}");
        }
    }

    #[test]
    fn a_directory_that_was_replaced_is_noticed() {
        let (directory, root) = root();
        let below = root.below(Path::new("a")).expect("plain names");
        below.make(&mut BTreeSet::new()).expect("made");
        let handle = below.handle().expect("it opens");
        std::fs::rename(directory.path().join("a"), directory.path().join("b")).expect("moved");
        assert!(below.leads_to(&handle).is_err());
        symlink("b", directory.path().join("a")).expect("linked");
        assert!(below.leads_to(&handle).is_err(), "a link is not followed, even to the same place");
        drop(handle);
        assert!(below.handle().is_err());
    }
}
