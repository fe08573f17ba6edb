//! Journals for tests: where they lie, what is in them, and hands to damage them with.

use std::fs;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use crypto::{Key256, random_bytes, sha256};

use crate::format::{HEADER_BYTES, Keys};
use crate::segment::{self, Segment};
use crate::{Config, Finding, Findings, Journal, JournalError, Order, Report, Ticket, read, verify};

/// A directory that goes away with its test.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        let mut name = [0; 8];
        random_bytes(&mut name);
        Self(std::env::temp_dir().join(format!("sealstack-journal-{:016x}", u64::from_be_bytes(name))))
    }

    /// Another directory with the same files.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        copy.restore(self);
        copy
    }

    /// Puts back the files of `other`, and removes all others.
    pub(crate) fn restore(&self, other: &Self) {
        let _ = fs::remove_dir_all(&self.0);
        fs::create_dir(&self.0).unwrap();
        for entry in fs::read_dir(&other.0).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), self.0.join(entry.file_name())).unwrap();
        }
    }

    pub(crate) fn segment(&self, number: u32) -> PathBuf {
        segment::path(&self.0, number)
    }

    pub(crate) fn segments(&self) -> Vec<u32> {
        segment::list(&self.0).unwrap()
    }

    /// Changes the bytes of a segment.
    pub(crate) fn edit(&self, number: u32, change: impl FnOnce(&mut Vec<u8>)) {
        edit(&self.segment(number), change);
    }

    /// Where the frames of a segment lie in its file.
    pub(crate) fn frames(&self, number: u32) -> Vec<Range<usize>> {
        let segment = Segment::open(&self.0, &keys(), number).unwrap().unwrap();
        let (mut frames, mut offset) = (Vec::new(), segment.start());
        while let Some(next) = segment.next(offset).unwrap() {
            frames.push(offset as usize..next as usize);
            offset = next;
        }
        assert_eq!(offset, segment.length, "a segment of whole frames");
        frames
    }

    pub(crate) fn verify(&self) -> Result<Report, JournalError> {
        verify(&self.0, &key())
    }

    /// Findings of a verification, which must fail.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        match self.verify() {
            Err(JournalError::Broken(Findings { listed, unlisted: 0 })) => listed,
            other => panic!("expected findings: {other:?}"),
        }
    }

    pub(crate) fn records(&self) -> Vec<(u64, Vec<u8>)> {
        let mut records = Vec::new();
        let visited = read(&self.0, &key(), 0..=u64::MAX, Order::OldestFirst, |record| {
            records.push((record.sequence, record.bytes.to_vec()));
            ControlFlow::Continue(())
        });
        visited.unwrap();
        records
    }

    /// That the log holds the records that [`append`] makes, from 1 to `last`, and verifies.
    #[track_caller]
    pub(crate) fn assert_holds(&self, last: u64) -> Report {
        let expected: Vec<_> = (1..=last).map(|sequence| (sequence, record(sequence))).collect();
        assert!(self.records() == expected, "the records up to {last} are there");
        let report = self.verify().unwrap();
        assert_eq!((report.records, report.end.sequence), (last, last));
        report
    }
}

impl AsRef<Path> for Dir {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

pub(crate) fn key() -> Key256 {
    Key256::from_slice(&[7; 32]).unwrap()
}

pub(crate) fn keys() -> Keys {
    Keys::new(&key())
}

/// The record that tests append as `sequence`. It doesn't compress, so that frames have about the same length.
pub(crate) fn record(sequence: u64) -> Vec<u8> {
    let start = sha256(&sequence.to_be_bytes());
    [start, sha256(&start)].concat()
}

pub(crate) fn config(dir: &Dir) -> Config {
    Config::new(dir.as_ref())
}

/// Three frames of [`append`]'s to a segment.
pub(crate) fn small_segments(dir: &Dir) -> Config {
    Config { segment_bytes_max: 1300 + HEADER_BYTES as u64, ..config(dir) }
}

/// Appends `frames` frames of four records each.
pub(crate) fn append(journal: &Journal, frames: usize) {
    for _ in 0..frames {
        for _ in 0..4 {
            let next = journal.last_sequence() + 1;
            assert_eq!(journal.append(&record(next)).unwrap().sequence(), next);
        }
        sync(journal);
    }
}

/// Appends a frame of one marked record.
pub(crate) fn append_marked(journal: &Journal) {
    journal.append_marked(b"marked").unwrap();
    sync(journal);
}

fn sync(journal: &Journal) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(journal.sync()).unwrap();
}

/// Appends `sequence`'s record as tests do that mark some: every third.
pub(crate) fn append_some_marked(journal: &Journal, sequence: u64) -> Ticket {
    let append = if sequence.is_multiple_of(3) { Journal::append_marked } else { Journal::append };
    let ticket = append(journal, &record(sequence)).unwrap();
    assert_eq!(ticket.sequence(), sequence);
    ticket
}

/// A journal that was written in version 1: [`append`]'s records 1 to 12 and 13 to 20 in two segments.
pub(crate) fn version_1() -> Dir {
    let dir = Dir::new();
    fs::create_dir(&dir).unwrap();
    for file in ["00000001.seal", "00000002.seal", "head.seal"] {
        fs::copy(version_1_file(file), dir.0.join(file)).unwrap();
    }
    dir
}

/// The same with a head that covers the first 16 records only, as a crash may leave it.
pub(crate) fn version_1_crashed() -> Dir {
    let dir = version_1();
    fs::copy(version_1_file("head-behind.seal"), dir.0.join("head.seal")).unwrap();
    dir
}

fn version_1_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/version_1").join(name)
}

/// Three segments of three frames of four records: 1 to 12, 13 to 24, 25 to 36.
pub(crate) fn log() -> Dir {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    append(&journal, 9);
    journal.close().unwrap();
    assert_eq!(dir.segments(), [1, 2, 3]);
    for number in 1..=3 {
        assert_eq!(dir.frames(number).len(), 3);
    }
    dir
}
