use std::fs;

use proptest::prelude::ProptestConfig;

use crate::fixture::{Dir, append, append_marked, config, edit, key, small_segments};
use crate::{Config, Journal, Retention};

use super::*;

/// A log of small segments, and the durable ends at its beginning and after each pair of frames, one of a marked record
/// and one of four others.
fn log(pairs: usize) -> (Dir, Vec<End>) {
    let dir = Dir::new();
    let ends = go_on(&dir, pairs);
    (dir, ends)
}

/// Appends to a log, and yields the durable ends on the way.
fn go_on(dir: &Dir, pairs: usize) -> Vec<End> {
    let journal = Journal::open(small_segments(dir), &key()).unwrap();
    let mut ends = vec![journal.durable_end()];
    for _ in 0..pairs {
        append_marked(&journal);
        append(&journal, 1);
        ends.push(journal.durable_end());
    }
    journal.close().unwrap();
    ends
}

fn ask(dir: &Dir, end: &End) -> Continuity {
    continues(dir.as_ref(), &key(), end).unwrap()
}

#[test]
fn a_log_goes_on_from_each_of_its_ends() {
    let (dir, ends) = log(8);
    assert!(dir.segments().len() > 2);
    for end in ends {
        assert_eq!(ask(&dir, &end), Continuity::Continues, "{end:?}");
        // Also when a crash left a head that covers part of the log only, or none that is valid.
        for other in [&[0_usize][..], &[4096], &[0, 4096]] {
            let copy = dir.copy();
            edit(&head::path(copy.as_ref()), |bytes| other.iter().for_each(|offset| bytes[offset + 20] ^= 1));
            assert_eq!(ask(&copy, &end), Continuity::Continues, "{end:?}");
        }
    }
}

#[test]
fn another_count_or_chain_in_that_place_is_rewritten() {
    let (dir, ends) = log(8);
    for end in ends {
        for forged in [End { marked: end.marked + 1, ..end }, End { chain: [9; 32], ..end }] {
            assert_eq!(ask(&dir, &forged), Continuity::Rewritten, "{end:?}");
        }
    }
}

#[test]
fn an_older_copy_is_behind_and_another_sequel_is_rewritten() {
    let (dir, ends) = log(2);
    let old = dir.copy();
    let newer = go_on(&dir, 4);
    for end in newer.iter().skip(1) {
        assert_eq!(ask(&old, end), Continuity::Behind { found_sequence: ends[2].sequence });
    }
    assert_eq!(ask(&old, &newer[0]), Continuity::Continues);
    // It goes on in another way, not as far, as far and farther.
    for frames in [2, 2, 4] {
        let journal = Journal::open(small_segments(&old), &key()).unwrap();
        for _ in 0..frames {
            journal.append(b"other").unwrap();
            append(&journal, 1);
        }
        journal.close().unwrap();
        for end in newer.iter().skip(1) {
            let found = ask(&old, end);
            let last = old.verify().unwrap().end.sequence;
            let expected =
                if end.sequence > last { Continuity::Behind { found_sequence: last } } else { Continuity::Rewritten };
            assert_eq!(found, expected, "{end:?}");
        }
    }
}

#[test]
fn an_end_that_was_cut_off_is_behind() {
    let (dir, ends) = log(8);
    let last = *ends.last().unwrap();
    let start = dir.frames(last.segment).last().unwrap().start;
    for length in [start, start + 30, last.offset as usize - 1] {
        let copy = dir.copy();
        copy.edit(last.segment, |bytes| bytes.truncate(length));
        // The last frame has four records.
        assert_eq!(ask(&copy, &last), Continuity::Behind { found_sequence: last.sequence - 4 });
        assert_eq!(ask(&copy, &ends[7]), Continuity::Continues);
    }
    let first = dir.verify().unwrap().segments.last().unwrap().first_sequence;
    fs::remove_file(dir.segment(last.segment)).unwrap();
    assert_eq!(ask(&dir, &last), Continuity::Behind { found_sequence: first - 1 });
    for number in dir.segments() {
        fs::remove_file(dir.segment(number)).unwrap();
    }
    assert_eq!(ask(&dir, &last), Continuity::Behind { found_sequence: 0 });
}

#[test]
fn damage_behind_an_end_leaves_it_standing() {
    let (dir, ends) = log(3);
    for end in &ends[..2] {
        let copy = dir.copy();
        copy.edit(end.segment, |bytes| bytes[end.offset as usize + 50] ^= 1);
        assert_eq!(ask(&copy, end), Continuity::Continues, "{end:?}");
    }
}

#[test]
fn damage_before_an_end_and_at_it_hides_it() {
    let (dir, ends) = log(8);
    dir.edit(2, |bytes| bytes[40] ^= 1);
    let inside = ends.iter().find(|end| end.segment == 2).unwrap();
    assert_eq!(ask(&dir, inside), Continuity::Rewritten);
}

#[test]
fn a_journal_that_is_gone_or_another_is_told_apart() {
    let (dir, ends) = log(2);
    let (other, _) = log(2);
    assert_eq!(ask(&other, &ends[1]), Continuity::OtherJournal);
    fs::remove_file(head::path(other.as_ref())).unwrap();
    assert_eq!(ask(&other, &ends[1]), Continuity::OtherJournal);
    let wrong = continues(dir.as_ref(), &Key256::random(), &ends[1]);
    assert!(matches!(wrong, Err(JournalError::WrongKey { .. })));
    for entry in fs::read_dir(&dir).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert_eq!(ask(&dir, &ends[1]), Continuity::Missing);
    fs::remove_dir(&dir).unwrap();
    assert_eq!(ask(&dir, &ends[1]), Continuity::Missing);
}

#[test]
fn an_end_before_what_is_kept_is_retired() {
    let dir = Dir::new();
    let retention = Retention { segments: Some(2), ..Default::default() };
    let journal = Journal::open(Config { retention, ..small_segments(&dir) }, &key()).unwrap();
    let mut ends = vec![journal.durable_end()];
    for _ in 0..12 {
        append(&journal, 1);
        ends.push(journal.durable_end());
    }
    journal.close().unwrap();
    let first = dir.verify().unwrap().first_sequence;
    assert!(first > 13);
    for end in ends {
        let expected = if end.sequence + 1 < first { Continuity::Retired } else { Continuity::Continues };
        assert_eq!(ask(&dir, &end), expected, "{end:?}");
    }
}

#[test]
fn an_end_of_a_journal_that_was_only_begun_is_found() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let end = journal.durable_end();
    journal.close().unwrap();
    assert_eq!(ask(&dir, &end), Continuity::Continues);
    // Without a head, a new journal is begun in the place of its first segment.
    fs::remove_file(head::path(dir.as_ref())).unwrap();
    assert_eq!(ask(&dir, &end), Continuity::Missing);
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_end_is_looked_for_without_a_panic(bytes: [u8; 32], segment in 0..5_u32, offset in proptest::num::u64::ANY) {
        let (dir, ends) = log(3);
        let end = End { segment, chain: bytes, ..ends[1] };
        for offset in [offset, offset % 2000, ends[1].offset] {
            proptest::prop_assert_ne!(ask(&dir, &End { offset, ..end }), Continuity::Continues);
        }
    }
}
