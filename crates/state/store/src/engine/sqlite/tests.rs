use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::engine::RowKey;
use crate::ledger::Ledger;
use crate::store::tests::{Directory, Note, get, note, put};
use crate::transaction::Transaction;
use crate::{RootKey, Store, Tx};

mod changes;
mod indexes;

fn refusal(directory: &Directory, root: &RootKey) -> StoreError {
    Store::open(directory.database(), root).err().expect("it is refused")
}

async fn filled(directory: &Directory, root: &RootKey) -> Store {
    let store = Store::open(directory.database(), root).unwrap();
    let fill = |tx: &mut Tx<'_>| (0..500).try_for_each(|n| tx.put("p", &n.to_string(), &note(&n.to_string(), "text")));
    store.write(fill).await.unwrap();
    store
}

#[tokio::test]
async fn nothing_that_was_stored_can_be_read_in_the_files() {
    let texts = ["parent-of-orders", "record-of-invoices", "launch codes 0000", "domain/eu-west-1"];
    let directory = Directory::new();
    let root = RootKey::random();
    let store = Store::open(directory.database(), &root).unwrap();
    put(&store, texts[0], &note(texts[1], texts[2])).await;
    let key = store.keyring().key(texts[3]).await.unwrap();
    let mut secrets: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    secrets.extend([key.expose().to_vec(), root.key().expose().to_vec()]);
    let search = |store_is_open: bool| {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&directory.0).unwrap() {
            let path = entry.unwrap().path();
            let content = std::fs::read(&path).unwrap();
            for secret in &secrets {
                assert!(!content.windows(secret.len()).any(|window| window == secret), "{}", path.display());
            }
            names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
        names.sort();
        let expected: &[&str] =
            if store_is_open { &["store.db", "store.db-shm", "store.db-wal"] } else { &["store.db"] };
        assert_eq!(names, expected);
    };
    search(true);
    store.checkpoint().unwrap();
    search(true);
    drop(store);
    search(false);
    // The search itself finds what it looks for.
    let content = std::fs::read(directory.database()).unwrap();
    assert!(content.windows(5).any(|window| window == b"notes"), "collections are clear");
}

#[tokio::test]
async fn the_files_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Directory::new();
    let _store = filled(&directory, &RootKey::random()).await;
    for entry in std::fs::read_dir(&directory.0).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test]
async fn what_was_closed_opens_again() {
    let directory = Directory::new();
    let root = RootKey::random();
    drop(filled(&directory, &root).await);
    let store = Store::open(directory.database(), &root).unwrap();
    assert_eq!(get(&store, "p", "7").await.unwrap(), Some(note("7", "text")));
}

#[tokio::test]
async fn opening_takes_less_than_a_tenth_of_a_second() {
    let directory = Directory::new();
    let root = RootKey::random();
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let store = Store::open(directory.database(), &root).unwrap();
        best = best.min(start.elapsed());
        drop(store);
    }
    assert!(best < Duration::from_millis(100), "{best:?}");
}

#[test]
fn every_commit_is_synced_and_what_is_deleted_is_overwritten() {
    let directory = Directory::new();
    let db = Sqlite::open(&directory.database()).unwrap();
    let pragma = |name: &str| -> i32 { lock(&db.connection).pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    const FULL: i32 = 2;
    assert_eq!((pragma("synchronous"), pragma("secure_delete"), pragma("mmap_size")), (FULL, 1, 0));
}

#[tokio::test]
async fn a_closure_may_hold_the_last_handle() {
    let store = Store::open_in_memory().unwrap();
    let (told, tell) = tokio::sync::oneshot::channel();
    let last = store.clone();
    let write = tokio::spawn(async move {
        let change = move |_: &mut Tx<'_>| {
            drop(last);
            told.send(()).unwrap();
            Ok::<_, StoreError>(())
        };
        store.write(change).await
    });
    tell.await.unwrap();
    write.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_named_and_left_as_it_is() {
    let root = RootKey::random();
    let damages: [fn(&mut Vec<u8>); 4] = [
        |file| file.clear(),
        |file| file.iter_mut().take(100).for_each(|byte| *byte ^= 0x5a),
        |file| *file = b"this is a text and no database, and it is longer than a header: ".repeat(20),
        |file| file.truncate(5_000),
    ];
    for damage in damages {
        let directory = Directory::new();
        drop(filled(&directory, &root).await);
        let mut file = std::fs::read(directory.database()).unwrap();
        damage(&mut file);
        std::fs::write(directory.database(), &file).unwrap();
        let refused = refusal(&directory, &root);
        assert!(
            matches!(&refused, StoreError::Corrupt { database, .. } if *database == directory.database().into()),
            "{refused}"
        );
        assert!(refused.to_string().contains("restore"));
        assert_eq!(std::fs::read(directory.database()).unwrap(), file);
    }
}

/// Brings the schema back to before its fourth step.
const WITHOUT_STEP_4: &str = "
    DROP TABLE feed;
    CREATE TABLE changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, key BLOB NOT NULL) STRICT;
    INSERT INTO changes (collection, key) VALUES ('notes', x'00');
    ALTER TABLE records RENAME TO rows;
    CREATE TABLE records (
        collection TEXT NOT NULL, parent BLOB NOT NULL, id BLOB NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (collection, parent, id)
    ) WITHOUT ROWID, STRICT;
    INSERT INTO records SELECT * FROM rows;
    DROP TABLE rows;";

#[tokio::test]
async fn a_database_from_before_the_ledger_is_brought_up_to_date() {
    let directory = Directory::new();
    let root = RootKey::random();
    drop(filled(&directory, &root).await);
    let connection = Connection::open(directory.database()).unwrap();
    let before = "DROP TABLE outbox; DROP TABLE pages; DELETE FROM meta WHERE name = 'ledger'";
    connection.execute_batch(&format!("{WITHOUT_STEP_4} {before}; PRAGMA user_version = 1")).unwrap();
    drop(connection);
    let store = Store::open(directory.database(), &root).unwrap();
    assert_eq!(store.standing().unwrap().version, 1);
    store.write_recorded(|_| b"event".to_vec(), |tx| tx.put("p", "7", &note("7", "new"))).await.unwrap();
    assert_eq!((store.standing().unwrap().recorded, store.first_waiting().unwrap()), (1, Some(1)));
    store.check().unwrap();
}

#[tokio::test]
async fn a_database_from_before_spaces_and_batches_is_brought_up_to_date() {
    let directory = Directory::new();
    let root = RootKey::random();
    let store = filled(&directory, &root).await;
    store.write_recorded(|_| b"one".to_vec(), |tx| tx.put("p", "7", &note("7", "new"))).await.unwrap();
    let standing = store.standing().unwrap();
    drop(store);
    {
        // The ledger follows nothing here.
        let db: Arc<dyn Engine> = Arc::new(Sqlite::open(&directory.database()).unwrap());
        let keyring = crate::Keyring::open(Arc::clone(&db), &directory.database().into(), &root).unwrap();
        let ledger = Ledger::new(&keyring.first_key("record").unwrap());
        let old = standing.clone();
        let write = move |tx: &Transaction<'_>| {
            tx.rows().drop_events(1)?;
            ledger.write_in_old_forms(tx.rows(), &old, b"event")
        };
        crate::engine::write_blocking(&*db, write).unwrap();
    }
    let connection = Connection::open(directory.database()).unwrap();
    connection.execute_batch(&format!("{WITHOUT_STEP_4} PRAGMA user_version = 3")).unwrap();
    drop(connection);

    let store = Store::open(directory.database(), &root).unwrap();
    assert_eq!(store.standing().unwrap(), standing, "the anchors elsewhere have the same");
    assert_eq!((standing.recorded, store.first_waiting().unwrap()), (1, Some(1)));
    store.check().unwrap();
    store.write_recorded(|_| b"two".to_vec(), |tx| tx.put("p", "8", &note("8", "new"))).await.unwrap();
    assert_eq!(get(&store, "p", "7").await.unwrap(), Some(note("7", "new")));
    let now = store.standing().unwrap();
    assert_eq!((now.version, now.recorded, store.first_waiting().unwrap()), (standing.version + 1, 2, Some(1)));
    assert_eq!(store.change_position().await.unwrap().version(crate::Space::MAIN), 1);
    store.check().unwrap();
}

#[tokio::test]
async fn a_row_that_was_put_back_while_no_server_ran_is_found_by_a_check() {
    let directory = Directory::new();
    let root = RootKey::random();
    let store = filled(&directory, &root).await;
    store.checkpoint().unwrap();
    let old = directory.0.join("old.db");
    std::fs::copy(directory.database(), &old).unwrap();
    store.write(|tx| tx.delete::<Note>("p", "7")).await.unwrap();
    store.check().unwrap();
    drop(store);
    let connection = Connection::open(directory.database()).unwrap();
    connection.execute("ATTACH ?1 AS old", [old.to_str().unwrap()]).unwrap();
    let put_back = "INSERT INTO main.records SELECT * FROM old.records EXCEPT SELECT * FROM main.records";
    assert_eq!(connection.execute(put_back, []).unwrap(), 1);
    drop(connection);
    let store = Store::open(directory.database(), &root).unwrap();
    assert_eq!(get(&store, "p", "7").await.unwrap(), Some(note("7", "text")), "the row itself is genuine");
    assert_eq!(store.check(), Err(StoreError::RowsPutBack));
}

#[tokio::test]
async fn damage_to_any_sealed_value_is_found_by_a_check() {
    for sample in [
        "SELECT value FROM records WHERE collection = 'notes' LIMIT 1 OFFSET 250",
        "SELECT value FROM records WHERE collection = 'keyring' LIMIT 1",
        "SELECT names FROM feed ORDER BY id DESC LIMIT 1",
    ] {
        let directory = Directory::new();
        let root = RootKey::random();
        let store = filled(&directory, &root).await;
        put(&store, "p", &note("last", "text")).await;
        drop(store);
        let connection = Connection::open(directory.database()).unwrap();
        let sealed: Vec<u8> = connection.query_row(sample, [], |row| row.get(0)).unwrap();
        drop(connection);
        let mut file = std::fs::read(directory.database()).unwrap();
        let at = file.windows(sealed.len()).position(|window| window == sealed).unwrap();
        file[at + sealed.len() / 2] ^= 1;
        std::fs::write(directory.database(), &file).unwrap();
        let refused = Store::open(directory.database(), &root).and_then(|store| store.check()).unwrap_err();
        assert!(matches!(refused, StoreError::NotAuthentic { .. }), "{sample}: {refused}");
    }
}

#[tokio::test]
async fn damage_to_the_tree_is_found_by_a_check() {
    let directory = Directory::new();
    let root = RootKey::random();
    drop(filled(&directory, &root).await);
    let connection = Connection::open(directory.database()).unwrap();
    let root_page = "SELECT rootpage FROM sqlite_schema WHERE name = 'records'";
    let root_page: u32 = connection.query_row(root_page, [], |row| row.get(0)).unwrap();
    drop(connection);
    let mut file = std::fs::read(directory.database()).unwrap();
    let header = usize::try_from(root_page - 1).unwrap() * 4096;
    file[header..header + 12].fill(0);
    std::fs::write(directory.database(), &file).unwrap();
    let refused = Store::open(directory.database(), &root).and_then(|store| store.check()).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
}

#[tokio::test]
async fn a_log_without_its_database_is_not_taken_for_a_new_one() {
    let directory = Directory::new();
    let root = RootKey::random();
    std::fs::write(directory.0.join("store.db-wal"), b"log").unwrap();
    assert!(matches!(refusal(&directory, &root), StoreError::Corrupt { .. }));
    assert!(!directory.database().exists());
}

#[tokio::test]
async fn a_first_start_that_died_is_begun_anew() {
    let directory = Directory::new();
    std::fs::write(directory.0.join("store.db.new"), b"half a database").unwrap();
    drop(filled(&directory, &RootKey::random()).await);
    assert!(!directory.0.join("store.db.new").exists());
}

#[tokio::test]
async fn another_programs_database_and_a_newer_schema_are_refused() {
    let directory = Directory::new();
    let root = RootKey::random();
    drop(filled(&directory, &root).await);
    let set = |pragma: &str, value: i32| {
        let connection = Connection::open(directory.database()).unwrap();
        connection.pragma_update(None, pragma, value).unwrap();
    };
    let known = schema();
    set("user_version", 99);
    assert_eq!(
        refusal(&directory, &root),
        StoreError::NewerSchema { database: directory.database().into(), found: 99, known }
    );
    set("user_version", -1);
    assert!(matches!(refusal(&directory, &root), StoreError::NewerSchema { .. }));
    set("application_id", 7);
    assert_eq!(refusal(&directory, &root), StoreError::Foreign { database: directory.database().into() });
}

#[test]
fn a_place_that_cannot_be_written_is_denied() {
    let directory = Directory::new();
    std::fs::write(directory.0.join("file"), b"").unwrap();
    std::fs::create_dir(directory.0.join("directory")).unwrap();
    for place in ["missing/store.db", "file/store.db", "directory"] {
        let refused = Store::open(directory.0.join(place), &RootKey::random()).err().unwrap();
        assert!(
            matches!(&refused, StoreError::Denied { database, .. } if *database == directory.0.join(place).into()),
            "{refused}"
        );
    }
}

#[test]
fn rewrapping_moves_the_database_to_the_new_root_key() {
    let directory = Directory::new();
    let (old, new) = (RootKey::random(), RootKey::random());
    crate::rewrap(directory.database(), &new, &old).unwrap();
    drop(Store::open(directory.database(), &old).unwrap());
    crate::rewrap(directory.database(), &old, &new).unwrap();
    crate::rewrap(directory.database(), &old, &new).unwrap();
    assert!(matches!(refusal(&directory, &old), StoreError::WrongRootKey { .. }));
    Store::open(directory.database(), &new).unwrap();
}

type Work = fn(&Transaction<'_>) -> Result<(), StoreError>;

/// Holds the writer while `jobs` are queued, so that they make one group, and returns their answers.
fn in_one_group(db: &Sqlite, jobs: Vec<Work>) -> Vec<Result<(), StoreError>> {
    use crate::engine::{Task, Worked, work};
    let (begun, begins) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let hold = move |_: &Transaction<'_>| {
        begun.send(()).unwrap();
        released.recv().unwrap();
        Ok::<_, StoreError>(())
    };
    db.submit(Box::new(Task::new(work(hold), |_| {})));
    begins.recv().unwrap();
    let (answer, answers) = mpsc::channel();
    let count = jobs.len();
    for (index, job) in jobs.into_iter().enumerate() {
        let answer = answer.clone();
        let answer = move |worked: Result<Worked, StoreError>| {
            answer.send((index, worked.and_then(Worked::returned))).unwrap();
        };
        db.submit(Box::new(Task::new(work(job), answer)));
    }
    release.send(()).unwrap();
    let mut results: Vec<_> = answers.iter().take(count).collect();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

const SMALL: &[u8] = &[1; 100];

fn put_small(tx: &Transaction<'_>, id: u8) -> Result<(), StoreError> {
    tx.put(RowKey { collection: "c", parent: &[0; 16], id: &[id; 16] }, SMALL).map(drop)
}

fn ids(db: &Sqlite) -> Vec<u8> {
    let rows = crate::engine::read_blocking(db, |tx| tx.page("c", &[0; 16], None, 100));
    rows.unwrap().iter().map(|row: &crate::engine::Row| row.id[0]).collect()
}

#[test]
fn a_full_disk_fails_the_whole_group_and_the_writer_goes_on() {
    let directory = Directory::new();
    let db = Sqlite::open(&directory.database()).unwrap();
    crate::engine::write_blocking(&db, |tx| put_small(tx, 1)).unwrap();
    let pages: u32 = lock(&db.connection).pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |pages: u32| {
        let connection = lock(&db.connection);
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    };
    limit(pages + 2);
    let results = in_one_group(
        &db,
        vec![
            |tx| put_small(tx, 2),
            // A closure that pays no heed to the failure.
            |tx| {
                let _ = tx.put(RowKey { collection: "c", parent: &[0; 16], id: &[3; 16] }, &[3; 100_000]);
                Ok(())
            },
            |tx| put_small(tx, 4),
        ],
    );
    let full = Err(StoreError::Full { database: directory.database().into() });
    assert_eq!(results, [full.clone(), full, Ok(())], "those before it are undone with it, those after go on");
    assert_eq!(ids(&db), [1, 4]);
    limit(pages + 10_000);
    crate::engine::write_blocking(&db, |tx| put_small(tx, 5)).unwrap();
    assert_eq!(ids(&db), [1, 4, 5]);
}

#[tokio::test]
async fn a_transaction_whose_engine_failed_is_undone_even_if_its_closure_goes_on() {
    let directory = Directory::new();
    let root = RootKey::random();
    drop(Store::open(directory.database(), &root).unwrap());
    let engine = Arc::new(Sqlite::open(&directory.database()).unwrap());
    let store = Store::over(Arc::clone(&engine) as Arc<dyn Engine>, &directory.database().into(), &root).unwrap();
    // Fails the statement alone, where a full disk would fail the transaction.
    let trigger = "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.feed BEGIN SELECT raise(FAIL, 'no'); END";
    lock(&engine.connection).execute_batch(trigger).unwrap();
    let heedless = |tx: &mut Tx<'_>| {
        let _ = tx.put("p", "a", &note("a", "no cache would hear of it"));
        Ok::<_, StoreError>(())
    };
    assert!(matches!(store.write(heedless).await, Err(StoreError::Engine { .. })));
    assert_eq!(get(&store, "p", "a").await.unwrap(), None);
    lock(&engine.connection).execute_batch("DROP TRIGGER refuse").unwrap();
    store.write(heedless).await.unwrap();
    assert!(get(&store, "p", "a").await.unwrap().is_some());
}

/// This test binary, running one of its ignored tests alone.
fn child(test: &str, directory: &Directory) -> Command {
    let mut command = Command::new("sh");
    let arguments = ["--ignored", "--exact", "--nocapture", "--test-threads=1"];
    command.args(["-c", "trap '' XFSZ; [ -z \"$FILE_BLOCKS_MAX\" ] || ulimit -f $FILE_BLOCKS_MAX; exec \"$0\" \"$@\""]);
    command.arg(std::env::current_exe().unwrap()).arg(format!("engine::sqlite::tests::{test}")).args(arguments);
    command.env("STORE_DIRECTORY", &directory.0);
    command
}

fn childs_database() -> PathBuf {
    PathBuf::from(std::env::var_os("STORE_DIRECTORY").unwrap()).join("store.db")
}

const CHILDS_ROOT: [u8; 32] = [7; 32];

/// A file-size limit stands in for a disk that is full when the log is written: the commit itself fails.
#[test]
fn a_failed_commit_is_an_error_for_all_and_nothing_of_it_is_seen() {
    let directory = Directory::new();
    let output = child("writes_into_a_file_size_limit", &directory).env("FILE_BLOCKS_MAX", "1024").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    let db = Sqlite::open(&directory.database()).unwrap();
    db.check().unwrap();
    let left = ids(&db);
    assert!(left.ends_with(&[250]) && !left.contains(&201) && !left.contains(&202), "{left:?}");
}

#[test]
#[ignore = "run by another test, under a limit"]
fn writes_into_a_file_size_limit() {
    fn put(tx: &Transaction<'_>, id: u8, bytes: usize) -> Result<(), StoreError> {
        tx.put(RowKey { collection: "c", parent: &[0; 16], id: &[id; 16] }, &vec![id; bytes]).map(drop)
    }
    let db = Sqlite::open(&childs_database()).unwrap();
    crate::engine::write_blocking(&db, |tx| put(tx, 1, 100)).unwrap();
    // Less than the page cache, so nothing is written before the commit; more than the limit.
    let results = in_one_group(&db, vec![|tx| put(tx, 201, 1_500_000), |tx| put(tx, 202, 100)]);
    assert!(results.iter().all(|result| matches!(result, Err(StoreError::Io { .. } | StoreError::Full { .. }))));
    assert_eq!(ids(&db), [1]);
    // A smaller one still fits.
    crate::engine::write_blocking(&db, |tx| put(tx, 250, 100)).unwrap();
    assert_eq!(ids(&db), [1, 250]);
}

/// Kills a process that writes, again and again; whatever it said was written is there afterwards.
#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let directory = Directory::new();
    let root = RootKey::from_slice(&CHILDS_ROOT).unwrap();
    let mut acknowledged = Vec::new();
    for round in 0_u64..12 {
        let mut child = child("writes_until_it_is_killed", &directory);
        let mut child = child.env("STORE_ROUND", round.to_string()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // From the very start of the process to some way into its work.
        let mut patience = [0, 1, 5, 20, 60, 150][usize::try_from(round % 6).unwrap()];
        let mut random = [0];
        crypto::random_bytes(&mut random);
        while patience > 0
            && let Some(Ok(line)) = lines.next()
        {
            if let Some(id) = line.strip_prefix("written ") {
                acknowledged.push(id.to_owned());
                patience -= 1;
            }
        }
        std::thread::sleep(Duration::from_micros(u64::from(random[0]) * 100));
        child.kill().unwrap();
        child.wait().unwrap();
        // A line without its end was cut off, and says nothing.
        let rest = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("written ").map(str::to_owned));
        acknowledged.extend(rest.filter(|id| id.ends_with('.')));
        if !directory.database().exists() {
            continue;
        }
        let store = Store::open(directory.database(), &root).unwrap();
        for id in &acknowledged {
            assert_eq!(get(&store, "p", id).await.unwrap(), Some(note(id, id)), "in round {round}");
        }
        store.check().unwrap();
        let pairs = store.read(|tx| Ok::<_, StoreError>((tx.all::<Note>("p")?.len(), tx.all::<Note>("twin")?.len())));
        let (first, second) = pairs.await.unwrap();
        assert_eq!(first, second, "a transaction is there in full or not at all");
        let recorded = store.standing().unwrap().recorded;
        assert_eq!(recorded, u64::try_from(first).unwrap(), "each change has its record, and no other has one");
    }
    assert!(acknowledged.len() > 300, "{}", acknowledged.len());
}

#[test]
#[ignore = "run by another test, and killed"]
fn writes_until_it_is_killed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(childs_database(), &RootKey::from_slice(&CHILDS_ROOT).unwrap()).unwrap();
        let round = std::env::var("STORE_ROUND").unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8 {
            let (store, round) = (store.clone(), round.clone());
            tasks.spawn(async move {
                for number in 0.. {
                    let id = format!("{round}-{task}-{number}.");
                    let record = note(&id, &id);
                    let change = move |tx: &mut Tx<'_>| {
                        tx.insert("p", &record.name, &record)?;
                        tx.insert("twin", &record.name, &record)
                    };
                    let event = id.clone().into_bytes();
                    store.write_recorded(|_| event, change).await.unwrap();
                    writeln!(std::io::stdout().lock(), "written {id}").unwrap();
                }
            });
        }
        tasks.join_all().await;
    });
}
