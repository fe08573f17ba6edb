//! Ordered indexes on the disk: what can be read there, and what a crash, a copy and an older snapshot see.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::*;
use crate::store::tests::indexes::{Item, Random, fill_index, item, key};

async fn entries(store: &Store) -> BTreeMap<Vec<u8>, Item> {
    let all = store.read(|tx| tx.index::<Item>("tree")?.range(b"", Bound::Unbounded, usize::MAX)).await;
    all.unwrap().items.into_iter().collect()
}

#[tokio::test]
async fn names_order_and_fill_of_an_index_do_not_show_in_the_files() {
    let directory = Directory::new();
    let store = Store::open(directory.database(), &RootKey::random()).unwrap();
    fill_index(&store, "tree-of-invoices", 3_000).await;
    let add = |tx: &mut Tx<'_>| tx.index_mut::<Item>("tree-of-invoices").put(b"launch codes", &item("0000-1111"));
    store.write(add).await.unwrap();
    store.write(|tx| tx.index_mut::<Item>("one entry").put(b"key", &item("text"))).await.unwrap();
    store.checkpoint().unwrap();
    for text in ["tree-of-invoices", "one entry", "orders/", "launch codes", "0000-1111", "items"] {
        for file in ["store.db", "store.db-wal"] {
            let content = std::fs::read(directory.0.join(file)).unwrap();
            assert!(!content.windows(text.len()).any(|window| window == text.as_bytes()), "{text} in {file}");
        }
    }
    let connection = Connection::open(directory.database()).unwrap();
    let lengths = "SELECT count(*), min(length(value)), max(length(value)) FROM pages";
    let lengths: (u32, u32, u32) = connection.query_row(lengths, [], |row| row.try_into()).unwrap();
    assert!(lengths.0 > 10);
    assert_eq!((lengths.1, lengths.2), (4_001, 4_001), "full and empty pages look alike");
    // A row with its page fills one page of the engine: there is no overflow page.
    let connection = Connection::open(directory.database()).unwrap();
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    assert!(pages < lengths.0 + 60, "{pages} for {}", lengths.0);
}

#[tokio::test]
async fn a_snapshot_sees_the_index_as_it_was_while_it_changes() {
    let directory = Directory::new();
    let store = Store::open(directory.database(), &RootKey::random()).unwrap();
    fill_index(&store, "tree", 1_000).await;
    let before = entries(&store).await;
    let (begun, begins) = std::sync::mpsc::channel();
    let (go_on, goes_on) = std::sync::mpsc::channel::<()>();
    let reader = tokio::spawn({
        let store = store.clone();
        async move {
            let read = store.read(move |tx| {
                // The snapshot is taken with the first read.
                let first = tx.index::<Item>("tree")?.get(&key(0))?;
                begun.send(()).unwrap();
                goes_on.recv().unwrap();
                let all = tx.index::<Item>("tree")?.range(b"", Bound::Unbounded, usize::MAX)?;
                Ok::<_, StoreError>((first, all.items))
            });
            read.await.unwrap()
        }
    });
    tokio::task::spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
    let change = |tx: &mut Tx<'_>| {
        let mut index = tx.index_mut::<Item>("tree");
        (0..1_000).try_for_each(|n| index.remove(&key(n)).map(drop))?;
        (0..900).try_for_each(|n| index.put(&key(n), &item("new")))
    };
    store.write(change).await.unwrap();
    assert_eq!(entries(&store).await.len(), 900, "and the newest pages are cached");
    go_on.send(()).unwrap();
    let (first, all) = reader.await.unwrap();
    assert_eq!((first.as_ref(), all.into_iter().collect()), (before.get(&key(0)), before.clone()));
    assert!(
        entries(&store).await.values().all(|found| *found == item("new")),
        "what was read late is not taken for new"
    );
}

#[tokio::test]
async fn a_copy_has_the_indexes_as_they_are() {
    let directory = Directory::new();
    let root = RootKey::random();
    let store = Store::open(directory.database(), &root).unwrap();
    fill_index(&store, "tree", 2_000).await;
    store.write(|tx| tx.index_mut::<Item>("tree").remove(&key(7))).await.unwrap();
    let copy = directory.0.join("copy.db");
    snapshot(directory.database(), &copy).unwrap();
    let restored = Store::open(copy.clone(), &root).unwrap();
    let report = restored.check().unwrap();
    assert_eq!((report.indexes, report.entries), (1, 1_999));
    assert_eq!(entries(&restored).await, entries(&store).await);
}

#[tokio::test]
async fn a_commit_that_fails_leaves_no_page_in_the_cache() {
    let directory = Directory::new();
    let root = RootKey::random();
    drop(Store::open(directory.database(), &root).unwrap());
    let engine = Arc::new(Sqlite::open(&directory.database()).unwrap());
    let store = Store::over(Arc::clone(&engine) as Arc<dyn Engine>, &directory.database().into(), &root).unwrap();
    fill_index(&store, "tree", 500).await;
    let before = entries(&store).await;
    let put = |text: &'static str| move |tx: &mut Tx<'_>| tx.index_mut::<Item>("tree").put(&key(7), &item(text));
    // The feed's entry is written last, when all pages are sealed.
    let trigger = "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.feed BEGIN SELECT raise(FAIL, 'no'); END";
    lock(&engine.connection).execute_batch(trigger).unwrap();
    assert!(matches!(store.write(put("lost")).await, Err(StoreError::Engine { .. })));
    lock(&engine.connection).execute_batch("DROP TRIGGER refuse").unwrap();
    assert_eq!(entries(&store).await, before);
    // The next commit has the same number, and its pages are taken for no others.
    store.write(put("kept")).await.unwrap();
    assert_eq!(entries(&store).await.get(&key(7)), Some(&item("kept")));
    store.check().unwrap();
}

/// Kills a process that changes an index, again and again; whatever it said was done is so afterwards.
#[tokio::test]
async fn an_index_survives_a_kill_at_any_moment() {
    let directory = Directory::new();
    let root = RootKey::from_slice(&CHILDS_ROOT).unwrap();
    let mut random = Random::new();
    let mut acknowledged = 0;
    for round in 0..12_usize {
        let mut child = child("indexes::changes_an_index_until_it_is_killed", &directory);
        let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut done = Vec::new();
        let mut patience = [0, 1, 5, 20, 60, 150][round % 6];
        while patience > 0
            && let Some(Ok(line)) = lines.next()
        {
            if line.starts_with("done ") {
                done.push(line);
                patience -= 1;
            }
        }
        std::thread::sleep(Duration::from_micros(random.below(20_000) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        done.extend(lines.map_while(Result::ok).filter(|line| line.starts_with("done ") && line.ends_with('.')));
        acknowledged += done.len();
        if !directory.database().exists() {
            continue;
        }
        let store = Store::open(directory.database(), &root).unwrap();
        let report = store.check().unwrap();
        let all = entries(&store).await;
        assert_eq!(report.entries, all.len() as u64);
        for line in &done {
            let mut words = line.trim_end_matches('.').split(' ').skip(1);
            let (task, count) = (words.next().unwrap(), words.next().unwrap().parse::<usize>().unwrap());
            let counted = all.get(format!("{task}/count").as_bytes()).expect("the task's count is there");
            assert!(counted.0.parse::<usize>().unwrap() >= count, "in round {round}: {line}, {counted:?}");
        }
        // A transaction is there in full or not at all: each task's entries are those of its count.
        for task in 0..TASKS {
            let Some(Item(count)) = all.get(format!("{task}/count").as_bytes()) else { continue };
            let expected = expected(task, count.parse().unwrap());
            let found: Vec<_> = all.keys().filter(|key| key.starts_with(format!("{task}/n").as_bytes())).collect();
            assert!(found.into_iter().eq(&expected), "in round {round}, task {task}");
        }
    }
    assert!(acknowledged > 300, "{acknowledged}");
}

const TASKS: usize = 6;

/// A key that a task's change `count` adds, somewhere among the others.
fn nth(task: usize, count: usize, part: usize) -> Vec<u8> {
    format!("{task}/n{:08x}/{part}", count.wrapping_mul(0x9e37_79b1) & 0xffff_ffff).into_bytes()
}

/// Keys that remain after a task's change `count`: those of the last 40 changes.
fn expected(task: usize, count: usize) -> Vec<Vec<u8>> {
    let first = count.saturating_sub(40) + 1;
    let mut keys: Vec<_> = (first..=count).flat_map(|n| (0..5).map(move |part| nth(task, n, part))).collect();
    keys.sort();
    keys
}

#[test]
#[ignore = "run by another test, and killed"]
fn changes_an_index_until_it_is_killed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(childs_database(), &RootKey::from_slice(&CHILDS_ROOT).unwrap()).unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..TASKS {
            let store = store.clone();
            tasks.spawn(async move {
                loop {
                    let change = move |tx: &mut Tx<'_>| {
                        let mut index = tx.index_mut::<Item>("tree");
                        let counter = format!("{task}/count").into_bytes();
                        let count = index.get(&counter)?.map_or(0, |Item(count)| count.parse::<usize>().unwrap()) + 1;
                        index.put(&counter, &item(&count.to_string()))?;
                        for part in 0..5 {
                            index.insert(&nth(task, count, part), &item(&"v".repeat(200)))?;
                            if count > 40 {
                                assert!(index.remove(&nth(task, count - 40, part))?);
                            }
                        }
                        Ok::<_, StoreError>(count)
                    };
                    let count = store.write(change).await.unwrap();
                    writeln!(std::io::stdout().lock(), "done {task} {count}.").unwrap();
                }
            });
        }
        tasks.join_all().await;
    });
}

/// Prints figures: random and growing keys in groups of 256, and ranges of 1000. For an optimised build:
/// `cargo test --release -p sealstack-store figures -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn figures_of_an_index() {
    let count: usize = std::env::var("INDEX_KEYS").map_or(1_000_000, |count| count.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for growing in [false, true] {
        let directory = Directory::new();
        let root = RootKey::random();
        let store = Store::open(directory.database(), &root).unwrap();
        let name = move |n: usize| {
            let n = n as u64;
            let number = if growing { n } else { n.wrapping_mul(0x9e37_79b9_7f4a_7c15) };
            format!("photos/2024/{number:020}").into_bytes()
        };
        let (written, processor) = (written_bytes(), processor_seconds());
        let start = Instant::now();
        runtime.block_on(async {
            for group in 0..count / 256 {
                let fill = move |tx: &mut Tx<'_>| {
                    let mut index = tx.index_mut::<Item>("tree");
                    (group * 256..(group + 1) * 256).try_for_each(|n| index.put(&name(n), &item(&"v".repeat(126))))
                };
                store.write(fill).await.unwrap();
            }
        });
        let (seconds, count) = (start.elapsed().as_secs_f64(), count / 256 * 256);
        let (written, processor) = (written_bytes() - written, processor_seconds() - processor);
        store.checkpoint().unwrap();
        let file = std::fs::metadata(directory.database()).unwrap().len();
        drop(store);
        let store = Store::open(directory.database(), &root).unwrap();
        let mut times = Vec::new();
        for _ in 0..2 {
            let mut total = Duration::ZERO;
            for at in 0..50 {
                let after = name(at * (count / 50));
                let start = Instant::now();
                let range = store.read(move |tx| tx.index::<Item>("tree")?.range(b"", Bound::Included(&after), 1000));
                let range = runtime.block_on(range).unwrap();
                total += start.elapsed();
                assert!(!range.items.is_empty());
            }
            times.push(total.as_secs_f64() * 20.0);
        }
        println!(
            "{}: {:.0} inserts/s, {:.1} us of processor each, {:.1} times the logical bytes written, file {} MB, \
             1000 keys {:.2} ms cold, {:.2} ms warm",
            if growing { "growing" } else { "random" },
            count as f64 / seconds,
            processor * 1e6 / count as f64,
            written as f64 / (count * 160) as f64,
            file / 1_000_000,
            times[0],
            times[1],
        );
    }
}

/// Bytes that this process has written to disks so far.
pub(super) fn written_bytes() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap().parse().unwrap()
}

/// The processor time that this process has had so far.
pub(super) fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // In hundredths of a second, 14th and 15th, behind a name that may have spaces.
    let ticks = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
