//! All repositories of a server: made, removed and opened. Knows no callers: whoever opens one has its key.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use blobs::{BlobId, Blobs, Owner};
use crypto::Key256;
use git_object::ObjectFormat;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use store::{ReadTx, Store, StoreError, Tx};
use tokio::sync::Semaphore;

use crate::bitmaps::Bitmaps;
use crate::chunks::Chunks;
use crate::large::LargeRecord;
use crate::lock::{LockRecord, LockedPath};
use crate::maintenance::Due;
use crate::memory::Memory;
use crate::objects::Recent;
use crate::pack::Pack;
use crate::record::{BitmapsRecord, LogRecord, Meta, PackRecord, RefRecord, ReplacedRecord};
use crate::references::References;
use crate::select::Selection;
use crate::turns::Turns;
use crate::{GitError, Repository};

/// How many records of an index are removed at once.
const BATCH: usize = 1000;

/// How many repositories' rows are cached.
const METAS: usize = 4096;

/// How much memory the references of all repositories may take in the cache, in bytes.
const SNAPSHOT_BYTES: u64 = 24 << 20;

/// How many packs are open at once: each has a file.
const PACKS_OPEN: usize = 512;

/// How many repositories' bitmaps are open at once: each has a file.
const BITMAPS_OPEN: usize = 64;

/// The service that repositories' blobs belong to, in the index of all blobs.
pub const SERVICE: &str = "codecommit";

/// Limits, and how much is used of the machine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many bytes of opened chunks are retained.
    pub cache_bytes: u64,
    /// How many bytes objects take together that fetches make of deltas, at most: one that takes more has its turn when there
    /// is no other.
    pub making_bytes: u64,
    /// The longest object that a push may have, in bytes.
    pub blob_bytes_max: u64,
    /// How many threads a push is resolved on.
    pub threads: usize,
    /// How many objects a pack has at least that gets bitmaps: one with fewer is walked as quickly.
    pub mapped_objects_min: u32,
    /// How many commits a client lacks at least for which bitmaps are asked what they lead to, and what it has does not:
    /// fewer are walked as quickly.
    pub mapped_commits_min: usize,
    /// How many uploads run at once: each takes a thread and about a mebibyte. Others wait. One caller has a quarter of
    /// them at most, one address half.
    pub uploads_max: usize,
    /// How many pushes are received at once: each takes a thread and some mebibytes. Others wait; shares are as for uploads.
    pub receives_max: usize,
    /// How long a push may take for each 64 KiB of its pack while others wait for a turn.
    pub pace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cache_bytes: 64 << 20,
            making_bytes: 64 << 20,
            blob_bytes_max: 2 << 30,
            threads,
            mapped_objects_min: 5000,
            mapped_commits_min: 500,
            uploads_max: 64,
            receives_max: 32,
            pace: Duration::from_mins(1),
        }
    }
}

/// The repositories of a server. Clones are the same.
#[derive(Clone)]
pub struct Git(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) chunks: Chunks,
    pub(crate) recent: Recent,
    pub(crate) settings: Settings,
    pub(crate) uploads: Arc<Turns>,
    pub(crate) receives: Arc<Turns>,
    /// The memory of objects that are made of deltas.
    pub(crate) memory: Memory,
    /// Locked by the one push whose objects take more than its share of memory.
    pub(crate) exceeding: Mutex<()>,
    /// One push at a time is resolved: it takes all cores, and its objects' memory.
    pub(crate) resolving: Arc<Semaphore>,
    /// Packs that are open, by their first blob.
    pub(crate) packs: Cache<BlobId, Arc<Pack>>,
    /// Bitmaps that are open, by their blob.
    pub(crate) bitmaps: Cache<BlobId, Arc<Bitmaps>>,
    /// Repositories that are being maintained.
    pub(crate) maintained: Mutex<HashSet<Box<str>>>,
    /// Repositories that were opened lately.
    pub(crate) due: Due,
    metas: store::Cache<Meta>,
    snapshots: Cache<Box<str>, Arc<Snapshot>, ByMemory>,
}

/// A repository's records at one time.
pub(crate) struct Snapshot {
    pub(crate) meta: Meta,
    pub(crate) format: Option<ObjectFormat>,
    /// The newest last.
    pub(crate) packs: Vec<Arc<PackRecord>>,
    /// By the first blob of their pack.
    pub(crate) bitmaps: Vec<(String, BitmapsRecord)>,
    pub(crate) references: References,
    /// All that the references lead to, once somebody asked.
    pub(crate) reachable: OnceLock<Arc<Selection>>,
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<Box<str>, Arc<Snapshot>> for ByMemory {
    fn weight(&self, _: &Box<str>, snapshot: &Arc<Snapshot>) -> u64 {
        (1024 + snapshot.packs.len() * 512 + snapshot.references.bytes()) as u64
    }
}

impl Git {
    /// Repositories whose records are in `store`, and whose packs are in `blobs`.
    #[must_use]
    pub fn new(store: Store, blobs: Blobs, settings: Settings) -> Self {
        Self(Arc::new(Inner {
            chunks: Chunks::new(settings.cache_bytes),
            recent: Recent::new(settings.cache_bytes / 4),
            uploads: Turns::new(settings.uploads_max),
            receives: Turns::new(settings.receives_max),
            resolving: Arc::new(Semaphore::new(1)),
            memory: Memory::new(settings.making_bytes),
            exceeding: Mutex::default(),
            settings,
            packs: Cache::new(PACKS_OPEN),
            bitmaps: Cache::new(BITMAPS_OPEN),
            maintained: Mutex::default(),
            due: Due::new(),
            metas: store::Cache::new(&store, METAS, |meta| meta),
            snapshots: Cache::with_weighter(METAS, SNAPSHOT_BYTES, ByMemory),
            store,
            blobs,
        }))
    }

    /// Makes an empty repository called `id`, which no other has or had. Without a format it takes that of the first push.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; those of writing.
    pub fn create(&self, tx: &mut Tx<'_>, id: &str, format: Option<ObjectFormat>) -> Result<(), StoreError> {
        tx.insert("", id, &Meta::new(format))
    }

    /// Removes a repository with all that it has. Its blobs are removed by the next sweep. Yields whether it was there.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn remove(&self, tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
        if !tx.delete::<Meta>("", id)? {
            return Ok(false);
        }
        clear::<RefRecord>(tx, id, |_, _| Ok(()))?;
        clear::<LogRecord>(tx, id, |_, _| Ok(()))?;
        clear::<BitmapsRecord>(tx, id, |tx, bitmaps| {
            bitmaps.blob_id().map_or(Ok(()), |blob| blobs::Reference::remove(tx, &blob).map(|_| ()))
        })?;
        clear::<PackRecord>(tx, id, |tx, pack| {
            pack.blob_ids().flatten().try_for_each(|blob| blobs::Reference::remove(tx, &blob).map(|_| ()))
        })?;
        clear::<LargeRecord>(tx, id, |tx, large| match large.blob_id() {
            Some(blob) => blobs::Reference::remove(tx, &blob).map(drop),
            None => Ok(()),
        })?;
        clear::<LockRecord>(tx, id, |_, _| Ok(()))?;
        clear::<LockedPath>(tx, id, |_, _| Ok(()))?;
        clear::<ReplacedRecord>(tx, id, |tx, pack| {
            pack.blob_ids().flatten().try_for_each(|blob| blobs::Reference::remove(tx, &blob).map(|_| ()))
        })?;
        Ok(true)
    }

    /// Names the reference that `HEAD` stands for, such as `refs/heads/main`. It need not be there.
    ///
    /// # Errors
    /// [`GitError::NotFound`], [`GitError::BadName`]; those of writing.
    pub fn set_head(&self, tx: &mut Tx<'_>, id: &str, name: &str) -> Result<(), GitError> {
        let mut meta = tx.get::<Meta>("", id)?.ok_or(GitError::NotFound)?;
        if !name.starts_with("refs/heads/") || !crate::publish::name_is_valid(name) {
            return Err(GitError::BadName { name: name.to_owned() });
        }
        name.clone_into(&mut meta.head);
        meta.version += 1;
        Ok(tx.put("", id, &meta)?)
    }

    /// Opens a repository as it is now. `key` is its data key, which packs are opened with when they are needed.
    ///
    /// # Errors
    /// [`GitError::NotFound`]; those of reading.
    pub async fn open(&self, id: &str, key: &Key256) -> Result<Repository, GitError> {
        let snapshot = self.snapshot(id).await?;
        let repository = Repository::new(self.clone(), id, Owner::new(key, id.as_bytes()), key, snapshot);
        self.0.due.note(&repository);
        Ok(repository)
    }

    /// The repository's records as they are now.
    pub(crate) async fn snapshot(&self, id: &str) -> Result<Arc<Snapshot>, GitError> {
        let Inner { metas, snapshots, store, .. } = &*self.0;
        let meta = metas.get("", id).await?.ok_or(GitError::NotFound)?;
        if let Some(known) = snapshots.get(id)
            && known.meta.version == meta.version
        {
            return Ok(known);
        }
        let name = id.to_owned();
        let read = store.read(move |tx| Snapshot::read(tx, &name)).await?;
        let snapshot = Arc::new(read.ok_or(GitError::NotFound)?);
        // Another call may put an older one back: versions are compared, so that costs time only.
        snapshots.insert(id.into(), Arc::clone(&snapshot));
        Ok(snapshot)
    }
}

impl Snapshot {
    fn read(tx: &ReadTx<'_>, id: &str) -> Result<Option<Self>, GitError> {
        let Some(meta) = tx.get::<Meta>("", id)? else { return Ok(None) };
        let format = meta.format();
        if meta.format.is_some() != format.is_some() {
            return Err(GitError::damaged("the object format is unknown"));
        }
        let (mut packs, mut bitmaps, mut references) = (Vec::new(), Vec::new(), References::default());
        if let Some(format) = format {
            let index = tx.index::<PackRecord>(id)?;
            let mut entries = index.iter(&[])?;
            while let Some((_, pack)) = entries.next()? {
                packs.push(Arc::new(pack));
            }
            let index = tx.index::<BitmapsRecord>(id)?;
            let mut entries = index.iter(&[])?;
            while let Some((pack, record)) = entries.next()? {
                bitmaps.push((String::from_utf8_lossy(&pack).into_owned(), record));
            }
            let index = tx.index::<RefRecord>(id)?;
            let mut entries = index.iter(&[])?;
            while let Some((name, record)) = entries.next()? {
                references.push(format, &name, &record)?;
            }
        }
        Ok(Some(Self { meta, format, packs, bitmaps, references, reachable: OnceLock::new() }))
    }
}

/// Removes every entry of an index, each after `then` had it.
fn clear<R: store::Indexed>(
    tx: &mut Tx<'_>,
    name: &str,
    then: impl Fn(&mut Tx<'_>, &R) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    loop {
        let found = tx.index::<R>(name)?.range(&[], std::ops::Bound::Unbounded, BATCH)?;
        for (key, value) in &found.items {
            then(tx, value)?;
            tx.index_mut::<R>(name).remove(key)?;
        }
        if !found.more {
            return Ok(());
        }
    }
}
