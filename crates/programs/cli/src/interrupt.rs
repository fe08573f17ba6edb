//! Drafts that have a name already and temporary directories, removed when a signal ends the process.
//!
//! Most drafts have none, and the operating system drops those with the process: nothing here runs for them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rustix::fs::AtFlags;
use tokio::signal::unix::{SignalKind, signal};

/// Names, none of which is there twice, and the directories that they are in.
type Drafts = BTreeMap<OsString, Arc<OwnedFd>>;

static DRAFTS: Mutex<Drafts> = Mutex::new(BTreeMap::new());
static DIRECTORIES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static LISTENING: Once = Once::new();

/// A directory that its owner alone can read, and that is removed with what is in it, also when a signal ends the process.
pub(crate) struct TemporaryDirectory(tempfile::TempDir);

impl TemporaryDirectory {
    /// Makes one in a directory.
    pub(crate) fn create(parent: &Path) -> io::Result<Self> {
        listen_for_signals();
        let made = tempfile::Builder::new().prefix(".sealstack-").tempdir_in(parent)?;
        directories().push(made.path().to_owned());
        Ok(Self(made))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        directories().retain(|path| path != self.0.path());
    }
}

fn directories() -> MutexGuard<'static, Vec<PathBuf>> {
    DIRECTORIES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen_for_signals() {
    LISTENING.call_once(|| {
        // Without a thread to listen, a signal ends the process at once, and a draft may stay behind.
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(listen);
    });
}

/// The drafts that have a name. While this is locked, the process does not end by a signal.
pub(crate) fn drafts() -> MutexGuard<'static, Drafts> {
    listen_for_signals();
    DRAFTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let kind = runtime.block_on(async {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) else { return None };
        tokio::select! {
            _ = interrupt.recv() => Some(SignalKind::interrupt()),
            _ = terminate.recv() => Some(SignalKind::terminate()),
            _ = hangup.recv() => Some(SignalKind::hangup()),
        }
    });
    if let Some(kind) = kind {
        // Held until the end, so that no draft gets a name after this.
        let drafts = drafts();
        for (name, directory) in drafts.iter() {
            let _ = rustix::fs::unlinkat(directory, name, AtFlags::empty());
        }
        for directory in directories().iter() {
            let _ = std::fs::remove_dir_all(directory);
        }
        // As a shell reports a process that a signal ended.
        std::process::exit(128 + kind.as_raw_value());
    }
}
