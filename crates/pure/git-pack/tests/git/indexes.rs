//! Indexes: the same bytes as git's, and the same answers.

use git_object::ObjectId;
use git_pack::{Effort, Index, Limits, Reverse, Scanned, index_bytes, reverse_bytes, write_index, write_reverse};

use crate::repository::{EFFORT, FORMATS, Repository, Seen, read, scan};

fn written(scanned: &Scanned) -> (Vec<u8>, Vec<u8>) {
    let (order, mut index, mut reverse) = (scanned.table.by_id(), Vec::new(), Vec::new());
    let each = &mut |piece: &[u8]| {
        index.extend_from_slice(piece);
        Ok::<_, std::convert::Infallible>(())
    };
    let checksum = write_index(&scanned.table, &order, &scanned.checksum, each).expect("written");
    assert_eq!(&index[index.len() - checksum.as_bytes().len()..], checksum.as_bytes());
    let each = &mut |piece: &[u8]| {
        reverse.extend_from_slice(piece);
        Ok::<_, std::convert::Infallible>(())
    };
    write_reverse(&scanned.table, &order, &scanned.checksum, each).expect("written");
    assert_eq!(index.len() as u64, index_bytes(&scanned.table));
    assert_eq!(reverse.len() as u64, reverse_bytes(&scanned.table));
    (index, reverse)
}

#[test]
fn an_index_is_byte_for_byte_that_of_git() {
    for format in FORMATS {
        let repository = Repository::with_history(format, 300);
        let objects = repository.objects();
        for options in [&["--delta-base-offset"][..], &[], &["--depth=200", "--window=40"], &["--depth=0"]] {
            let pack = repository.pack(options);
            let theirs = repository.index(&pack);
            let efforts = [(1, 0), (1, 1 << 30), (3, 100_000), (4, 1 << 26)];
            for (threads, memory_bytes) in efforts {
                let seen = Seen::default();
                let scanned =
                    read(format, &pack, Effort { threads, memory_bytes, exceeding: None }, &seen).expect("a pack");
                assert!(*seen.0.lock().expect("no panic") == objects, "{options:?}: other objects than git's");
                assert!(written(&scanned) == theirs, "{options:?}: another index than git's");
            }
        }
    }
}

#[test]
fn pieces_of_any_size_make_the_same_table() {
    for format in FORMATS {
        let repository = Repository::with_history(format, 40);
        let pack = repository.pack(&["--delta-base-offset"]);
        let whole = scan(format, &pack, pack.len(), Limits::default(), &Seen::default()).expect("a pack");
        for piece in [1, 2, 13, 100, 4096] {
            let pieces = scan(format, &pack, piece, Limits::default(), &Seen::default()).expect("a pack");
            assert_eq!(pieces.checksum, whole.checksum);
            assert_eq!(pieces.table.len(), whole.table.len());
            for entry in 0..whole.table.len() {
                assert_eq!(pieces.table.offset(entry), whole.table.offset(entry));
                assert_eq!(pieces.table.crc32(entry), whole.table.crc32(entry));
                assert_eq!(pieces.table.id(entry), whole.table.id(entry));
            }
        }
    }
}

#[test]
fn an_index_answers_as_git_does() {
    for format in FORMATS {
        let repository = Repository::with_history(format, 200);
        let pack = repository.pack(&["--delta-base-offset"]);
        let scanned = read(format, &pack, EFFORT, &Seen::default()).expect("a pack");
        let (bytes, reverse_bytes) = repository.index(&pack);
        // Somewhere in a source, as they are behind a pack.
        let source = [&b"before"[..], &bytes, &reverse_bytes, b"behind"].concat();
        let index = Index::open(&source, format, 6, bytes.len() as u64).expect("an index");
        let reverse = Reverse::open(&source, format, 6 + bytes.len() as u64, reverse_bytes.len() as u64);
        let reverse = reverse.expect("a reverse index");
        assert_eq!(index.len(), scanned.table.len());
        assert_eq!(index.pack_checksum().expect("a checksum"), scanned.checksum);
        let mut ids = Vec::new();
        for entry in 0..scanned.table.len() {
            let (id, offset) = (scanned.table.id(entry).expect("resolved"), scanned.table.offset(entry));
            let position = index.find(&id).expect("read").expect("found");
            assert_eq!(index.id(position).expect("read"), id);
            assert_eq!(index.offset(position).expect("read"), offset);
            assert_eq!(index.crc32(position).expect("read"), scanned.table.crc32(entry));
            assert_eq!(reverse.position(entry).expect("read"), position);
            assert_eq!(reverse.find(&index, offset).expect("read"), Some(entry));
            let end = reverse.entry_end(&index, offset, scanned.table.end()).expect("read");
            assert_eq!(end, scanned.table.entry_end(entry));
            let mut other = id.as_bytes().to_vec();
            *other.last_mut().expect("bytes") ^= 1;
            let other = ObjectId::from_bytes(format, &other).expect("an id");
            assert_eq!(index.find(&other).expect("read"), None);
            ids.push(id.to_string());
        }
        ids.sort_unstable();
        for length in 0..6 {
            for number in 0..500_u32 {
                let prefix = &format!("{:06x}", number.wrapping_mul(40_503) & 0xff_ffff)[..length];
                let digits: Vec<u8> = prefix.chars().map(|digit| digit.to_digit(16).expect("a digit") as u8).collect();
                let start = ids.partition_point(|id| id.as_str() < prefix) as u32;
                let count = ids.iter().filter(|id| id.starts_with(prefix)).count() as u32;
                assert_eq!(index.prefix(&digits).expect("read"), start..start + count, "{prefix}");
            }
        }
    }
}

#[test]
fn a_broken_index_is_refused() {
    let repository = Repository::with_history(FORMATS[0], 5);
    let (bytes, _) = repository.index(&repository.pack(&[]));
    let open = |bytes: &[u8]| Index::open(bytes.to_vec(), FORMATS[0], 0, bytes.len() as u64).map(|index| index.len());
    assert!(open(&bytes).is_ok());
    for (at, value) in [(0, 0), (7, 1), (8, 0xff)] {
        let mut broken = bytes.clone();
        broken[at] = value;
        assert!(open(&broken).is_err(), "byte {at}");
    }
    assert!(open(&bytes[..bytes.len() - 1]).is_err());
    assert!(open(&bytes[..100]).is_err());
}
