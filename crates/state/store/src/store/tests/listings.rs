//! Pages, scans and the cursors between them.

use std::collections::BTreeSet;

use super::{Note, Tally, Under, note};
use crate::{Cursor, Page, Store, StoreError, Tx};

pub(super) async fn fill(store: &Store, parent: &'static str, count: usize) {
    let fill = move |tx: &mut Tx<'_>| {
        (0..count).try_for_each(|index| tx.insert(parent, &index.to_string(), &note(&index.to_string(), parent)))
    };
    store.write(fill).await.unwrap();
}

pub(super) async fn pages_of_ten_thousand_hold_each_record_once(under: Under) {
    let store = &under.store;
    fill(store, "many", 10_000).await;
    fill(store, "few", 10).await;
    let mut names = BTreeSet::new();
    let mut after = None;
    let mut pages = 0;
    loop {
        let page: Page<Note> = store.read(move |tx| tx.page("many", after.as_ref(), 999)).await.unwrap();
        pages += 1;
        assert!(page.items.iter().all(|item| item.text == "many"));
        let before = names.len();
        names.extend(page.items.iter().map(|item| item.name.clone()));
        assert_eq!(names.len(), before + page.items.len(), "no record comes twice");
        let Some(next) = page.next else { break };
        after = Some(Cursor::from_text(&next.to_text()).unwrap());
    }
    assert_eq!((names.len(), pages), (10_000, 11));
    assert_eq!(store.read(|tx| tx.all::<Note>("many")).await.unwrap().len(), 10_000);
}

pub(super) async fn a_page_that_ends_with_the_listing_has_no_next(under: Under) {
    let store = &under.store;
    fill(store, "p", 10).await;
    let lengths = store.read(|tx| {
        let mut lengths = Vec::new();
        for limit in [1, 9, 10, 11, usize::MAX] {
            let page = tx.page::<Note>("p", None, limit)?;
            lengths.push((page.items.len(), page.next.is_some()));
        }
        Ok::<_, StoreError>(lengths)
    });
    assert_eq!(lengths.await.unwrap(), [(1, true), (9, true), (10, false), (10, false), (10, false)]);
}

pub(super) async fn a_page_cut_short_goes_on_after_any_of_its_records(under: Under) {
    let store = &under.store;
    fill(store, "p", 20).await;
    let rest = store.read(|tx| {
        let page = tx.page::<Note>("p", None, 10)?;
        let cut = tx.cursor_after::<Note>("p", &page.items[3].name);
        let rest = tx.page::<Note>("p", Some(&cut), 100)?;
        assert_eq!(rest.items[..6], page.items[4..]);
        Ok::<_, StoreError>(rest.items.len())
    });
    assert_eq!(rest.await.unwrap(), 16);
}

pub(super) async fn a_scan_meets_every_parents_records_once(under: Under) {
    let store = &under.store;
    fill(store, "p", 30).await;
    fill(store, "q", 40).await;
    store.write(|tx| tx.put("p", "a", &Tally(1))).await.unwrap();
    let mut seen = BTreeSet::new();
    let mut after = None;
    loop {
        let page = store.read(move |tx| tx.scan_collection::<Note>(after.as_ref(), 7)).await.unwrap();
        for item in page.items {
            assert!(seen.insert((item.text, item.name)));
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 70);
}

pub(super) async fn a_forged_or_misplaced_cursor_is_refused(under: Under) {
    let store = &under.store;
    fill(store, "p", 10).await;
    fill(store, "q", 10).await;
    store.write(|tx| (0..10).try_for_each(|n| tx.put("p", &n.to_string(), &Tally(n)))).await.unwrap();
    let forged = store.read(|tx| {
        let cursor = tx.page::<Note>("p", None, 5)?.next.unwrap();
        let text = cursor.to_text();
        assert_eq!(text.len(), 64);
        assert_eq!(tx.page::<Note>("p", Some(&cursor), 5)?.items.len(), 5);

        assert_eq!(tx.page::<Note>("q", Some(&cursor), 5), Err(StoreError::BadCursor));
        assert!(matches!(tx.page::<Tally>("p", Some(&cursor), 5), Err(StoreError::BadCursor)));
        assert!(matches!(tx.scan_collection::<Note>(Some(&cursor), 5), Err(StoreError::BadCursor)));
        let scan = tx.scan_collection::<Note>(None, 5)?.next.unwrap();
        assert_eq!(tx.page::<Note>("p", Some(&scan), 5), Err(StoreError::BadCursor));

        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = Cursor::from_text(std::str::from_utf8(&changed).unwrap()).unwrap();
            assert_eq!(tx.page::<Note>("p", Some(&changed), 5), Err(StoreError::BadCursor));
        }
        Ok::<_, StoreError>(text)
    });
    let text = forged.await.unwrap();
    for malformed in ["", "A", &text[1..], &format!("{text}AAAA"), &text.replace(|_| true, "!"), "é"] {
        assert_eq!(Cursor::from_text(malformed), Err(StoreError::BadCursor), "{malformed}");
    }
}
