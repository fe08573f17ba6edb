use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::*;
use crate::store::tests::{Directory, Note, get, note, put};
use crate::{RootKey, Tx};

fn on_disk(directory: &Directory) -> Store {
    Store::open(directory.database(), &RootKey::random()).unwrap()
}

fn text(note: Note) -> String {
    note.text
}

#[tokio::test]
async fn a_hit_is_the_very_value_that_was_loaded() {
    let store = Store::open_in_memory().unwrap();
    put(&store, "p", &note("a", "text")).await;
    let cache = Cache::new(&store, 100, text);
    assert_eq!(cache.peek("p", "a"), None);
    let loaded = cache.get("p", "a").await.unwrap().unwrap();
    assert_eq!(*loaded, "text");
    assert!(Arc::ptr_eq(&loaded, &cache.get("p", "a").await.unwrap().unwrap()));
    assert!(Arc::ptr_eq(&loaded, &cache.peek("p", "a").unwrap().unwrap()));
}

#[tokio::test]
async fn a_missing_record_is_remembered_until_it_is_there() {
    let store = Store::open_in_memory().unwrap();
    let cache = Cache::new(&store, 100, text);
    assert_eq!(cache.get("p", "a").await.unwrap(), None);
    assert_eq!(cache.peek("p", "a"), Some(None));
    put(&store, "p", &note("a", "text")).await;
    assert_eq!(cache.peek("p", "a"), None);
    assert!(cache.get("p", "a").await.unwrap().is_some());
    store.write(|tx| tx.delete::<Note>("p", "a")).await.unwrap();
    assert_eq!(cache.get("p", "a").await.unwrap(), None);
}

#[tokio::test]
async fn a_list_follows_every_record_of_its_parent_and_no_other() {
    let store = Store::open_in_memory().unwrap();
    let cache = ListCache::new(&store, 100, |notes: Vec<Note>| notes.len());
    assert_eq!(*cache.get("p").await.unwrap(), 0);
    put(&store, "p", &note("a", "text")).await;
    assert_eq!(*cache.get("p").await.unwrap(), 1);
    let other = cache.get("q").await.unwrap();
    put(&store, "p", &note("b", "text")).await;
    assert!(Arc::ptr_eq(&other, &cache.peek("q").unwrap()));
    assert!(cache.peek("p").is_none());
    store.write(|tx| tx.delete::<Note>("p", "a")).await.unwrap();
    assert_eq!(*cache.get("p").await.unwrap(), 1);
}

#[tokio::test]
async fn a_change_that_was_undone_leaves_the_cache_alone() {
    let store = Store::open_in_memory().unwrap();
    put(&store, "p", &note("a", "text")).await;
    let cache = Cache::new(&store, 100, text);
    let loaded = cache.get("p", "a").await.unwrap().unwrap();
    let undone = |tx: &mut Tx<'_>| {
        tx.put("p", "a", &note("a", "other"))?;
        Err::<(), _>(StoreError::BadCursor)
    };
    assert!(store.write(undone).await.is_err());
    assert!(Arc::ptr_eq(&loaded, &cache.peek("p", "a").unwrap().unwrap()));
}

#[tokio::test]
async fn a_cache_keeps_to_its_capacity() {
    let store = Store::open_in_memory().unwrap();
    let cache = Cache::new(&store, 100, text);
    for index in 0..1_000 {
        cache.get("p", &index.to_string()).await.unwrap();
    }
    let kept = (0..1_000).filter(|index| cache.peek("p", &index.to_string()).is_some()).count();
    assert!((1..=128).contains(&kept), "{kept}");
}

#[tokio::test]
async fn a_dropped_cache_hears_no_more() {
    let store = Store::open_in_memory().unwrap();
    let cache: Cache<String> = Cache::new(&store, 100, text);
    let entries = Arc::downgrade(&cache.0.entries);
    drop(cache);
    assert!(entries.upgrade().is_none());
    put(&store, "p", &note("a", "text")).await;
}

/// The fill race, step by step: a load has read the old value when the record is overwritten and acknowledged; what
/// it read must not be found afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_was_overtaken_fills_nothing_in() {
    let directory = Directory::new();
    let store = on_disk(&directory);
    put(&store, "p", &note("a", "old")).await;
    let (loaded, has_loaded) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let cache = Arc::new(Cache::new(&store, 100, move |note: Note| {
        loaded.send(note.text.clone()).unwrap();
        // Only the first load waits; the sender is gone by the second.
        let _ = released.lock().unwrap().recv();
        note.text
    }));
    let overtaken = tokio::spawn({
        let cache = Arc::clone(&cache);
        async move { cache.get("p", "a").await }
    });
    let read = tokio::task::spawn_blocking(move || (has_loaded.recv().unwrap(), has_loaded)).await.unwrap();
    assert_eq!(read.0, "old");
    put(&store, "p", &note("a", "new")).await;
    release.send(()).unwrap();
    drop(release);
    assert_eq!(**overtaken.await.unwrap().unwrap().as_ref().unwrap(), *"old", "it began before the write");
    assert_eq!(cache.peek("p", "a"), None);
    assert_eq!(**cache.get("p", "a").await.unwrap().as_ref().unwrap(), *"new");
}

/// Writers count up and publish each number once it is acknowledged; a reader that saw the number published must not
/// get a smaller one from the cache afterwards.
async fn stress(store: Store, seconds: u64) {
    const RECORDS: usize = 8;
    let cache = Arc::new(Cache::new(&store, 100, |note: Note| note.text.parse::<u64>().unwrap()));
    let list = Arc::new(ListCache::new(&store, 100, |notes: Vec<Note>| {
        notes.iter().map(|note| note.text.parse::<u64>().unwrap()).sum::<u64>()
    }));
    let acknowledged: Arc<[AtomicU64; RECORDS]> = Arc::default();
    let (stop, looked_up) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..RECORDS {
        let (store, acknowledged, stop) = (store.clone(), Arc::clone(&acknowledged), Arc::clone(&stop));
        tasks.spawn(async move {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                put(&store, "p", &note(&index.to_string(), &number.to_string())).await;
                acknowledged[index].store(number, Ordering::SeqCst);
            }
        });
    }
    for reader in 0..8 {
        let (cache, list, acknowledged) = (Arc::clone(&cache), Arc::clone(&list), Arc::clone(&acknowledged));
        let (stop, looked_up) = (Arc::clone(&stop), Arc::clone(&looked_up));
        tasks.spawn(async move {
            let mut index = reader;
            while !stop.load(Ordering::Relaxed) {
                index = (index + 1) % RECORDS;
                let floor = acknowledged[index].load(Ordering::SeqCst);
                let found = cache.get("p", &index.to_string()).await.unwrap().map_or(0, |number| *number);
                assert!(found >= floor, "{found} was found after {floor} was acknowledged");
                let floor: u64 = acknowledged.iter().map(|number| number.load(Ordering::SeqCst)).sum();
                let found = *list.get("p").await.unwrap();
                assert!(found >= floor, "a sum of {found} was found after {floor} was acknowledged");
                looked_up.fetch_add(2, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
    }
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    let written: u64 = acknowledged.iter().map(|number| number.load(Ordering::SeqCst)).sum();
    assert!(written > 20 && looked_up.load(Ordering::Relaxed) > 100, "{written} writes, {looked_up:?} lookups");
    for index in 0..RECORDS {
        let stored = get(&store, "p", &index.to_string()).await.unwrap().unwrap();
        assert_eq!(stored.text, acknowledged[index].load(Ordering::SeqCst).to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_lookup_sees_what_was_overwritten_before_it_began() {
    let directory = Directory::new();
    stress(on_disk(&directory), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_lookup_sees_what_was_overwritten_before_it_began_in_memory() {
    stress(Store::open_in_memory().unwrap(), 2).await;
}
