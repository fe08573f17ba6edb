//! Packs that nobody's git made: refused, within bounds of memory and time.

use std::sync::atomic::{AtomicUsize, Ordering};

use git_object::{Checksum, Kind, ObjectFormat, ObjectId, hash_object};
use git_pack::{
    Deflater, DeltaError, Effort, EntryHeader, EntryKind, Limits, NoBases, PackError, Scanned, Visitor, Writer,
    encode_pack_header, resolve,
};

use crate::repository::{EFFORT, Refused, Repository, Seen, read, scan};

const FORMAT: ObjectFormat = ObjectFormat::Sha1;

fn sealed(objects: u32, entries: &[u8]) -> Vec<u8> {
    let mut pack = [&encode_pack_header(objects)[..], entries].concat();
    let mut checksum = Checksum::new(FORMAT);
    checksum.update(&pack);
    pack.extend_from_slice(checksum.finish().as_bytes());
    pack
}

fn entry(kind: EntryKind, size: u64, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    EntryHeader { kind, size }.encode(&mut out);
    Deflater::new().deflate(content, &mut out);
    out
}

fn blob(content: &[u8]) -> Vec<u8> {
    entry(EntryKind::Object(Kind::Blob), content.len() as u64, content)
}

fn scanned(pack: &[u8]) -> Result<Scanned, Refused> {
    scan(FORMAT, pack, 1 << 16, Limits::default(), &Seen::default())
}

fn refusal<T>(result: Result<T, Refused>) -> PackError {
    match result {
        Err(Refused::Pack(error)) => error,
        Ok(_) => panic!("a pack that is wrong was taken"),
    }
}

/// git refuses it as well.
fn git_refuses(pack: &[u8]) {
    let (taken, _, _) = Repository::empty(FORMAT).run("git", &["index-pack", "--stdin"], pack);
    assert!(!taken);
}

#[test]
fn a_pack_that_is_cut_or_has_more_is_refused() {
    let repository = Repository::with_history(FORMAT, 12);
    let pack = repository.pack(&["--delta-base-offset"]);
    for length in (0..pack.len()).step_by(7).chain(pack.len() - 21..pack.len()) {
        assert!(matches!(refusal(scanned(&pack[..length])), PackError::Truncated), "{length}");
    }
    let longer = [&pack[..], b"x"].concat();
    assert!(matches!(refusal(scanned(&longer)), PackError::Junk));
    let mut scanner = git_pack::Scanner::new(FORMAT, Limits::default());
    let seen = Seen::default();
    scanner.push(&pack, &mut &seen).expect("a pack");
    assert!(matches!(refusal(scanner.push(b"x", &mut &seen)), PackError::Junk));
}

#[test]
fn a_bit_that_flipped_is_found_wherever_it_is() {
    let repository = Repository::with_history(FORMAT, 4);
    let pack = repository.pack(&["--delta-base-offset"]);
    for at in (0..pack.len()).step_by(3) {
        let mut broken = pack.clone();
        broken[at] ^= 1 << (at % 8);
        assert!(read(FORMAT, &broken, EFFORT, &Seen::default()).is_err(), "byte {at}");
    }
}

#[test]
fn a_wrong_count_is_refused() {
    let entries = [blob(b"one"), blob(b"two")].concat();
    assert!(scanned(&sealed(2, &entries)).is_ok());
    for objects in [0, 1, 3, 1 << 31, u32::MAX - 1] {
        let pack = sealed(objects, &entries);
        assert!(scanned(&pack).is_err(), "{objects}");
        git_refuses(&pack);
    }
    let limits = Limits { objects_max: 1, ..Limits::default() };
    let refused = scan(FORMAT, &sealed(2, &entries), 100, limits, &Seen::default());
    assert!(matches!(refusal(refused), PackError::TooManyObjects { objects: 2, max: 1 }));
}

#[test]
fn a_pack_without_objects_is_a_pack() {
    assert!(scanned(&sealed(0, b"")).is_ok_and(|scanned| scanned.table.is_empty()));
}

#[test]
fn zip_bombs_are_refused_before_they_grow() {
    // 4 MiB of zeros in 4 KiB, which claim to be something else.
    let zeros = vec![0; 4 << 20];
    for (declared, kind) in [
        (10, Kind::Blob),
        (10, Kind::Tree),
        ((4 << 20) - 1, Kind::Blob),
        ((4 << 20) + 1, Kind::Blob),
        (1 << 30, Kind::Blob),
    ] {
        let pack = sealed(1, &entry(EntryKind::Object(kind), declared, &zeros));
        assert!(matches!(refusal(scanned(&pack)), PackError::EntryBytes { offset: 12, .. }), "{declared}");
        git_refuses(&pack);
    }
    for (declared, kind) in [(4 << 30, Kind::Blob), (1 << 40, Kind::Blob), (65 << 20, Kind::Commit)] {
        let pack = sealed(1, &entry(EntryKind::Object(kind), declared, b"little"));
        assert!(matches!(refusal(scanned(&pack)), PackError::TooLarge { offset: 12, .. }), "{declared}");
    }
    let bomb = entry(EntryKind::ReferenceDelta { base: ObjectId::null(FORMAT) }, 4 << 30, b"little");
    assert!(matches!(refusal(scanned(&sealed(1, &bomb))), PackError::TooLarge { offset: 12, .. }));
}

/// A delta with these sizes and instructions.
fn delta(base: usize, result: u64, instructions: &[u8]) -> Vec<u8> {
    let mut delta = Vec::new();
    for mut size in [base as u64, result] {
        while size > 0x7f {
            delta.push(size as u8 | 0x80);
            size >>= 7;
        }
        delta.push(size as u8);
    }
    delta.extend_from_slice(instructions);
    delta
}

#[test]
fn deltas_that_lie_are_refused() {
    let base = blob(b"a base of sorts");
    let distance = base.len() as u64;
    for (delta, cause) in [
        (delta(15, 5, &[0x91, 11, 5]), DeltaError::PastBase),
        (delta(14, 5, &[0x91, 1, 5]), DeltaError::BaseBytes { declared: 14, found: 15 }),
        (delta(15, 400 << 20, &[0x91, 1, 5]), DeltaError::ResultBytes { declared: 400 << 20 }),
        (delta(15, 4, &[0x91, 1, 5]), DeltaError::ResultBytes { declared: 4 }),
        (delta(15, 4, &[0]), DeltaError::Reserved),
    ] {
        let entry = entry(EntryKind::OffsetDelta { distance }, delta.len() as u64, &delta);
        let pack = sealed(2, &[&base[..], &entry].concat());
        let refused = refusal(read(FORMAT, &pack, EFFORT, &Seen::default()));
        let PackError::Delta { offset, cause: found } = refused else { panic!("{refused}") };
        assert_eq!((offset, found), (12 + distance, cause));
        git_refuses(&pack);
    }
    // More than any delta may make.
    let large = delta(15, 4 << 30, &[0x91, 1, 5]);
    let entry = entry(EntryKind::OffsetDelta { distance }, large.len() as u64, &large);
    let pack = sealed(2, &[&base[..], &entry].concat());
    assert!(matches!(refusal(scanned(&pack)), PackError::TooLarge { bytes: 0x1_0000_0000, .. }));
}

#[test]
fn a_base_that_is_no_entry_is_refused() {
    let (base, content) = (blob(b"a base of sorts"), delta(15, 5, &[0x91, 1, 5]));
    for distance in [1, base.len() as u64 - 1, base.len() as u64 + 1, base.len() as u64 + 12, 1 << 40] {
        let entry = entry(EntryKind::OffsetDelta { distance }, content.len() as u64, &content);
        let pack = sealed(2, &[&base[..], &entry].concat());
        assert!(matches!(refusal(scanned(&pack)), PackError::BaseOffset { .. }), "{distance}");
        git_refuses(&pack);
    }
}

#[test]
fn deltas_that_need_each_other_are_refused() {
    // Neither can have the id that the other names, but nobody knows that before they are resolved.
    let ids = [b"one", b"two"].map(|name| hash_object(FORMAT, Kind::Blob, name).expect("an id"));
    let content = delta(3, 3, &[0x90, 3]);
    let entries = ids.map(|base| entry(EntryKind::ReferenceDelta { base }, content.len() as u64, &content));
    let pack = sealed(2, &entries.concat());
    let refused = refusal(read(FORMAT, &pack, EFFORT, &Seen::default()));
    assert!(matches!(refused, PackError::Unresolved { count: 2, .. }), "{refused}");
    git_refuses(&pack);
}

#[test]
fn an_object_that_is_there_twice_is_no_harm() {
    let (base, content) = (blob(b"a base of sorts"), delta(15, 5, &[0x91, 1, 5]));
    let id = hash_object(FORMAT, Kind::Blob, b"a base of sorts").expect("an id");
    let named = entry(EntryKind::ReferenceDelta { base: id }, content.len() as u64, &content);
    let pack = sealed(5, &[&named[..], &base, &named, &blob(b"x"), &blob(b"x")].concat());
    let scanned = read(FORMAT, &pack, EFFORT, &Seen::default()).expect("a pack");
    assert_eq!(scanned.table.id(0), Some(hash_object(FORMAT, Kind::Blob, b" base").expect("an id")));
    let (taken, _, errors) = Repository::empty(FORMAT).run("git", &["index-pack", "--stdin"], &pack);
    assert!(taken, "{errors}");
    // But not an object that deltas name.
    let pack = sealed(3, &[&named[..], &base, &base].concat());
    let refused = refusal(read(FORMAT, &pack, EFFORT, &Seen::default()));
    assert!(matches!(refused, PackError::DuplicateBase { base } if base == id), "{refused}");
    git_refuses(&pack);
}

/// Counts objects, and stops at a limit.
struct Count(AtomicUsize, usize);

impl Visitor for Count {
    type Error = &'static str;

    fn object(&self, _entry: u32, _id: &ObjectId, _kind: Kind, _bytes: &[u8]) -> Result<(), Self::Error> {
        if self.0.fetch_add(1, Ordering::Relaxed) < self.1 { Ok(()) } else { Err("enough") }
    }
}

/// A chain of deltas, each of which has a second delta beside the chain; each object has `bytes` bytes.
fn comb(length: usize, bytes: usize, named: bool) -> Vec<u8> {
    let (mut out, mut content) = (Vec::new(), vec![b'a'; bytes]);
    let mut writer = Writer::new(FORMAT, 1 + 2 * length as u32, &mut out);
    let mut base = writer.entry(EntryKind::Object(Kind::Blob), &content, &mut out);
    for number in 0..length {
        let id = hash_object(FORMAT, Kind::Blob, &content).expect("an id");
        for side in [true, false] {
            // Four new bytes and the base without its first four: all objects have the same length.
            let mut instructions = vec![5, side.into()];
            instructions.extend_from_slice(&(number as u32).to_be_bytes());
            let (from, mut left) = (5, bytes - 5);
            let mut at: usize = from;
            while left > 0 {
                let piece = left.min(0xffff);
                instructions.push(0x80 | 0x0f | 0x30);
                instructions.extend_from_slice(&(at as u32).to_le_bytes());
                instructions.extend_from_slice(&(piece as u16).to_le_bytes());
                (at, left) = (at + piece, left - piece);
            }
            let delta = delta(bytes, bytes as u64, &instructions);
            let kind = if named {
                EntryKind::ReferenceDelta { base: id }
            } else {
                EntryKind::OffsetDelta { distance: writer.offset() - base }
            };
            let offset = writer.entry(kind, &delta, &mut out);
            if !side {
                base = offset;
                content[1..5].copy_from_slice(&(number as u32).to_be_bytes());
                content[0] = 0;
            }
        }
    }
    writer.finish(&mut out);
    out
}

#[test]
fn long_chains_need_no_stack_and_little_memory() {
    for named in [false, true] {
        for (length, bytes, memory_bytes) in [(20_000, 100, 1 << 20), (300, 100_000, 1 << 20), (500, 10_000, 0)] {
            let pack = comb(length, bytes, named);
            let mut scanned = scanned(&pack).expect("a pack");
            let (count, effort) =
                (Count(AtomicUsize::new(0), usize::MAX), Effort { threads: 2, memory_bytes, exceeding: None });
            resolve(&mut scanned.table, &pack, &NoBases, &count, Limits::default(), effort).expect("resolved");
            assert_eq!(count.0.load(Ordering::Relaxed), 2 * length);
        }
    }
}

#[test]
fn what_a_visitor_refuses_stops_all_threads() {
    let pack = comb(2000, 100, false);
    let mut scanned = scanned(&pack).expect("a pack");
    let count = Count(AtomicUsize::new(0), 100);
    let refused = resolve(&mut scanned.table, &pack, &NoBases, &count, Limits::default(), EFFORT);
    assert!(matches!(refused, Err(git_pack::Failure::Object("enough"))));
    assert!(count.0.load(Ordering::Relaxed) < 200);
}
