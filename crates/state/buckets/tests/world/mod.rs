//! Fixture: a store and blobs with one bucket, and objects of it in one line.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use blobs::Blobs;
use buckets::{
    Bucket, BucketsError, Condition, Contents, Details, EntryVersion, Etag, Found, Headers, NewContent, ObjectKey,
    Protection, Put, Removed, Sealed, Versioning,
};
use bytes::Bytes;
use crypto::Key256;
use futures_util::TryStreamExt;
use store::{ReadTx, RootKey, Store, StoreError, Tx};

pub(crate) struct World {
    pub(crate) dir: Option<tempfile::TempDir>,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) contents: Contents,
    pub(crate) bucket: Bucket,
    pub(crate) key: Arc<ObjectKey>,
    pub(crate) versioning: Versioning,
}

pub(crate) fn details(etag: &str) -> Details {
    Details {
        etag: etag.to_owned(),
        headers: Headers { content_type: Some("text/plain".to_owned()), ..Headers::default() },
        metadata: vec![("name".to_owned(), "value".to_owned())],
        tags: Vec::new(),
        storage_class: None,
        checksum: None,
        protection: Protection::Bucket(Sealed(vec![1, 2, 3])),
        retention: None,
        legal_hold: false,
    }
}

/// The key of every object here, so that tests can open what they wrote.
pub(crate) fn object_key(doubled: bool) -> Arc<ObjectKey> {
    let key = |byte| Key256::from_slice(&[byte; 32]).unwrap();
    Arc::new(ObjectKey::new(key(5), doubled.then(|| key(6))))
}

impl World {
    pub(crate) fn new(versioning: Versioning) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_in_memory().unwrap();
        let blobs = Blobs::in_directory(&dir.path().join("blobs")).unwrap();
        Self::over(Some(dir), store, blobs, Bucket::generate(), versioning)
    }

    /// A world on the disk, which can be opened again.
    pub(crate) fn on_disk(dir: &Path, bucket: Bucket, versioning: Versioning) -> Self {
        let root = RootKey::from_slice(&[9; 32]).unwrap();
        let store = Store::open(dir.join("store.db"), &root).unwrap();
        let blobs = Blobs::in_directory(&dir.join("blobs")).unwrap();
        Self::over(None, store, blobs, bucket, versioning)
    }

    fn over(
        dir: Option<tempfile::TempDir>,
        store: Store,
        blobs: Blobs,
        bucket: Bucket,
        versioning: Versioning,
    ) -> Self {
        let contents = Contents::new(store.clone(), blobs.clone());
        Self { dir, store, blobs, contents, bucket, key: object_key(false), versioning }
    }

    pub(crate) fn how(&self) -> Put {
        Put { versioning: self.versioning, condition: Condition::None, now_ms: 1000 }
    }

    pub(crate) async fn write(&self, content: impl AsRef<[u8]>) -> NewContent {
        let mut writer = self.contents.writer(&self.bucket, &self.key, Etag::Md5);
        for piece in content.as_ref().chunks(100_000) {
            writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        writer.finish().await.unwrap()
    }

    pub(crate) async fn put_how(
        &self,
        key: &str,
        content: impl AsRef<[u8]>,
        how: Put,
    ) -> Result<EntryVersion, BucketsError> {
        let content = self.write(content).await;
        let (bucket, key, details) = (self.bucket, key.to_owned(), details(&content.etag));
        self.change(move |tx| {
            let entry = bucket.put(tx, &key, details, &content, &how)?;
            Ok((entry, content))
        })
        .await
        .map(|(entry, _)| entry)
    }

    pub(crate) async fn put(&self, key: &str, content: impl AsRef<[u8]>) -> EntryVersion {
        self.put_how(key, content, self.how()).await.unwrap()
    }

    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, BucketsError> + Send + 'static,
    ) -> Result<T, BucketsError> {
        self.store.write(change).await
    }

    pub(crate) async fn look<T: Send + 'static>(
        &self,
        query: impl FnOnce(&ReadTx<'_>) -> Result<T, BucketsError> + Send + 'static,
    ) -> Result<T, BucketsError> {
        self.store.read(query).await
    }

    pub(crate) async fn find(&self, key: &str, version: Option<&str>) -> Result<Found, BucketsError> {
        let (bucket, key, version) = (self.bucket, key.to_owned(), version.map(str::to_owned));
        self.look(move |tx| bucket.find(tx, &key, version.as_deref())).await
    }

    pub(crate) async fn content_of(&self, found: &Found) -> Result<Vec<u8>, BucketsError> {
        let stored = found.stored.as_ref().unwrap();
        self.range_of(found, 0..stored.version.bytes).await
    }

    pub(crate) async fn range_of(&self, found: &Found, range: std::ops::Range<u64>) -> Result<Vec<u8>, BucketsError> {
        let stored = found.stored.as_ref().unwrap();
        let reading = self.contents.read(&self.bucket, stored, &self.key, range).await?;
        let pieces: Vec<Bytes> = reading.try_collect().await?;
        Ok(pieces.concat())
    }

    /// The content of a version as text, or the failure to find it.
    pub(crate) async fn get(&self, key: &str, version: Option<&str>) -> Result<String, BucketsError> {
        let found = self.find(key, version).await?;
        if found.entry.marker {
            return Ok("(marker)".to_owned());
        }
        Ok(String::from_utf8(self.content_of(&found).await?).unwrap())
    }

    pub(crate) async fn delete(&self, key: &str) -> Removed {
        let (bucket, key, how) = (self.bucket, key.to_owned(), self.how());
        self.change(move |tx| bucket.delete(tx, &key, &how)).await.unwrap()
    }

    pub(crate) async fn delete_version(&self, key: &str, version: &str) -> Result<Removed, BucketsError> {
        let (bucket, key, version) = (self.bucket, key.to_owned(), version.to_owned());
        self.change(move |tx| bucket.delete_version(tx, &key, &version, &Condition::None, (1000, false))).await
    }

    /// How many blobs are referred to, and how many rows the store has besides indexes.
    pub(crate) async fn left(&self) -> (usize, u64) {
        let referred = self.store.read(|tx| blobs::Reference::page(tx, None, 10_000));
        let referred: Result<_, StoreError> = referred.await;
        (referred.unwrap().len(), self.store.check().unwrap().records)
    }
}

/// ASCII characters that differ from place to place.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| ((at / 7) ^ (at >> 11)) as u8 & 0x7f).collect()
}
