//! The data directory: where everything lies in it, who may read it, and that one process has it at a time.
//!
//! Knows paths and the lock; what is in the files is their owners'.

mod ephemeral;

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::error::ServerError;
use front::private_file::check_owner;

/// Where everything lies in a data directory.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of the directory `root`, whether or not it is there.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("sealstack.db")
    }

    /// The database, and what its engine keeps beside it.
    pub(crate) fn database_files(&self) -> [PathBuf; 3] {
        ["sealstack.db", "sealstack.db-wal", "sealstack.db-shm"].map(|name| self.root.join(name))
    }

    /// The marker of a first start that older versions made.
    pub(crate) fn first_start_marker(&self) -> PathBuf {
        self.root.join("first-start")
    }

    /// The audit log's directory.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.root.join("audit")
    }

    /// The root seal's directory.
    #[must_use]
    pub fn seal(&self) -> PathBuf {
        self.root.join("seal")
    }

    /// The anchor of the database and the audit log, which lies with the root seal.
    #[must_use]
    pub fn anchor(&self) -> PathBuf {
        self.root.join("seal/anchor")
    }

    /// Every anchor: the one that lies with the root seal, and one elsewhere if it is configured.
    pub(crate) fn anchors(&self, elsewhere: Option<&Path>) -> Vec<PathBuf> {
        [self.anchor()].into_iter().chain(elsewhere.map(Path::to_owned)).collect()
    }

    /// The blobs, unless they lie elsewhere.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// The local authority's certificate, which clients trust.
    #[must_use]
    pub fn ca_certificate(&self) -> PathBuf {
        self.root.join("tls/ca.pem")
    }

    /// The AWS configuration file.
    #[must_use]
    pub fn aws_config(&self) -> PathBuf {
        self.root.join("aws/config")
    }

    /// The AWS credentials file.
    #[must_use]
    pub fn aws_credentials(&self) -> PathBuf {
        self.root.join("aws/credentials")
    }

    /// The directory of identity providers' keys: for the provider at `https://host/path`, the JSON web key set
    /// `host_path.jwks`. The operator puts them there.
    #[must_use]
    pub fn provider_keys(&self) -> PathBuf {
        self.root.join("oidc")
    }

    /// The socket on which the running server answers operators.
    #[must_use]
    pub fn admin_socket(&self) -> PathBuf {
        self.root.join("admin.sock")
    }

    /// Every file here that a server or a command writes or replaces, and those that stand beside it meanwhile.
    ///
    /// Files that the operator puts here are not among them.
    #[must_use]
    pub fn written(&self) -> Vec<PathBuf> {
        let beside = ["aws/config", "aws/credentials", "tls/ca.pem", "first-start", "sealstack.db"];
        let mut written: Vec<_> =
            beside.into_iter().flat_map(|name| [self.root.join(name), self.root.join(format!("{name}.new"))]).collect();
        written.extend(self.database_files());
        written.extend([self.lock(), self.admin_socket()]);
        written.extend(["root.json", "root.json.tmp", "anchor", "anchor.new"].map(|name| self.seal().join(name)));
        // A directory that can't be read is complained of by whoever needs it.
        let audit = std::fs::read_dir(self.audit()).into_iter().flatten();
        written.extend(audit.filter_map(|entry| Some(entry.ok()?.path())));
        written
    }

    fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }
}

/// A data directory that this process alone has, until dropped.
#[derive(Debug)]
pub struct DataDir {
    layout: Layout,
    /// Whether it ends with this value.
    ephemeral: bool,
    // The kernel gives the lock back when the file is closed, however the process ends.
    _lock: File,
}

impl DataDir {
    /// Takes the directory at `root`, making it (mode 0700) when it is missing.
    ///
    /// # Errors
    /// [`ServerError::InUse`], [`ServerError::ForeignDirectory`], [`front::FrontError::Foreign`],
    /// [`ServerError::OpenDirectory`], [`ServerError::Io`].
    pub fn create(root: &Path) -> Result<Self, ServerError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(root);
        made.map_err(|cause| ServerError::Io { action: "create", path: root.to_owned(), cause })?;
        let layout = Layout::new(root.to_owned());
        let known = layout.lock().exists();
        if !known && !is_fresh(root)? {
            return Err(ServerError::ForeignDirectory { path: root.to_owned() });
        }
        let directory = examine(root, known)?;
        // Others can't traverse it even if it was made with a looser mode by hand.
        directory.set_permissions(Permissions::from_mode(0o700)).map_err(|cause| ServerError::Io {
            action: "make private",
            path: root.to_owned(),
            cause,
        })?;
        // Who could write there until now may have been quick.
        if !known && !is_fresh(root)? {
            return Err(ServerError::ForeignDirectory { path: root.to_owned() });
        }
        Self::lock(layout)
    }

    /// Takes the directory at `root`, in which a server has been before.
    ///
    /// # Errors
    /// [`ServerError::NoData`], [`ServerError::InUse`], [`front::FrontError::Foreign`], [`ServerError::OpenDirectory`],
    /// [`ServerError::Io`].
    pub fn open(root: &Path) -> Result<Self, ServerError> {
        let layout = Layout::new(root.to_owned());
        if !layout.lock().exists() {
            return Err(ServerError::NoData { path: root.to_owned() });
        }
        examine(root, true)?;
        Self::lock(layout)
    }

    /// Where everything lies.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    fn lock(layout: Layout) -> Result<Self, ServerError> {
        let path = layout.lock();
        let failed = |action, cause| ServerError::Io { action, path: path.clone(), cause };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = opened.map_err(|cause| failed("write", cause))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(ServerError::InUse { path: layout.root, pid: holder(&mut file) });
            }
            Err(error) => return Err(failed("lock", error.into())),
        }
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(|cause| failed("write", cause))?;
        Ok(Self { layout, ephemeral: false, _lock: file })
    }
}

/// Opens the directory and sees that it is this user's or root's, and so is everything in it. One in which a server has
/// been before is writable for nobody else.
fn examine(root: &Path, known: bool) -> Result<File, ServerError> {
    let failed = |cause| ServerError::Io { action: "read", path: root.to_owned(), cause };
    let directory = File::open(root).map_err(failed)?;
    let found = directory.metadata().map_err(failed)?;
    check_owner(root, &found)?;
    let mode = found.permissions().mode() & 0o7777;
    if known && mode & 0o022 != 0 {
        return Err(ServerError::OpenDirectory { path: root.to_owned(), mode });
    }
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // One that a running server has just removed is nobody's.
        if let Ok(found) = entry.metadata() {
            check_owner(&entry.path(), &found)?;
        }
    }
    Ok(directory)
}

/// Whether nothing is in the directory but a configuration, or what a file system puts there itself.
fn is_fresh(root: &Path) -> Result<bool, ServerError> {
    let failed = |cause| ServerError::Io { action: "read", path: root.to_owned(), cause };
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name != "sealstack.toml" && name != "lost+found" {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The process id in the lock file.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Replaces the file at `path` by one that only its owner can read, so that no reader sees half of it.
pub(crate) fn replace_file(path: &Path, contents: &[u8]) -> Result<(), ServerError> {
    let failed = |action, path: &Path, cause| ServerError::Io { action, path: path.to_owned(), cause };
    let Some(parent) = path.parent() else {
        return Err(failed("write", path, ErrorKind::InvalidInput.into()));
    };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    made.map_err(|cause| failed("create", parent, cause))?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        File::open(parent)?.sync_all()
    };
    write().map_err(|cause| failed("write", path, cause))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use front::FrontError;

    use super::*;

    #[test]
    fn a_new_directory_is_its_owners_alone() {
        let parent = tempfile::tempdir().expect("a directory");
        let root = parent.path().join("data");
        let _taken = DataDir::create(&root).expect("a data directory");
        assert_eq!(std::fs::metadata(&root).expect("it").permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_second_process_is_refused_and_told_who_has_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = DataDir::create(dir.path()).expect("a data directory");
        // A second open file is a second holder to flock, even in this process.
        let error = DataDir::create(dir.path()).expect_err("taken");
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(first);
        let _again = DataDir::open(dir.path()).expect("free again");
    }

    #[test]
    fn somebody_elses_directory_is_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("thesis.tex"), "").expect("a file");
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("a mode");
        assert!(matches!(DataDir::create(dir.path()), Err(ServerError::ForeignDirectory { .. })));
        assert_eq!(std::fs::metadata(dir.path()).expect("it").permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn what_another_user_owns_is_refused() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can give a directory away");
            return;
        }
        const NOBODY: u32 = 65_534;
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().join("data");
        drop(DataDir::create(&root).expect("a data directory"));
        let inside = root.join("sealstack.db");
        std::fs::write(&inside, "").expect("a file");
        for path in [&root, &inside] {
            chown(path, Some(NOBODY), None).expect("given away");
            for refused in [DataDir::create(&root), DataDir::open(&root)] {
                let error = refused.expect_err("another's");
                assert!(
                    matches!(&error, ServerError::Front(FrontError::Foreign { path: of, owner: NOBODY }) if of == path),
                    "{error}"
                );
            }
            chown(path, Some(0), None).expect("taken back");
        }
        DataDir::open(&root).expect("its own again");
        let fresh = dir.path().join("fresh");
        std::fs::create_dir(&fresh).expect("a directory");
        chown(&fresh, Some(NOBODY), None).expect("given away");
        assert!(matches!(DataDir::create(&fresh), Err(ServerError::Front(FrontError::Foreign { .. }))));
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_used_only_while_it_is_empty() {
        let dir = tempfile::tempdir().expect("a directory");
        let set = |mode| std::fs::set_permissions(dir.path(), Permissions::from_mode(mode)).expect("a mode");
        set(0o777);
        drop(DataDir::create(dir.path()).expect("a data directory"));
        for mode in [0o770, 0o702] {
            set(mode);
            for refused in [DataDir::create(dir.path()), DataDir::open(dir.path())] {
                let error = refused.expect_err("open to others");
                assert!(matches!(error, ServerError::OpenDirectory { mode: found, .. } if found == mode), "{error}");
            }
        }
        set(0o755);
        DataDir::create(dir.path()).expect("nobody else could write");
    }

    #[test]
    fn a_configuration_file_alone_does_not_make_a_directory_foreign() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("sealstack.toml"), "").expect("a file");
        DataDir::create(dir.path()).expect("a data directory");
    }

    #[test]
    fn a_directory_without_a_server_is_not_opened() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(matches!(DataDir::open(dir.path()), Err(ServerError::NoData { .. })));
        assert!(matches!(DataDir::open(&dir.path().join("none")), Err(ServerError::NoData { .. })));
    }

    #[test]
    fn a_replaced_file_is_private_and_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("aws/credentials");
        replace_file(&path, b"first, and longer").expect("written");
        replace_file(&path, b"second").expect("replaced");
        assert_eq!(std::fs::read(&path).expect("it"), b"second");
        assert_eq!(std::fs::metadata(&path).expect("it").permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path().join("aws")).expect("it").count(), 1);
    }
}
