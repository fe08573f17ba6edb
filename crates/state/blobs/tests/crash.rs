//! Real processes that are killed or run out of disk: the test runs itself again as the process that dies.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use blobs::{BlobError, BlobId, Blobs, Owner, Swept};
use bytes::Bytes;
use crypto::Key256;

const DIR: &str = "SEALSTACK_BLOBS_TEST_DIR";

/// A directory that goes away with its test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("sealstack-blobs-{name}-{}", std::process::id())))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

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

/// The directory that this process is to write to, if it is the one that dies.
fn child_dir() -> Option<PathBuf> {
    std::env::var_os(DIR).map(PathBuf::from)
}

/// This test program again, running one test.
fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
    command
}

fn spawn(mut command: Command, dir: &Path) -> (Child, BufReader<ChildStdout>) {
    command.env(DIR, dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
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
            for piece in 0..round % 7 {
                draft.write(Bytes::from(vec![piece as u8; 40_000 * (round % 5)])).await.unwrap();
            }
            let written = draft.finish().await.unwrap();
            // A line written by halves does not count: it ends with a full stop.
            writeln!(out, "finished {} {}.", written.id, crypto::hex::encode(&written.contents.sha256)).unwrap();
            out.flush().unwrap();
        }
    });
}

#[test]
fn every_blob_that_was_finished_before_a_kill_opens_after_it() {
    let dir = Dir::new("kill");
    let mut finished = Vec::new();
    let mut leftovers = 0;
    for round in 0..20_u64 {
        let (mut child, mut out) = spawn(child("write_for_ever"), &dir.0);
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

        let blobs = open(&dir.0);
        block_on(async {
            for (id, sha256) in &finished {
                assert_eq!(blobs.check(&owner(), id).await.unwrap().sha256, *sha256, "{id}");
            }
            // What is visible is whole, also what was not acknowledged any more.
            let listed = blobs.list(None, usize::MAX).await.unwrap();
            for found in &listed {
                blobs.check(&owner(), &found.id).await.unwrap();
            }
            assert!(listed.len() <= finished.len() + 1, "at most one was finished and not acknowledged");
            let half_done = drafts(&dir.0).len();
            assert!(half_done <= 1);
            leftovers += half_done + listed.len() - finished.len();

            let referenced: HashSet<BlobId> = finished.iter().map(|(id, _)| *id).collect();
            let swept = blobs.sweep(move |id| referenced.contains(id), later()).await.unwrap();
            assert_eq!((swept.blobs, swept.drafts), ((listed.len() - finished.len()) as u64, half_done as u64));
            assert_eq!(blobs.list(None, usize::MAX).await.unwrap().len(), finished.len());
            assert!(drafts(&dir.0).is_empty());
        });
    }
    assert!(leftovers > 0, "no kill hit a draft: {} were finished", finished.len());
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
    let dir = Dir::new("full");
    // A limit on the size of files makes the system cut writes short, as a full disk does.
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" XFSZ; ulimit -S -f 2000; exec "$0" "$@""#]);
    let test = child("write_until_full");
    command.arg(test.get_program()).args(test.get_args());
    let (mut child, mut out) = spawn(command, &dir.0);
    let mut lines = String::new();
    out.read_to_string(&mut lines).unwrap();
    assert!(child.wait().unwrap().success(), "{lines}");
    assert!(lines.contains("went on."), "{lines}");
}
