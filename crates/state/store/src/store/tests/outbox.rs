//! Guarantees of an outbox and a ledger, on every engine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};

use super::*;
use crate::{Digest, Outlet, Standing};

/// Receives events, and refuses them while `refuses` is set.
#[derive(Default)]
pub(super) struct Inbox {
    taken: Mutex<Vec<(u64, Vec<u8>)>>,
    refuses: AtomicBool,
    settled: AtomicU64,
    standing: Mutex<Standing>,
}

impl Inbox {
    fn taken(&self) -> Vec<(u64, Vec<u8>)> {
        self.taken.lock().unwrap().clone()
    }

    /// As if all that was taken were on the disk.
    fn settle(&self) {
        let last = self.taken().last().map_or(0, |(number, _)| *number);
        self.settled.store(last, Ordering::Relaxed);
    }
}

impl Outlet for Inbox {
    fn take(&self, number: u64, event: &[u8]) -> bool {
        let takes = !self.refuses.load(Ordering::Relaxed);
        if takes {
            self.taken.lock().unwrap().push((number, event.to_vec()));
        }
        takes
    }

    fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    fn witness(&self) -> Vec<u8> {
        self.settled().to_be_bytes().to_vec()
    }

    fn committed(&self, standing: &Standing) {
        *self.standing.lock().unwrap() = standing.clone();
    }
}

async fn record(store: &Store, id: &str) -> Result<(), StoreError> {
    let note = note(id, id);
    let event = id.as_bytes().to_vec();
    let written = store.write_recorded(|_| event, move |tx| tx.put("p", &note.name, &note)).await;
    written.map(|((), recorded)| assert!(recorded))
}

pub(super) async fn what_changes_nothing_is_not_recorded(under: Under) {
    let change = |tx: &mut Tx<'_>| tx.delete::<Note>("p", "none");
    assert_eq!(under.store.write_recorded(|_| b"event".to_vec(), change).await, Ok((false, false)));
    assert_eq!((under.store.first_waiting().unwrap(), under.store.standing().unwrap().recorded), (None, 0));
}

fn events(from: u64, names: &[&str]) -> Vec<(u64, Vec<u8>)> {
    (from..).zip(names).map(|(number, name)| (number, name.as_bytes().to_vec())).collect()
}

pub(super) async fn events_are_handed_over_in_order_and_stay_until_they_are_settled(under: Under) {
    let store = &under.store;
    record(store, "before").await.unwrap();
    let inbox = Arc::new(Inbox::default());
    store.attach(inbox.clone());
    store.tidy().await.unwrap();
    assert_eq!(inbox.taken(), events(1, &["before"]));
    record(store, "one").await.unwrap();
    record(store, "two").await.unwrap();
    assert_eq!(inbox.taken(), events(1, &["before", "one", "two"]));
    assert_eq!((store.first_waiting().unwrap(), store.write_counts().events_waiting), (Some(1), 3));
    inbox.settle();
    store.tidy().await.unwrap();
    assert_eq!((store.first_waiting().unwrap(), store.write_counts().events_waiting), (None, 0));
    assert_eq!(inbox.taken().len(), 3, "none is handed over twice");
    let standing = store.standing().unwrap();
    assert_eq!(standing.recorded, 3);
    assert_eq!(standing, *inbox.standing.lock().unwrap());
}

pub(super) async fn events_that_were_refused_come_again_before_later_ones(under: Under) {
    let store = &under.store;
    let inbox = Arc::new(Inbox::default());
    store.attach(inbox.clone());
    store.tidy().await.unwrap();
    inbox.refuses.store(true, Ordering::Relaxed);
    for id in ["one", "two"] {
        record(store, id).await.unwrap();
    }
    assert!(inbox.taken().is_empty());
    inbox.refuses.store(false, Ordering::Relaxed);
    record(store, "three").await.unwrap();
    assert_eq!(inbox.taken(), events(1, &["one", "two", "three"]));
}

pub(super) async fn a_change_that_fails_leaves_no_event_and_no_trace_in_the_ledger(under: Under) {
    let store = &under.store;
    let inbox = Arc::new(Inbox::default());
    store.attach(inbox.clone());
    store.tidy().await.unwrap();
    record(store, "one").await.unwrap();
    let before = store.standing().unwrap();
    let hold = Hold::on(store).await;
    let failing = |tx: &mut Tx<'_>| {
        tx.put("p", "x", &note("x", "x"))?;
        tx.delete::<Note>("p", "one")?;
        tx.record(b"never")?;
        Err::<(), _>(TestError::Refused)
    };
    let panicking = |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        tx.put("p", "y", &note("y", "y"))?;
        panic!("on purpose")
    };
    let (failed, panicked) = (store.write(failing), store.write_recorded(|_| b"never".to_vec(), panicking));
    let (failed, panicked, ()) = tokio::join!(failed, panicked, hold.release_when(store, 2));
    assert_eq!((failed, panicked), (Err(TestError::Refused), Err(StoreError::Panicked)));
    assert_eq!(store.standing().unwrap(), before);
    record(store, "two").await.unwrap();
    assert_eq!(inbox.taken(), events(1, &["one", "two"]));
    store.check().unwrap();
}

pub(super) async fn the_digest_is_that_of_the_rows_whatever_was_done_to_them(under: Under) {
    let store = &under.store;
    let begun = store.standing().unwrap();
    for id in ["a", "b", "c"] {
        put(store, "p", &note(id, "first")).await;
    }
    put(store, "p", &note("b", "second")).await;
    store.keyring().key("domain/eu-west-1").await.unwrap();
    store.write(|tx| tx.insert("q", "d", &note("d", "")).and_then(|()| tx.delete::<Note>("p", "none"))).await.unwrap();
    store.check_digest(|| std::ops::ControlFlow::Continue(())).unwrap();
    let full = store.standing().unwrap();
    assert_eq!((full.version, full.recorded), (begun.version + 6, 0));
    for (parent, id) in [("p", "a"), ("p", "b"), ("p", "c"), ("q", "d")] {
        store.write(move |tx| tx.delete::<Note>(parent, id)).await.unwrap();
    }
    store.keyring().remove("domain/eu-west-1").await.unwrap();
    let emptied = store.standing().unwrap();
    assert_eq!(emptied.digest, begun.digest);
    assert_ne!(full.digest, begun.digest);
    assert_eq!(Digest::from_bytes(&full.digest.to_bytes()), full.digest);
}

pub(super) async fn rows_that_the_ledger_does_not_know_can_be_accepted(under: Under) {
    let store = &under.store;
    put(store, "p", &note("admin", "key")).await;
    // As if rows had been put back that this ledger knows nothing of.
    write_blocking(&*store.inner.db, |tx| {
        tx.replace_standing(Standing::default());
        Ok(())
    })
    .unwrap();
    assert_eq!(store.check(), Err(StoreError::RowsPutBack));
    store.accept(900, 70, b"accepted".to_vec()).await.unwrap();
    store.check().unwrap();
    let standing = store.standing().unwrap();
    assert_eq!((standing.version, standing.recorded), (901, 71));
}

pub(super) async fn accepting_numbers_waiting_events_anew(under: Under) {
    let store = &under.store;
    for id in ["one", "two", "three"] {
        record(store, id).await.unwrap();
    }
    // The receiver has the first of them, and is otherwise behind or ahead.
    store.accept(0, 1, b"accepted".to_vec()).await.unwrap();
    let inbox = Arc::new(Inbox::default());
    inbox.settled.store(1, Ordering::Relaxed);
    store.attach(inbox.clone());
    store.tidy().await.unwrap();
    assert_eq!(inbox.taken(), events(2, &["two", "three", "accepted"]));
    store.accept(0, 10, b"accepted".to_vec()).await.unwrap();
    assert_eq!(store.standing().unwrap().recorded, 11);
}
