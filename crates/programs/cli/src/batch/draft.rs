//! An output that has no name before it is complete.
//!
//! Where the file system can, the draft is a file without a name: whatever ends the process, nothing is left of it.
//! Elsewhere it has a name of its own beside the target's, which a signal removes.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use tempfile::TempPath;

use crate::interrupt;

/// An output that has no name before it is complete.
pub(crate) struct Draft {
    file: File,
    directory: PathBuf,
    named: Option<Named>,
}

/// Whether a file can get its name later, which goes by way of /proc.
static NAMES_COME_LATE: LazyLock<bool> = LazyLock::new(|| Path::new("/proc/self/fd").exists());

/// A draft's own name, removed with the draft.
struct Named(Option<TempPath>);

impl Drop for Named {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            let name = path.to_path_buf();
            drop(path);
            interrupt::settled(&name);
        }
    }
}

impl Draft {
    /// A draft in `directory`, readable by its owner alone if `private`, and else by whom the umask lets.
    pub(crate) fn create(directory: &Path, private: bool) -> io::Result<Self> {
        let mode = if private { 0o600 } else { 0o666 };
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        if *NAMES_COME_LATE && let Ok(file) = rustix::fs::open(directory, flags, Mode::from_raw_mode(mode)) {
            return Ok(Self { file: file.into(), directory: directory.to_owned(), named: None });
        }
        let mut drafts = interrupt::drafts();
        let (file, path) = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(directory)?
            .into_parts();
        drafts.insert(path.to_path_buf());
        Ok(Self { file, directory: directory.to_owned(), named: Some(Named(Some(path))) })
    }

    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// The directory, to be synced after the draft got its name there.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Waits until the contents are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives the draft its name. False when there is a file of that name and it may not be replaced.
    pub(crate) fn publish(mut self, target: &Path, replace: bool) -> io::Result<bool> {
        let Some(mut named) = self.named.take() else { return self.link(target, replace) };
        let Some(path) = named.0.take() else { return Ok(false) };
        if replace {
            self.take_on_mode(target)?;
        }
        let mut drafts = interrupt::drafts();
        let name = path.to_path_buf();
        let published = if replace { path.persist(target) } else { path.persist_noclobber(target) };
        drafts.remove(&name);
        settle(published.map_err(|error| error.error), replace)
    }

    /// Lets those read the draft who could read the file that it replaces, and nobody else.
    fn take_on_mode(&self, replaced: &Path) -> io::Result<()> {
        let Ok(replaced) = std::fs::metadata(replaced) else { return Ok(()) };
        self.file.set_permissions(Permissions::from_mode(replaced.permissions().mode() & 0o777))
    }

    fn link(&self, target: &Path, replace: bool) -> io::Result<bool> {
        let link = |path: &Path| {
            let linked = match rustix::fs::linkat(&self.file, "", CWD, path, AtFlags::EMPTY_PATH) {
                // Before Linux 6.10 that was for a few only, and a way through /proc for everybody.
                Err(Errno::NOENT | Errno::PERM) => {
                    let source = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                    rustix::fs::linkat(CWD, source.as_str(), CWD, path, AtFlags::SYMLINK_FOLLOW)
                }
                linked => linked,
            };
            linked.map_err(io::Error::from)
        };
        match link(target) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && replace => self.take_on_mode(target)?,
            linked => return settle(linked, replace),
        }
        // A link replaces nothing and a rename does: the draft has a name of its own for this moment.
        let _undisturbed = interrupt::drafts();
        let named = tempfile::Builder::new().prefix(PREFIX).make_in(&self.directory, link)?;
        settle(named.into_temp_path().persist(target).map_err(|error| error.error), replace)
    }
}

/// How the names of drafts begin, where they have names.
const PREFIX: &str = ".sealstack-";

fn settle(published: io::Result<()>, replace: bool) -> io::Result<bool> {
    match published {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !replace => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Drafts with names and without.
    fn drafts(directory: &Path, private: bool) -> [Draft; 2] {
        let nameless = Draft::create(directory, private).expect("a draft");
        let mut named = Draft::create(directory, private).expect("a draft");
        let mut drafts = interrupt::drafts();
        let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(directory).expect("a draft");
        let (file, path) = file.into_parts();
        drafts.insert(path.to_path_buf());
        (named.file, named.named) = (file, Some(Named(Some(path))));
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
            let target = directory.path().join("target");
            let draft = || drafts(directory.path(), false).into_iter().nth(which).expect("a draft");
            drop(draft());
            assert!(names(directory.path()).is_empty(), "a draft that is given up is gone");
            for (content, replace, published) in [("one", false, true), ("two", false, false), ("three", true, true)] {
                let draft = draft();
                draft.file().write_all(content.as_bytes()).expect("written");
                assert_eq!(draft.publish(&target, replace).expect("published"), published);
            }
            assert_eq!(std::fs::read_to_string(&target).expect("it"), "three");
            assert_eq!(names(directory.path()), ["target"]);
            assert!(interrupt::drafts().iter().all(|path| !path.starts_with(directory.path())));
        }
    }

    #[test]
    fn a_private_draft_is_its_owners_and_a_replaced_file_keeps_its_mode() {
        let directory = tempfile::tempdir().expect("a directory");
        let target = directory.path().join("target");
        let mode = || std::fs::metadata(&target).expect("it").permissions().mode() & 0o777;
        let draft = || Draft::create(directory.path(), true).expect("a draft");
        assert!(draft().publish(&target, true).expect("published"));
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&target, Permissions::from_mode(0o640)).expect("set");
        assert!(draft().publish(&target, true).expect("published"));
        assert_eq!(mode(), 0o640);
    }
}
