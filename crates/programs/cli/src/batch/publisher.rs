//! Complete outputs: synced to the disk together, then renamed to their names.
//!
//! Waiting for the disk takes as long for one file as for many, so what has piled up meanwhile waits together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::directory::{Directory, Handle, sync};
use super::draft::Draft;
use super::target::Target;

/// How many outputs wait for the disk together at most.
const TOGETHER_MAX: u64 = 1024;

/// How many outputs may wait for the disk together. As many again may arrive meanwhile, and each holds a file open, and
/// a directory unless it shares one.
pub(super) fn together_max() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        limit = raised;
    }
    let open_max = limit.current.unwrap_or(u64::MAX);
    usize::try_from((open_max / 5).clamp(1, TOGETHER_MAX)).unwrap_or(1)
}

/// From how many outputs on the file system as a whole is synced, which others' data are on as well.
const MANY: usize = 16;

/// An output that is complete.
pub(super) struct Complete<T> {
    pub(super) draft: Draft,
    pub(super) target: Target,
    /// The facts with which its outcome is reported.
    pub(super) facts: T,
}

/// Outcome of an output.
pub(super) enum Published {
    Named,
    /// There was a file of that name, and it stays.
    Kept,
    Failed(io::Error),
}

/// How long more outputs are waited for, unless none will come: a file system that is synced for a few at a time is
/// busy with that alone.
const GATHERING: Duration = Duration::from_millis(100);

/// How long the first and the longest of the pauses are in which outputs pile up. Being woken for each would cost more.
const PAUSES: [Duration; 2] = [Duration::from_micros(50), Duration::from_millis(5)];

/// `first` and the outputs that arrive before it is time to wait for the disk.
fn gathered<T>(first: T, arriving: &Receiver<T>, together_max: usize) -> Vec<T> {
    let (mut together, [mut pause, longest]) = (vec![first], PAUSES);
    let until = Instant::now() + GATHERING;
    while together.len() < together_max {
        match arriving.try_recv() {
            Ok(more) => together.push(more),
            Err(TryRecvError::Empty) if Instant::now() < until => {
                thread::sleep(pause);
                pause = (pause * 2).min(longest);
            }
            Err(_) => break,
        }
    }
    together
}

/// Gives an output its name.
fn give_name(draft: Draft, target: &Target, replace: bool) -> Published {
    match draft.publish(&target.name, replace) {
        Ok(true) => Published::Named,
        Ok(false) => Published::Kept,
        Err(error) => Published::Failed(error),
    }
}

/// Publishes one output without waiting for the disk.
pub(super) fn publish_one(draft: Draft, target: &Target, replace: bool) -> Published {
    let handle = Arc::clone(draft.directory());
    match (give_name(draft, target, replace), target.directory.leads_to(&handle)) {
        (Published::Named, Err(error)) => Published::Failed(error),
        (published, _) => published,
    }
}

/// Publishes what arrives once it is on the disk, until nobody sends any more. `replace` replaces files.
pub(super) fn publish<T>(
    arriving: Receiver<Complete<T>>,
    together_max: usize,
    replace: bool,
    mut report: impl FnMut(T, &Target, Published),
) {
    while let Ok(first) = arriving.recv() {
        let together = gathered(first, &arriving, together_max);
        let synced = sync_all(&together);
        let mut directories = BTreeMap::new();
        let mut named = Vec::with_capacity(together.len());
        for (Complete { draft, target, facts }, synced) in together.into_iter().zip(synced) {
            let handle = Arc::clone(draft.directory());
            let published = match synced {
                Ok(()) => give_name(draft, &target, replace),
                Err(error) => Published::Failed(error),
            };
            let key = Arc::as_ptr(&handle);
            if matches!(published, Published::Named) {
                directories.entry(key).or_insert_with(|| (Arc::clone(&target.directory), handle));
            }
            named.push((facts, target, published, key));
        }
        let lasts = |(directory, handle): &(Arc<Directory>, Handle)| {
            sync(handle).map_err(|error| format!("its directory can't be synced: {error}"))?;
            directory.leads_to(handle).map_err(|error| error.to_string())
        };
        let lost: BTreeMap<_, _> =
            directories.iter().filter_map(|(key, it)| lasts(it).err().map(|reason| (*key, reason))).collect();
        for (facts, target, published, key) in named {
            let published = match (published, lost.get(&key)) {
                (Published::Named, Some(reason)) => Published::Failed(io::Error::other(reason.clone())),
                (published, _) => published,
            };
            report(facts, &target, published);
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn outputs_gather_until_there_are_enough_or_none_will_come() {
        let (sender, arriving) = channel();
        for number in 1..=5 {
            sender.send(number).expect("it is there");
        }
        assert_eq!(gathered(0, &arriving, 3), [0, 1, 2]);
        sender.send(6).expect("it is there");
        drop(sender);
        assert_eq!(gathered(0, &arriving, 100), [0, 3, 4, 5, 6]);
        assert_eq!(gathered(0, &arriving, 100), [0]);
    }
}
