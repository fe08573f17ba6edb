//! A service with blobs, whole: write, refer, read, delete, sweep, check, tamper.

use std::fs;
use std::time::{Duration, SystemTime};

use crypto::Key256;
use store::{Store, StoreError};

use super::fixture::{Place, block_on, content, read};
use crate::draft::BATCH_BYTES;
use crate::format::{FRAME_BYTES, HEADER_BYTES};
use crate::{BlobId, Blobs, Fault, FaultyBlob, Owner, OwnerFuture, Owners, Reference};

/// A service with one key for all of its owners, in the store's keyring.
struct Toy;

const SERVICE: &str = "toy";

async fn owner(store: &Store, name: &str) -> Result<Owner, StoreError> {
    Ok(Owner::new(&*store.keyring().key("toy blobs").await?, name.as_bytes()))
}

impl Owners for Toy {
    fn owner<'a>(&'a self, store: &'a Store, reference: &'a Reference) -> OwnerFuture<'a> {
        Box::pin(async move {
            match reference.service.as_str() {
                SERVICE => Ok(Some(owner(store, &reference.owner).await?)),
                _ => Ok(None),
            }
        })
    }
}

async fn add(store: &Store, blobs: &Blobs, name: &'static str, content: &[u8]) -> BlobId {
    let mut draft = blobs.draft(&owner(store, name).await.unwrap()).await.unwrap();
    draft.write(content.to_vec().into()).await.unwrap();
    let written = draft.finish().await.unwrap();
    let id = written.id;
    store.write(move |tx| Reference::insert(tx, &written, SERVICE, name)).await.unwrap();
    id
}

async fn delete(store: &Store, id: BlobId) {
    assert!(store.write(move |tx| Reference::remove(tx, &id)).await.unwrap());
}

async fn sweep(store: &Store, blobs: &Blobs) -> u64 {
    let (store, later) = (store.clone(), SystemTime::now() + Duration::from_secs(3600));
    blobs.sweep(crate::referenced(store), later).await.unwrap().blobs
}

#[test]
fn a_blob_lives_as_long_as_something_refers_to_it() {
    let place = Place::new();
    let store = Store::open_in_memory().unwrap();
    block_on(async {
        let whole = content(3 * BATCH_BYTES);
        let kept = add(&store, &place.blobs, "one", &whole).await;
        let gone = add(&store, &place.blobs, "other", b"short").await;
        let stray = place.write(b"written and never referred to").await.id;
        assert_eq!(store.read(move |tx| Reference::page(tx, None, 10)).await.unwrap().len(), 2);

        let report = place.blobs.check_all(&store, &Toy).await.unwrap();
        assert_eq!((report.intact, report.plaintext_bytes), (2, whole.len() as u64 + 5));
        assert_eq!((report.is_intact(), report.unreferenced), (true, vec![stray]));

        delete(&store, gone).await;
        assert!(store.read(move |tx| Reference::find(tx, &gone)).await.unwrap().is_none());
        assert_eq!(sweep(&store, &place.blobs).await, 2);
        let blob = place.blobs.blob(&owner(&store, "one").await.unwrap(), &kept).await.unwrap();
        assert!(read(&blob, 70_000..200_000).await.unwrap() == whole[70_000..200_000]);
        assert_eq!(place.blobs.check_all(&store, &Toy).await.unwrap().intact, 1);
    });
}

#[test]
fn a_transaction_that_fails_refers_to_nothing() {
    let place = Place::new();
    let store = Store::open_in_memory().unwrap();
    block_on(async {
        let written = place.write(b"content").await;
        let id = written.id;
        let undone = store.write(move |tx| {
            Reference::insert(tx, &written, SERVICE, "one")?;
            Err::<(), _>(StoreError::Exists { collection: "something else" })
        });
        undone.await.unwrap_err();
        assert!(store.read(move |tx| Reference::find(tx, &id)).await.unwrap().is_none());
        assert_eq!(sweep(&store, &place.blobs).await, 1);
    });
}

#[test]
fn a_check_says_which_blobs_are_not_what_was_written_and_why() {
    let place = Place::new();
    let store = Store::open_in_memory().unwrap();
    block_on(async {
        let whole = content(3 * FRAME_BYTES);
        let mut ids = Vec::new();
        for _ in 0..6 {
            ids.push(add(&store, &place.blobs, "one", &whole).await);
        }
        let [missing, truncated, swapped, changed, alien, other] = ids[..] else { panic!("six") };
        let sealed_bytes = fs::metadata(place.file(&missing)).unwrap().len();
        fs::remove_file(place.file(&missing)).unwrap();
        place.edit(&truncated, |bytes| bytes.truncate(HEADER_BYTES + 2 * FRAME_BYTES));
        fs::copy(place.file(&other), place.file(&swapped)).unwrap();
        place.edit(&changed, |bytes| bytes[HEADER_BYTES + FRAME_BYTES + 9] ^= 1);
        let entry = Reference { service: "unheard of".to_owned(), owner: "one".to_owned(), sealed_bytes };
        let put = move |tx: &mut store::Tx<'_>| tx.index_mut::<Reference>("").put(&alien.to_bytes(), &entry);
        store.write(put).await.unwrap();

        let report = place.blobs.check_all(&store, &Toy).await.unwrap();
        let found = (HEADER_BYTES + 2 * FRAME_BYTES) as u64;
        let mut expected = vec![
            FaultyBlob { id: missing, fault: Fault::Missing },
            FaultyBlob { id: truncated, fault: Fault::Length { written: sealed_bytes, found } },
            FaultyBlob { id: swapped, fault: Fault::Swapped { with: other } },
            FaultyBlob { id: changed, fault: Fault::Changed },
            FaultyBlob { id: alien, fault: Fault::Unowned { service: "unheard of".to_owned() } },
        ];
        expected.sort_by_key(|faulty| faulty.id);
        assert_eq!((report.intact, &report.faulty, report.is_intact()), (1, &expected, false));
        assert!(report.unreferenced.is_empty());
        let said: Vec<_> = report.faulty.iter().map(ToString::to_string).collect();
        assert!(said.iter().zip(&expected).all(|(text, faulty)| text.contains(&faulty.id.to_string())), "{said:?}");
    });
}

#[test]
fn a_blob_of_another_key_is_found() {
    let place = Place::new();
    let store = Store::open_in_memory().unwrap();
    block_on(async {
        let mut draft = place.blobs.draft(&Owner::new(&Key256::random(), b"one")).await.unwrap();
        draft.write("content".into()).await.unwrap();
        let written = draft.finish().await.unwrap();
        let id = written.id;
        store.write(move |tx| Reference::insert(tx, &written, SERVICE, "one")).await.unwrap();
        let report = place.blobs.check_all(&store, &Toy).await.unwrap();
        assert_eq!(report.faulty, [FaultyBlob { id, fault: Fault::Changed }]);
    });
}
