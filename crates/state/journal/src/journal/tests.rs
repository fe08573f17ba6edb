use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::fixture::{Dir, append, config, key, record};

use super::*;

#[test]
fn only_one_process_writes_a_journal() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let clone = journal.clone();
    assert!(matches!(Journal::open(config(&dir), &key()), Err(JournalError::InUse { .. })));
    drop(journal);
    assert!(matches!(Journal::open(config(&dir), &key()), Err(JournalError::InUse { .. })));
    drop(clone);
    Journal::open(config(&dir), &key()).unwrap();
}

#[test]
fn dropping_the_last_handle_writes_everything() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    for sequence in 1..=1000 {
        journal.append(&record(sequence)).unwrap();
    }
    drop(journal);
    dir.assert_holds(1000);
}

#[test]
fn a_closed_journal_refuses_its_other_handles() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let other = journal.clone();
    let ticket = journal.append(&record(1)).unwrap();
    journal.close().unwrap();
    assert!(matches!(other.append(b"{}"), Err(JournalError::Closed)));
    assert!(!other.healthy());
    // What was appended before is durable all the same.
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(other.durable(ticket)).unwrap();
    other.close().unwrap();
    dir.assert_holds(1);
}

#[test]
fn appending_from_many_threads_keeps_every_record_once() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let mut expected: Vec<(u64, Vec<u8>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let journal = &journal;
                let one = move |index| {
                    let bytes = format!("{thread} {index}").into_bytes();
                    (journal.append(&bytes).unwrap().sequence(), bytes)
                };
                scope.spawn(move || (0..5000).map(one).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    journal.close().unwrap();
    expected.sort();
    assert!(dir.records() == expected);
    assert_eq!(dir.verify().unwrap().records, 20_000);
}

#[test]
fn nothing_readable_is_on_the_disk() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let secret = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    for index in 0..50 {
        journal.append(format!(r#"{{"index":{index},"resource":"{secret}"}}"#).as_bytes()).unwrap();
    }
    journal.close().unwrap();
    let mut files = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        // Compression leaves pieces of a text as they are, so look for pieces.
        for piece in secret.as_bytes().windows(6) {
            assert!(!bytes.windows(6).any(|found| found == piece), "{}", String::from_utf8_lossy(piece));
        }
    }
    assert_eq!(files, 3, "a segment, the head and the lock");
}

#[test]
fn the_files_are_their_owners_alone() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    append(&journal, 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(dir.as_ref()), 0o700);
    for entry in fs::read_dir(&dir).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let dir = Dir::new();
    fs::write(&dir, "a file").unwrap();
    let refused = Journal::open(Config::new(dir.as_ref()), &key()).err().unwrap();
    assert!(refused.to_string().starts_with(&format!("can't create {}: ", dir.as_ref().display())), "{refused}");
    fs::remove_file(&dir).unwrap();
}

#[test]
fn marks_outlast_the_process_and_are_read_back() {
    let dir = Dir::new();
    let mut expected = Vec::new();
    for life in 0..3_u64 {
        let journal = Journal::open(config(&dir), &key()).unwrap();
        assert_eq!((journal.marked(), journal.durable_marked()), (3 * life, 3 * life));
        for index in 0..7 {
            let append = if index % 2 == 1 { Journal::append_marked } else { Journal::append };
            expected.push((append(&journal, b"{}").unwrap().sequence(), index % 2 == 1));
        }
        assert_eq!(journal.marked(), 3 * life + 3);
        journal.close().unwrap();
    }
    let mut found = Vec::new();
    crate::read(dir.as_ref(), &key(), 0..=u64::MAX, crate::Order::OldestFirst, |record| {
        found.push((record.sequence, record.marked));
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(found, expected);
    assert_eq!(dir.verify().unwrap().marked, 9);
}

#[test]
fn the_durable_end_is_what_is_on_the_disk() {
    let dir = Dir::new();
    let journal = Journal::open(config(&dir), &key()).unwrap();
    let begun = journal.durable_end();
    assert_eq!((begun.segment, begun.sequence, begun.marked), (1, 0, 0));
    append(&journal, 2);
    let ticket = journal.append_marked(b"{}").unwrap();
    assert_eq!(journal.durable_end().sequence, 8);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(journal.durable(ticket)).unwrap();
    let end = journal.durable_end();
    assert_eq!((end.journal, end.sequence, end.marked), (begun.journal, 9, 1));
    journal.close().unwrap();
    assert_eq!(fs::metadata(dir.segment(1)).unwrap().len(), end.offset);
    assert_eq!(dir.verify().unwrap().end, end.anchor());
    assert_eq!(Journal::open(config(&dir), &key()).unwrap().durable_end(), end);
}

#[test]
fn room_goes_back_when_it_is_dropped() {
    let dir = Dir::new();
    let journal = Journal::open(Config { buffer_bytes_max: 1000, ..config(&dir) }, &key()).unwrap();
    let room = journal.reserve(900).unwrap();
    assert!(matches!(journal.append(&[0; 100]), Err(JournalError::Full)));
    // It may be given back elsewhere, and later than the journal.
    let taken = std::thread::spawn(move || drop(room));
    taken.join().unwrap();
    journal.append(&[0; 100]).unwrap();
    let room = journal.reserve(100).unwrap();
    journal.close().unwrap();
    drop(room);
}

#[test]
fn an_anchor_is_found_again() {
    let dir = Dir::new();
    let head_anchor = || crate::head_anchor(dir.as_ref(), &key()).unwrap();
    assert_eq!(head_anchor(), None);
    let journal = Journal::open(config(&dir), &key()).unwrap();
    assert_eq!((journal.found_anchor(), head_anchor()), (None, None));
    journal.set_anchor([1; 64]);
    journal.set_anchor([2; 64]);
    journal.close().unwrap();
    assert_eq!(head_anchor(), Some([2; 64]));
    // What is written without a new one keeps it.
    let journal = Journal::open(config(&dir), &key()).unwrap();
    append(&journal, 1);
    assert_eq!(journal.found_anchor(), Some([2; 64]));
    journal.close().unwrap();
    assert_eq!(head_anchor(), Some([2; 64]));
    crate::fixture::edit(&crate::head_file(dir.as_ref()), |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 1));
    assert!(matches!(crate::head_anchor(dir.as_ref(), &key()), Err(JournalError::Broken(_))));
}
