//! Packs that we write, as git judges them.

use git_object::Kind;
use git_pack::{EntryHeader, EntryKind, EntryReader, Writer, checksum};

use crate::repository::{EFFORT, FORMATS, GITS, Repository, Seen, read};

/// Has both gits look at a pack.
pub(crate) fn judge(repository: &Repository, pack: &[u8]) {
    for git in GITS {
        let empty = Repository::empty(repository.format);
        empty.write("ours.pack", pack);
        let (good, _, errors) = empty.run(git, &["index-pack", "--strict", "ours.pack"], b"");
        assert!(good, "{git}: {errors}");
        let (good, _, errors) = empty.run(git, &["verify-pack", "ours.pack"], b"");
        assert!(good, "{git}: {errors}");
    }
}

#[test]
fn a_pack_of_whole_objects_passes_git() {
    for format in FORMATS {
        let repository = Repository::with_history(format, 60);
        let (objects, mut out) = (repository.objects(), Vec::new());
        let mut writer = Writer::new(format, objects.len() as u32, &mut out);
        for (kind, bytes) in objects.values() {
            let at = out.len() as u64;
            assert_eq!(writer.entry(EntryKind::Object(*kind), bytes, &mut out), at);
        }
        writer.finish(&mut out);
        judge(&repository, &out);
        let seen = Seen::default();
        read(format, &out, EFFORT, &seen).expect("a pack");
        assert!(*seen.0.lock().expect("no panic") == objects);
    }
}

#[test]
fn entries_are_copied_with_new_distances_to_their_bases() {
    for format in FORMATS {
        let repository = Repository::with_history(format, 150);
        let pack = repository.pack(&["--delta-base-offset"]);
        let scanned = read(format, &pack, EFFORT, &Seen::default()).expect("a pack");
        let table = &scanned.table;
        let (mut out, mut reader, mut moved) = (Vec::new(), EntryReader::new(format), Vec::new());
        let mut writer = Writer::new(format, table.len() + 1, &mut out);
        // Something first, so that all offsets change; and then a large distance somewhere.
        writer.entry(EntryKind::Object(Kind::Blob), b"an object that is first", &mut out);
        for entry in 0..table.len() {
            let (offset, end) = (table.offset(entry), table.entry_end(entry));
            let (mut header, length) = reader.header(&pack, offset).expect("a header");
            if let EntryKind::OffsetDelta { distance } = header.kind {
                let base = table.at(offset - distance).expect("a base");
                let from: u64 = moved[base as usize];
                header = EntryHeader { kind: EntryKind::OffsetDelta { distance: writer.offset() - from }, ..header };
            }
            let stream = &pack[offset as usize + length..end as usize];
            moved.push(writer.compressed(header, stream, &mut out));
            if !table.is_delta(entry) {
                assert_eq!(writer.crc32(), table.crc32(entry));
            }
        }
        assert_eq!(writer.offset(), out.len() as u64);
        let (end, ours) = (writer.offset(), writer.finish(&mut out));
        judge(&repository, &out);
        assert_eq!(checksum(format, table.len() + 1, &out, end).expect("read"), ours);
    }
}
