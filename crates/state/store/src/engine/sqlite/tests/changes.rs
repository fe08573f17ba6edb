//! Figures of small durable changes by several writers at once, each recorded for the audit trail.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::indexes::{processor_seconds, written_bytes};
use super::*;
use crate::{Outlet, Record, Standing};

const WRITERS: usize = 16;
const EVENT_BYTES: usize = 1000;

#[derive(Serialize, Deserialize)]
struct Count(u64);

impl Record for Count {
    const COLLECTION: &'static str = "counts";
}

/// Takes every event, and has what it took on its disk 50 ms later, as the journal does.
#[derive(Default)]
struct LateInbox {
    taken: AtomicU64,
    settled: AtomicU64,
    stopped: AtomicBool,
}

impl Outlet for LateInbox {
    fn take(&self, number: u64, _: &[u8]) -> bool {
        self.taken.store(number, Ordering::Relaxed);
        true
    }

    fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    fn witness(&self) -> Vec<u8> {
        vec![7; 72]
    }

    fn committed(&self, _: &Standing) {}
}

/// The transaction of a call that makes a key: reads a record, increases a count, and inserts a record of 1 KB.
fn make(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.get::<Note>("p", "serving")?;
    let Count(count) = tx.get("p", "count")?.unwrap_or(Count(0));
    tx.put("p", "count", &Count(count + 1))?;
    tx.insert("keys", id, &note(id, &"k".repeat(1000)))
}

/// The transaction of a call that replaces a policy: reads a record, and writes one of 1 KB over another.
fn replace(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.get::<Note>("p", "serving")?;
    let (_, last) = id.split_at(id.len() - 2);
    tx.put("policies", last, &note(last, &"k".repeat(1000)))
}

/// The transaction of a call, which is given the name of what it makes.
type Work = fn(&mut Tx<'_>, &str) -> Result<(), StoreError>;

/// The processor time of the thread of this name, in seconds.
fn thread_seconds(name: &str) -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let of_name = tasks.filter(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name));
    let nanos = of_name.map(|task| std::fs::read_to_string(task.join("schedstat")).unwrap());
    nanos.map(|stat| stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9).sum()
}

/// Prints figures of listing a parent's small records in pages of 1000.
#[test]
#[ignore = "a measurement"]
fn figures_of_listings() {
    const RECORDS: usize = 20_000;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for bytes in [100, 1000] {
        let directory = Directory::new();
        let root = RootKey::random();
        let store = Store::open(directory.database(), &root).unwrap();
        for group in 0..RECORDS / 100 {
            let fill = move |tx: &mut Tx<'_>| {
                let ids = (group * 100..(group + 1) * 100).map(|n| n.to_string());
                ids.into_iter().try_for_each(|id| tx.insert("p", &id, &note(&id, &"t".repeat(bytes))))
            };
            runtime.block_on(store.write(fill)).unwrap();
        }
        drop(store);
        let store = Store::open(directory.database(), &root).unwrap();
        for when in ["first", "again"] {
            let (start, before) = (Instant::now(), processor_seconds());
            let (mut after, mut count) = (None, 0);
            loop {
                let page = store.read(move |tx| tx.page::<Note>("p", after.as_ref(), 1000));
                let page = runtime.block_on(page).unwrap();
                count += page.items.len();
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let (wall, processor) = (start.elapsed().as_secs_f64(), processor_seconds() - before);
            let each = 1e6 / count as f64;
            println!(
                "records of {bytes} bytes, {when}: {:.1} us each, {:.1} of processor",
                wall * each,
                processor * each
            );
        }
    }
}

/// Prints figures. For an optimised build: `cargo test --release -p sealstack-store figures -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn figures_of_changes() {
    let total: usize = std::env::var("CHANGES").map_or(30_000, |count| count.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let works: [(&str, Work); 2] = [("make", make), ("replace", replace)];
    for (name, work) in works {
        let directory = Directory::new();
        let store = Store::open(directory.database(), &RootKey::random()).unwrap();
        let inbox = Arc::new(LateInbox::default());
        store.attach(inbox.clone());
        let settler = std::thread::spawn({
            let inbox = inbox.clone();
            move || {
                while !inbox.stopped.load(Ordering::Relaxed) {
                    let taken = inbox.taken.load(Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(50));
                    inbox.settled.store(taken, Ordering::Relaxed);
                }
            }
        });
        runtime.block_on(store.write(|tx| tx.put("p", "serving", &note("serving", "text")))).unwrap();
        let before = (store.write_counts(), written_bytes(), processor_seconds(), thread_seconds("store-writer"));
        let start = Instant::now();
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for writer in 0..WRITERS {
                let store = store.clone();
                tasks.spawn(async move {
                    for number in 0..total / WRITERS {
                        let id = format!("{writer}-{number:06}");
                        let change = move |tx: &mut Tx<'_>| work(tx, &id);
                        store.write_recorded(|_| vec![b'e'; EVENT_BYTES], change).await.unwrap();
                    }
                });
            }
            tasks.join_all().await;
        });
        let (seconds, after) = (start.elapsed().as_secs_f64(), store.write_counts());
        let each = 1e6 / total as f64;
        println!(
            "{name}: {:.0}/s, {:.1} us of processor each, {:.1} of them on the writer's thread, {:.1} in a commit, \
             {:.0} bytes written each",
            total as f64 / seconds,
            (processor_seconds() - before.2) * each,
            (thread_seconds("store-writer") - before.3) * each,
            (after.closures - before.0.closures) as f64 / (after.commits - before.0.commits) as f64,
            (written_bytes() - before.1) as f64 / total as f64,
        );
        inbox.stopped.store(true, Ordering::Relaxed);
        settler.join().unwrap();
    }
}
