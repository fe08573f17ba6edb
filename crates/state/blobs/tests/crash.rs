//! Real processes that are killed or run out of disk: the test runs itself again as the process that dies.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blobs::{BlobError, BlobId, Blobs, Owner, OwnerFuture, Owners, Reference, Swept};
use bytes::Bytes;
use crypto::{Key256, Sha256};
use futures_util::TryStreamExt;
use installed::crash::{CrashDir, child, child_dir, spawn, starved_child};
use store::{RootKey, Store};

fn open(dir: &Path) -> Blobs {
    Blobs::in_directory(dir).unwrap()
}

fn owner() -> Owner {
    Owner::new(&Key256::from_slice(&[7; 32]).unwrap(), b"the owner")
}

/// The names of the drafts that lie in the directory.
fn drafts(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir.join("drafts")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

/// Writes blobs of many lengths and says which are finished, until it is killed.
#[test]
#[ignore = "the process that `every_blob_that_was_finished_before_a_kill_opens_after_it` kills"]
fn write_for_ever() {
    let Some(dir) = child_dir() else { return };
    let blobs = open(&dir);
    let mut out = std::io::stdout();
    block_on(async {
        for round in 0_usize.. {
            let mut draft = blobs.draft(&owner()).await.unwrap();
            let mut digest = Sha256::new();
            for piece in 0..round % 7 {
                let piece = vec![piece as u8; 40_000 * (round % 5)];
                digest.update(&piece);
                draft.write(Bytes::from(piece)).await.unwrap();
            }
            let written = draft.finish().await.unwrap();
            // A line written by halves does not count: it ends with a full stop.
            writeln!(out, "finished {} {}.", written.id, crypto::hex::encode(&digest.finish())).unwrap();
            out.flush().unwrap();
        }
    });
}

#[test]
fn every_blob_that_was_finished_before_a_kill_opens_after_it() {
    let dir = CrashDir::new("blobs-kill");
    let mut finished = Vec::new();
    let mut leftovers = 0;
    for round in 0..20_u64 {
        let (mut child, mut out) = spawn(child("write_for_ever"), &dir);
        let mut lines = String::new();
        while !lines.contains("finished") {
            assert!(out.read_line(&mut lines).unwrap() > 0, "the process ended by itself");
        }
        std::thread::sleep(Duration::from_micros(round * 7_919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        out.read_to_string(&mut lines).unwrap();
        let acknowledged = lines.lines().filter_map(|line| line.rsplit_once("finished ")?.1.strip_suffix('.'));
        let before = finished.len();
        finished.extend(acknowledged.map(|line| {
            let (id, sha256) = line.split_once(' ').unwrap();
            (BlobId::parse(id).unwrap(), crypto::hex::decode::<32>(sha256).unwrap())
        }));
        assert!(finished.len() > before);

        let blobs = open(dir.path());
        block_on(async {
            for (id, sha256) in &finished {
                let blob = blobs.blob(&owner(), id).await.unwrap();
                let whole: Vec<Bytes> = blob.read_all().try_collect().await.unwrap();
                assert_eq!(crypto::sha256(&whole.concat()), *sha256, "{id}");
            }
            // What is visible is whole, also what was not acknowledged any more.
            let listed = blobs.list(None, usize::MAX).await.unwrap();
            for found in &listed {
                blobs.check(&owner(), &found.id).await.unwrap();
            }
            assert!(listed.len() <= finished.len() + 1, "at most one was finished and not acknowledged");
            let half_done = drafts(dir.path()).len();
            assert!(half_done <= 1);
            leftovers += half_done + listed.len() - finished.len();

            let referenced: HashSet<BlobId> = finished.iter().map(|(id, _)| *id).collect();
            let swept = blobs.sweep(move |id| referenced.contains(id), later()).await.unwrap();
            assert_eq!((swept.blobs, swept.drafts), ((listed.len() - finished.len()) as u64, half_done as u64));
            assert_eq!(blobs.list(None, usize::MAX).await.unwrap().len(), finished.len());
            assert!(drafts(dir.path()).is_empty());
        });
    }
    assert!(leftovers > 0, "no kill hit a draft: {} were finished", finished.len());
}

/// The references, in a database beside the blobs.
fn open_store(dir: &Path) -> Store {
    fs::create_dir_all(dir).unwrap();
    Store::open(dir.join("references.db"), &RootKey::from_slice(&[9; 32]).unwrap()).unwrap()
}

/// Any blob belongs to the one owner.
struct OneOwner;

impl Owners for OneOwner {
    fn owner<'a>(&'a self, _: &'a Store, _: &'a Reference) -> OwnerFuture<'a> {
        Box::pin(std::future::ready(Ok(Some(owner()))))
    }
}

/// Writes blobs, refers to every second, ends some references, and sweeps all the time, until it is killed.
#[test]
#[ignore = "the process that `what_is_referred_to_outlives_a_kill_of_sweeps` kills"]
fn refer_and_sweep_for_ever() {
    let Some(dir) = child_dir() else { return };
    let store = open_store(&dir);
    let blobs = open(&dir.join("blobs"));
    let mut out = std::io::stdout();
    block_on(async {
        let mut last = None;
        for round in 0_usize.. {
            let mut draft = blobs.draft(&owner()).await.unwrap();
            draft.write(Bytes::from(vec![round as u8; 30_000 * (round % 5)])).await.unwrap();
            let written = draft.finish().await.unwrap();
            let id = written.id;
            if round % 2 == 0 {
                store.write(move |tx| Reference::insert(tx, &written, "test", "one")).await.unwrap();
                writeln!(out, "referred {id}.").unwrap();
            } else if round % 8 == 3
                && let Some(id) = last.take()
            {
                drop(written);
                // Said before it is done: afterwards it may be there or not.
                writeln!(out, "ending {id}.").unwrap();
                out.flush().unwrap();
                store.write(move |tx| Reference::remove(tx, &id)).await.unwrap();
            }
            if round % 6 == 0 {
                last = Some(id);
            }
            out.flush().unwrap();
            if round % 3 == 2 {
                blobs.sweep(blobs::referenced(store.clone()), later()).await.unwrap();
            }
        }
    });
}

#[test]
fn what_is_referred_to_outlives_a_kill_of_sweeps() {
    let dir = CrashDir::new("blobs-sweep");
    let mut referred = HashSet::new();
    let mut strays = 0;
    for round in 0..12_u64 {
        let (mut child, mut out) = spawn(child("refer_and_sweep_for_ever"), &dir);
        let mut lines = String::new();
        while lines.matches("referred").count() < 3 {
            assert!(out.read_line(&mut lines).unwrap() > 0, "the process ended by itself");
        }
        std::thread::sleep(Duration::from_micros(round * 7_919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        out.read_to_string(&mut lines).unwrap();
        for line in lines.lines().filter_map(|line| line.strip_suffix('.')) {
            if let Some((_, id)) = line.rsplit_once("referred ") {
                referred.insert(BlobId::parse(id).unwrap());
            } else if let Some((_, id)) = line.rsplit_once("ending ") {
                referred.remove(&BlobId::parse(id).unwrap());
            }
        }
        let (store, blobs) = (open_store(dir.path()), open(&dir.path().join("blobs")));
        block_on(async {
            let report = blobs.check_all(&store, &OneOwner).await.unwrap();
            assert!(report.is_intact(), "{:?}", report.faulty);
            assert!(report.intact >= referred.len() as u64);
            for id in &referred {
                let id = *id;
                assert!(store.read(move |tx| Reference::find(tx, &id)).await.unwrap().is_some(), "{id}");
            }
            strays += report.unreferenced.len();
            let swept = blobs.sweep(blobs::referenced(store.clone()), later()).await.unwrap();
            assert_eq!(swept.blobs, report.unreferenced.len() as u64);
            let report = blobs.check_all(&store, &OneOwner).await.unwrap();
            assert!(report.is_intact() && report.unreferenced.is_empty());
            assert!(drafts(&dir.path().join("blobs")).is_empty());
        });
    }
    assert!(referred.len() > 12 && strays > 0, "{} referred to, {strays} strays", referred.len());
}

/// Writes more than the disk takes, and goes on once there is room.
#[test]
#[ignore = "the process that `a_full_disk_leaves_no_draft` starves"]
fn write_until_full() {
    let Some(dir) = child_dir() else { return };
    let blobs = open(&dir);
    block_on(async {
        let mut draft = blobs.draft(&owner()).await.unwrap();
        let mut failed = None;
        for _ in 0..100 {
            if let Err(error) = draft.write(Bytes::from(vec![1; 100_000])).await {
                failed = Some(error);
                break;
            }
        }
        assert!(matches!(failed, Some(BlobError::Io { action: "write", .. })), "{failed:?}");
        assert!(drafts(&dir).is_empty(), "before the draft is dropped");
        assert!(matches!(draft.finish().await, Err(BlobError::DraftLost { .. })));
        assert!(blobs.list(None, 10).await.unwrap().is_empty());
        assert_eq!(blobs.sweep(|_| false, later()).await.unwrap(), Swept::default());

        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Fsize);
        setrlimit(Resource::Fsize, Rlimit { current: limit.maximum, ..limit }).unwrap();
        let mut draft = blobs.draft(&owner()).await.unwrap();
        draft.write(Bytes::from(vec![1; 4_000_000])).await.unwrap();
        let written = draft.finish().await.unwrap();
        assert_eq!(blobs.check(&owner(), &written.id).await.unwrap(), written.contents);
    });
    println!("went on.");
}

#[test]
fn a_full_disk_leaves_no_draft() {
    let dir = CrashDir::new("blobs-full");
    let (mut child, mut out) = spawn(starved_child("write_until_full", 2000), &dir);
    let mut lines = String::new();
    out.read_to_string(&mut lines).unwrap();
    assert!(child.wait().unwrap().success(), "{lines}");
    assert!(lines.contains("went on."), "{lines}");
}
