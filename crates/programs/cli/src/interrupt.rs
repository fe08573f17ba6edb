//! Drafts that have a name already, removed when the process is told to end.
//!
//! Most drafts have none, and the operating system drops those with the process: nothing here runs for them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

static DRAFTS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
static LISTENING: Once = Once::new();

/// The drafts that have a name. While this is held, the process does not end by a signal.
pub(crate) fn drafts() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LISTENING.call_once(|| {
        // Without a thread to listen, a signal ends the process at once, and a draft may stay behind.
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(listen);
    });
    DRAFTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes a draft from the list: it is gone, or it has its final name.
pub(crate) fn settled(draft: &Path) {
    drafts().remove(draft);
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
        for draft in drafts.iter() {
            let _ = std::fs::remove_file(draft);
        }
        // As a shell reports a process that a signal ended.
        std::process::exit(128 + kind.as_raw_value());
    }
}
