//! Measures on a pack of a large history: `PACK=file cargo test --release -p sealstack-git-pack --test figures -- --ignored
//! --nocapture`. What git needs for it: `time git index-pack FILE`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measuring program, run by hand"
)]

use std::convert::Infallible;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use git_object::{Kind, ObjectFormat, ObjectId};
use git_pack::{Effort, Limits, NoBases, ReadAt, ReadError, Scanner, Sink, Visitor, resolve, write_index};

struct Pack(File);

impl ReadAt for Pack {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        Ok(self.0.read_at(into, offset)?)
    }
}

struct Nothing;

impl Sink for Nothing {
    type Error = Infallible;

    fn object(&mut self, _id: &ObjectId, _kind: Kind, _bytes: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn blob(&mut self, _id: &ObjectId, _size: u64, _bytes: Option<&[u8]>) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Visitor for Nothing {
    type Error = Infallible;

    fn object(&self, _entry: u32, _id: &ObjectId, _kind: Kind, _bytes: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Seconds of processor time that this process has taken.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = text.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

/// The most memory that this process had, in MiB.
fn peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[test]
#[ignore = "measures: needs a pack and a release build"]
fn a_large_pack_is_indexed() {
    let path = std::env::var("PACK").expect("PACK is the path of a pack");
    let format = if std::env::var("FORMAT").is_ok_and(|format| format == "sha256") {
        ObjectFormat::Sha256
    } else {
        ObjectFormat::Sha1
    };
    let threads = std::env::var("THREADS").map_or(2, |threads| threads.parse().expect("a number"));
    let pack = Pack(File::open(path).expect("a pack"));
    let (begin, begin_processor) = (Instant::now(), processor());
    let (mut scanner, mut piece, mut offset) = (Scanner::new(format, Limits::default()), vec![0; 64 << 10], 0);
    loop {
        let length = pack.read_at(offset, &mut piece).expect("read");
        let Some(piece) = piece.get(..length).filter(|piece| !piece.is_empty()) else { break };
        scanner.push(piece, &mut Nothing).expect("a pack");
        offset += length as u64;
    }
    let mut scanned = scanner.finish().expect("a pack");
    let (scan, scan_processor) = (begin.elapsed(), processor() - begin_processor);
    let effort = Effort { threads, memory_bytes: 64 << 20, exceeding: None };
    resolve(&mut scanned.table, &pack, &NoBases, &Nothing, Limits::default(), effort).expect("resolved");
    let (resolved, resolved_processor) = (begin.elapsed(), processor() - begin_processor);
    let mut index = Vec::new();
    let each = &mut |piece: &[u8]| {
        index.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    };
    write_index(&scanned.table, &scanned.table.by_id(), &scanned.checksum, each).expect("written");
    let (all, all_processor) = (begin.elapsed(), processor() - begin_processor);
    println!("{} objects, {} MiB", scanned.table.len(), offset >> 20);
    println!("scanned   {:6.2} s, processor {scan_processor:6.2} s", scan.as_secs_f64());
    println!("resolved  {:6.2} s, processor {resolved_processor:6.2} s", resolved.as_secs_f64());
    println!("all       {:6.2} s, processor {all_processor:6.2} s, peak {} MiB", all.as_secs_f64(), peak());
}

struct Kept(std::sync::Mutex<std::collections::HashMap<ObjectId, (Kind, Vec<u8>)>>);

impl Visitor for Kept {
    type Error = Infallible;

    fn object(&self, _entry: u32, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.lock().expect("no panic").insert(*id, (kind, bytes.to_vec()));
        Ok(())
    }
}

impl Sink for &Kept {
    type Error = Infallible;

    fn object(&mut self, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Infallible> {
        Visitor::object(*self, 0, id, kind, bytes)
    }

    fn blob(&mut self, id: &ObjectId, _size: u64, bytes: Option<&[u8]>) -> Result<(), Infallible> {
        Visitor::object(*self, 0, id, Kind::Blob, bytes.unwrap_or_default())
    }
}

struct InMemory(Vec<Vec<u8>>);

impl git_pack::Objects for InMemory {
    fn read(&self, candidate: u32) -> Result<Vec<u8>, ReadError> {
        Ok(self.0.get(candidate as usize).cloned().unwrap_or_default())
    }
}

/// `LIST` is what `git rev-list --objects` prints of the pack's objects. What git needs for it: `git pack-objects
/// --no-reuse-delta --threads=2 --delta-base-offset --stdout < LIST | wc -c`.
#[test]
#[ignore = "measures: needs a pack, a list of its objects and a release build"]
fn deltas_are_found() {
    let pack = std::fs::read(std::env::var("PACK").expect("PACK is the path of a pack")).expect("a pack");
    let list = std::fs::read_to_string(std::env::var("LIST").expect("LIST is the path of a list")).expect("a list");
    let kept = Kept(std::sync::Mutex::default());
    let mut scanner = Scanner::new(ObjectFormat::Sha1, Limits::default());
    scanner.push(&pack, &mut &kept).expect("a pack");
    let mut scanned = scanner.finish().expect("a pack");
    let effort = Effort { threads: 2, memory_bytes: 64 << 20, exceeding: None };
    resolve(&mut scanned.table, &pack, &NoBases, &kept, Limits::default(), effort).expect("resolved");
    let mut all = kept.0.into_inner().expect("no panic");
    let (mut candidates, mut objects) = (Vec::new(), InMemory(Vec::new()));
    for line in list.lines() {
        let (id, path) = line.split_once(' ').unwrap_or((line, ""));
        let id = ObjectId::from_hex(ObjectFormat::Sha1, id.as_bytes()).expect("an id");
        let Some((kind, bytes)) = all.remove(&id) else { continue };
        let path = if path.is_empty() { 0 } else { git_pack::path_hash(path.as_bytes()) };
        candidates.push(git_pack::Candidate { kind, size: bytes.len() as u64, path, reusable: None, island: false });
        objects.0.push(bytes);
    }
    drop(pack);
    let search = git_pack::Search { threads: 2, ..git_pack::Search::default() };
    let (begin, begin_processor) = (Instant::now(), processor());
    let choices = git_pack::choose(&candidates, &objects, &search, &|_| true).expect("chosen");
    let (chosen, chosen_processor) = (begin.elapsed(), processor() - begin_processor);
    let (mut out, mut offsets) = (Vec::new(), vec![0; choices.len()]);
    let mut writer = git_pack::Writer::new(ObjectFormat::Sha1, choices.len() as u32, &mut out);
    let mut again = 0;
    for number in git_pack::writing_order(&choices) {
        use git_pack::{Choice, EntryHeader, EntryKind};
        let at = number as usize;
        offsets[at] = match &choices[at] {
            Choice::Whole => writer.entry(EntryKind::Object(candidates[at].kind), &objects.0[at], &mut out),
            Choice::Reused { .. } => continue,
            Choice::Delta { base, bytes, stream } => {
                let kind = EntryKind::OffsetDelta { distance: writer.offset() - offsets[*base as usize] };
                match stream {
                    Some(stream) => writer.compressed(EntryHeader { kind, size: *bytes }, stream, &mut out),
                    None => {
                        again += 1;
                        let delta = git_pack::delta_again(&objects, number, *base).expect("a delta");
                        writer.entry(kind, &delta, &mut out)
                    }
                }
            }
        };
    }
    writer.finish(&mut out);
    let (all, all_processor) = (begin.elapsed(), processor() - begin_processor);
    println!("{} objects, {} bytes, {again} deltas made again", choices.len(), out.len());
    println!("chosen    {:6.2} s, processor {chosen_processor:6.2} s", chosen.as_secs_f64());
    println!("written   {:6.2} s, processor {all_processor:6.2} s", all.as_secs_f64());
    if let Ok(path) = std::env::var("OUT") {
        std::fs::write(path, out).expect("written");
    }
}
