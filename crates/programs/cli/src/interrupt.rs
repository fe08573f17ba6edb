//! Drafts that have a name already, removed when a signal ends the process.
//!
//! Most drafts have none, and the operating system drops those with the process: nothing here runs for them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rustix::fs::AtFlags;
use tokio::signal::unix::{SignalKind, signal};

/// Names, none of which is there twice, and the directories that they are in.
type Drafts = BTreeMap<OsString, Arc<OwnedFd>>;

static DRAFTS: Mutex<Drafts> = Mutex::new(BTreeMap::new());
static LISTENING: Once = Once::new();

/// The drafts that have a name. While this is locked, the process does not end by a signal.
pub(crate) fn drafts() -> MutexGuard<'static, Drafts> {
    LISTENING.call_once(|| {
        // Without a thread to listen, a signal ends the process at once, and a draft may stay behind.
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(listen);
    });
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
        // As a shell reports a process that a signal ended.
        std::process::exit(128 + kind.as_raw_value());
    }
}
