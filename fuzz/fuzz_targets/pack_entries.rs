//! Packs: scanning in two pieces and resolving never panic, and what is taken is named as the index and the table say.
#![no_main]

use std::convert::Infallible;

use git_object::{Checksum, Kind, ObjectFormat, ObjectId, hash_object};
use git_pack::{
    Deflater, Effort, Index, Limits, NoBases, Scanner, Sink, Visitor, encode_pack_header, resolve, write_index,
};
use libfuzzer_sys::fuzz_target;

struct Named(ObjectFormat);

impl Named {
    fn look(&self, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Infallible> {
        assert_eq!(hash_object(self.0, kind, bytes).as_ref(), Ok(id));
        Ok(())
    }
}

impl Sink for Named {
    type Error = Infallible;

    fn object(&mut self, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Infallible> {
        self.look(id, kind, bytes)
    }

    fn blob(&mut self, id: &ObjectId, size: u64, bytes: Option<&[u8]>) -> Result<(), Infallible> {
        assert!(bytes.is_none_or(|bytes| bytes.len() as u64 == size));
        bytes.map_or(Ok(()), |bytes| self.look(id, Kind::Blob, bytes))
    }
}

impl Visitor for Named {
    type Error = Infallible;

    fn object(&self, _entry: u32, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Infallible> {
        self.look(id, kind, bytes)
    }
}

// Headers and contents, which are compressed here: random bytes are no zlib streams.
fuzz_target!(|input: (bool, u16, Vec<(Vec<u8>, Vec<u8>)>, Vec<u8>)| {
    let (sha256, cut, entries, more) = input;
    let format = if sha256 { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
    let (mut pack, mut deflater) = (encode_pack_header(entries.len() as u32).to_vec(), Deflater::new());
    for (header, content) in &entries {
        pack.extend_from_slice(header);
        deflater.deflate(content, &mut pack);
    }
    pack.extend_from_slice(&more);
    let mut checksum = Checksum::new(format);
    checksum.update(&pack);
    pack.extend_from_slice(checksum.finish().as_bytes());

    let limits =
        Limits { blob_bytes_max: 1 << 20, object_bytes_max: 1 << 20, delta_bytes_max: 1 << 20, ..Limits::default() };
    let (mut scanner, (first, second)) = (Scanner::new(format, limits), pack.split_at(usize::from(cut) % pack.len()));
    for piece in [first, second] {
        if scanner.push(piece, &mut Named(format)).is_err() {
            return;
        }
    }
    let Ok(mut scanned) = scanner.finish() else { return };
    let effort = Effort { threads: 1, memory_bytes: 1 << 10, exceeding: None };
    if resolve(&mut scanned.table, &pack, &NoBases, &Named(format), limits, effort).is_err() {
        return;
    }
    let mut bytes = Vec::new();
    let each = &mut |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    };
    write_index(&scanned.table, &scanned.table.by_id(), &scanned.checksum, each).expect("written");
    let length = bytes.len() as u64;
    let index = Index::open(bytes, format, 0, length).expect("an index");
    for entry in 0..scanned.table.len() {
        let id = scanned.table.id(entry).expect("resolved");
        let position = index.find(&id).expect("read").expect("every object is in the index");
        assert_eq!(index.id(position).expect("read"), id);
    }
});
