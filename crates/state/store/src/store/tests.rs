//! The store's suite, run on every engine: a further engine is a further line at the end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use serde::{Deserialize, Serialize};

use self::bytes::*;
use self::engines::Tested;
use self::indexes::*;
use self::listings::*;
use self::outbox::*;
use self::overlay::*;
use super::*;
use crate::Cache;
use crate::engine::write_blocking;
use crate::feed::{COMMITS_KEPT, COMMITS_SLACK};
use crate::keyring::rewrap_in;

mod bytes;
mod engines;
pub(crate) mod indexes;
mod listings;
mod outbox;
mod overlay;

/// A directory that is gone when the test is over.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sealstack-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("store.db")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Record for Note {
    const COLLECTION: &'static str = "notes";
}

pub(crate) fn note(name: &str, text: &str) -> Note {
    Note { name: name.to_owned(), text: text.to_owned() }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tally(u64);

impl Record for Tally {
    const COLLECTION: &'static str = "tallies";
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum TestError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("refused")]
    Refused,
}

/// A store on an engine, its root key, and the engine itself.
struct Under {
    engine: Box<dyn Tested>,
    root: RootKey,
    store: Store,
}

impl Under {
    fn new(engine: Box<dyn Tested>) -> Self {
        let root = RootKey::random();
        let store = Store::over(engine.handle(), &Location::Memory, &root).unwrap();
        Self { engine, root, store }
    }

    fn another_store(&self) -> Store {
        Store::over(self.engine.handle(), &Location::Memory, &self.root).unwrap()
    }
}

pub(crate) async fn put(store: &Store, parent: &str, record: &Note) {
    let (parent, record) = (parent.to_owned(), record.clone());
    store.write(move |tx| tx.put(&parent, &record.name, &record)).await.unwrap();
}

pub(crate) async fn get(store: &Store, parent: &str, id: &str) -> Result<Option<Note>, StoreError> {
    let (parent, id) = (parent.to_owned(), id.to_owned());
    store.read(move |tx| tx.get::<Note>(&parent, &id)).await
}

/// Keeps the writer busy until it is released, so that what is queued meanwhile makes one group.
struct Hold {
    release: mpsc::Sender<()>,
    held: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl Hold {
    async fn on(store: &Store) -> Self {
        let (release, released) = mpsc::channel();
        let (begun, begins) = oneshot::channel();
        let store = store.clone();
        let held = tokio::spawn(async move {
            let wait = move |_: &mut Tx<'_>| {
                begun.send(()).unwrap();
                released.recv().unwrap();
                Ok::<_, StoreError>(())
            };
            store.write(wait).await
        });
        begins.await.unwrap();
        Self { release, held }
    }

    /// Lets the writer go on once `waiting` closures are queued.
    async fn release_when(self, store: &Store, waiting: usize) {
        while store.inner.writes.available_permits() > WRITES_WAITING_MAX - 1 - waiting {
            tokio::task::yield_now().await;
        }
        self.release.send(()).unwrap();
        self.held.await.unwrap().unwrap();
    }
}

async fn records_come_back_as_they_were_put(under: Under) {
    let store = &under.store;
    let first = note("a", "first \u{1F511} \"quoted\" \n");
    put(store, "p", &first).await;
    assert_eq!(get(store, "p", "a").await.unwrap(), Some(first));
    let second = note("a", "second");
    put(store, "p", &second).await;
    assert_eq!(get(store, "p", "a").await.unwrap(), Some(second));
    assert_eq!(get(store, "p", "b").await.unwrap(), None);
    assert_eq!(get(store, "q", "a").await.unwrap(), None);
    let other = store.read(|tx| tx.get::<Tally>("p", "a")).await.unwrap();
    assert_eq!(other, None, "collections are apart");
}

async fn an_insert_refuses_what_is_there_and_a_delete_says_whether_it_was(under: Under) {
    let store = &under.store;
    let insert = |text: &'static str| store.write(move |tx| tx.insert("p", "a", &note("a", text)));
    insert("first").await.unwrap();
    assert_eq!(insert("second").await, Err(StoreError::Exists { collection: "notes" }));
    assert_eq!(get(store, "p", "a").await.unwrap(), Some(note("a", "first")));
    let delete = || store.write(|tx| tx.delete::<Note>("p", "a"));
    assert!(delete().await.unwrap());
    assert!(!delete().await.unwrap());
    assert_eq!(get(store, "p", "a").await.unwrap(), None);
}

async fn an_insert_that_was_refused_leaves_the_transaction_whole(under: Under) {
    let store = &under.store;
    put(store, "p", &note("a", "first")).await;
    let went_on = store.write(|tx| {
        let refused = tx.insert("p", "a", &note("a", "second"));
        assert!(matches!(refused, Err(StoreError::Exists { .. })));
        tx.put("p", "b", &note("b", "went on"))
    });
    went_on.await.unwrap();
    assert_eq!(get(store, "p", "b").await.unwrap(), Some(note("b", "went on")));
}

async fn names_of_any_text_are_told_apart(under: Under) {
    let store = &under.store;
    let names = ["", "a", "A", "a\0", "\0a", "a/b", "é", "e\u{301}", &"x".repeat(5_000)];
    for parent in names {
        for id in names {
            let record = note(id, parent);
            let (parent, id) = (parent.to_owned(), id.to_owned());
            store.write(move |tx| tx.insert(&parent, &id, &record)).await.unwrap();
        }
    }
    for parent in names {
        for id in names {
            assert_eq!(get(store, parent, id).await.unwrap(), Some(note(id, parent)));
        }
    }
}

async fn a_transaction_reads_its_own_changes_and_others_read_none_until_it_commits(under: Under) {
    let store = under.store.clone();
    let seen = store.write(|tx| {
        tx.put("p", "a", &Tally(1))?;
        let own = tx.get::<Tally>("p", "a")?;
        tx.delete::<Tally>("p", "a")?;
        let gone = tx.get::<Tally>("p", "a")?;
        tx.put("p", "a", &Tally(2))?;
        Ok::<_, StoreError>((own, gone))
    });
    assert_eq!(seen.await.unwrap(), (Some(Tally(1)), None));
    assert_eq!(store.read(|tx| tx.get::<Tally>("p", "a")).await.unwrap(), Some(Tally(2)));
}

async fn what_waits_while_the_writer_works_shares_one_commit(under: Under) {
    let store = &under.store;
    let before = store.write_counts();
    let hold = Hold::on(store).await;
    let mut writes = tokio::task::JoinSet::new();
    for index in 0..50 {
        let store = store.clone();
        writes.spawn(async move { put(&store, "p", &note(&index.to_string(), "text")).await });
    }
    hold.release_when(store, 50).await;
    writes.join_all().await;
    let after = store.write_counts();
    assert_eq!((after.closures - before.closures, after.commits - before.commits), (51, 2));
    assert_eq!(store.read(|tx| tx.all::<Note>("p")).await.unwrap().len(), 50);
}

async fn one_closures_failure_undoes_nothing_of_its_groups(under: Under) {
    let store = &under.store;
    let commits = store.write_counts().commits;
    let hold = Hold::on(store).await;
    let spawn = |name: &'static str, end: fn() -> Result<u32, TestError>| {
        let store = store.clone();
        tokio::spawn(async move {
            let change = move |tx: &mut Tx<'_>| {
                tx.put("p", name, &note(name, "text"))?;
                end()
            };
            store.write(change).await
        })
    };
    let good = spawn("good", || Ok(1));
    let failing = spawn("failing", || Err(TestError::Refused));
    let panicking = spawn("panicking", || panic!("a closure panics, as this test has it"));
    let last = spawn("last", || Ok(2));
    hold.release_when(store, 4).await;
    assert_eq!(good.await.unwrap(), Ok(1));
    assert_eq!(failing.await.unwrap(), Err(TestError::Refused));
    assert_eq!(panicking.await.unwrap(), Err(TestError::Store(StoreError::Panicked)));
    assert_eq!(last.await.unwrap(), Ok(2));
    assert_eq!(store.write_counts().commits - commits, 2, "all four were one group");
    let mut names: Vec<_> = store.read(|tx| tx.all::<Note>("p")).await.unwrap().into_iter().map(|n| n.name).collect();
    names.sort();
    assert_eq!(names, ["good", "last"]);
}

async fn concurrent_increments_are_all_counted(under: Under) {
    let mut writes = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let store = under.store.clone();
        writes.spawn(async move {
            let increment = |tx: &mut Tx<'_>| {
                let Tally(count) = tx.get("p", "a")?.unwrap_or(Tally(0));
                tx.put("p", "a", &Tally(count + 1))
            };
            store.write(increment).await.unwrap();
        });
    }
    writes.join_all().await;
    assert_eq!(under.store.read(|tx| tx.get("p", "a")).await, Ok::<_, StoreError>(Some(Tally(200))));
}

async fn a_caller_that_stops_waiting_does_not_stop_its_write(under: Under) {
    let store = &under.store;
    let hold = Hold::on(store).await;
    let impatient = tokio::spawn({
        let store = store.clone();
        async move { put(&store, "p", &note("a", "text")).await }
    });
    while store.inner.writes.available_permits() > WRITES_WAITING_MAX - 2 {
        tokio::task::yield_now().await;
    }
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    hold.release_when(store, 1).await;
    put(store, "p", &note("b", "after")).await;
    assert_eq!(get(store, "p", "a").await.unwrap(), Some(note("a", "text")));
}

async fn a_panicking_read_is_an_error_and_the_store_goes_on(under: Under) {
    let panicked = under.store.read(|_| -> Result<(), StoreError> { panic!("a query panics, as this test has it") });
    assert_eq!(panicked.await, Err(StoreError::Panicked));
    for _ in 0..READS_AT_ONCE * 2 {
        assert_eq!(get(&under.store, "p", "a").await.unwrap(), None);
    }
}

async fn a_row_moved_to_another_place_is_not_authentic(under: Under) {
    let store = &under.store;
    put(store, "p", &note("a", "mine")).await;
    put(store, "p", &note("b", "yours")).await;
    let vault = Arc::clone(&store.inner.vault);
    let copied = write_blocking(&*store.inner.db, move |tx| {
        let parent = vault.parent("notes", "p");
        let (a, b) = (vault.id("notes", "p", "a"), vault.id("notes", "p", "b"));
        let value = tx.get(RowKey { collection: "notes", parent: &parent, id: &a })?.unwrap();
        tx.put(RowKey { collection: "notes", parent: &parent, id: &b }, &value)
    });
    copied.unwrap();
    let refused = Err(StoreError::NotAuthentic { collection: "notes".to_owned() });
    assert_eq!(get(store, "p", "b").await, refused);
    assert_eq!(store.check().map(|_| None), refused);
    assert_eq!(get(store, "p", "a").await.unwrap(), Some(note("a", "mine")));
}

async fn a_record_of_another_form_names_the_place_and_not_the_content(under: Under) {
    #[derive(Debug, Serialize, Deserialize)]
    struct Number(u32);
    impl Record for Number {
        const COLLECTION: &'static str = "notes";
    }
    put(&under.store, "p", &note("a", "a secret text")).await;
    let refused = under.store.read(|tx| tx.get::<Number>("p", "a")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unreadable { collection: "notes", .. }));
    assert!(!refused.to_string().contains("secret"));
}

async fn a_check_counts_what_is_there(under: Under) {
    fill(&under.store, "p", 1_500).await;
    under.store.write(|tx| tx.put("p", "a", &Tally(1))).await.unwrap();
    under.store.keyring().key("domain/eu-west-1").await.unwrap();
    assert_eq!(under.store.check(), Ok(CheckReport { records: 1_501, keys: 3, indexes: 0, entries: 0 }));
}

async fn another_root_key_is_told_that_it_is_the_wrong_one(under: Under) {
    let other = RootKey::random();
    let refused = Store::over(under.engine.handle(), &Location::Memory, &other).err();
    let expected = StoreError::WrongRootKey { database: Location::Memory, stored: under.root.id(), given: other.id() };
    assert_eq!(refused, Some(expected));
}

async fn keys_are_made_once_and_stay_under_a_new_root_key(under: Under) {
    let (one, two) = (under.store.clone(), under.another_store());
    let (from_one, from_two) = tokio::join!(one.keyring().key("domain/a"), two.keyring().key("domain/a"));
    let key = from_one.unwrap();
    assert_eq!(key.expose(), from_two.unwrap().expose());
    assert_ne!(key.expose(), one.keyring().key("domain/b").await.unwrap().expose());
    assert!(one.keyring().peek("domain/a").is_some_and(|peeked| Arc::ptr_eq(&peeked, &key)));
    assert!(one.keyring().peek("domain/c").is_none());
    put(&one, "p", &note("a", "text")).await;

    let new = RootKey::random();
    let location = &Location::Memory;
    for _ in 0..2 {
        rewrap_in(&*under.engine.handle(), location, &under.root, &new).unwrap();
    }
    assert!(matches!(
        Store::over(under.engine.handle(), location, &under.root),
        Err(StoreError::WrongRootKey { stored, .. }) if stored == new.id()
    ));
    let again = Store::over(under.engine.handle(), location, &new).unwrap();
    assert_eq!(again.keyring().key("domain/a").await.unwrap().expose(), key.expose());
    assert_eq!(again.keyring().names().await.unwrap(), ["blind", "domain/a", "domain/b", "record"]);
    assert_eq!(get(&again, "p", "a").await.unwrap(), Some(note("a", "text")));
    let stranger = rewrap_in(&*under.engine.handle(), location, &under.root, &RootKey::random());
    assert!(matches!(stranger, Err(StoreError::WrongRootKey { .. })));
}

async fn what_another_process_wrote_reaches_the_caches_when_polled(under: Under) {
    let (here, there) = (under.store.clone(), under.another_store());
    put(&here, "p", &note("a", "old")).await;
    let cache: Cache<String> = Cache::new(&here, 100, |note: Note| note.text);
    let position = here.change_position().await.unwrap();
    assert_eq!(cache.get("p", "a").await.unwrap().as_deref().map(String::as_str), Some("old"));
    assert!(cache.get("p", "b").await.unwrap().is_none());
    put(&there, "p", &note("a", "new")).await;
    put(&there, "p", &note("b", "born")).await;
    assert!(cache.peek("p", "a").is_some());
    let position = here.poll_changes(&position).await.unwrap();
    assert_eq!((cache.peek("p", "a"), cache.peek("p", "b")), (None, None));
    assert_eq!(cache.get("p", "a").await.unwrap().as_deref().map(String::as_str), Some("new"));
    assert_eq!(here.poll_changes(&position).await.unwrap(), position, "nothing more happened");
}

async fn a_process_that_fell_behind_the_feed_forgets_all(under: Under) {
    let (here, there) = (under.store.clone(), under.another_store());
    put(&here, "p", &note("a", "old")).await;
    let cache: Cache<String> = Cache::new(&here, 100, |note: Note| note.text);
    let position = here.change_position().await.unwrap();
    cache.get("p", "a").await.unwrap();
    put(&there, "p", &note("a", "new")).await;
    for n in 0..COMMITS_KEPT + COMMITS_SLACK {
        there.write(move |tx| tx.put("q", "same", &Tally(n))).await.unwrap();
    }
    let rows = here.read_db(|tx| tx.feed(Space::MAIN, 0, usize::MAX)).await.unwrap();
    let (first, last) = (rows.first().unwrap().0, rows.last().unwrap().0);
    let most = COMMITS_KEPT + COMMITS_SLACK;
    assert!(first > position.version(Space::MAIN) + 1 && last - first < most, "{first}..{last}");
    assert_eq!(here.poll_changes(&position).await.unwrap().version(Space::MAIN), last);
    assert_eq!(cache.get("p", "a").await.unwrap().as_deref().map(String::as_str), Some("new"));
}

async fn a_change_that_cannot_be_read_drops_every_cache_and_stops_no_poll(under: Under) {
    let (here, there) = (under.store.clone(), under.another_store());
    put(&here, "p", &note("a", "old")).await;
    put(&here, "p", &note("b", "old")).await;
    let cache: Cache<String> = Cache::new(&here, 100, |note: Note| note.text);
    cache.get("p", "a").await.unwrap();
    cache.get("p", "b").await.unwrap();
    let position = here.change_position().await.unwrap();
    put(&there, "p", &note("a", "new")).await;
    let damaged = there.change_position().await.unwrap().version(Space::MAIN);
    there.write_db(move |tx| tx.rows().put_feed(Space::MAIN, damaged, b"damaged")).await.unwrap();
    put(&there, "q", &note("c", "born")).await;
    let last = here.change_position().await.unwrap();
    assert_eq!(here.poll_changes(&position).await.unwrap(), last, "it goes on behind what it cannot read");
    assert_eq!((cache.peek("p", "a"), cache.peek("p", "b")), (None, None));
    assert!(matches!(here.check(), Err(StoreError::NotAuthentic { .. })), "the damage stays to be found");

    cache.get("p", "b").await.unwrap();
    put(&there, "p", &note("b", "new")).await;
    here.poll_changes(&last).await.unwrap();
    assert_eq!(cache.peek("p", "b"), None);
}

async fn a_commit_increases_the_version_of_each_space_that_it_changes(under: Under) {
    let (here, there) = (under.store.clone(), under.another_store());
    let [one, two, three] = [1, 2, 63].map(|number| Space::new(number).unwrap());
    let cache: Cache<String> = Cache::new(&here, 100, |note: Note| note.text);
    put(&here, "p", &note("a", "old")).await;
    put(&here, "p", &note("b", "old")).await;
    let before = here.change_position().await.unwrap();
    cache.get("p", "a").await.unwrap();
    cache.get("p", "b").await.unwrap();
    let change = move |tx: &mut Tx<'_>| {
        tx.enter(three)?;
        tx.put("p", "a", &note("a", "new"))?;
        tx.index_mut::<Item>("tree").put(b"key", &item("text"))?;
        tx.enter(one)?;
        tx.put("p", "b", &note("b", "new"))?;
        tx.put("p", "c", &note("c", "new"))
    };
    there.write_in(Spaces::of(&[one, two, three]), change).await.unwrap();
    let after = here.change_position().await.unwrap();
    let versions = [Space::MAIN, one, two, three].map(|space| after.version(space));
    assert_eq!(versions, [before.version(Space::MAIN), 1, 0, 1], "two records and an index are one commit");
    assert_eq!(here.poll_changes(&before).await.unwrap(), after);
    assert_eq!((cache.peek("p", "a"), cache.peek("p", "b")), (None, None));
    here.check().unwrap();
}

async fn a_space_that_was_not_named_is_refused(under: Under) {
    let other = Space::new(1).unwrap();
    let refused = Err(StoreError::SpaceNotNamed { space: 1 });
    assert_eq!(under.store.write(move |tx| tx.enter(other)).await, refused);
    let refused = Err(StoreError::SpaceNotNamed { space: 0 });
    let back = under.store.write_in(other.into(), |tx| {
        tx.put("p", "a", &Tally(1))?;
        tx.enter(Space::MAIN)
    });
    assert_eq!(back.await, refused);
    under.store.write_in(other.into(), |tx| tx.put("p", "a", &Tally(1))).await.unwrap();
    let position = under.store.change_position().await.unwrap();
    assert_eq!((position.version(other), position.version(Space::MAIN)), (1, 0), "it begins in what it names");
}

/// The notes of a later build, which has given them a field that must not be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LaterNote {
    name: String,
    text: String,
    #[serde(default)]
    owner: Option<String>,
}

impl Record for LaterNote {
    const COLLECTION: &'static str = Note::COLLECTION;
    const LEVEL: u32 = 2;
}

async fn a_record_of_a_later_build_can_be_read_and_not_be_rewritten(under: Under) {
    let store = &under.store;
    let owned = LaterNote { name: "a".to_owned(), text: "text".to_owned(), owner: Some("ann".to_owned()) };
    let later = owned.clone();
    store.write(move |tx| tx.put("p", "a", &later)).await.unwrap();
    assert_eq!(get(store, "p", "a").await.unwrap(), Some(note("a", "text")));

    // Even if the closure goes on regardless, and whatever else it writes.
    let rewritten = store.write(|tx| {
        tx.put("p", "b", &note("b", "text"))?;
        let _ = tx.put("p", "a", &note("a", "changed"));
        Ok(())
    });
    let newer = StoreError::NewerRecord { collection: Note::COLLECTION, found: 2, known: 1 };
    assert_eq!(rewritten.await, Err(newer));
    assert_eq!(get(store, "p", "b").await.unwrap(), None);
    let found = store.read(|tx| tx.get::<LaterNote>("p", "a")).await.unwrap();
    assert_eq!(found.as_ref(), Some(&owned), "nothing of it is lost");

    // The later build writes over both, and either may remove what it has no use for.
    put(store, "p", &note("c", "old")).await;
    let taken_over = LaterNote { name: "c".to_owned(), ..owned };
    let later = taken_over.clone();
    store.write(move |tx| tx.put("p", "c", &later)).await.unwrap();
    assert_eq!(store.read(|tx| tx.get::<LaterNote>("p", "c")).await.unwrap(), Some(taken_over));
    assert!(store.write(|tx| tx.delete::<Note>("p", "c")).await.unwrap());
    store.check().unwrap();
}

/// Runs each test of the suite on an engine, on a runtime of two threads.
macro_rules! suite {
    ($engine:ident: $($test:ident),* $(,)?) => {
        mod $engine {
            $(#[test]
            fn $test() {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
                runtime.unwrap().block_on(super::$test(super::Under::new(Box::new(super::$engine::new()))));
            })*

            use super::engines::$engine::new;
        }
    };
}

macro_rules! on_every_engine {
    ($($engine:ident),*; $tests:tt) => {
        $(on_every_engine!(@one $engine $tests);)*
    };
    (@one $engine:ident { $($test:ident,)* }) => {
        suite!($engine: $($test,)*);
    };
}

on_every_engine!(sqlite_on_disk, sqlite_in_memory; {
    records_come_back_as_they_were_put,
    an_insert_refuses_what_is_there_and_a_delete_says_whether_it_was,
    an_insert_that_was_refused_leaves_the_transaction_whole,
    names_of_any_text_are_told_apart,
    a_transaction_reads_its_own_changes_and_others_read_none_until_it_commits,
    what_waits_while_the_writer_works_shares_one_commit,
    one_closures_failure_undoes_nothing_of_its_groups,
    concurrent_increments_are_all_counted,
    a_caller_that_stops_waiting_does_not_stop_its_write,
    a_panicking_read_is_an_error_and_the_store_goes_on,
    pages_of_ten_thousand_hold_each_record_once,
    a_page_that_ends_with_the_listing_has_no_next,
    a_page_cut_short_goes_on_after_any_of_its_records,
    a_closure_lists_its_own_changes_among_the_rows_below,
    what_a_failed_closure_changed_is_not_seen_by_the_next,
    what_is_prefetched_is_what_would_have_been_read,
    a_scan_meets_every_parents_records_once,
    a_forged_or_misplaced_cursor_is_refused,
    a_row_moved_to_another_place_is_not_authentic,
    a_record_of_another_form_names_the_place_and_not_the_content,
    a_check_counts_what_is_there,
    another_root_key_is_told_that_it_is_the_wrong_one,
    keys_are_made_once_and_stay_under_a_new_root_key,
    what_another_process_wrote_reaches_the_caches_when_polled,
    a_process_that_fell_behind_the_feed_forgets_all,
    a_change_that_cannot_be_read_drops_every_cache_and_stops_no_poll,
    a_record_of_a_later_build_can_be_read_and_not_be_rewritten,
    a_commit_increases_the_version_of_each_space_that_it_changes,
    a_space_that_was_not_named_is_refused,
    events_are_handed_over_in_order_and_stay_until_they_are_settled,
    events_that_were_refused_come_again_before_later_ones,
    a_change_that_fails_leaves_no_event_and_no_trace_in_the_ledger,
    the_digest_is_that_of_the_rows_whatever_was_done_to_them,
    rows_that_the_ledger_does_not_know_can_be_accepted,
    accepting_numbers_waiting_events_anew,
    what_changes_nothing_is_not_recorded,
    bytes_come_back_as_they_were_put,
    bytes_that_were_put_back_or_moved_are_found,
    a_change_of_bytes_alone_is_recorded_and_one_that_changes_none_is_not,
    an_index_is_what_a_sorted_map_would_be,
    an_index_that_was_emptied_can_be_filled_again,
    entries_that_are_too_long_are_refused_and_the_transaction_goes_on,
    growing_keys_leave_full_pages_behind,
    sparse_pages_are_merged_and_freed_ones_used_again,
    a_seek_skips_what_begins_alike_and_stays_within_the_prefix,
    a_token_goes_on_in_its_own_listing_alone,
    indexes_of_other_names_and_kinds_are_apart,
    a_changed_index_is_recorded_and_heard_of_once_a_commit,
    a_page_put_back_swapped_cut_changed_or_removed_is_refused,
    a_damaged_page_fails_the_closure_that_meets_it_and_no_other,
    a_header_put_back_is_refused_with_or_without_its_pages,
});
