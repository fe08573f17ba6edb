//! The writer on a disk that fails: at chosen operations, at random, and by losing what wasn't synced.

use std::sync::{Arc, Mutex};

use crypto::random_bytes;
use tokio::runtime;

use crate::fixture::{Dir, append, append_some_marked, config, key, keys, record, small_segments};
use crate::{Continuity, Journal, Retention, continues};

use super::*;

mod faulty;
use faulty::{FaultyDisk, Outcome, Request};

/// Small numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn wait_until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never happens");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_disk_that_fails_in_any_way_refuses_and_loses_nothing() {
    for failing in [Request::Write, Request::Sync, Request::SyncHead, Request::Create, Request::SyncDir] {
        let dir = Dir::new();
        let disk = FaultyDisk::new(|_| Outcome::Done);
        let journal = Journal::open_on(disk.clone(), small_segments(&dir), &key()).unwrap();
        append(&journal, 2);
        disk.change(move |request| if request == failing { Outcome::Failed } else { Outcome::Done });
        // Enough for another segment, so that every kind of request is made.
        for sequence in 9..=40 {
            let ticket = append_some_marked(&journal, sequence);
            if sequence % 4 == 0 {
                let _ = block_on(journal.durable(ticket));
            }
        }
        wait_until(|| !journal.healthy());
        assert!(matches!(block_on(journal.sync()), Err(JournalError::Unwritable)), "{failing:?}");
        // Records are still taken, and kept until they can be written.
        let ticket = journal.append(&record(41)).unwrap();
        disk.change(|_| Outcome::Done);
        wait_until(|| journal.healthy());
        block_on(journal.durable(ticket)).unwrap();
        // Of the records 9 to 40, every third is marked.
        assert_eq!((journal.marked(), journal.durable_marked()), (11, 11));
        journal.close().unwrap();
        assert_eq!(dir.assert_holds(41).marked, 11);
    }
}

#[test]
fn a_full_disk_fills_the_buffer_and_no_more() {
    let dir = Dir::new();
    let disk = FaultyDisk::new(|_| Outcome::Done);
    let config = Config { buffer_bytes_max: 64 << 10, ..config(&dir) };
    let journal = Journal::open_on(disk.clone(), config, &key()).unwrap();
    disk.change(|request| if request == Request::Write { Outcome::Failed } else { Outcome::Done });
    let mut last = 0;
    let start = Instant::now();
    let refused = loop {
        match journal.append(&record(last + 1)) {
            Ok(ticket) => last = ticket.sequence(),
            Err(refused) => break refused,
        }
        assert!(start.elapsed() < Duration::from_secs(20));
    };
    assert!(matches!(refused, JournalError::Full));
    assert!(journal.waiting_bytes() <= 64 << 10);
    wait_until(|| !journal.healthy());
    disk.change(|_| Outcome::Done);
    wait_until(|| journal.healthy() && journal.waiting_bytes() == 0);
    block_on(journal.durable(journal.append(&record(last + 1)).unwrap())).unwrap();
    journal.close().unwrap();
    dir.assert_holds(last + 1);
}

#[test]
fn closing_on_a_broken_disk_says_so_and_ends() {
    let dir = Dir::new();
    let disk = FaultyDisk::new(|_| Outcome::Done);
    let journal = Journal::open_on(disk.clone(), config(&dir), &key()).unwrap();
    append(&journal, 1);
    disk.change(|_| Outcome::Failed);
    journal.append(&record(5)).unwrap();
    assert!(matches!(journal.close(), Err(JournalError::Unwritable)));
    // What was promised is there.
    let journal = Journal::open(config(&dir), &key()).unwrap();
    append(&journal, 1);
    journal.close().unwrap();
    dir.assert_holds(8);
}

#[test]
fn faults_at_random_lose_and_repeat_nothing() {
    for seed in 1..=40 {
        let dir = Dir::new();
        let disk = FaultyDisk::new(|_| Outcome::Done);
        let journal = Journal::open_on(disk.clone(), small_segments(&dir), &key()).unwrap();
        let (mut faults, mut dice) = (Dice(seed * 7919), Dice(seed * 104_729));
        disk.change(move |_| if faults.roll(4) == 0 { Outcome::Failed } else { Outcome::Done });
        for sequence in 1..=100 {
            let ticket = append_some_marked(&journal, sequence);
            if dice.roll(5) == 0 {
                let _ = block_on(journal.durable(ticket));
            }
            if dice.roll(20) == 0 {
                std::thread::sleep(Duration::from_millis(dice.roll(40)));
            }
        }
        disk.change(|_| Outcome::Done);
        wait_until(|| journal.healthy());
        journal.close().unwrap();
        assert_eq!(dir.assert_holds(100).marked, 33);
    }
}

/// Opens a journal on a disk where one in `faults` requests fails, if any, and which ends after `requests` requests.
/// Appends until then, and yields what was durable at the end.
fn live(
    disk: &FaultyDisk,
    config: &Config,
    (requests, end): (u64, Outcome),
    faults: Option<u64>,
    seed: u64,
) -> Option<End> {
    let (mut remaining, mut dice) = (requests, Dice(seed));
    disk.change(move |_| match remaining.checked_sub(1) {
        Some(_) if faults.is_some_and(|faults| dice.roll(faults) == 0) => Outcome::Failed,
        Some(left) => {
            remaining = left;
            Outcome::Done
        }
        None => end,
    });
    let (mut refused, mut dice) = (0, Dice(seed));
    let journal = Journal::open_on(disk.clone(), config.clone(), &key()).ok()?;
    for _ in 0..200 {
        let sequence = journal.last_sequence() + 1;
        let ticket = append_some_marked(&journal, sequence);
        journal.set_anchor([sequence as u8 | 1; 64]);
        if dice.roll(4) == 0 {
            match block_on(journal.durable(ticket)) {
                Ok(()) => assert!(journal.durable_end().sequence >= sequence),
                Err(_) if faults.is_some() && refused < 10 => refused += 1,
                Err(_) => break,
            }
        }
        if dice.roll(8) == 0 {
            std::thread::sleep(Duration::from_millis(dice.roll(30)));
        }
    }
    let durable = journal.durable_end();
    let _ = journal.close();
    Some(durable)
}

#[test]
fn a_loss_of_power_at_any_moment_loses_nothing_acknowledged() {
    for seed in 1..=100_u64 {
        let (dir, mut dice) = (Dir::new(), Dice(seed * 7919));
        let disk = FaultyDisk::new(|_| Outcome::Done);
        let retention = Retention { segments: seed.is_multiple_of(3).then_some(2), ..Retention::default() };
        let config = Config { flush_millis: 1, retention, ..small_segments(&dir) };
        // The process is killed first, then the machine.
        let killed = live(&disk, &config, (7 + seed % 50, Outcome::Killed), None, seed * 104_729);
        let (requests, faults) = (dice.roll(40), seed.is_multiple_of(2).then_some(5));
        let last_life = live(&disk, &config, (requests, Outcome::Failed), faults, seed * 1_299_709);
        let durable = last_life.or(killed);
        disk.lose_power(|bytes| match dice.roll(3) {
            0 => 0,
            1 => bytes,
            _ => dice.roll(bytes as u64 + 1) as usize,
        });
        if let Some(durable) = &durable {
            let continuity = continues(dir.as_ref(), &key(), durable).unwrap();
            let retired = retention != Retention::default() && continuity == Continuity::Retired;
            assert!(retired || continuity == Continuity::Continues, "seed {seed}: {continuity:?}");
        }
        let verified = dir.verify();
        let journal = Journal::open(config, &key()).unwrap();
        let last = journal.last_sequence();
        let acknowledged = durable.map_or(0, |durable| durable.sequence);
        assert!(last >= acknowledged, "seed {seed}: {acknowledged} were acknowledged, {last} are there");
        let verified = verified.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        // Whatever was lost, the count is that of what is there.
        assert_eq!((verified.marked, journal.marked(), journal.durable_marked()), (last / 3, last / 3, last / 3));
        let anchor = journal.found_anchor();
        assert!(anchor.is_none_or(|anchor| anchor[0] != 0 && anchor == [anchor[0]; 64]), "seed {seed}: {anchor:?}");
        append(&journal, 2);
        journal.close().unwrap();
        if retention == Retention::default() {
            dir.assert_holds(last + 8);
        } else {
            assert_eq!(dir.verify().unwrap().end.sequence, last + 8, "seed {seed}");
        }
    }
}

#[test]
fn a_head_whose_sync_failed_is_written_again() {
    let dir = Dir::new();
    let disk = FaultyDisk::new(|_| Outcome::Done);
    let journal = Journal::open_on(disk.clone(), config(&dir), &key()).unwrap();
    append(&journal, 1);
    // Let the second slot follow, and then only the log's sync succeed.
    let settled = || head::read(dir.as_ref(), &keys()).unwrap().settled();
    wait_until(settled);
    let mut failures = 1;
    disk.change(move |request| {
        if request == Request::SyncHead && failures > 0 {
            failures -= 1;
            return Outcome::Failed;
        }
        Outcome::Done
    });
    append(&journal, 1);
    wait_until(|| !journal.healthy() || settled());
    wait_until(|| journal.healthy() && settled());
    disk.change(|_| Outcome::Killed);
    assert_eq!(dir.verify().unwrap().end.sequence, 8);
    assert_eq!(dir.verify().unwrap().notes, []);
}

#[test]
fn a_head_that_cannot_be_synced_keeps_the_journal_from_being_healthy() {
    let dir = Dir::new();
    let disk = FaultyDisk::new(|_| Outcome::Done);
    let journal = Journal::open_on(disk.clone(), config(&dir), &key()).unwrap();
    disk.change(|request| {
        if request == Request::SyncHead {
            std::thread::sleep(Duration::from_millis(3));
            return Outcome::Failed;
        }
        Outcome::Done
    });
    append(&journal, 1);
    wait_until(|| !journal.healthy());
    // It is tried again and again, and no attempt looks like a success.
    for _ in 0..300 {
        assert!(!journal.healthy());
        std::thread::sleep(Duration::from_millis(1));
    }
    disk.change(|_| Outcome::Done);
    wait_until(|| journal.healthy());
    journal.close().unwrap();
    dir.assert_holds(4);
}

#[test]
fn a_segment_is_begun_once_however_often_the_head_fails_to_follow() {
    let dir = Dir::new();
    let disk = FaultyDisk::new(|_| Outcome::Done);
    let journal = Journal::open_on(disk.clone(), small_segments(&dir), &key()).unwrap();
    append(&journal, 3);
    let creations = Arc::new(Mutex::new(0));
    let (counted, mut failures) = (Arc::clone(&creations), 4);
    disk.change(move |request| match request {
        Request::Create => {
            *counted.lock().unwrap() += 1;
            Outcome::Done
        }
        Request::SyncHead if failures > 0 => {
            failures -= 1;
            Outcome::Failed
        }
        _ => Outcome::Done,
    });
    for sequence in 13..=16 {
        journal.append(&record(sequence)).unwrap();
    }
    wait_until(|| journal.healthy() && dir.verify().is_ok_and(|report| report.end.sequence == 16));
    journal.close().unwrap();
    assert_eq!((*creations.lock().unwrap(), dir.segments()), (1, vec![1, 2]));
    dir.assert_holds(16);
}

#[test]
fn what_a_killed_server_left_is_synced_before_the_head_vouches_for_it() {
    let dir = Dir::new();
    let disk = FaultyDisk::new(|_| Outcome::Done);
    let journal = Journal::open_on(disk.clone(), config(&dir), &key()).unwrap();
    append(&journal, 1);
    disk.change(|request| match request {
        Request::Sync | Request::SyncHead => Outcome::Killed,
        _ => Outcome::Done,
    });
    journal.append(&record(5)).unwrap();
    journal.close().unwrap_err();
    disk.change(|_| Outcome::Done);
    let journal = Journal::open_on(disk.clone(), config(&dir), &key()).unwrap();
    assert_eq!(journal.last_sequence(), 5);
    disk.change(|_| Outcome::Failed);
    disk.lose_power(|bytes| bytes);
    drop(journal);
    dir.assert_holds(5);
}

#[test]
fn records_that_nobody_waits_for_are_durable_in_time() {
    let dir = Dir::new();
    let disk = FaultyDisk::new(|_| Outcome::Done);
    let journal = Journal::open_on(disk.clone(), config(&dir), &key()).unwrap();
    let mut fastest = Duration::MAX;
    for sequence in 1..=5 {
        let start = Instant::now();
        journal.append(&record(sequence)).unwrap();
        // The head covers what is synced and nothing else.
        wait_until(|| {
            let head = head::read(dir.as_ref(), &keys()).unwrap();
            head.newest.is_some_and(|slot| slot.end.sequence == sequence)
        });
        fastest = fastest.min(start.elapsed());
    }
    assert!(fastest >= Duration::from_millis(50), "they are gathered: {fastest:?}");
    // A disk that stalls once isn't the writer's doing.
    assert!(fastest <= Duration::from_millis(200), "{fastest:?}");
}

#[test]
fn whoever_waits_at_the_same_time_shares_a_sync() {
    let dir = Dir::new();
    let syncs = Arc::new(Mutex::new(0_u32));
    let counted = Arc::clone(&syncs);
    let disk = FaultyDisk::new(move |request| {
        if matches!(request, Request::Sync | Request::SyncHead) {
            *counted.lock().unwrap() += 1;
            std::thread::sleep(Duration::from_millis(2));
        }
        Outcome::Done
    });
    let journal = Journal::open_on(disk, config(&dir), &key()).unwrap();
    *syncs.lock().unwrap() = 0;
    std::thread::scope(|scope| {
        for _ in 0..16 {
            let journal = journal.clone();
            scope.spawn(move || {
                for _ in 0..10 {
                    block_on(journal.durable(journal.append(b"{}").unwrap())).unwrap();
                }
            });
        }
    });
    let syncs = *syncs.lock().unwrap();
    assert!(syncs < 80, "{syncs} syncs for 160 records");
}

#[test]
fn a_segment_is_closed_when_it_is_old() {
    let config = config(&Dir::new());
    let hour = 3_600_000;
    let now = clock::millis();
    assert!(!aged(&config, now - 23 * hour));
    assert!(aged(&config, now - 25 * hour));
    assert!(!aged(&Config { segment_hours_max: 0, ..config }, 0));
}

#[test]
fn no_segment_is_begun_before_the_last_one_holds_a_record() {
    let dir = Dir::new();
    let config = Config { segment_bytes_max: 0, ..config(&dir) };
    for frames in 1..=3 {
        let journal = Journal::open(config.clone(), &key()).unwrap();
        append(&journal, 1);
        journal.close().unwrap();
        assert_eq!(dir.segments(), (1..=frames).collect::<Vec<_>>());
    }
}

#[test]
fn a_large_backlog_is_split_into_frames() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let mut records = Vec::new();
    for length in [0, 1, crate::RECORD_BYTES_MAX, 700, crate::RECORD_BYTES_MAX - 1] {
        for _ in 0..8 {
            let mut bytes = vec![0; length];
            random_bytes(&mut bytes);
            let sequence = journal.append(&bytes).unwrap().sequence();
            records.push((sequence, bytes));
        }
    }
    journal.close().unwrap();
    assert!(dir.records() == records);
    assert_eq!(dir.verify().unwrap().records, 40);
}

#[test]
fn a_marked_record_can_be_read_at_once_and_is_synced_as_late_as_others() {
    let dir = Dir::new();
    let syncs = Arc::new(Mutex::new(0_u32));
    let counted = Arc::clone(&syncs);
    let disk = FaultyDisk::new(move |request| {
        *counted.lock().unwrap() += u32::from(request == Request::Sync);
        Outcome::Done
    });
    let flush = Duration::from_millis(400);
    let config = Config { flush_millis: 400, ..config(&dir) };
    let journal = Journal::open_on(disk, config, &key()).unwrap();
    *syncs.lock().unwrap() = 0;
    for round in 1..=3_u32 {
        // Nothing else is to wake the writer.
        wait_until(|| head::read(dir.as_ref(), &keys()).unwrap().settled());
        std::thread::sleep(Duration::from_millis(20));
        let start = Instant::now();
        let last = 2 * u64::from(round);
        journal.append(&record(last - 1)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(dir.records().len() as u64, last - 2, "a plain record waits");
        journal.append_marked(&record(last)).unwrap();
        wait_until(|| dir.records().len() as u64 == last);
        assert!(start.elapsed() < flush / 2, "{:?}", start.elapsed());
        wait_until(|| journal.durable_marked() == u64::from(round));
        assert!(start.elapsed() >= flush);
        assert_eq!(*syncs.lock().unwrap(), round, "one sync each");
    }
    journal.close().unwrap();
    dir.assert_holds(6);
}

#[test]
fn a_burst_of_marked_records_is_written_together() {
    let dir = Dir::new();
    let writes = Arc::new(Mutex::new(0_u32));
    let counted = Arc::clone(&writes);
    let disk = FaultyDisk::new(move |request| {
        if request == Request::Write {
            *counted.lock().unwrap() += 1;
            std::thread::sleep(Duration::from_millis(20));
        }
        Outcome::Done
    });
    let journal = Journal::open_on(disk, config(&dir), &key()).unwrap();
    *writes.lock().unwrap() = 0;
    for sequence in 1..=300 {
        journal.append_marked(&record(sequence)).unwrap();
    }
    wait_until(|| dir.records().len() == 300);
    let writes = *writes.lock().unwrap();
    assert!(writes <= 10, "{writes} writes for 300 records");
}

#[test]
fn an_anchor_reaches_the_head_though_nothing_is_appended() {
    let dir = Dir::new();
    let syncs = Arc::new(Mutex::new((0_u32, 0_u32)));
    let counted = Arc::clone(&syncs);
    let disk = FaultyDisk::new(move |request| {
        let mut counted = counted.lock().unwrap();
        counted.0 += u32::from(request == Request::Sync);
        counted.1 += u32::from(request == Request::SyncHead);
        Outcome::Done
    });
    let journal = Journal::open_on(disk, config(&dir), &key()).unwrap();
    append(&journal, 1);
    let head = || head::read(dir.as_ref(), &keys()).unwrap();
    wait_until(|| head().settled());
    // Let the writer fall asleep with nothing due.
    std::thread::sleep(Duration::from_millis(50));
    *syncs.lock().unwrap() = (0, 0);
    let mut fastest = Duration::MAX;
    for anchor in 1..=4 {
        let start = Instant::now();
        journal.set_anchor([anchor; 64]);
        wait_until(|| head().newest.is_some_and(|slot| slot.anchor == [anchor; 64]));
        fastest = fastest.min(start.elapsed());
        wait_until(|| head().settled());
        assert_eq!(head().newest.unwrap().end.sequence, 4);
    }
    assert!(fastest >= Duration::from_millis(50), "they are gathered: {fastest:?}");
    assert!(fastest <= Duration::from_millis(160), "{fastest:?}");
    let (segment, head_syncs) = *syncs.lock().unwrap();
    assert_eq!(segment, 0, "the log has nothing to sync");
    assert!(head_syncs <= 8, "{head_syncs} syncs of the head for 4 anchors");
    // The same again is nothing new.
    journal.set_anchor([4; 64]);
    let before = head().newest;
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(head().newest, before);
}

#[test]
fn the_newest_anchor_goes_with_whatever_is_written_to_the_head() {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    // Enough for several segments.
    for anchor in 1..=8 {
        journal.set_anchor([0xff; 64]);
        journal.set_anchor([anchor; 64]);
        append(&journal, 1);
        let slot = head::read(dir.as_ref(), &keys()).unwrap().newest.unwrap();
        assert_eq!((slot.anchor, slot.end.sequence), ([anchor; 64], 4 * u64::from(anchor)));
    }
    assert!(dir.segments().len() > 2);
}

#[test]
fn an_anchor_that_cannot_be_written_is_written_later() {
    let dir = Dir::new();
    let disk = FaultyDisk::new(|_| Outcome::Done);
    let journal = Journal::open_on(disk.clone(), config(&dir), &key()).unwrap();
    disk.change(|request| if request == Request::Write { Outcome::Failed } else { Outcome::Done });
    journal.set_anchor([1; 64]);
    wait_until(|| !journal.healthy());
    journal.set_anchor([2; 64]);
    disk.change(|_| Outcome::Done);
    wait_until(|| journal.healthy());
    wait_until(|| head::read(dir.as_ref(), &keys()).unwrap().newest.is_some_and(|slot| slot.anchor == [2; 64]));
}
