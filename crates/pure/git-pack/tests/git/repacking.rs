//! Packs made anew: as small as git's, about, and right in git's eyes.

use std::collections::BTreeMap;

use git_object::{Kind, ObjectId};
use git_pack::{
    Candidate, Choice, EntryHeader, EntryKind, EntryReader, Objects, PackError, ReadError, Search, Writer, choose,
    delta_again, path_hash, writing_order,
};

use crate::repository::{EFFORT, FORMATS, Repository, Seen, read};
use crate::writing::judge;

struct InMemory(Vec<Vec<u8>>);

impl Objects for InMemory {
    fn read(&self, candidate: u32) -> Result<Vec<u8>, ReadError> {
        Ok(self.0[candidate as usize].clone())
    }
}

/// The objects of a repository in git's order, with their paths.
fn candidates(repository: &Repository) -> (Vec<ObjectId>, Vec<Candidate>, InMemory) {
    let mut objects = repository.objects();
    let (mut ids, mut candidates, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    let list = repository.git(&["rev-list", "--objects", "--all"], b"");
    for line in String::from_utf8(list).expect("text").lines() {
        let (id, path) = line.split_once(' ').unwrap_or((line, ""));
        let id = ObjectId::from_hex(repository.format, id.as_bytes()).expect("an id");
        let (kind, content) = objects.remove(&id).expect("an object");
        let path = if path.is_empty() { 0 } else { path_hash(path.as_bytes()) };
        candidates.push(Candidate { kind, size: content.len() as u64, path, reusable: None, island: false });
        contents.push(content);
        ids.push(id);
    }
    assert!(objects.is_empty(), "all objects have been listed");
    (ids, candidates, InMemory(contents))
}

/// The pack that the choices make. `old` is where the deltas are that are used again, and their sizes.
fn written(
    repository: &Repository,
    candidates: &[Candidate],
    objects: &InMemory,
    choices: &[Choice],
    old: &BTreeMap<u32, (u64, Vec<u8>)>,
) -> Vec<u8> {
    let (mut out, mut offsets) = (Vec::new(), vec![0; choices.len()]);
    let mut writer = Writer::new(repository.format, choices.len() as u32, &mut out);
    for number in writing_order(choices) {
        let at = number as usize;
        let delta = |base: u32| EntryKind::OffsetDelta { distance: writer.offset() - offsets[base as usize] };
        offsets[at] = match &choices[at] {
            Choice::Whole => writer.entry(EntryKind::Object(candidates[at].kind), &objects.0[at], &mut out),
            Choice::Reused { base } => {
                let (size, stream) = &old[&number];
                writer.compressed(EntryHeader { kind: delta(*base), size: *size }, stream, &mut out)
            }
            Choice::Delta { base, bytes, stream: Some(stream) } => {
                writer.compressed(EntryHeader { kind: delta(*base), size: *bytes }, stream, &mut out)
            }
            Choice::Delta { base, stream: None, .. } => {
                let content = delta_again(objects, number, *base).expect("a delta");
                writer.entry(delta(*base), &content, &mut out)
            }
        };
    }
    writer.finish(&mut out);
    out
}

fn depth(choices: &[Choice]) -> usize {
    let chain = |number: usize| {
        std::iter::successors(choices[number].base(), |base| choices[*base as usize].base()).take(10_000).count()
    };
    (0..choices.len()).map(chain).max().unwrap_or_default()
}

#[test]
fn a_repacked_history_is_as_small_as_with_git() {
    for format in FORMATS {
        let repository = Repository::with_history(format, 400);
        let theirs = repository.pack(&["--no-reuse-delta", "--delta-base-offset", "--window=10", "--depth=50"]);
        let (_, candidates, objects) = candidates(&repository);
        for (threads, kept_bytes) in [(1, 1 << 20), (3, 20_000)] {
            let search = Search { threads, kept_bytes, ..Search::default() };
            let choices = choose(&candidates, &objects, &search, &|_| true).expect("chosen");
            assert!(depth(&choices) <= 50);
            let again = choices.iter().filter(|choice| matches!(choice, Choice::Delta { stream: None, .. })).count();
            assert_eq!(again > 0, kept_bytes == 20_000, "{again} deltas are made again");
            let ours = written(&repository, &candidates, &objects, &choices, &BTreeMap::new());
            assert!(ours.len() <= theirs.len() * 11 / 10, "{} bytes instead of {}", ours.len(), theirs.len());
            judge(&repository, &ours);
            let seen = Seen::default();
            read(format, &ours, EFFORT, &seen).expect("a pack");
            assert!(*seen.0.lock().expect("no panic") == repository.objects());
        }
    }
}

#[test]
fn deltas_of_an_old_pack_are_used_again() {
    let repository = Repository::with_history(FORMATS[0], 200);
    let pack = repository.pack(&["--no-reuse-delta", "--delta-base-offset", "--depth=30"]);
    let scanned = read(FORMATS[0], &pack, EFFORT, &Seen::default()).expect("a pack");
    let (ids, mut candidates, objects) = candidates(&repository);
    let numbers: BTreeMap<ObjectId, u32> = ids.iter().copied().zip(0..).collect();
    let (mut old, mut reader) = (BTreeMap::new(), EntryReader::new(FORMATS[0]));
    for entry in 0..scanned.table.len() {
        let (offset, end) = (scanned.table.offset(entry), scanned.table.entry_end(entry));
        let (header, length) = reader.header(&pack, offset).expect("a header");
        let EntryKind::OffsetDelta { distance } = header.kind else { continue };
        let id = |entry: u32| scanned.table.id(entry).expect("resolved");
        let number = numbers[&id(entry)];
        // Every third one is forgotten, as if it had been pushed whole.
        if !number.is_multiple_of(3) {
            candidates[number as usize].reusable =
                Some(numbers[&id(scanned.table.at(offset - distance).expect("a base"))]);
            old.insert(number, (header.size, pack[offset as usize + length..end as usize].to_vec()));
        }
    }
    let choices = choose(&candidates, &objects, &Search::default(), &|_| true).expect("chosen");
    let reused = choices.iter().filter(|choice| matches!(choice, Choice::Reused { .. })).count();
    assert_eq!(reused, old.len());
    assert!(depth(&choices) <= 50);
    let ours = written(&repository, &candidates, &objects, &choices, &old);
    assert!(ours.len() <= pack.len() * 12 / 10, "{} bytes instead of {}", ours.len(), pack.len());
    judge(&repository, &ours);
}

#[test]
fn an_island_has_deltas_of_its_own_alone_and_others_have_deltas_of_it() {
    let repository = Repository::with_history(FORMATS[0], 100);
    let (ids, mut candidates, objects) = candidates(&repository);
    let tip = repository.git(&["rev-list", "--objects", "--no-walk", "--all"], b"");
    let tip = String::from_utf8(tip).expect("text");
    let tip: Vec<&str> = tip.lines().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    for (id, candidate) in ids.iter().zip(&mut candidates) {
        candidate.island = tip.contains(&&*id.to_string());
    }
    let island = |number: u32| candidates[number as usize].island;
    // Every old delta of the island has a base outside of it.
    let outside = (0..).find(|number| !island(*number));
    let mut old = candidates.clone();
    for candidate in old.iter_mut().filter(|candidate| candidate.island) {
        candidate.reusable = outside;
    }
    for candidates in [&candidates, &old] {
        let choices = choose(candidates, &objects, &Search::default(), &|_| true).expect("chosen");
        let mut of_the_island = 0;
        for (number, choice) in (0_u32..).zip(&choices) {
            let Some(base) = choice.base() else { continue };
            assert!(island(base) || !island(number), "{number} is a delta of {base}");
            of_the_island += u32::from(island(base) && !island(number));
        }
        assert!(of_the_island > 0);
        judge(&repository, &written(&repository, candidates, &objects, &choices, &BTreeMap::new()));
    }
}

#[test]
fn memory_limits_and_an_end_are_respected() {
    let repository = Repository::with_history(FORMATS[0], 60);
    let (_, candidates, objects) = candidates(&repository);
    // Room for no blob.
    let search = Search { memory_bytes: 8000, ..Search::default() };
    let choices = choose(&candidates, &objects, &search, &|_| true).expect("chosen");
    for (candidate, choice) in candidates.iter().zip(&choices) {
        assert!(candidate.kind != Kind::Blob || *choice == Choice::Whole || candidate.size <= 2000);
    }
    judge(&repository, &written(&repository, &candidates, &objects, &choices, &BTreeMap::new()));
    let ended = choose(&candidates, &objects, &Search { threads: 2, ..Search::default() }, &|_| false);
    assert!(matches!(ended, Err(PackError::Read(_))));
}
