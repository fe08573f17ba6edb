//! An output that has no name before it is complete.
//!
//! Where the file system can, the draft is a file without a name: whatever ends the process, nothing is left of it.
//! Elsewhere it has a name of its own beside the target's, which a signal removes.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use crypto::hex;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::directory::{Directory, Handle, look};
use crate::interrupt;

/// An output that has no name before it is complete.
pub(crate) struct Draft {
    file: File,
    directory: Handle,
    named: Option<Named>,
}

/// Whether a file can get its name later, which goes by way of /proc.
static NAMES_COME_LATE: LazyLock<bool> = LazyLock::new(|| Path::new("/proc/self/fd").exists());

/// A draft's own name, removed with the draft.
struct Named {
    directory: Handle,
    name: OsString,
}

impl Drop for Named {
    fn drop(&mut self) {
        // Gone already once the draft has its final name.
        let _ = rustix::fs::unlinkat(&self.directory, &self.name, AtFlags::empty());
        interrupt::drafts().remove(&self.name);
    }
}

impl Named {
    /// Finds a name that is free, and has `make` make a file of it.
    fn new<T>(directory: &Handle, make: impl Fn(&OsStr) -> rustix::io::Result<T>) -> io::Result<(Self, T)> {
        loop {
            let mut random = [0; 16];
            crypto::random_bytes(&mut random);
            let name = OsString::from(format!("{PREFIX}{}", hex::encode(&random)));
            // Held meanwhile: a signal finds the file and its name in the list, or neither.
            let mut drafts = interrupt::drafts();
            match make(&name) {
                Err(Errno::EXIST) => {}
                made => {
                    let made = made?;
                    drafts.insert(name.clone(), Arc::clone(directory));
                    return Ok((Self { directory: Arc::clone(directory), name }, made));
                }
            }
        }
    }

    /// Gives the file its final name.
    fn rename(&self, target: &OsStr, replace: bool) -> rustix::io::Result<()> {
        let (from, to) = (&*self.directory, &*self.directory);
        // A signal waits until the file has one name.
        let _undisturbed = interrupt::drafts();
        if replace {
            return rustix::fs::renameat(from, &self.name, to, target);
        }
        match rustix::fs::renameat_with(from, &self.name, to, target, RenameFlags::NOREPLACE) {
            // Not every file system can; the draft's own name goes with this value then.
            Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::linkat(from, &self.name, to, target, AtFlags::empty()),
            renamed => renamed,
        }
    }
}

impl Draft {
    /// A draft in `directory`, readable by its owner alone if `private`, and else by whom the umask lets.
    pub(crate) fn create(directory: &Directory, private: bool) -> io::Result<Self> {
        let directory = directory.handle()?;
        let mode = Mode::from_raw_mode(if private { 0o600 } else { 0o666 });
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        if *NAMES_COME_LATE && let Ok(file) = rustix::fs::openat(&directory, ".", flags, mode) {
            return Ok(Self { file: file.into(), directory, named: None });
        }
        Self::create_named(directory, mode)
    }

    fn create_named(directory: Handle, mode: Mode) -> io::Result<Self> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::RDWR | OFlags::CLOEXEC;
        let (named, file) = Named::new(&directory, |name| rustix::fs::openat(&directory, name, flags, mode))?;
        Ok(Self { file: file.into(), directory, named: Some(named) })
    }

    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// The directory in which the draft gets its name, whatever has become of the directory's own.
    pub(super) const fn directory(&self) -> &Handle {
        &self.directory
    }

    /// Waits until the contents are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives the draft its name. False when there is a file of that name and it may not be replaced.
    pub(crate) fn publish(self, target: &OsStr, replace: bool) -> io::Result<bool> {
        let renamed = match &self.named {
            Some(named) => {
                if replace {
                    self.take_on_mode(target)?;
                }
                named.rename(target, replace)
            }
            None => match self.link(target) {
                Err(Errno::EXIST) if replace => {
                    self.take_on_mode(target)?;
                    // A link replaces nothing and a rename does: the draft has a name of its own for this moment.
                    Named::new(&self.directory, |name| self.link(name))?.0.rename(target, true)
                }
                linked => linked,
            },
        };
        match renamed {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) if !replace => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets those read the draft who could read the file that it replaces, and nobody else.
    fn take_on_mode(&self, replaced: &OsStr) -> io::Result<()> {
        match look(&self.directory, replaced)? {
            Some(replaced) if FileType::from_raw_mode(replaced.st_mode) == FileType::RegularFile => {
                self.file.set_permissions(Permissions::from_mode(replaced.st_mode & 0o777))
            }
            // A link's mode says nothing.
            _ => Ok(()),
        }
    }

    /// Gives a draft without a name this one.
    fn link(&self, name: &OsStr) -> rustix::io::Result<()> {
        let directory: &OwnedFd = &self.directory;
        match rustix::fs::linkat(&self.file, "", directory, name, AtFlags::EMPTY_PATH) {
            // Before Linux 6.10 that was for a few only, and a way through /proc for everybody.
            Err(Errno::NOENT | Errno::PERM) => {
                let source = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                rustix::fs::linkat(CWD, source.as_str(), directory, name, AtFlags::SYMLINK_FOLLOW)
            }
            linked => linked,
        }
    }
}

/// How the names of drafts begin, where they have names.
const PREFIX: &str = ".sealstack-";

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    /// Drafts without names and with them.
    fn drafts(directory: &Path, private: bool) -> [Draft; 2] {
        let directory = Directory::open(directory).expect("it opens");
        let nameless = Draft::create(&directory, private).expect("a draft");
        let mode = Mode::from_raw_mode(if private { 0o600 } else { 0o666 });
        let named = Draft::create_named(directory.handle().expect("open"), mode).expect("a draft");
        [nameless, named]
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).expect("a directory");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_gets_its_name_at_the_end_and_leaves_nothing_else() {
        for which in [0, 1] {
            let directory = tempfile::tempdir().expect("a directory");
            let draft = || drafts(directory.path(), false).into_iter().nth(which).expect("a draft");
            drop(draft());
            assert!(names(directory.path()).is_empty(), "a draft that is given up is gone");
            for (content, replace, published) in [("one", false, true), ("two", false, false), ("three", true, true)] {
                let draft = draft();
                draft.file().write_all(content.as_bytes()).expect("written");
                assert_eq!(draft.publish(OsStr::new("target"), replace).expect("published"), published);
            }
            assert_eq!(std::fs::read_to_string(directory.path().join("target")).expect("it"), "three");
            assert_eq!(names(directory.path()), ["target"]);
            let ours = std::fs::metadata(directory.path()).expect("it");
            let inode = |handle: &Handle| rustix::fs::fstat(handle).expect("it").st_ino;
            assert!(interrupt::drafts().values().all(|handle| inode(handle) != ours.ino()), "none is listed any more");
        }
    }

    #[test]
    fn a_private_draft_is_its_owners_and_a_replaced_file_keeps_its_mode() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("target");
        let mode = || std::fs::metadata(&target).expect("it").permissions().mode() & 0o777;
        for which in [0, 1] {
            let draft = || drafts(directory.path(), true).into_iter().nth(which).expect("a draft");
            assert!(draft().publish(OsStr::new("target"), true).expect("published"));
            assert_eq!(mode(), 0o600);
            std::fs::set_permissions(&target, Permissions::from_mode(0o640)).expect("set");
            assert!(draft().publish(OsStr::new("target"), true).expect("published"));
            assert_eq!(mode(), 0o640);
            std::fs::remove_file(&target).expect("removed");
        }
    }

    #[test]
    fn a_draft_replaces_a_link_and_not_what_it_leads_to() {
        let directory = tempfile::tempdir().expect("a directory");
        let elsewhere = tempfile::NamedTempFile::new().expect("a file");
        for which in [0, 1] {
            std::os::unix::fs::symlink(elsewhere.path(), directory.path().join("target")).expect("linked");
            let draft = drafts(directory.path(), true).into_iter().nth(which).expect("a draft");
            draft.file().write_all(b"new").expect("written");
            assert!(draft.publish(OsStr::new("target"), true).expect("published"));
            let mode = std::fs::metadata(directory.path().join("target")).expect("it").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "a link's mode is nobody's");
            assert!(std::fs::read(elsewhere.path()).expect("it").is_empty());
            assert_eq!(std::fs::read(directory.path().join("target")).expect("it"), b"new");
            std::fs::remove_file(directory.path().join("target")).expect("removed");
        }
    }
}
