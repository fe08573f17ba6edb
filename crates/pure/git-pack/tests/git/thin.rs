//! Thin packs: deltas whose bases the receiver has.

use std::collections::BTreeMap;

use git_object::{Kind, ObjectId};
use git_pack::{Bases, Deflater, Limits, PackError, ReadError, checksum, encode_pack_header, resolve};

use crate::repository::{EFFORT, FORMATS, Refused, Repository, Seen, read, scan};
use crate::writing::judge;

struct Objects(BTreeMap<ObjectId, (Kind, Vec<u8>)>);

impl Bases for Objects {
    fn base(&self, id: &ObjectId, _bytes_max: u64) -> Result<Option<(Kind, Vec<u8>)>, ReadError> {
        Ok(self.0.get(id).cloned())
    }
}

#[test]
fn a_thin_pack_is_completed_with_its_bases() {
    for format in FORMATS {
        let repository = Repository::with_history(format, 200);
        for revisions in ["main\n^main~30\n", "main\n^main~1\n"] {
            for options in [&["--delta-base-offset"][..], &[]] {
                let arguments = [&["pack-objects", "--stdout", "--revs", "--thin", "-q"], options].concat();
                let thin = repository.git(&arguments, revisions.as_bytes());
                let (alone, _, _) = Repository::empty(format).run("git", &["index-pack", "--stdin"], &thin);
                assert!(!alone, "git made a thin pack");
                let seen = Seen::default();
                let mut scanned = scan(format, &thin, 1000, Limits::default(), &seen).expect("a pack");
                let objects = Objects(repository.objects());
                let bases = resolve(&mut scanned.table, &thin, &objects, &seen, Limits::default(), EFFORT);
                let bases = bases.expect("resolved");
                assert!(!bases.is_empty() && bases.is_sorted());
                let (mut deflater, mut entries) = (Deflater::new(), thin[12..thin.len() - format.id_bytes()].to_vec());
                for (id, kind) in &bases {
                    let (_, bytes) = &objects.0[id];
                    scanned.table.complete(id, *kind, bytes, &mut deflater, &mut entries);
                }
                let (count, end) = (scanned.table.len(), scanned.table.end());
                let mut pack = [&encode_pack_header(count)[..], &entries].concat();
                assert_eq!(pack.len() as u64, end);
                pack.extend_from_slice(checksum(format, count, &pack, end).expect("read").as_bytes());
                // git has the same objects in what it makes of the thin pack.
                let complete = Seen::default();
                let again = read(format, &pack, EFFORT, &complete).expect("a complete pack");
                assert_eq!(again.table.len(), count);
                for entry in 0..count {
                    assert_eq!(again.table.id(entry), scanned.table.id(entry));
                    assert_eq!(again.table.crc32(entry), scanned.table.crc32(entry));
                    assert_eq!(again.table.offset(entry), scanned.table.offset(entry));
                }
                // Not strict: what the pack's commits link to is elsewhere.
                let theirs = repository.index(&pack);
                assert!(!theirs.0.is_empty());
            }
        }
        judge(&repository, &repository.pack(&[]));
    }
}

#[test]
fn a_thin_pack_whose_base_is_nowhere_is_refused() {
    let repository = Repository::with_history(FORMATS[0], 60);
    let arguments = ["pack-objects", "--stdout", "--revs", "--thin", "-q"];
    let thin = repository.git(&arguments, b"main\n^main~10\n");
    let refused = read(FORMATS[0], &thin, EFFORT, &Seen::default()).map(|_| ());
    let Err(Refused::Pack(PackError::Unresolved { count, base })) = refused else { panic!("{refused:?}") };
    assert!(count > 0);
    assert!(repository.objects().contains_key(&base));
}
