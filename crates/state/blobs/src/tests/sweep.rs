//! Drafts that end without a blob, listings, and what sweeps remove.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt;

use super::fixture::{Place, block_on, content, owner};
use crate::draft::BATCH_BYTES;
use crate::{BlobError, BlobId, Swept};

/// A time that every file is older than.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

#[test]
fn a_dropped_draft_leaves_nothing() {
    let place = Place::new();
    block_on(async {
        let mut draft = place.blobs.draft(&owner()).await.unwrap();
        draft.write(content(3 * BATCH_BYTES).into()).await.unwrap();
        assert_eq!(place.files().len(), 1);
        assert!(place.blobs.list(None, 10).await.unwrap().is_empty(), "a draft is no blob yet");
        drop(draft);
        assert!(place.files().is_empty());
    });
}

#[test]
fn a_draft_whose_write_was_cancelled_is_lost_and_leaves_nothing() {
    let place = Place::new();
    block_on(async {
        let mut draft = place.blobs.draft(&owner()).await.unwrap();
        // More batches than a task may await at once, however quickly each is written.
        assert!(draft.write(content(200 * BATCH_BYTES).into()).now_or_never().is_none(), "it takes a while");
        // Not even nothing can be added: how far the cancelled write got is not known.
        let refused = draft.write(Bytes::new()).await;
        assert!(matches!(refused, Err(BlobError::DraftLost { .. })), "{refused:?}");
        let refused = draft.finish().await.map(|_| ());
        assert!(matches!(refused, Err(BlobError::DraftLost { .. })), "{refused:?}");
    });
    // The runtime waited for the write that was under way.
    assert!(place.files().is_empty());
}

#[test]
fn a_listing_goes_on_where_its_last_page_ended() {
    let place = Place::new();
    block_on(async {
        let mut ids = Vec::new();
        for length in 0..40 {
            ids.push((place.write(&content(length)).await.id, length));
        }
        // Many in one directory, and names that are no blob's.
        let (first, _) = ids[0];
        for number in 0..9 {
            let mut id = first.to_bytes();
            id[15] ^= number + 1;
            fs::copy(place.file(&first), place.file(&BlobId::from_bytes(id))).unwrap();
            ids.push((BlobId::from_bytes(id), 0));
        }
        fs::write(place.file(&first).with_file_name("notes"), b"").unwrap();
        fs::write(place.path.join("notes"), b"").unwrap();
        ids.sort_unstable();
        for limit in [1, 7, 49, 50, 1000] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = place.blobs.list(after, limit).await.unwrap();
                assert!(page.len() <= limit);
                let full = page.len() == limit;
                after = page.last().map(|listed| listed.id).or(after);
                found.extend(page.into_iter().map(|listed| (listed.id, listed.sealed_bytes as usize - 42)));
                if !full {
                    break;
                }
            }
            assert_eq!(found, ids, "pages of {limit}");
        }
    });
}

#[test]
fn a_sweep_removes_what_nothing_refers_to_and_nothing_else() {
    let place = Place::new();
    block_on(async {
        let sweep = |referenced: Vec<BlobId>, before| place.blobs.sweep(move |id| referenced.contains(id), before);
        let referenced = place.write(b"referenced").await.id;
        let stray = place.write(b"stray").await.id;
        let held = place.write(b"not referenced yet").await;
        let mut draft = place.blobs.draft(&owner()).await.unwrap();
        // What a process leaves that is killed.
        let left = place.path.join("drafts").join(BlobId::from_bytes([3; 16]).to_string());
        fs::write(&left, b"12345").unwrap();

        let before = SystemTime::now() - Duration::from_secs(3600);
        assert_eq!(sweep(vec![referenced], before).await.unwrap(), Swept::default(), "they are too young");
        let stray_bytes = fs::metadata(place.file(&stray)).unwrap().len();
        let swept = sweep(vec![referenced], later()).await.unwrap();
        assert_eq!(swept, Swept { blobs: 1, drafts: 1, sealed_bytes: stray_bytes + 5, interrupted: false });
        assert!(!left.exists());
        let ids = |listed: Vec<crate::Listed>| listed.into_iter().map(|listed| listed.id).collect::<HashSet<_>>();
        assert_eq!(ids(place.blobs.list(None, 10).await.unwrap()), HashSet::from([referenced, held.id]));

        // The draft goes on, and what was held goes once nobody holds it.
        draft.write(Bytes::from_static(b"content")).await.unwrap();
        let finished = draft.finish().await.unwrap();
        assert_eq!(place.blobs.check(&owner(), &finished.id).await.unwrap(), finished.contents);
        drop(held);
        assert_eq!(sweep(vec![referenced], later()).await.unwrap().blobs, 1);
        assert_eq!(ids(place.blobs.list(None, 10).await.unwrap()), HashSet::from([referenced, finished.id]));
    });
}

#[test]
fn a_blob_that_is_swept_while_it_is_read_is_read_to_its_end() {
    let place = Place::new();
    block_on(async {
        let whole = content(9 * BATCH_BYTES);
        let id = place.write(&whole).await.id;
        let blob = place.blobs.blob(&owner(), &id).await.unwrap();
        assert_eq!(place.blobs.sweep(|_| false, later()).await.unwrap().blobs, 1);
        assert!(super::fixture::read(&blob, 0..whole.len() as u64).await.unwrap() == whole);
        let gone = place.blobs.blob(&owner(), &id).await.map(|_| ());
        assert!(matches!(gone, Err(BlobError::Missing { .. })), "{gone:?}");
    });
}

#[test]
fn a_sweep_waits_while_somebody_copies() {
    let place = Place::new();
    block_on(async {
        drop(place.write(b"stray").await);
        // Another process opens the same directory.
        let copier = crate::Blobs::in_directory(&place.path).unwrap();
        let hold = copier.hold_for_copy().await.unwrap();
        let also = place.blobs.hold_for_copy().await.unwrap();
        assert_eq!(
            place.blobs.sweep(|_| false, later()).await.unwrap(),
            Swept { interrupted: true, ..Swept::default() }
        );
        drop(hold);
        assert!(place.blobs.sweep(|_| false, later()).await.unwrap().interrupted);
        drop(also);
        let swept = place.blobs.sweep(|_| false, later()).await.unwrap();
        assert_eq!((swept.blobs, swept.interrupted), (1, false));
    });
}
