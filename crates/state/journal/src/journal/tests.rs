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
