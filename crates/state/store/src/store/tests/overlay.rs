//! Visibility of a closure's own changes above the engine's rows, and their removal when it fails.

use std::collections::BTreeMap;

use super::listings::fill;
use super::{Note, Under, note};
use crate::{Cursor, StoreError, Tx};

/// All of a parent by pages of `limit`, which have to be in one order and hold each record once.
fn listed(tx: &Tx<'_>, parent: &str, limit: usize) -> Result<BTreeMap<String, String>, StoreError> {
    let (mut all, mut count, mut after) = (BTreeMap::new(), 0, None::<Cursor>);
    loop {
        let page = tx.page::<Note>(parent, after.as_ref(), limit)?;
        assert!(page.next.is_none() || page.items.len() == limit, "only the last page is short");
        count += page.items.len();
        all.extend(page.items.into_iter().map(|item| (item.name, item.text)));
        after = page.next;
        if after.is_none() {
            assert_eq!(all.len(), count, "no record comes twice");
            return Ok(all);
        }
    }
}

pub(super) async fn a_closure_lists_its_own_changes_among_the_rows_below(under: Under) {
    let store = &under.store;
    fill(store, "p", 40).await;
    fill(store, "q", 3).await;
    let change = |tx: &mut Tx<'_>| {
        let mut expected = listed(tx, "p", 7)?;
        assert_eq!(expected.len(), 40);
        for index in 0..60_usize {
            let name = index.to_string();
            if index % 3 == 0 {
                assert_eq!(tx.delete::<Note>("p", &name)?, expected.remove(&name).is_some());
            } else if index % 3 == 1 {
                tx.put("p", &name, &note(&name, "changed"))?;
                expected.insert(name, "changed".to_owned());
            }
            if index % 10 == 9 {
                for limit in [1, 2, 7, 1000] {
                    assert_eq!(listed(tx, "p", limit)?, expected, "after {index}, {limit} at once");
                }
            }
        }
        // A row that was removed can be inserted again, and one that was put cannot.
        tx.insert("p", "0", &note("0", "again"))?;
        assert!(matches!(tx.insert("p", "1", &note("1", "again")), Err(StoreError::Exists { .. })));
        assert_eq!(tx.get::<Note>("p", "0")?, Some(note("0", "again")));
        expected.insert("0".to_owned(), "again".to_owned());
        assert_eq!(listed(tx, "q", 2)?.len(), 3, "another parent has its own");
        let scanned = tx.scan_collection::<Note>(None, 1000)?.items.len();
        assert_eq!(scanned, expected.len() + 3);
        Ok::<_, StoreError>(expected)
    };
    let expected = store.write(change).await.unwrap();
    let stored = store.read(|tx| tx.all::<Note>("p")).await.unwrap();
    assert_eq!(stored.into_iter().map(|item| (item.name, item.text)).collect::<BTreeMap<_, _>>(), expected);
    store.check().unwrap();
}

pub(super) async fn what_a_failed_closure_changed_is_not_seen_by_the_next(under: Under) {
    let store = &under.store;
    fill(store, "p", 3).await;
    let failed = store.write(|tx| {
        tx.put("p", "0", &note("0", "failed"))?;
        tx.delete::<Note>("p", "1")?;
        tx.insert("p", "new", &note("new", "failed"))?;
        assert_eq!(tx.get::<Note>("p", "0")?, Some(note("0", "failed")));
        Err::<(), _>(StoreError::BadCursor)
    });
    let next = store.write(|tx| {
        assert_eq!(tx.get::<Note>("p", "0")?, Some(note("0", "p")));
        assert_eq!(tx.get::<Note>("p", "new")?, None);
        tx.insert("p", "new", &note("new", "next"))?;
        Ok::<_, StoreError>(listed(tx, "p", 2)?.len())
    });
    let (failed, next) = tokio::join!(failed, next);
    assert!(matches!(failed, Err(StoreError::BadCursor)));
    assert_eq!(next.unwrap(), 4);
    assert_eq!(store.read(|tx| tx.get::<Note>("p", "1")).await.unwrap(), Some(note("1", "p")));
    store.check().unwrap();
}

pub(super) async fn what_is_prefetched_is_what_would_have_been_read(under: Under) {
    let store = &under.store;
    fill(store, "p", 3).await;
    let seen = store.write(|tx| {
        tx.put("p", "1", &note("1", "changed"))?;
        tx.prefetch::<Note>(&[("p", "0"), ("p", "1"), ("p", "absent")])?;
        tx.put("p", "0", &note("0", "changed"))?;
        let names = ["0", "1", "2", "absent"];
        names.into_iter().map(|name| tx.get::<Note>("p", name)).collect::<Result<Vec<_>, StoreError>>()
    });
    let expected = [Some(note("0", "changed")), Some(note("1", "changed")), Some(note("2", "p")), None];
    assert_eq!(seen.await.unwrap(), expected);
    store.check().unwrap();
}
