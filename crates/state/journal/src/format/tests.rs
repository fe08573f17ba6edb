use proptest::prelude::*;

use super::*;
use crate::RECORD_BYTES_MAX;

const ID: JournalId = [3; 16];

fn keys() -> Keys {
    Keys::new(&Key256::from_slice(&[7; 32]).unwrap())
}

fn header() -> Header {
    Header {
        number: 2,
        journal: ID,
        first_sequence: 13,
        before: [5; 32],
        opened_at: 1_700_000_000_000,
        beginning: Beginning::Torn,
        torn_bytes: 9,
        marked: 5,
    }
}

fn slot(counter: u64) -> Slot {
    Slot {
        counter,
        journal: ID,
        first_segment: 2,
        first_sequence: 13,
        end: Position { segment: 4, offset: 999, sequence: 40, chain: [6; 32], marked: 17 },
        written_at: 1_700_000_000_001,
        anchor: std::array::from_fn(|index| index as u8),
    }
}

/// The records that [`frame`] marks.
fn marked(record: &[u8]) -> bool {
    record.len().is_multiple_of(2)
}

/// Seals records as the writer does. Yields the bytes behind the frame's length, and the end.
fn frame(start: Position, records: &[&[u8]]) -> (Vec<u8>, Position) {
    let mut entries = Vec::new();
    for (record, sequence) in records.iter().zip(start.next_sequence()..) {
        Entry::write(&mut entries, record.len() as u32, marked(record), sequence, record);
    }
    let (mut end, mut out) = (start, Vec::new());
    let taken = Sealer::new().seal(&keys().segment(&ID, 2), 77, &mut end, &mut entries, &mut out).unwrap();
    assert_eq!(taken, entries.len());
    assert_eq!(end.offset, start.offset + out.len() as u64);
    (out.split_off(4), end)
}

fn start() -> Position {
    Position { segment: 2, offset: HEADER_BYTES as u64, sequence: 12, chain: [5; 32], marked: 5 }
}

#[test]
fn a_header_opens_as_it_was_sealed() {
    let sealed = header().seal(&keys());
    assert_eq!(sealed.len(), HEADER_BYTES);
    let (opened, version, _) = Header::open(&keys(), &sealed).unwrap();
    assert_eq!((opened, version), (header(), Version::Two));
}

#[test]
fn a_slot_opens_as_it_was_sealed_and_only_in_its_place() {
    let key = keys().head();
    for counter in [8, 9] {
        let sealed = slot(counter).seal(&key);
        assert_eq!(sealed.len(), SLOT_BYTES);
        let place = (counter % 2) as u8;
        assert_eq!(Slot::open(&key, place, &sealed).unwrap(), slot(counter));
        assert_eq!(Slot::open(&key, 1 - place, &sealed), Err(Malformed));
    }
}

#[test]
fn a_frame_opens_as_it_was_sealed() {
    let (sealed, end) = frame(start(), &[b"{}", b"", b"{\"a\":1}"]);
    assert_eq!(end.sequence, 15);
    let frame = Frame::open(&keys().segment(&ID, 2), Version::Two, &sealed).unwrap();
    let (before, after) = ([5; 32], end.chain);
    let info = FrameInfo { first_sequence: 13, records: 3, sealed_at: 77, before, after, marked: 7 };
    assert_eq!((frame.info, frame.info.last_sequence()), (info, 15));
    let mut raw = Vec::new();
    let entries: Vec<_> = frame.entries(&mut raw).unwrap().map(Result::unwrap).collect();
    let records: Vec<_> = entries.iter().map(|entry| (entry.sequence, entry.marked, entry.record)).collect();
    assert_eq!(records, [(13, true, &b"{}"[..]), (14, true, b""), (15, false, b"{\"a\":1}")]);
    // Each is linked to the one before.
    let mut chain = info.before;
    for entry in entries {
        assert_eq!(*entry.before, chain);
        chain = entry.chain();
    }
    assert_eq!(chain, info.after);
}

/// Against Python's hashlib.
#[test]
fn the_chain_is_the_one_that_is_written_down() {
    let hex = |chain: Chain| chain.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let id: JournalId = std::array::from_fn(|index| index as u8);
    let start = Position { segment: 1, offset: 0, sequence: 0, chain: genesis(&id), marked: 0 };
    assert_eq!(hex(start.chain), "ffb2cdcaa483f6d90ee1603ff9fdcab313ab3b46e8d88f54f28cf102cbcacb68");
    let (_, end) = frame(start, &[b"{\"a\":1}", b"{}"]);
    assert_eq!(hex(end.chain), "a615b1a586530b8567808a86cbd8279be7aa69413af4fb059055ba78ed0731ac");
}

#[test]
fn keys_differ_by_journal_and_segment() {
    let keys = keys();
    let all = [keys.segment(&ID, 1), keys.segment(&ID, 2), keys.segment(&[4; 16], 1), keys.head()];
    for (index, key) in all.iter().enumerate() {
        assert!(all.iter().skip(index + 1).all(|other| other.expose() != key.expose()));
    }
}

#[test]
fn a_frame_takes_as_many_entries_as_it_may() {
    let record = vec![b'x'; RECORD_BYTES_MAX];
    let mut entries = Vec::new();
    for sequence in 13..=17 {
        Entry::write(&mut entries, record.len() as u32, true, sequence, &record);
    }
    let (mut end, mut out) = (start(), Vec::new());
    let taken = Sealer::new().seal(&keys().segment(&ID, 2), 0, &mut end, &mut entries, &mut out).unwrap();
    assert_eq!((taken, end.sequence), (3 * (ENTRY_OVERHEAD + RECORD_BYTES_MAX), 15));
}

#[test]
fn an_entry_that_is_cut_off_is_not_sealed() {
    for length in [0, 3, 4, 43, 44, 45] {
        let mut entries = Vec::new();
        Entry::write(&mut entries, 2, true, 13, b"{}");
        entries.truncate(length);
        let (mut end, mut out) = (start(), Vec::new());
        let sealed = Sealer::new().seal(&keys().segment(&ID, 2), 0, &mut end, &mut entries, &mut out);
        assert_eq!((sealed, end, out.len()), (Err(Malformed), start(), 0));
    }
}

#[test]
fn a_frame_that_would_decompress_to_more_than_it_may_is_refused() {
    let key = keys().segment(&ID, 2);
    let info = FrameInfo { first_sequence: 1, records: 1, sealed_at: 0, before: [0; 32], after: [0; 32], marked: 0 };
    let open = |length| Frame::open(&key, Version::Two, &seal_unchecked(&key, &info, &vec![0; length])[4..]);
    assert!(open(frame::FRAME_RAW_MAX).is_ok());
    assert!(open(frame::FRAME_RAW_MAX + 1).is_err());
}

#[test]
fn every_length_that_the_writer_makes_is_one_that_the_reader_takes() {
    let mut noise = vec![0; RECORD_BYTES_MAX];
    crypto::random_bytes(&mut noise);
    for records in [&[&b""[..]][..], &[&noise, &noise, &noise], &[&[0; 1000][..]; 900]] {
        let (sealed, _) = frame(start(), records);
        assert!((FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(&sealed.len()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_parsed_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let keys = keys();
        let _ = Slot::open(&keys.head(), 0, &bytes);
        let _ = Header::open(&keys, &bytes);
        for version in Version::ALL {
            let _ = Frame::open(&keys.segment(&ID, 2), version, &bytes);
        }
        prop_assert!(Entries::of(&bytes).count() <= bytes.len() / ENTRY_OVERHEAD + 1);
    }

    #[test]
    fn any_sealed_bytes_are_parsed_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let key = keys().segment(&ID, 2);
        let sealed = crypto::sealed::seal(&key, b"frame 2", &bytes);
        if let Ok(frame) = Frame::open(&key, Version::Two, &sealed) {
            let mut raw = Vec::new();
            if let Ok(entries) = frame.entries(&mut raw) {
                let _ = entries.count();
            }
            prop_assert!(raw.capacity() <= 2 * frame::FRAME_RAW_MAX);
        }
    }

    #[test]
    fn any_entries_are_parsed_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..400), records in 1..9_u32) {
        let key = keys().segment(&ID, 2);
        let info = FrameInfo { first_sequence: 13, records, sealed_at: 0, before: [0; 32], after: [0; 32], marked: 0 };
        let frame = Frame::open(&key, Version::Two, &seal_unchecked(&key, &info, &raw)[4..]).unwrap();
        let mut out = Vec::new();
        prop_assert!(frame.entries(&mut out).unwrap().count() <= raw.len() / ENTRY_OVERHEAD + 1);
        prop_assert_eq!(out, raw);
    }

    #[test]
    fn any_records_come_back(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..40)) {
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let (sealed, end) = frame(start(), &records);
        let frame = Frame::open(&keys().segment(&ID, 2), Version::Two, &sealed).unwrap();
        let mut raw = Vec::new();
        let entries: Vec<_> = frame.entries(&mut raw).unwrap().map(Result::unwrap).collect();
        prop_assert!(entries.iter().all(|entry| entry.marked == marked(entry.record)));
        let found: Vec<_> = entries.iter().map(|entry| entry.record).collect();
        let marks = records.iter().filter(|record| marked(record)).count() as u64;
        prop_assert_eq!(found, records);
        prop_assert_eq!((frame.info.after, frame.info.marked), (end.chain, 5 + marks));
        prop_assert_eq!(end.marked, 5 + marks);
    }

    #[test]
    fn any_changed_bit_is_noticed(position in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let (mut sealed, _) = frame(start(), &[b"{\"a\":1}", b"{}"]);
        *position.get_mut(&mut sealed) ^= 1_u8 << bit;
        prop_assert!(Frame::open(&keys().segment(&ID, 2), Version::Two, &sealed).is_err());
    }
}
