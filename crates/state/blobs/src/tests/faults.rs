//! A disk that fails at any step leaves nothing, and steps are taken in the order that durability needs.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use super::fixture::{Place, block_on, content, owner, write};
use crate::disk::{Disk, OsDisk};
use crate::draft::BATCH_BYTES;
use crate::{BlobError, Blobs};

/// A request to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Write,
    SyncFile,
    Rename,
    SyncDir,
}

/// A disk that records its requests, and fails at a chosen one.
#[derive(Clone, Default)]
struct FaultyDisk(Arc<Mutex<Faults>>);

#[derive(Default)]
struct Faults {
    asked: Vec<Request>,
    fails_at: Option<usize>,
}

impl FaultyDisk {
    fn ask(&self, request: Request) -> io::Result<()> {
        let mut faults = self.0.lock().unwrap();
        faults.asked.push(request);
        match faults.fails_at {
            Some(number) if number + 1 == faults.asked.len() => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    /// Forgets what was asked. Yields it.
    fn restart(&self, fails_at: Option<usize>) -> Vec<Request> {
        std::mem::replace(&mut *self.0.lock().unwrap(), Faults { asked: Vec::new(), fails_at }).asked
    }
}

impl Disk for FaultyDisk {
    fn write_all(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.ask(Request::Write) {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        OsDisk.write_all(file, bytes)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        self.ask(Request::SyncFile)?;
        OsDisk.sync_file(file)
    }

    fn rename(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &str) -> io::Result<()> {
        self.ask(Request::Rename)?;
        OsDisk.rename(from, to, name)
    }

    fn sync_dir(&self, dir: &OwnedFd) -> io::Result<()> {
        self.ask(Request::SyncDir)?;
        OsDisk.sync_dir(dir)
    }
}

fn place(disk: &FaultyDisk) -> Place {
    Place::with(|path| Blobs::with_disk(path, Box::new(disk.clone())).unwrap())
}

#[test]
fn content_is_synced_before_it_has_its_name_and_the_name_before_it_is_answered() {
    use Request::{Rename, SyncDir, SyncFile, Write};
    let disk = FaultyDisk::default();
    let place = place(&disk);
    // The directory's own entry, and its subdirectories'.
    assert_eq!(disk.restart(None), [SyncDir, SyncDir]);
    drop(block_on(place.write(&content(BATCH_BYTES + 1))));
    assert_eq!(disk.restart(None), [Write, Write, Write, SyncFile, Rename, SyncDir]);
    // They are synced again: who made them may not have got that far.
    Blobs::with_disk(&place.path, Box::new(disk.clone())).unwrap();
    assert_eq!(disk.restart(None), [SyncDir, SyncDir]);
}

#[test]
fn a_disk_that_fails_at_any_step_leaves_nothing_and_serves_the_next() {
    let disk = FaultyDisk::default();
    let place = place(&disk);
    let whole = content(2 * BATCH_BYTES + 1);
    block_on(async {
        disk.restart(None);
        drop(write(&place.blobs, &[&whole]).await.unwrap());
        let steps = disk.restart(None).len();
        assert_eq!(steps, 7);
        for step in 0..steps {
            disk.restart(Some(step));
            let failed = write(&place.blobs, &[&whole]).await.map(|_| ());
            assert!(
                matches!(&failed, Err(BlobError::Io { cause, .. }) if cause.kind() == io::ErrorKind::StorageFull),
                "step {step}: {failed:?}"
            );
            assert_eq!(place.files().len(), 1 + step, "step {step} leaves only the blobs from before");
            disk.restart(None);
            let written = write(&place.blobs, &[&whole]).await.unwrap();
            assert_eq!(place.blobs.check(&owner(), &written.id).await.unwrap(), written.contents);
        }
    });
}

#[test]
fn a_draft_is_not_written_again_after_a_failure() {
    let disk = FaultyDisk::default();
    let place = place(&disk);
    block_on(async {
        let mut draft = place.blobs.draft(&owner()).await.unwrap();
        disk.restart(Some(0));
        // The second batch waits for the first one's outcome.
        let failed = draft.write(content(3 * BATCH_BYTES).into()).await;
        assert!(matches!(failed, Err(BlobError::Io { .. })), "{failed:?}");
        // Another chunk under the same number would be sealed with the same nonce.
        let refused = draft.write(content(1).into()).await;
        assert!(matches!(refused, Err(BlobError::DraftLost { .. })), "{refused:?}");
        assert_eq!(disk.restart(None), [Request::Write]);
    });
}
