//! Real processes that are killed or run out of disk: the test runs itself again as the process that dies.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use crypto::{Key256, hex};
use installed::crash::{CrashDir, child, child_dir, spawn, starved_child};
use journal::{Config, Continuity, End, Journal, JournalError, Order, Ticket, read, verify};
use tokio::runtime;

fn key() -> Key256 {
    Key256::from_slice(&[7; 32]).unwrap()
}

/// Opens the journal again. A child that another test has just forked holds its lock until it executes its program.
fn reopen(dir: &Path) -> Journal {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match Journal::open(config(dir), &key()) {
            Err(JournalError::InUse { .. }) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.unwrap(),
        }
    }
}

fn config(dir: &Path) -> Config {
    Config { segment_bytes_max: 20_000, ..Config::new(dir) }
}

fn record(sequence: u64) -> Vec<u8> {
    let digest = crypto::sha256(&sequence.to_be_bytes());
    let length = usize::from(digest[0]) * 4;
    digest.into_iter().cycle().take(length).collect()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Whether the processes that die mark a record.
fn is_marked(sequence: u64) -> bool {
    sequence.is_multiple_of(3)
}

/// Appends the next record.
fn append(journal: &Journal) -> Ticket {
    let sequence = journal.last_sequence() + 1;
    let append = if is_marked(sequence) { Journal::append_marked } else { Journal::append };
    append(journal, &record(sequence)).unwrap()
}

/// That the log verifies and holds the records from 1 to its end, which is at least `acknowledged`, each marked if it
/// was and counted. Yields the end.
fn check(dir: &Path, acknowledged: u64) -> u64 {
    let report = verify(dir, &key()).unwrap();
    let (mut next, mut marked) = (1, 0);
    let visited = read(dir, &key(), 0..=u64::MAX, Order::OldestFirst, |found| {
        assert_eq!((found.sequence, found.bytes), (next, &*record(next)));
        assert_eq!(found.marked, is_marked(next));
        next += 1;
        marked += u64::from(found.marked);
        ControlFlow::Continue(())
    });
    visited.unwrap();
    assert_eq!((report.records, report.end.sequence, report.marked), (next - 1, next - 1, marked));
    assert!(report.end.sequence >= acknowledged, "{acknowledged} were acknowledged, {} are there", report.end.sequence);
    report.end.sequence
}

/// Appends and says what is durable until it is killed.
#[test]
#[ignore = "the process that `every_record_acknowledged_before_a_kill_is_there_after_it` kills"]
fn append_for_ever() {
    let Some(dir) = child_dir() else { return };
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let mut out = std::io::stdout();
    loop {
        let mut ticket = None;
        for _ in 0..1 + journal.last_sequence() % 7 {
            ticket = Some(append(&journal));
        }
        let ticket = ticket.unwrap();
        block_on(journal.durable(ticket)).unwrap();
        // A line written by halves doesn't count: its number is followed by a full stop.
        let (sequence, end) = (ticket.sequence(), hex::encode(&journal.durable_end().to_bytes()));
        writeln!(out, "end {end};\ndurable {sequence}.").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn every_record_acknowledged_before_a_kill_is_there_after_it() {
    let dir = CrashDir::new("journal-kill");
    let mut last = 0;
    for round in 0..20_u64 {
        let (mut child, mut out) = spawn(child("append_for_ever"), &dir);
        // Wait for the first acknowledgement, so that the kill doesn't merely hit the start.
        let mut lines = String::new();
        while round % 5 != 0 && !lines.contains("durable") {
            assert!(out.read_line(&mut lines).unwrap() > 0, "the process ended by itself");
        }
        std::thread::sleep(Duration::from_micros(round * 7_919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        out.read_to_string(&mut lines).unwrap();
        let durable = lines.lines().filter_map(|line| line.rsplit_once("durable ")?.1.strip_suffix('.')?.parse().ok());
        let acknowledged: u64 = durable.max().unwrap_or_default();
        assert!(round % 5 == 0 || acknowledged > last);
        let mut ends = lines.lines().filter_map(|line| line.rsplit_once("end ")?.1.strip_suffix(';'));
        let end = ends.next_back().and_then(|end| End::from_bytes(&hex::decode::<{ End::BYTES }>(end)?));
        assert_eq!(end.is_some(), acknowledged > 0);
        // As the kill left it, if it was begun, and again after a restart.
        if std::fs::metadata(dir.path().join("head.seal")).is_ok_and(|head| head.len() > 0) {
            check(dir.path(), acknowledged.max(last));
        }
        for _ in 0..2 {
            if let Some(end) = &end {
                assert_eq!(journal::continues(dir.path(), &key(), end).unwrap(), Continuity::Continues);
            }
            let journal = reopen(dir.path());
            let (marked, durable) = (journal.marked(), journal.durable_marked());
            journal.close().unwrap();
            last = check(dir.path(), acknowledged.max(last));
            assert_eq!((marked, durable), (last / 3, last / 3));
        }
    }
    assert!(last > 100, "{last} records in all");
}

/// Appends until the disk is full, says so, waits to be told that there is room, and goes on.
#[test]
#[ignore = "the process that `a_full_disk_refuses_until_there_is_room` starves"]
fn append_until_full() {
    let Some(dir) = child_dir() else { return };
    let journal = Journal::open(Config { segment_bytes_max: 1 << 30, ..Config::new(&dir) }, &key()).unwrap();
    let mut out = std::io::stdout();
    let mut durable = 0;
    loop {
        let ticket = append(&journal);
        match block_on(journal.durable(ticket)) {
            Ok(()) => durable = ticket.sequence(),
            Err(JournalError::Unwritable) => break,
            Err(error) => panic!("{error}"),
        }
        assert!(durable < 10_000, "the disk never gets full");
    }
    assert!(!journal.healthy());
    writeln!(out, "full after {durable}.").unwrap();
    out.flush().unwrap();

    std::io::stdin().read_exact(&mut [0]).unwrap();
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, rustix::process::Rlimit { current: limit.maximum, ..limit }).unwrap();
    let start = Instant::now();
    while !journal.healthy() {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1));
    }
    let ticket = append(&journal);
    block_on(journal.durable(ticket)).unwrap();
    assert_eq!(journal.durable_marked(), ticket.sequence() / 3);
    journal.close().unwrap();
}

#[test]
fn a_full_disk_refuses_until_there_is_room() {
    let dir = CrashDir::new("journal-full");
    let (mut child, mut out) = spawn(starved_child("append_until_full", 64), &dir);
    let mut lines = String::new();
    while !lines.contains("full after") {
        assert!(out.read_line(&mut lines).unwrap() > 0, "the process ended by itself: {lines}");
    }
    let full = lines.lines().find_map(|line| line.rsplit_once("full after ")?.1.strip_suffix('.'));
    let durable: u64 = full.unwrap().parse().unwrap();
    assert!(durable > 10, "{durable}");
    // The log is intact meanwhile.
    assert!(verify(dir.path(), &key()).unwrap().end.sequence >= durable);

    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    out.read_to_string(&mut lines).unwrap();
    assert!(child.wait().unwrap().success(), "{lines}");
    // The record that was refused is there too, and the one after it.
    assert_eq!(check(dir.path(), durable), durable + 2);
}

/// Appends marked records and says which of them can be read, without waiting for the disk, until it is killed.
#[test]
#[ignore = "the process that `a_marked_record_that_was_read_outlives_a_kill` kills"]
fn append_marked_for_ever() {
    let Some(dir) = child_dir() else { return };
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let mut out = std::io::stdout();
    loop {
        while !is_marked(append(&journal).sequence()) {}
        let sequence = journal.last_sequence();
        let mut found = false;
        while !found {
            read(&dir, &key(), sequence..=sequence, Order::NewestFirst, |_| {
                found = true;
                ControlFlow::Break(())
            })
            .unwrap();
        }
        writeln!(out, "marked {sequence}.").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_marked_record_that_was_read_outlives_a_kill() {
    let dir = CrashDir::new("journal-marked");
    let mut last = 0;
    for _ in 0..10 {
        let (mut child, mut out) = spawn(child("append_marked_for_ever"), &dir);
        let mut lines = String::new();
        while !lines.contains("marked ") {
            assert!(out.read_line(&mut lines).unwrap() > 0, "the process ended by itself");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        out.read_to_string(&mut lines).unwrap();
        let marked = lines.lines().filter_map(|line| line.rsplit_once("marked ")?.1.strip_suffix('.')?.parse().ok());
        let marked: u64 = marked.max().unwrap();
        assert!(marked > last);
        last = check(dir.path(), marked);
    }
}
