use std::fs;

use crate::disk::OsDisk;
use crate::fixture::{
    Dir, append, append_marked, config, edit, key, keys, log, small_segments, version_1, version_1_crashed,
};
use crate::format::{SLOT_BYTES, SLOT_SPACING};
use crate::{Continuity, Damage, End, Journal, Note, Retention, continues};

use super::*;

fn resume(dir: &Dir) -> Resume {
    recover(&OsDisk, dir.as_ref(), &keys()).unwrap().resume
}

/// A log of `frames` frames in one segment, whose head covers the first `vouched` only, as if the server had been
/// killed before it synced the others.
fn unsynced(vouched: usize, frames: usize) -> Dir {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    append(&journal, vouched);
    journal.close().unwrap();
    let head = fs::read(head::path(dir.as_ref())).unwrap();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    append(&journal, frames - vouched);
    journal.close().unwrap();
    fs::write(head::path(dir.as_ref()), head).unwrap();
    dir
}

fn reopen(dir: &Dir, frames: usize) {
    let journal = Journal::open(config(dir), &key()).unwrap();
    append(&journal, frames);
    journal.close().unwrap();
}

#[test]
fn a_closed_journal_goes_on_in_its_last_segment() {
    let dir = Dir::new();
    for frames in 1..=3 {
        reopen(&dir, 1);
        dir.assert_holds(4 * frames);
    }
    assert_eq!(dir.segments(), [1]);
    assert_eq!(dir.frames(1).len(), 3);
}

#[test]
fn opening_and_closing_writes_nothing() {
    let dir = log();
    let before = dir.copy();
    reopen(&dir, 0);
    for number in dir.segments() {
        assert_eq!(fs::read(dir.segment(number)).unwrap(), fs::read(before.segment(number)).unwrap());
    }
    assert_eq!(fs::read(head::path(dir.as_ref())).unwrap(), fs::read(head::path(before.as_ref())).unwrap());
}

#[test]
fn whole_frames_behind_the_head_are_kept() {
    let dir = unsynced(1, 4);
    assert_eq!(dir.verify().unwrap().records, 16);
    reopen(&dir, 1);
    assert_eq!(dir.segments(), [1]);
    assert_eq!(dir.assert_holds(20).notes, []);
}

#[test]
fn an_incomplete_last_frame_is_cut_off_wherever_it_ends() {
    let whole = unsynced(1, 3);
    let last = whole.frames(1)[2].clone();
    let bytes = fs::read(whole.segment(1)).unwrap();
    for end in (last.start + 1..last.end).step_by(3) {
        let dir = whole.copy();
        fs::write(dir.segment(1), &bytes[..end]).unwrap();
        let torn = (end - last.start) as u64;
        // Before the restart it is verified as well.
        assert_eq!(dir.verify().unwrap().notes, [Note::Unfinished { segment: 1, bytes: torn }]);
        reopen(&dir, 1);
        assert_eq!(fs::metadata(dir.segment(1)).unwrap().len(), last.start as u64);
        assert_eq!(dir.assert_holds(12).notes, [Note::Torn { segment: 1, bytes: torn }]);
    }
}

#[test]
fn a_last_frame_that_never_reached_the_disk_is_cut_off() {
    // A file may have grown before its bytes were written.
    for fill in [0, 0xff] {
        let dir = unsynced(1, 3);
        let last = dir.frames(1)[2].clone();
        dir.edit(1, |bytes| bytes[last.clone()].fill(fill));
        reopen(&dir, 1);
        assert_eq!(dir.assert_holds(12).notes, [Note::Torn { segment: 1, bytes: last.len() as u64 }]);
    }
}

#[test]
fn the_log_lasts_as_far_as_it_is_whole() {
    // A loss of power may leave later bytes and not earlier ones.
    let damaged = |dir: &Dir| {
        let frame = dir.frames(1)[2].clone();
        dir.edit(1, |bytes| bytes[frame.start + 50] ^= 1);
    };
    // A frame that stands there a second time is no part of the log either.
    let repeated = |dir: &Dir| {
        let frames = dir.frames(1);
        dir.edit(1, |bytes| drop(bytes.splice(frames[2].start..frames[2].start, bytes[frames[0].clone()].to_vec())));
    };
    for (damage, noted) in [(&damaged as &dyn Fn(&Dir), true), (&repeated, false)] {
        let dir = unsynced(1, 4);
        let start = dir.frames(1)[2].start as u64;
        damage(&dir);
        let bytes = fs::metadata(dir.segment(1)).unwrap().len() - start;
        match dir.verify() {
            Ok(report) => assert_eq!(report.notes, [Note::Unfinished { segment: 1, bytes }]),
            Err(error) => assert!(!noted, "{error}"),
        }
        reopen(&dir, 1);
        assert_eq!(dir.assert_holds(12).notes, [Note::Torn { segment: 1, bytes }]);
    }
}

#[test]
fn what_is_missing_from_the_end_stays_on_record() {
    let dir = log();
    let start = dir.frames(3)[1].start;
    dir.edit(3, |bytes| bytes.truncate(start));
    reopen(&dir, 2);
    let findings = dir.findings();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].to_string(), "segment 4: records 29 to 36: removed from the end of the log");
    let sequences: Vec<_> = dir.records().into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(sequences, (1..=28).chain(37..=44).collect::<Vec<_>>());
}

#[test]
fn a_missing_last_segment_stays_on_record() {
    let dir = log();
    fs::remove_file(dir.segment(3)).unwrap();
    reopen(&dir, 1);
    assert_eq!(dir.segments(), [1, 2, 4]);
    assert_eq!(dir.findings()[0].to_string(), "segment 3: records 25 to 36: removed from the end of the log");
}

#[test]
fn segments_behind_the_head_are_followed() {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    append(&journal, 2);
    let head = fs::read(head::path(dir.as_ref())).unwrap();
    append(&journal, 6);
    journal.close().unwrap();
    fs::write(head::path(dir.as_ref()), head).unwrap();
    assert!(matches!(resume(&dir), Resume::Continue { end: Position { segment: 3, sequence: 32, .. }, .. }));
    reopen(&dir, 1);
    dir.assert_holds(36);
}

#[test]
fn a_gap_behind_the_head_stays_on_record() {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    append(&journal, 2);
    let head = fs::read(head::path(dir.as_ref())).unwrap();
    append(&journal, 7);
    journal.close().unwrap();
    fs::write(head::path(dir.as_ref()), head).unwrap();
    fs::remove_file(dir.segment(2)).unwrap();
    reopen(&dir, 1);
    assert_eq!(dir.segments(), [1, 3, 4]);
    let findings = dir.findings();
    assert_eq!((findings[0].records, findings[0].damage), (Some((13, 24)), Damage::Removed));
    assert_eq!(findings.len(), 1);
    assert_eq!(dir.records().last().unwrap().0, 40);
}

#[test]
fn a_head_whose_copies_differ_is_settled() {
    let dir = Dir::new();
    reopen(&dir, 1);
    let path = head::path(dir.as_ref());
    let old = fs::read(&path).unwrap();
    reopen(&dir, 1);
    let newest = head::read(dir.as_ref(), &keys()).unwrap().newest.unwrap();
    let older = usize::from(1 - Slot::place(newest.counter)) * SLOT_SPACING as usize;
    edit(&path, |bytes| bytes[older..older + SLOT_BYTES].copy_from_slice(&old[older..older + SLOT_BYTES]));
    assert!(!head::read(dir.as_ref(), &keys()).unwrap().settled());
    reopen(&dir, 0);
    assert!(head::read(dir.as_ref(), &keys()).unwrap().settled());
    dir.assert_holds(8);
}

#[test]
fn a_segment_that_was_just_being_begun_is_begun_again() {
    let header = fs::read(log().segment(2)).unwrap()[..HEADER_BYTES].to_vec();
    for length in [0, 1, HEADER_BYTES - 1] {
        let dir = Dir::new();
        let journal = Journal::open(small_segments(&dir), &key()).unwrap();
        append(&journal, 3);
        journal.close().unwrap();
        fs::write(dir.segment(2), &header[..length]).unwrap();
        assert_eq!(dir.verify().unwrap().records, 12);
        let journal = Journal::open(small_segments(&dir), &key()).unwrap();
        append(&journal, 1);
        journal.close().unwrap();
        assert_eq!(dir.segments(), [1, 2]);
        dir.assert_holds(16);
    }
}

#[test]
fn a_journal_that_was_just_being_begun_is_begun_again() {
    let begun = Dir::new();
    Journal::open(config(&begun), &key()).unwrap().close().unwrap();
    for length in [0, 50, HEADER_BYTES] {
        let dir = begun.copy();
        fs::remove_file(head::path(dir.as_ref())).unwrap();
        dir.edit(1, |bytes| bytes.truncate(length));
        reopen(&dir, 1);
        dir.assert_holds(4);
    }
}

#[test]
fn strange_segments_are_left_alone_and_passed() {
    let (dir, other) = (log(), log());
    fs::copy(other.segment(3), dir.segment(4)).unwrap();
    fs::write(dir.as_ref().join("5.seal"), "not a segment's name").unwrap();
    reopen(&dir, 1);
    assert_eq!(dir.segments(), [1, 2, 3, 4, 5]);
    let findings = dir.findings();
    assert_eq!((findings[0].segment, findings[0].damage), (4, Damage::Foreign));
    assert_eq!((findings[1].segment, findings[1].damage), (4, Damage::Removed));
    assert_eq!(findings.len(), 2);
}

#[test]
fn the_log_does_not_go_on_in_another_journals_segment() {
    let dir = log();
    let other = Dir::new();
    let journal = Journal::open(small_segments(&other), &key()).unwrap();
    append(&journal, 8);
    let start = fs::metadata(dir.segment(3)).unwrap().len();
    journal.close().unwrap();
    let journal = Journal::open(config(&other), &key()).unwrap();
    append(&journal, 9);
    journal.close().unwrap();
    // It is longer than the one that it replaces, and its frames open.
    assert!(fs::metadata(other.segment(3)).unwrap().len() > start);
    fs::copy(other.segment(3), dir.segment(3)).unwrap();
    reopen(&dir, 1);
    assert_eq!(dir.segments(), [1, 2, 3, 4]);
    let findings = dir.findings();
    assert_eq!((findings[0].segment, findings[0].damage), (3, Damage::Foreign));
    assert_eq!((findings[1].records, findings[1].damage), (Some((25, 36)), Damage::Truncated));
    assert_eq!(findings.len(), 2);
}

#[test]
fn no_segment_number_is_used_twice() {
    let dir = log();
    fs::write(dir.segment(NUMBER_MAX), "the last number there is").unwrap();
    assert!(matches!(Journal::open(config(&dir), &key()), Err(JournalError::Io { .. })));
}

#[test]
fn a_damaged_copy_of_the_head_is_mended() {
    let dir = log();
    edit(&head::path(dir.as_ref()), |bytes| bytes[30] ^= 1);
    reopen(&dir, 0);
    assert_eq!(dir.assert_holds(36).notes, []);
}

#[test]
fn another_key_is_refused_and_changes_nothing() {
    let dir = log();
    let before = dir.copy();
    let opened = Journal::open(config(&dir), &crypto::Key256::random());
    assert!(matches!(opened, Err(JournalError::WrongKey { .. })));
    fs::remove_file(head::path(dir.as_ref())).unwrap();
    let opened = Journal::open(config(&dir), &crypto::Key256::random());
    assert!(matches!(opened, Err(JournalError::WrongKey { .. })));
    fs::copy(head::path(before.as_ref()), head::path(dir.as_ref())).unwrap();
    dir.assert_holds(36);
}

#[test]
fn the_count_of_marked_records_is_that_of_what_survived() {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    append_marked(&journal);
    let head = fs::read(head::path(dir.as_ref())).unwrap();
    for _ in 0..9 {
        append(&journal, 1);
        append_marked(&journal);
    }
    journal.close().unwrap();
    assert!(dir.segments().len() > 2);
    fs::write(head::path(dir.as_ref()), head).unwrap();
    let reopen = |dir: &Dir| {
        let journal = Journal::open(small_segments(dir), &key()).unwrap();
        let found = (journal.marked(), journal.durable_marked());
        append_marked(&journal);
        journal.close().unwrap();
        assert_eq!(dir.verify().unwrap().marked, found.0 + 1);
        found
    };
    let torn = dir.copy();
    assert_eq!(reopen(&dir), (10, 10));
    assert_eq!(reopen(&dir), (11, 11));
    // The last frame is a marked record.
    let last = *torn.segments().last().unwrap();
    torn.edit(last, |bytes| bytes.truncate(bytes.len() - 1));
    assert_eq!(reopen(&torn), (9, 9));
}

#[test]
fn marked_records_that_are_missing_from_the_end_are_not_counted_again() {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    for _ in 0..3 {
        append_marked(&journal);
    }
    journal.close().unwrap();
    let start = dir.frames(1)[1].start;
    dir.edit(1, |bytes| bytes.truncate(start));
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    // The head covers them.
    assert_eq!(journal.marked(), 3);
    append_marked(&journal);
    journal.close().unwrap();
    let findings = dir.findings();
    assert_eq!((findings[0].records, findings[0].damage), (Some((2, 3)), Damage::Truncated));
    assert_eq!(findings.len(), 1);
}

mod version_1 {
    use super::*;

    #[test]
    fn it_is_read_and_verified() {
        for dir in [version_1(), version_1_crashed()] {
            let report = dir.assert_holds(20);
            let end = "20:623f9b7ca0110004c9cd5b3efc51d7f00d64b8ce68fa1ac1cb726993b8ca15c8";
            assert_eq!((report.end.to_string().as_str(), report.notes), (end, Vec::new()));
            assert_eq!((report.marked, report.marked_before), (0, 0));
            assert_eq!(crate::head_anchor(dir.as_ref(), &key()).unwrap(), None);
        }
    }

    #[test]
    fn it_goes_on_in_a_new_segment() {
        for dir in [version_1(), version_1_crashed()] {
            let slot = head::read(dir.as_ref(), &keys()).unwrap().newest.unwrap();
            let noted = End::new(slot.journal, &slot.end);
            for (life, segments) in [(1, &[1, 2, 3][..]), (2, &[1, 2, 3])] {
                assert_eq!(continues(dir.as_ref(), &key(), &noted).unwrap(), Continuity::Continues);
                let journal = Journal::open(config(&dir), &key()).unwrap();
                assert_eq!((journal.found_anchor(), journal.marked()), (None, 0));
                append(&journal, 1);
                journal.close().unwrap();
                assert_eq!(dir.segments(), segments);
                assert_eq!(dir.assert_holds(20 + 4 * life).notes, []);
                assert!(head::read(dir.as_ref(), &keys()).unwrap().settled());
            }
            let journal = Journal::open(config(&dir), &key()).unwrap();
            append_marked(&journal);
            journal.set_anchor([7; 64]);
            journal.close().unwrap();
            assert_eq!(dir.verify().unwrap().marked, 1);
            assert_eq!(crate::head_anchor(dir.as_ref(), &key()).unwrap(), Some([7; 64]));
        }
    }

    #[test]
    fn an_incomplete_last_frame_is_cut_off() {
        let dir = version_1_crashed();
        let last = dir.frames(2)[1].clone();
        dir.edit(2, |bytes| bytes.truncate(last.end - 1));
        reopen(&dir, 1);
        let bytes = last.len() as u64 - 1;
        assert_eq!(dir.assert_holds(20).notes, [Note::Torn { segment: 2, bytes }]);
    }

    #[test]
    fn a_head_whose_second_copy_is_older_or_gone_is_followed() {
        let dir = version_1();
        let newest = head::read(dir.as_ref(), &keys()).unwrap().newest.unwrap();
        let place = u64::from(Slot::place(newest.counter)) * SLOT_SPACING;
        edit(&head::path(dir.as_ref()), |bytes| bytes[place as usize + 20] ^= 1);
        reopen(&dir, 1);
        assert_eq!(dir.assert_holds(24).notes, []);
    }

    #[test]
    fn what_is_amiss_with_it_is_found() {
        let dir = version_1();
        for number in 1..=2 {
            for position in (0..fs::metadata(dir.segment(number)).unwrap().len() as usize).step_by(7) {
                dir.edit(number, |bytes| bytes[position] ^= 0x40);
                let findings = dir.findings();
                assert!(findings.iter().all(|found| found.segment == number), "byte {position}: {findings:?}");
                assert_eq!(findings.len(), 1, "byte {position}: {findings:?}");
                dir.edit(number, |bytes| bytes[position] ^= 0x40);
            }
        }
        fs::remove_file(head::path(dir.as_ref())).unwrap();
        reopen(&dir, 1);
        assert_eq!(dir.records().len(), 24);
        assert_eq!(dir.findings()[0].damage, Damage::HeadMissing);
    }

    #[test]
    fn its_segments_are_retired_as_others_are() {
        let dir = version_1();
        let retention = Retention { segments: Some(2), ..Default::default() };
        let journal = Journal::open(crate::Config { retention, ..small_segments(&dir) }, &key()).unwrap();
        append(&journal, 4);
        journal.close().unwrap();
        assert_eq!(dir.segments(), [3, 4]);
        assert_eq!(dir.verify().unwrap().first_sequence, 21);
    }
}
