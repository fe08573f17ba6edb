//! A disk that fails as a plan says, and can lose its power.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::disk::{Disk, DiskFile, OsDisk};

/// A request of the writer to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Create,
    Write,
    SetLen,
    /// Of a segment.
    Sync,
    SyncHead,
    SyncDir,
    Remove,
}

/// How the disk serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// A write gets halfway; a sync drops what it was to make last.
    Failed,
    /// The request isn't served, and nothing else changes.
    Killed,
}

type Plan = dyn FnMut(Request) -> Outcome + Send;

/// A disk that serves requests as a plan says, and remembers what a loss of power could undo.
#[derive(Clone)]
pub(super) struct FaultyDisk(Arc<Mutex<Faults>>);

struct Faults {
    plan: Box<Plan>,
    unsynced: BTreeMap<PathBuf, Vec<Undo>>,
}

/// Bytes that a write replaced, and the file's length before it.
struct Undo {
    offset: u64,
    covered: Vec<u8>,
    length: u64,
}

impl FaultyDisk {
    pub(super) fn new(plan: impl FnMut(Request) -> Outcome + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Faults { plan: Box::new(plan), unsynced: BTreeMap::new() })))
    }

    pub(super) fn change(&self, plan: impl FnMut(Request) -> Outcome + Send + 'static) {
        self.0.lock().unwrap().plan = Box::new(plan);
    }

    fn serve(&self, request: Request) -> io::Result<()> {
        match (self.0.lock().unwrap().plan)(request) {
            Outcome::Done => Ok(()),
            Outcome::Failed => Err(io::ErrorKind::StorageFull.into()),
            Outcome::Killed => Err(io::ErrorKind::Interrupted.into()),
        }
    }

    /// Undoes writes that weren't synced, as `lost` says, newest first. A write covers up a part of the file, and `lost`
    /// tells how much of it never reached the disk.
    pub(super) fn lose_power(&self, mut lost: impl FnMut(usize) -> usize) {
        for (path, undos) in std::mem::take(&mut self.0.lock().unwrap().unsynced) {
            let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
            for undo in undos.into_iter().rev() {
                undo.revert(&file, lost(undo.covered.len()));
            }
        }
    }
}

impl Undo {
    fn revert(&self, file: &File, lost: usize) {
        let kept = self.covered.len() - lost;
        FileExt::write_all_at(file, &self.covered[kept..], self.offset + kept as u64).unwrap();
        // If nothing stands behind it, the file hasn't grown either.
        let end = self.offset + self.covered.len() as u64;
        if file.metadata().unwrap().len() == end {
            file.set_len((self.offset + kept as u64).max(self.length)).unwrap();
        }
    }
}

pub(super) struct FaultyFile {
    disk: FaultyDisk,
    path: PathBuf,
    file: File,
}

impl Disk for FaultyDisk {
    type File = FaultyFile;

    fn create(&self, path: &Path) -> io::Result<FaultyFile> {
        self.serve(Request::Create)?;
        self.0.lock().unwrap().unsynced.remove(path);
        drop(OsDisk.create(path)?);
        self.open(path)
    }

    fn open(&self, path: &Path) -> io::Result<FaultyFile> {
        drop(OsDisk.open(path)?);
        let file = fs::OpenOptions::new().read(true).write(true).open(path)?;
        Ok(FaultyFile { disk: self.clone(), path: path.to_owned(), file })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.serve(Request::Remove)?;
        self.0.lock().unwrap().unsynced.remove(path);
        OsDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.serve(Request::SyncDir)?;
        OsDisk.sync_dir(dir)
    }
}

impl DiskFile for FaultyFile {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let served = self.disk.serve(Request::Write);
        let bytes = if served.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        let length = self.file.metadata()?.len();
        let mut covered = vec![0; bytes.len()];
        let old = (length.saturating_sub(offset) as usize).min(bytes.len());
        self.file.read_exact_at(&mut covered[..old], offset)?;
        let mut faults = self.disk.0.lock().unwrap();
        faults.unsynced.entry(self.path.clone()).or_default().push(Undo { offset, covered, length });
        FileExt::write_all_at(&self.file, bytes, offset)?;
        served
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.serve(Request::SetLen)?;
        self.file.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        let head = self.path.ends_with("head.seal");
        let served = self.disk.serve(if head { Request::SyncHead } else { Request::Sync });
        if served.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
            return served;
        }
        let undos = self.disk.0.lock().unwrap().unsynced.remove(&self.path).unwrap_or_default();
        if served.is_err() {
            // The operating system discards what it failed to write, and reports no error the next time.
            for undo in undos.iter().rev() {
                undo.revert(&self.file, undo.covered.len());
            }
        }
        served
    }
}
