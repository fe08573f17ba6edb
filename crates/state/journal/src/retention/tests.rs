use std::fs;

use crate::fixture::{Dir, append, key, keys, log, small_segments};
use crate::{Damage, Journal, Retention, head};

use super::*;

const DAY: u64 = 24 * 3_600_000;

fn judged(dir: &Dir, retention: Retention, now: u64) -> u32 {
    let config = Config { retention, ..small_segments(dir) };
    let kept = Oldest { segment: 1, sequence: 1 };
    let oldest = oldest(&config, &keys(), 3, kept, now);
    // Each segment holds twelve records.
    assert_eq!(oldest.sequence, u64::from(oldest.segment - 1) * 12 + 1);
    oldest.segment
}

#[test]
fn every_limit_retires_the_oldest_and_never_the_open_segment() {
    let dir = log();
    let now = crate::clock::millis();
    let length = |number| fs::metadata(dir.segment(number)).unwrap().len();
    let last_two = length(2) + length(3);
    let cases = [
        (Retention::default(), now + 999 * DAY, 1),
        (Retention { segments: Some(3), ..Default::default() }, now, 1),
        (Retention { segments: Some(2), ..Default::default() }, now, 2),
        (Retention { segments: Some(0), ..Default::default() }, now, 3),
        (Retention { bytes: Some(u64::MAX), ..Default::default() }, now, 1),
        (Retention { bytes: Some(last_two), ..Default::default() }, now, 2),
        (Retention { bytes: Some(last_two - 1), ..Default::default() }, now, 3),
        (Retention { bytes: Some(0), ..Default::default() }, now, 3),
        (Retention { days: Some(7), ..Default::default() }, now + 6 * DAY, 1),
        (Retention { days: Some(7), ..Default::default() }, now + 8 * DAY, 3),
        (Retention { segments: Some(2), days: Some(7), ..Default::default() }, now, 2),
    ];
    for (retention, now, expected) in cases {
        assert_eq!(judged(&dir, retention, now), expected, "{retention:?}");
    }
}

#[test]
fn a_segment_whose_successor_cannot_be_read_is_kept() {
    let dir = log();
    dir.edit(2, |bytes| bytes[40] ^= 1);
    let retention = Retention { segments: Some(1), ..Default::default() };
    assert_eq!(judged(&dir, retention, crate::clock::millis()), 1);
}

#[test]
fn retired_segments_are_gone_and_not_missed() {
    let dir = Dir::new();
    let retention = Retention { segments: Some(2), ..Default::default() };
    let journal = Journal::open(Config { retention, ..small_segments(&dir) }, &key()).unwrap();
    append(&journal, 12);
    assert_eq!(dir.segments(), [3, 4]);
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.first_sequence, report.end.sequence), (24, 25, 48));
    journal.close().unwrap();

    // Beyond what was retired, nothing may be missing.
    fs::remove_file(dir.segment(3)).unwrap();
    let findings = dir.findings();
    assert_eq!((findings[0].records, findings[0].damage), (Some((25, 36)), Damage::Removed));
}

#[test]
fn segments_that_a_crash_kept_from_being_removed_are_no_part_of_the_log() {
    let dir = Dir::new();
    let retention = Retention { segments: Some(2), ..Default::default() };
    let config = Config { retention, ..small_segments(&dir) };
    let journal = Journal::open(config.clone(), &key()).unwrap();
    append(&journal, 6);
    let old = dir.copy();
    append(&journal, 1);
    journal.close().unwrap();
    assert_eq!(dir.segments(), [2, 3]);
    fs::copy(old.segment(1), dir.segment(1)).unwrap();
    assert_eq!(dir.verify().unwrap().first_sequence, 13);
    Journal::open(config, &key()).unwrap().close().unwrap();
    assert_eq!(dir.segments(), [2, 3]);
}

#[test]
fn the_head_says_what_is_retired_before_it_is() {
    let dir = Dir::new();
    let retention = Retention { segments: Some(1), ..Default::default() };
    let journal = Journal::open(Config { retention, ..small_segments(&dir) }, &key()).unwrap();
    append(&journal, 4);
    let slot = head::read(dir.as_ref(), &keys()).unwrap().newest.unwrap();
    assert_eq!((slot.first_segment, slot.first_sequence), (2, 13));
}

#[test]
fn a_clock_of_its_own_says_how_old_a_segment_is() {
    let dir = log();
    let today = crate::clock::millis();
    let retention = Retention { days: Some(7), ..Default::default() };
    let clock = crate::RetentionClock::new(move || today);
    let config = Config { retention, retention_clock: Some(clock), ..small_segments(&dir) };
    let kept = Oldest { segment: 1, sequence: 1 };
    assert_eq!(oldest(&config, &keys(), 3, kept, today + 999 * DAY), kept);
}
