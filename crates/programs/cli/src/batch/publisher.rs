//! Outputs that are complete, brought to the disk together and given their names.
//!
//! Waiting for the disk takes as long for one file as for many, so what has piled up meanwhile waits together.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::draft::Draft;

/// How many outputs wait for the disk together at most.
const TOGETHER_MAX: u64 = 1024;

/// How many outputs may wait for the disk together. As many again may arrive meanwhile, and each holds a file open.
pub(super) fn together_max() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        limit = raised;
    }
    let open_max = limit.current.unwrap_or(u64::MAX);
    usize::try_from((open_max / 3).clamp(1, TOGETHER_MAX)).unwrap_or(1)
}

/// From how many outputs on the file system as a whole is synced, which others' data are on as well.
const MANY: usize = 16;

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
pub(super) fn publish<T>(
    arriving: Receiver<Complete<T>>,
    together_max: usize,
    sync: bool,
    replace: bool,
    mut tell: impl FnMut(T, &Path, Published),
) {
    while let Ok(first) = arriving.recv() {
        let mut together = vec![first];
        together.extend(arriving.try_iter().take(together_max - 1));
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
fn sync_all<T>(complete: &[Complete<T>]) -> Vec<io::Result<()>> {
    if complete.len() >= MANY && sync_file_systems(complete).is_ok() {
        return complete.iter().map(|_| Ok(())).collect();
    }
    complete.iter().map(|complete| complete.draft.sync()).collect()
}

/// Has every file system that drafts are on write what it holds, once for all of them.
fn sync_file_systems<T>(complete: &[Complete<T>]) -> io::Result<()> {
    let mut synced = BTreeSet::new();
    for Complete { draft, .. } in complete {
        if synced.insert(draft.file().metadata()?.dev()) {
            rustix::fs::syncfs(draft.file())?;
        }
    }
    Ok(())
}

/// Makes the names in a directory last.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}
