//! Outputs that are complete, brought to the disk together and given their names.
//!
//! Waiting for the disk takes as long for one file as for many, so what has piled up meanwhile waits together.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use super::draft::Draft;

/// How many outputs wait for the disk together at most. Each holds a file open.
pub(super) const TOGETHER_MAX: usize = 256;

/// How many threads wait for the disk: a file system commits together what asks for it at once.
const WAITING_THREADS: usize = 8;

/// An output that is complete.
pub(super) struct Complete<T> {
    pub(super) draft: Draft,
    pub(super) target: PathBuf,
    /// What its outcome is told with.
    pub(super) told: T,
}

/// What became of an output.
pub(super) enum Published {
    Named,
    /// There was a file of that name, and it stays.
    Kept,
    Failed(io::Error),
}

/// Publishes what arrives until nobody sends any more. `sync` waits for the disk, `replace` replaces files.
pub(super) fn publish<T: Send>(
    arriving: Receiver<Complete<T>>,
    sync: bool,
    replace: bool,
    mut tell: impl FnMut(T, &Path, Published),
) {
    while let Ok(first) = arriving.recv() {
        let mut together = vec![first];
        together.extend(arriving.try_iter().take(TOGETHER_MAX - 1));
        let synced = if sync { sync_all(&together) } else { together.iter().map(|_| Ok(())).collect() };
        let mut directories = BTreeSet::new();
        let mut named = Vec::with_capacity(together.len());
        for (Complete { draft, target, told }, synced) in together.into_iter().zip(synced) {
            let directory = draft.directory().to_owned();
            let published = match synced.and_then(|()| draft.publish(&target, replace)) {
                Ok(true) => Published::Named,
                Ok(false) => Published::Kept,
                Err(error) => Published::Failed(error),
            };
            if sync && matches!(published, Published::Named) {
                directories.insert(directory);
            }
            named.push((told, target, published));
        }
        let lost: BTreeSet<_> = directories.into_iter().filter(|path| sync_directory(path).is_err()).collect();
        for (told, target, published) in named {
            let lost = target.parent().is_some_and(|parent| lost.contains(parent));
            let failed = || Published::Failed(io::Error::other("its directory can't be synced"));
            tell(told, &target, if lost { failed() } else { published });
        }
    }
}

/// Waits until every draft is on the disk.
fn sync_all<T: Send>(drafts: &[Complete<T>]) -> Vec<io::Result<()>> {
    if let [only] = drafts {
        return vec![only.draft.sync()];
    }
    let next = AtomicUsize::new(0);
    let files: Vec<&Draft> = drafts.iter().map(|complete| &complete.draft).collect();
    let wait = || {
        let mut synced = Vec::new();
        while let Some((index, draft)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|index| files.get(index).map(|draft| (index, draft)))
        {
            synced.push((index, draft.sync()));
        }
        synced
    };
    let mut all: Vec<(usize, io::Result<()>)> = std::thread::scope(|scope| {
        let threads =
            (1..WAITING_THREADS.min(drafts.len())).map(|_| std::thread::Builder::new().spawn_scoped(scope, wait));
        let threads: Vec<_> = threads.flatten().collect();
        let mut all = wait();
        all.extend(threads.into_iter().filter_map(|thread| thread.join().ok()).flatten());
        all
    });
    all.sort_unstable_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, synced)| synced).collect()
}

/// Makes the names in a directory last.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}
