use std::fs;

use crate::fixture::{Dir, append, append_marked, config, edit, key, keys, log, small_segments};
use crate::format::{Entries, Entry, Frame, FrameInfo, SLOT_BYTES, SLOT_SPACING, seal_unchecked};
use crate::{Journal, Note};

use super::*;

fn finding(segment: u32, records: impl Into<Option<(u64, u64)>>, damage: Damage) -> Finding {
    Finding { segment, records: records.into(), damage }
}

/// The sealed bytes of frame `index` of a segment, opened: what it says, and its entries.
fn open_frame(dir: &Dir, number: u32, index: usize) -> (FrameInfo, Vec<u8>) {
    let bytes = fs::read(dir.segment(number)).unwrap();
    let range = dir.frames(number)[index].clone();
    let segment = Segment::open(dir.as_ref(), &keys(), number).unwrap().unwrap();
    let key = keys().segment(&segment.header.unwrap().journal, number);
    let frame = Frame::open(&key, segment.version, &bytes[range.start + 4..range.end]).unwrap();
    let mut raw = Vec::new();
    frame.entries(&mut raw).unwrap();
    (frame.info, raw)
}

/// Puts another frame in the place of frame `index`.
fn forge(dir: &Dir, number: u32, index: usize, info: &FrameInfo, raw: &[u8]) {
    let range = dir.frames(number)[index].clone();
    let segment = Segment::open(dir.as_ref(), &keys(), number).unwrap().unwrap();
    let key = keys().segment(&segment.header.unwrap().journal, number);
    let frame = seal_unchecked(&key, info, raw);
    dir.edit(number, |bytes| drop(bytes.splice(range, frame)));
}

fn entries(raw: &[u8]) -> Vec<Entry<'_>> {
    Entries::of(raw).collect::<Result<_, _>>().unwrap()
}

/// Entries with these sequences and records, each linked to the one before. Yields them and the chain after.
fn linked(mut chain: Chain, records: &[(u64, Vec<u8>)]) -> (Vec<u8>, Chain) {
    let mut raw = Vec::new();
    for (sequence, record) in records {
        let start = raw.len();
        Entry::write(&mut raw, record.len() as u32, false, *sequence, record);
        raw[start + 4..start + 36].copy_from_slice(&chain);
        chain = entries(&raw[start..])[0].chain();
    }
    (raw, chain)
}

fn owned(raw: &[u8]) -> Vec<(u64, Vec<u8>)> {
    entries(raw).iter().map(|entry| (entry.sequence, entry.record.to_vec())).collect()
}

#[test]
fn an_intact_log_is_reported_by_segment() {
    let report = log().verify().unwrap();
    assert_eq!((report.records, report.first_sequence, report.end.sequence), (36, 1, 36));
    let segments: Vec<_> = report.segments.iter().map(|s| (s.number, s.records, s.first_sequence)).collect();
    assert_eq!(segments, [(1, 12, 1), (2, 12, 13), (3, 12, 25)]);
    for segment in report.segments {
        let age = segment.opened_at.elapsed().unwrap();
        assert!(age < Duration::from_secs(60) && segment.opened_at <= segment.sealed_at, "{segment:?}");
    }
    assert_eq!(report.notes, []);
}

#[test]
fn a_journal_without_records_is_intact() {
    let dir = Dir::new();
    Journal::open(config(&dir), &key()).unwrap().close().unwrap();
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.first_sequence, report.end.sequence), (0, 1, 0));
}

#[test]
fn a_log_that_is_being_written_is_intact() {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    for frames in 1..=8 {
        append(&journal, 1);
        assert_eq!(dir.verify().unwrap().records, 4 * frames);
    }
}

#[test]
fn any_changed_byte_of_a_segment_is_found_and_named() {
    let dir = log();
    for number in 1..=3 {
        let length = fs::metadata(dir.segment(number)).unwrap().len() as usize;
        let frames = dir.frames(number);
        // Every byte of lengths and of the header, and a sample of the rest.
        let edges = frames.iter().flat_map(|frame| frame.start..frame.start + 24).chain(0..HEADER_BYTES);
        for position in edges.chain((0..length).step_by(11)) {
            dir.edit(number, |bytes| bytes[position] ^= 0x40);
            let findings = dir.findings();
            dir.edit(number, |bytes| bytes[position] ^= 0x40);
            let found = findings.first().unwrap();
            assert!(matches!(found.damage, Damage::Changed | Damage::Foreign | Damage::Reordered), "{found:?}");
            assert_eq!(found.segment, number, "byte {position}");
            if let Some(index) = frames.iter().position(|frame| frame.contains(&position)) {
                let first = 12 * u64::from(number - 1) + 4 * index as u64 + 1;
                let (from, to) = found.records.unwrap();
                // After a changed length, the rest of the segment can't be told apart.
                let last = if position < frames[index].start + 4 { 12 * u64::from(number) } else { first + 3 };
                assert_eq!(from, first, "byte {position}");
                assert!((first + 3..=last).contains(&to), "byte {position}: {found:?}");
                assert_eq!(findings.len(), 1);
            }
        }
    }
    dir.assert_holds(36);
}

#[test]
fn removed_frames_are_found_and_named() {
    let check = |number: u32, index: usize, expected: Finding| {
        let dir = log();
        let range = dir.frames(number)[index].clone();
        dir.edit(number, |bytes| drop(bytes.drain(range)));
        assert_eq!(dir.findings(), [expected]);
    };
    check(1, 0, finding(1, (1, 4), Damage::Removed));
    check(1, 1, finding(1, (5, 8), Damage::Removed));
    // What is gone from the end of a segment is missed at the beginning of the next.
    check(2, 2, finding(3, (21, 24), Damage::Removed));
    check(3, 0, finding(3, (25, 28), Damage::Removed));
    check(3, 2, finding(3, (33, 36), Damage::Truncated));
}

#[test]
fn moved_and_repeated_frames_are_found_and_named() {
    let dir = log();
    let frames = dir.frames(2);
    dir.edit(2, |bytes| {
        let first: Vec<_> = bytes.drain(frames[0].clone()).collect();
        let at = frames[1].len() + frames[0].start;
        drop(bytes.splice(at..at, first));
    });
    assert_eq!(dir.findings(), [finding(2, (13, 16), Damage::Reordered)]);

    let dir = log();
    let frames = dir.frames(2);
    dir.edit(2, |bytes| bytes.extend_from_within(frames[1].clone()));
    assert_eq!(dir.findings(), [finding(2, (17, 20), Damage::Repeated)]);

    // A frame opens in its own segment only.
    let dir = log();
    let (from, to) = (dir.frames(1)[0].clone(), dir.frames(3)[1].clone());
    let frame = fs::read(dir.segment(1)).unwrap()[from].to_vec();
    dir.edit(3, |bytes| drop(bytes.splice(to, frame)));
    assert_eq!(dir.findings(), [finding(3, (29, 32), Damage::Changed)]);
}

#[test]
fn removed_segments_are_found_and_named() {
    let check = |numbers: &[u32], expected: &[Finding]| {
        let dir = log();
        for &number in numbers {
            fs::remove_file(dir.segment(number)).unwrap();
        }
        assert_eq!(dir.findings(), expected);
    };
    check(&[1], &[finding(1, (1, 12), Damage::Removed)]);
    check(&[2], &[finding(2, (13, 24), Damage::Removed)]);
    check(&[1, 2], &[finding(1, (1, 24), Damage::Removed)]);
    check(&[3], &[finding(3, (25, 36), Damage::Truncated)]);
    check(&[2, 3], &[finding(3, (13, 36), Damage::Truncated)]);
    check(&[1, 2, 3], &[finding(3, (1, 36), Damage::Truncated)]);
}

#[test]
fn segments_under_other_names_are_found() {
    let dir = log();
    fs::rename(dir.segment(2), dir.segment(9)).unwrap();
    fs::rename(dir.segment(3), dir.segment(2)).unwrap();
    fs::rename(dir.segment(9), dir.segment(3)).unwrap();
    assert_eq!(dir.findings(), [finding(2, None, Damage::Reordered), finding(3, None, Damage::Reordered)]);

    let dir = log();
    fs::copy(dir.segment(1), dir.segment(4)).unwrap();
    assert_eq!(dir.findings(), [finding(4, None, Damage::Reordered), finding(4, None, Damage::Repeated)]);
}

#[test]
fn a_segment_of_another_journal_is_found() {
    let (dir, other) = (log(), log());
    fs::copy(other.segment(2), dir.segment(2)).unwrap();
    assert_eq!(dir.findings(), [finding(2, None, Damage::Foreign), finding(2, (13, 24), Damage::Removed)]);
}

#[test]
fn a_cut_tail_is_found_wherever_it_is_cut() {
    let dir = log();
    let whole = fs::read(dir.segment(3)).unwrap();
    let frames = dir.frames(3);
    for length in (0..whole.len()).rev().step_by(7).chain(frames.iter().map(|frame| frame.start)) {
        fs::write(dir.segment(3), &whole[..length]).unwrap();
        let findings = dir.findings();
        let left = frames.iter().filter(|frame| frame.end <= length).count() as u64;
        let last = findings.last().unwrap();
        assert_eq!(last.records, Some((25 + 4 * left, 36)), "{length} bytes");
        let clean = frames.iter().any(|frame| frame.start == length);
        let expected = if clean { Damage::Truncated } else { Damage::Changed };
        assert_eq!(last.damage, expected, "{length} bytes");
    }
}

#[test]
fn the_head_vouches_through_either_copy() {
    let dir = log();
    for place in 0..2 {
        let copy = dir.copy();
        edit(&head::path(copy.as_ref()), |bytes| bytes[place * SLOT_SPACING as usize + 20] ^= 1);
        assert_eq!(copy.verify().unwrap().notes, [Note::HeadCopyDamaged]);
        // Neither copy alone may hide that the tail is gone.
        let start = copy.frames(3)[2].start;
        copy.edit(3, |bytes| bytes.truncate(start));
        assert_eq!(copy.findings(), [finding(3, (33, 36), Damage::Truncated)]);
    }
    // A copy in the other's place is no copy.
    let copy = dir.copy();
    edit(&head::path(copy.as_ref()), |bytes| bytes.copy_within(0..SLOT_BYTES, SLOT_SPACING as usize));
    assert_eq!(copy.verify().unwrap().notes, [Note::HeadCopyDamaged]);
}

#[test]
fn a_missing_or_changed_head_is_found_and_stays_on_record() {
    let check = |damage: &dyn Fn(&Path), expected: Damage| {
        let dir = log();
        damage(&head::path(dir.as_ref()));
        assert_eq!(dir.findings(), [finding(0, None, expected)]);
        let journal = Journal::open(small_segments(&dir), &key()).unwrap();
        append(&journal, 1);
        journal.close().unwrap();
        assert_eq!(dir.records().len(), 40);
        assert_eq!(dir.findings(), [finding(4, None, Damage::HeadMissing)]);
    };
    check(&|path| fs::remove_file(path).unwrap(), Damage::HeadMissing);
    check(&|path| edit(path, |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 1)), Damage::HeadChanged);
}

#[test]
fn a_directory_without_a_journal_is_a_finding() {
    let dir = log();
    for entry in fs::read_dir(&dir).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert_eq!(dir.findings(), [finding(0, None, Damage::HeadMissing)]);
}

#[test]
fn another_key_opens_nothing() {
    let dir = log();
    let other = Key256::random();
    assert!(matches!(verify(dir.as_ref(), &other), Err(JournalError::WrongKey { .. })));
}

#[test]
fn an_anchor_may_name_any_record() {
    let dir = log();
    for (index, sequence) in [(0, 13), (1, 18), (1, 19), (2, 24)] {
        let (info, raw) = open_frame(&dir, 2, index);
        let mut anchor = Anchor { sequence, chain: [0; 32] };
        anchor.chain = entries(&raw)[(sequence - info.first_sequence) as usize].chain();
        assert_eq!(verify_against(dir.as_ref(), &key(), &[anchor.into()]).unwrap().records, 36);
        anchor.chain[9] ^= 1;
        let found = verify_against(dir.as_ref(), &key(), &[anchor.into()]).unwrap_err();
        let expected = format!("segment 2: record {sequence}: not the records that the chain of hashes vouches for");
        assert_eq!(found.to_string(), expected);
    }
}

#[test]
fn an_anchor_proves_nothing_once_its_record_is_retired() {
    let dir = Dir::new();
    let retention = crate::Retention { segments: Some(2), ..Default::default() };
    let journal = Journal::open(crate::Config { retention, ..small_segments(&dir) }, &key()).unwrap();
    append(&journal, 3);
    let anchor = dir.verify().unwrap().end;
    append(&journal, 4);
    // The first record that is retained is linked to it.
    assert_eq!(verify_against(dir.as_ref(), &key(), &[anchor.into()]).unwrap().notes, []);
    let forged = Anchor { chain: [0; 32], ..anchor };
    assert!(verify_against(dir.as_ref(), &key(), &[forged.into()]).is_err());
    append(&journal, 3);
    assert_eq!(verify_against(dir.as_ref(), &key(), &[forged.into()]).unwrap().notes, [Note::AnchorRetired]);
}

#[test]
fn a_log_that_was_put_back_is_found_with_an_anchor_only() {
    let dir = log();
    let old = dir.copy();
    let before = dir.verify().unwrap().end;
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    append(&journal, 4);
    journal.close().unwrap();
    let after = dir.verify().unwrap().end;
    for anchor in [before, after] {
        assert_eq!(verify_against(dir.as_ref(), &key(), &[anchor.into()]).unwrap().records, 52);
    }

    dir.restore(&old);
    assert_eq!(dir.verify().unwrap().records, 36);
    let found = verify_against(dir.as_ref(), &key(), &[after.into()]).unwrap_err();
    assert_eq!(found.to_string(), "segment 3: records 37 to 52: removed from the end of the log");
}

/// A log of three small segments or more, in which every second frame is a marked record.
fn marked_log(marked: u64) -> Dir {
    let dir = Dir::new();
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    for _ in 0..marked {
        append(&journal, 1);
        append_marked(&journal);
    }
    journal.close().unwrap();
    dir
}

#[test]
fn marked_records_are_counted_from_the_beginning_also_where_it_was_retired() {
    let dir = marked_log(7);
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.marked, report.marked_before), (35, 7, 0));
    let retention = crate::Retention { segments: Some(2), ..Default::default() };
    let journal = Journal::open(crate::Config { retention, ..small_segments(&dir) }, &key()).unwrap();
    append(&journal, 3);
    append_marked(&journal);
    journal.close().unwrap();
    let report = dir.verify().unwrap();
    assert_eq!(report.marked, 8);
    // Each fifth record is marked, up to the last seven that were.
    assert!(report.first_sequence > 5);
    assert_eq!(report.marked_before, ((report.first_sequence - 1) / 5).min(7));
    // Who takes a segment without being retention doesn't change the count.
    let number = report.segments[0].number;
    fs::remove_file(dir.segment(number)).unwrap();
    assert!(dir.findings().iter().all(|found| found.damage == Damage::Removed));
}

#[test]
fn a_noted_end_vouches_for_journal_records_and_marks() {
    let dir = marked_log(3);
    let journal = Journal::open(small_segments(&dir), &key()).unwrap();
    let end = journal.durable_end();
    append_marked(&journal);
    append(&journal, 3);
    journal.close().unwrap();
    let found = |end: End| match verify_against(dir.as_ref(), &key(), &[end.into()]) {
        Ok(report) => {
            assert_eq!(report.marked, 4);
            Vec::new()
        }
        Err(JournalError::Broken(findings)) => findings.listed,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(found(end), []);
    let segment = end.segment;
    assert_eq!(found(End { marked: 4, ..end }), [finding(segment, (15, 15), Damage::Miscounted)]);
    assert_eq!(found(End { chain: [0; 32], ..end }), [finding(segment, (15, 15), Damage::Rewritten)]);
    assert_eq!(found(End { journal: [0; 16], ..end }), [finding(0, None, Damage::Foreign)]);
    // Of several, each counts.
    let anchor = Anchor { sequence: 16, chain: [0; 32] };
    assert!(verify_against(dir.as_ref(), &key(), &[end.into(), anchor.into()]).is_err());
}

mod with_the_key {
    use super::*;

    /// The finding after frame 1 of segment 2, which holds the records 17 to 20, was replaced.
    fn forged(change: impl FnOnce(&mut FrameInfo, Vec<u8>) -> Vec<u8>) -> Vec<Finding> {
        let dir = log();
        let (mut info, raw) = open_frame(&dir, 2, 1);
        let raw = change(&mut info, raw);
        forge(&dir, 2, 1, &info, &raw);
        dir.findings()
    }

    /// Puts another head in the place of the one that is there.
    fn forge_head(dir: &Dir, change: impl FnOnce(&mut Slot)) {
        let mut slot = head::read(dir.as_ref(), &keys()).unwrap().newest.unwrap();
        change(&mut slot);
        edit(&head::path(dir.as_ref()), |bytes| {
            for counter in [slot.counter, slot.counter + 1] {
                let sealed = Slot { counter, ..slot }.seal(&keys().head());
                let start = usize::from(Slot::place(counter)) * SLOT_SPACING as usize;
                bytes[start..start + sealed.len()].copy_from_slice(&sealed);
            }
        });
    }

    #[test]
    fn marks_that_do_not_add_up_are_found() {
        // A mark added to a record, and one more counted in a frame.
        let mark = |_: &mut FrameInfo, mut raw: Vec<u8>| {
            raw[0] |= 0x80;
            raw
        };
        assert_eq!(forged(mark), [finding(2, (17, 20), Damage::Miscounted)]);
        let count = |info: &mut FrameInfo, raw: Vec<u8>| {
            info.marked += 1;
            raw
        };
        assert_eq!(forged(count), [finding(2, (17, 20), Damage::Miscounted)]);
        // Both, which the next frame contradicts.
        let both = forged(|info, raw| {
            let raw = count(info, raw);
            mark(info, raw)
        });
        assert_eq!(both, [finding(2, (21, 24), Damage::Miscounted)]);

        // One more before a segment.
        let dir = log();
        let segment = Segment::open(dir.as_ref(), &keys(), 2).unwrap().unwrap();
        let forged = Header { marked: 1, ..segment.header.unwrap() }.seal(&keys());
        dir.edit(2, |bytes| bytes[..HEADER_BYTES].copy_from_slice(&forged));
        assert_eq!(dir.findings(), [finding(2, None, Damage::Miscounted)]);

        // One more in the head.
        let dir = log();
        forge_head(&dir, |slot| slot.end.marked = 1);
        assert_eq!(dir.findings(), [finding(3, (36, 36), Damage::Miscounted)]);
    }

    #[test]
    fn a_marked_record_left_out_is_found_once() {
        let dir = marked_log(1);
        let (info, raw) = open_frame(&dir, 1, 1);
        assert_eq!(info.marked, 1);
        // Its frame holds another record as well, so that something is left of it.
        let (mut raw, before) = (raw, info.before);
        let mut records = owned(&raw);
        records.push((6, b"another".to_vec()));
        (raw, _) = linked(before, &records);
        let split = raw.len() - entries(&raw)[1].record.len() - 44;
        let after = entries(&raw)[1].chain();
        let info = FrameInfo { records: 2, after, ..info };
        forge(&dir, 1, 1, &info, &raw[split..]);
        forge_head(&dir, |slot| (slot.end.sequence, slot.end.chain) = (6, after));
        assert_eq!(dir.findings(), [finding(1, (5, 5), Damage::Removed)]);
    }

    #[test]
    fn a_journal_whose_marks_were_all_taken_away_contradicts_a_noted_end() {
        let dir = marked_log(1);
        let slot = head::read(dir.as_ref(), &keys()).unwrap().newest.unwrap();
        let end = End::new(slot.journal, &slot.end);
        let (info, mut raw) = open_frame(&dir, 1, 1);
        raw[0] &= 0x7f;
        forge(&dir, 1, 1, &FrameInfo { marked: 0, ..info }, &raw);
        forge_head(&dir, |slot| slot.end.marked = 0);
        assert_eq!(dir.verify().unwrap().marked, 0);
        let found = verify_against(dir.as_ref(), &key(), &[end.into()]).unwrap_err();
        assert!(matches!(found, JournalError::Broken(findings) if findings.listed[0].damage == Damage::Miscounted));
    }

    #[test]
    fn the_same_frame_sealed_again_is_intact() {
        let dir = log();
        let (info, raw) = open_frame(&dir, 2, 1);
        forge(&dir, 2, 1, &info, &raw);
        dir.assert_holds(36);
    }

    #[test]
    fn a_record_left_out_is_found() {
        let without = |gone: u64| {
            move |_: &mut FrameInfo, raw: Vec<u8>| {
                let kept = entries(&raw).into_iter().filter(|entry| entry.sequence != gone);
                let mut out = Vec::new();
                for entry in kept {
                    let start = out.len();
                    Entry::write(&mut out, entry.record.len() as u32, entry.marked, entry.sequence, entry.record);
                    out[start + 4..start + 36].copy_from_slice(entry.before);
                }
                out
            }
        };
        for gone in 17..=20 {
            assert_eq!(forged(without(gone)), [finding(2, (gone, gone), Damage::Removed)]);
        }
    }

    #[test]
    fn a_record_left_out_of_a_frame_that_counts_fewer_is_found() {
        // The records after it keep their numbers.
        let found = forged(|info, raw| {
            let mut records = owned(&raw);
            records.pop();
            info.records = 3;
            let (raw, after) = linked(info.before, &records);
            info.after = after;
            raw
        });
        assert_eq!(found, [finding(2, (20, 20), Damage::Removed)]);
        // They are numbered anew, and linked.
        let found = forged(|info, raw| {
            let mut records = owned(&raw);
            records.remove(1);
            records.iter_mut().zip(17..).for_each(|((sequence, _), new)| *sequence = new);
            info.records = 3;
            let (raw, after) = linked(info.before, &records);
            info.after = after;
            raw
        });
        assert_eq!(found, [finding(2, (20, 20), Damage::Removed)]);
    }

    #[test]
    fn a_record_in_anothers_place_is_found() {
        for changed in 17..=20 {
            let found = forged(|_, raw| {
                let position = raw.len() / 4 * (changed as usize - 17) + 60;
                let mut raw = raw;
                raw[position] ^= 1;
                raw
            });
            assert_eq!(found, [finding(2, (changed, changed), Damage::Changed)]);
        }
        // Linked anew, it is the next frame that doesn't follow.
        let found = forged(|info, raw| {
            let mut records = owned(&raw);
            records[2].1 = b"nothing happened".to_vec();
            let (raw, after) = linked(info.before, &records);
            info.after = after;
            raw
        });
        assert_eq!(found, [finding(2, (21, 21), Damage::Rewritten)]);
    }

    #[test]
    fn records_that_changed_places_are_found() {
        let found = forged(|_, raw| {
            let length = raw.len() / 4;
            [&raw[..length], &raw[2 * length..3 * length], &raw[length..2 * length], &raw[3 * length..]].concat()
        });
        assert_eq!(found[0], finding(2, (18, 18), Damage::Reordered));
    }

    #[test]
    fn a_frame_that_makes_no_sense_is_found() {
        assert_eq!(forged(|_, _| Vec::new()), [finding(2, (17, 20), Damage::Removed)]);
        assert_eq!(forged(|_, _| vec![0xff; 100]), [finding(2, (17, 20), Damage::Removed)]);
        assert_eq!(
            forged(|info, raw| {
                info.records = 0;
                raw
            }),
            [finding(2, (17, 20), Damage::Changed)]
        );
        let found = forged(|info, raw| {
            info.records = u32::MAX;
            info.first_sequence = u64::MAX;
            raw
        });
        assert_eq!(found, [finding(2, (17, 20), Damage::Changed)]);
    }

    #[test]
    fn a_new_end_of_the_log_contradicts_the_head_or_the_anchor() {
        let dir = log();
        let anchor = dir.verify().unwrap().end;
        let (mut info, raw) = open_frame(&dir, 3, 2);
        let mut records = owned(&raw);
        records[3].1 = b"nothing happened".to_vec();
        let (raw, after) = linked(info.before, &records);
        info.after = after;
        forge(&dir, 3, 2, &info, &raw);
        assert_eq!(dir.findings(), [finding(3, (36, 36), Damage::Rewritten)]);

        // A head that fits needs an anchor to be found out.
        let slot = head::read(dir.as_ref(), &keys()).unwrap().newest.unwrap();
        let mut end = slot.end;
        (end.chain, end.offset) = (after, fs::metadata(dir.segment(3)).unwrap().len());
        forge_head(&dir, |slot| slot.end = end);
        assert_eq!(dir.verify().unwrap().records, 36);
        let found = verify_against(dir.as_ref(), &key(), &[anchor.into()]).unwrap_err();
        assert_eq!(found.to_string(), "segment 3: record 36: not the records that the chain of hashes vouches for");
    }
}
