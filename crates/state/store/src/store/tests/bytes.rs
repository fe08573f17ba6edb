//! Rows of bytes: as safe as records, and seen by no cache.

use super::Under;
use crate::engine::RowKey;
use crate::{StoreError, Tx};

const CONTENTS: &str = "contents";

async fn put(under: &Under, id: &'static str, bytes: &'static [u8]) {
    under.store.write(move |tx| tx.put_bytes(CONTENTS, "p", id, bytes)).await.unwrap();
}

async fn get(under: &Under, id: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
    let read = under.store.read(move |tx| tx.get_bytes(CONTENTS, "p", id)).await?;
    Ok(read.map(|bytes| bytes.expose().to_vec()))
}

pub(super) async fn bytes_come_back_as_they_were_put(under: Under) {
    put(&under, "a", &[0, 0xff, b'{']).await;
    put(&under, "b", b"").await;
    assert_eq!(get(&under, "a").await.unwrap().as_deref(), Some(&[0, 0xff, b'{'][..]));
    assert_eq!(get(&under, "b").await.unwrap().as_deref(), Some(&b""[..]));
    put(&under, "a", b"second").await;
    assert_eq!(get(&under, "a").await.unwrap().as_deref(), Some(&b"second"[..]));
    assert_eq!(get(&under, "c").await.unwrap(), None);
    let failed = under.store.write(|tx| {
        tx.put_bytes(CONTENTS, "p", "a", b"failed")?;
        assert!(tx.remove_bytes(CONTENTS, "p", "b")?);
        Err::<(), _>(StoreError::BadCursor)
    });
    assert_eq!(failed.await, Err(StoreError::BadCursor));
    assert_eq!(get(&under, "a").await.unwrap().as_deref(), Some(&b"second"[..]));
    let remove = || under.store.write(|tx| tx.remove_bytes(CONTENTS, "p", "b"));
    assert!(remove().await.unwrap());
    assert!(!remove().await.unwrap());
    assert_eq!(get(&under, "b").await.unwrap(), None);
    assert_eq!(under.store.check().unwrap().records, 1);
}

pub(super) async fn bytes_that_were_put_back_or_moved_are_found(under: Under) {
    put(&under, "a", b"first").await;
    let first = under.store.read_db(|tx| tx.scan(CONTENTS, None, 2)).await.unwrap().pop().unwrap();
    assert!(!first.value.windows(5).any(|window| window == b"first"), "they are sealed");
    put(&under, "a", b"second").await;
    let (parent, id, value) = (first.parent, first.id, first.value.clone());
    let put_back = under
        .store
        .write_db(move |tx| tx.rows().put(RowKey { collection: CONTENTS, parent: &parent, id: &id }, &value));
    put_back.await.unwrap();
    assert_eq!(under.store.check(), Err(StoreError::RowsPutBack));
    let moved = under.store.write_db(move |tx| {
        tx.rows().put(RowKey { collection: "elsewhere", parent: &first.parent, id: &first.id }, &first.value)
    });
    moved.await.unwrap();
    let refused = StoreError::NotAuthentic { collection: "elsewhere".to_owned() };
    assert_eq!(under.store.check(), Err(refused));
}

pub(super) async fn a_change_of_bytes_alone_is_recorded_and_one_that_changes_none_is_not(under: Under) {
    let recorded = |change: fn(&mut Tx<'_>) -> Result<(), StoreError>| {
        let written = under.store.write_recorded(|_| b"event".to_vec(), change);
        async { written.await.unwrap().1 }
    };
    assert!(recorded(|tx| tx.put_bytes(CONTENTS, "p", "a", b"bytes")).await);
    assert!(recorded(|tx| tx.remove_bytes(CONTENTS, "p", "a").map(|_| ())).await);
    assert!(!recorded(|tx| tx.remove_bytes(CONTENTS, "p", "a").map(|_| ())).await);
    assert_eq!(under.store.standing().unwrap().recorded, 2);
}
