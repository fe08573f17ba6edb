use std::fs;

use crate::Journal;
use crate::fixture::{Dir, append, key, log, record, small_segments};
use crate::format::HEADER_BYTES;

use super::*;

fn sequences(dir: &Dir, range: RangeInclusive<u64>, order: Order) -> Result<Vec<u64>, JournalError> {
    let mut sequences = Vec::new();
    read(dir.as_ref(), &key(), range, order, |found| {
        assert_eq!(found.bytes, record(found.sequence));
        assert!(found.sealed_at.elapsed().unwrap().as_secs() < 60);
        sequences.push(found.sequence);
        ControlFlow::Continue(())
    })?;
    Ok(sequences)
}

#[test]
fn any_range_reads_in_either_order() {
    let dir = log();
    let edges = [0, 1, 2, 4, 5, 12, 13, 20, 24, 25, 35, 36, 37, u64::MAX];
    for first in edges {
        for last in edges {
            let mut expected: Vec<u64> = (1..=36).filter(|sequence| (first..=last).contains(sequence)).collect();
            assert_eq!(sequences(&dir, first..=last, Order::OldestFirst).unwrap(), expected, "{first} to {last}");
            expected.reverse();
            assert_eq!(sequences(&dir, first..=last, Order::NewestFirst).unwrap(), expected, "{first} to {last}");
        }
    }
}

#[test]
fn reading_ends_when_the_reader_has_enough() {
    let dir = log();
    for (order, expected) in [(Order::OldestFirst, [1, 2, 3, 4, 5]), (Order::NewestFirst, [36, 35, 34, 33, 32])] {
        let mut found = Vec::new();
        let visit = |record: Record<'_>| {
            found.push(record.sequence);
            if found.len() == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        read(dir.as_ref(), &key(), 0..=u64::MAX, order, visit).unwrap();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_journal_reads_while_it_is_written() {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    for frames in 1..=8 {
        append(&journal, 1);
        let newest = sequences(&dir, 0..=u64::MAX, Order::NewestFirst).unwrap();
        assert_eq!(newest, (1..=4 * frames).rev().collect::<Vec<_>>());
    }
}

#[test]
fn an_unfinished_end_is_passed_over() {
    let dir = log();
    fs::write(dir.segment(4), [0; HEADER_BYTES]).unwrap();
    let last = dir.frames(3)[2].clone();
    let whole = fs::read(dir.segment(3)).unwrap();
    for length in [last.end - 1, last.start + 3, last.start] {
        fs::write(dir.segment(3), &whole[..length]).unwrap();
        let read = sequences(&dir, 0..=u64::MAX, Order::OldestFirst).unwrap();
        assert_eq!(read, (1..=32).collect::<Vec<_>>());
        let read = sequences(&dir, 30..=u64::MAX, Order::NewestFirst).unwrap();
        assert_eq!(read, [32, 31, 30]);
    }
}

#[test]
fn changed_bytes_are_refused_and_not_returned() {
    for (number, frame) in [(1, 2), (2, 0), (3, 1)] {
        let dir = log();
        let position = dir.frames(number)[frame].start + 40;
        dir.edit(number, |bytes| bytes[position] ^= 1);
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let refused = sequences(&dir, 0..=u64::MAX, order).unwrap_err();
            assert_eq!(refused.to_string(), format!("segment {number}: changed"));
        }
    }
    let dir = log();
    fs::copy(log().segment(2), dir.segment(2)).unwrap();
    assert!(sequences(&dir, 0..=u64::MAX, Order::OldestFirst).is_err());
    dir.edit(2, |bytes| bytes[40] ^= 1);
    assert!(sequences(&dir, 0..=u64::MAX, Order::OldestFirst).is_err());
    // What isn't touched reads as before.
    assert_eq!(sequences(&dir, 30..=31, Order::NewestFirst).unwrap(), [31, 30]);
}
