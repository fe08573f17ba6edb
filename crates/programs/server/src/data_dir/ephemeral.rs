//! A data directory in memory, for servers whose world ends with them: what has to be a file lies in the file system
//! that the kernel keeps in memory.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use super::{DataDir, Layout};
use crate::error::ServerError;

/// Where the kernel keeps files in memory.
const MEMORY: &str = "/dev/shm";

const PREFIX: &str = "sealstack-";

/// A directory this young may belong to a server that is about to lock it.
const YOUNG: Duration = Duration::from_secs(10);

impl DataDir {
    /// Makes a directory in memory that is gone when this is dropped.
    ///
    /// # Errors
    /// [`ServerError::Io`], where the system has no file system in memory above all.
    pub(crate) fn ephemeral() -> Result<Self, ServerError> {
        Self::ephemeral_in(Path::new(MEMORY))
    }

    fn ephemeral_in(memory: &Path) -> Result<Self, ServerError> {
        sweep(memory);
        let root = memory.join(format!("{PREFIX}{}", Uuid::new_v4().simple()));
        let made = DirBuilder::new().mode(0o700).create(&root);
        made.map_err(|cause| ServerError::Io { action: "create", path: root.clone(), cause })?;
        let mut data_dir = Self::lock(Layout::new(root))?;
        data_dir.ephemeral = true;
        Ok(data_dir)
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.ephemeral
            && let Err(error) = std::fs::remove_dir_all(self.layout.root())
        {
            tracing::warn!(%error, path = %self.layout.root().display(), "what was kept in memory could not be removed");
        }
    }
}

/// Removes what killed servers left: directories of ours that nobody has locked. All that is secret in them was sealed
/// under keys that ended with their process.
fn sweep(memory: &Path) {
    let Ok(entries) = std::fs::read_dir(memory) else { return };
    for entry in entries.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) && abandoned(&entry.path()) {
            match std::fs::remove_dir_all(entry.path()) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::debug!(%error, path = %entry.path().display(), "an old server's directory stays");
                }
                _ => {}
            }
        }
    }
}

fn abandoned(root: &Path) -> bool {
    let Ok(found) = std::fs::symlink_metadata(root) else { return false };
    let old = found.modified().ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > YOUNG);
    let ours = found.is_dir() && found.uid() == rustix::process::getuid().as_raw();
    let lock = || File::open(Layout::new(root.to_owned()).lock());
    old && ours && lock().is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_directory_in_memory_ends_with_its_server() {
        let memory = tempfile::tempdir().expect("a directory");
        let data = DataDir::ephemeral_in(memory.path()).expect("made");
        let root = data.layout().root().to_owned();
        std::fs::write(root.join("file"), "x").expect("written");
        drop(data);
        assert!(!root.exists());
    }

    #[test]
    fn what_killed_servers_left_is_removed_and_nothing_else() {
        let memory = tempfile::tempdir().expect("a directory");
        let running = DataDir::ephemeral_in(memory.path()).expect("made");
        let old = SystemTime::now() - Duration::from_secs(60);
        let make = |name: &str, lock: bool, aged: bool| {
            let path = memory.path().join(name);
            std::fs::create_dir(&path).expect("made");
            if lock {
                std::fs::write(path.join("lock"), "1\n").expect("written");
            }
            if aged {
                File::open(&path).and_then(|file| file.set_modified(old)).expect("aged");
            }
            path
        };
        let killed = make("sealstack-killed", true, true);
        let starting = make("sealstack-starting", true, false);
        let unlocked = make("sealstack-of-something-else", false, true);
        let foreign = make("foreign", true, true);
        File::open(running.layout().root()).and_then(|file| file.set_modified(old)).expect("aged");

        let _next = DataDir::ephemeral_in(memory.path()).expect("made");
        assert!(!killed.exists());
        for kept in [&starting, &unlocked, &foreign, &running.layout().root().to_owned()] {
            assert!(kept.exists(), "{}", kept.display());
        }
    }
}
