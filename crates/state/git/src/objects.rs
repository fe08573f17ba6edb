//! The objects of a repository, looked up in all of its packs. Knows no references. Blocks.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use blobs::{BlobError, BlobId, Owner};
use crypto::SecretBytes;
use git_object::{Commit, Kind, ObjectFormat, ObjectId};
use git_pack::{EntryHeader, EntryKind, EntryReader, PackError, ReadError, apply, result_bytes};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::GitError;
use crate::bitmaps::Bitmaps;
use crate::git::Git;
use crate::links::broken;
use crate::memory::{FREE_BYTES, Share};
use crate::pack::Pack;
use crate::record::{BitmapsRecord, PackRecord};

/// The largest object that is cached, in bytes.
const CACHED_BYTES_MAX: usize = 256 << 10;

/// Approximate bytes of an entry of the cache besides its object.
const ENTRY_BYTES: u64 = 160;

/// An object in memory, zeroised when nobody has it any more.
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    content: SecretBytes,
}

impl Object {
    pub(crate) fn new(kind: Kind, content: Vec<u8>) -> Self {
        Self { kind, content: SecretBytes::from(content) }
    }
}

impl Deref for Object {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.content.expose()
    }
}

/// Objects that were read last, by their pack's first blob and their place in it.
#[derive(Clone)]
pub(crate) struct Recent(Arc<Cache<(BlobId, u32), Arc<Object>, BySize>>);

#[derive(Clone)]
struct BySize;

impl Weighter<(BlobId, u32), Arc<Object>> for BySize {
    fn weight(&self, _: &(BlobId, u32), object: &Arc<Object>) -> u64 {
        object.len() as u64 + ENTRY_BYTES
    }
}

impl Recent {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let objects = usize::try_from(bytes_max / 2048).unwrap_or(usize::MAX).max(64);
        Self(Arc::new(Cache::with_weighter(objects, bytes_max, BySize)))
    }
}

/// All objects of a repository at one time. Clones are the same. Its calls block.
#[derive(Clone)]
pub struct Objects(Arc<Inner>);

struct Inner {
    git: Git,
    format: ObjectFormat,
    owner: Owner,
    fingerprint: [u8; 32],
    slots: Vec<Slot>,
    /// Bitmaps of some packs, by their first blobs, and those of the largest pack once they are open.
    bitmap_records: Vec<(String, BitmapsRecord)>,
    bitmaps: OnceLock<Option<(usize, Arc<Bitmaps>)>>,
    /// The pack that had the last object.
    hint: AtomicUsize,
    readers: Mutex<Vec<EntryReader>>,
}

/// A pack, opened when it is first needed.
struct Slot {
    record: Arc<PackRecord>,
    pack: OnceLock<Arc<Pack>>,
}

/// How far the making of an object has come.
enum Made<'a> {
    /// To the end.
    Object(Arc<Object>, Share<'a>),
    /// Nowhere: it takes so many bytes.
    Needs(u64),
}

/// The parts of a commit that a walk needs.
pub(crate) struct CommitLinks {
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    /// The committer's time in seconds since 1970.
    pub(crate) time: i64,
}

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The number of the pack, the newest being 0.
    pub(crate) pack: usize,
    pub(crate) row: u32,
}

impl Objects {
    /// The objects of `packs`, the newest last, and of a `quarantine` that is open.
    pub(crate) fn new(
        git: Git,
        format: ObjectFormat,
        owner: Owner,
        fingerprint: [u8; 32],
        packs: &[Arc<PackRecord>],
        quarantine: Option<Arc<Pack>>,
    ) -> Self {
        let quarantine = quarantine.map(|pack| Slot { record: Arc::clone(&pack.record), pack: OnceLock::from(pack) });
        let stored = packs.iter().rev().map(|record| Slot { record: Arc::clone(record), pack: OnceLock::new() });
        let slots = quarantine.into_iter().chain(stored).collect();
        let (hint, readers) = (AtomicUsize::new(0), Mutex::default());
        let (bitmap_records, bitmaps) = (Vec::new(), OnceLock::new());
        Self(Arc::new(Inner { git, format, owner, fingerprint, slots, bitmap_records, bitmaps, hint, readers }))
    }

    /// The same with bitmaps. Nobody else has these objects yet.
    pub(crate) fn with_bitmaps(mut self, records: &[(String, BitmapsRecord)]) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.bitmap_records = records.to_vec();
        }
        self
    }

    /// The number of the largest pack that has bitmaps and a commit graph, and these.
    pub(crate) fn bitmaps(&self) -> Option<(usize, &Bitmaps)> {
        let Inner { git, owner, fingerprint, slots, bitmap_records, bitmaps, .. } = &*self.0;
        let open = || {
            let records = bitmap_records.iter().filter_map(|(key, record)| {
                let number = slots.iter().position(|slot| slot.record.blobs.first() == Some(key))?;
                Some((slots.get(number)?.record.objects, number, record))
            });
            let (_, number, record) = records.max_by_key(|(objects, ..)| *objects)?;
            // They may be swept already, when a reader is late: then there are none.
            let opened = Bitmaps::open(&git.0, owner, fingerprint, record);
            let opened = opened.inspect_err(|error| tracing::warn!(%error, "bitmaps are not used")).ok()?;
            Some((number, opened))
        };
        bitmaps.get_or_init(open).as_ref().map(|(number, bitmaps)| (*number, &**bitmaps))
    }

    /// From how many commits on that a client lacks bitmaps are asked.
    pub(crate) fn mapped_commits_min(&self) -> usize {
        self.0.git.0.settings.mapped_commits_min
    }

    /// The links and the time of a commit.
    pub(crate) fn commit(&self, id: &ObjectId) -> Result<CommitLinks, GitError> {
        if let Some((number, bitmaps)) = self.bitmaps() {
            let pack = self.pack(number)?;
            if let Some(row) = pack.find(id)?
                && let Some(row) = bitmaps.commit(pack.place(row)?)?
            {
                let id = |place: u32| pack.id(pack.row(place)?);
                let parents = row.parents.into_iter().flatten().map(id).collect::<Result<_, _>>()?;
                return Ok(CommitLinks { tree: id(row.tree)?, parents, time: row.time });
            }
        }
        let object = self.expect(id, Kind::Commit)?;
        let commit = Commit::parse(id.format(), &object).map_err(broken)?;
        Ok(CommitLinks { tree: commit.tree(), parents: commit.parents().collect(), time: commit.committer().seconds })
    }

    /// The hash function that made the objects' ids.
    #[must_use]
    pub fn format(&self) -> ObjectFormat {
        self.0.format
    }

    /// How many packs there are.
    pub(crate) fn packs(&self) -> usize {
        self.0.slots.len()
    }

    /// How many objects all packs have, those counted twice that two have.
    pub(crate) fn count(&self) -> u64 {
        self.0.slots.iter().map(|slot| u64::from(slot.record.objects)).sum()
    }

    /// The pack of a number, the newest being 0.
    pub(crate) fn pack(&self, number: usize) -> Result<&Arc<Pack>, GitError> {
        let Inner { git, format, owner, fingerprint, slots, .. } = &*self.0;
        let slot = slots.get(number).ok_or(GitError::damaged("a pack is missing"))?;
        if let Some(pack) = slot.pack.get() {
            return Ok(pack);
        }
        let pack = Pack::open(&git.0, *format, owner, fingerprint, &slot.record)?;
        Ok(slot.pack.get_or_init(|| pack))
    }

    /// Where an object is: in the pack that had the last one if it is there, or else in the newest.
    pub(crate) fn find(&self, id: &ObjectId) -> Result<Option<Found>, GitError> {
        if id.format() != self.0.format {
            return Ok(None);
        }
        let hint = self.0.hint.load(Ordering::Relaxed);
        let others = (0..self.packs()).filter(|number| *number != hint);
        for number in (hint < self.packs()).then_some(hint).into_iter().chain(others) {
            if let Some(row) = self.pack(number)?.find(id)? {
                self.0.hint.store(number, Ordering::Relaxed);
                return Ok(Some(Found { pack: number, row }));
            }
        }
        Ok(None)
    }

    /// Whether an object is there, reachable or not.
    ///
    /// # Errors
    /// Those of reading.
    pub fn exists(&self, id: &ObjectId) -> Result<bool, GitError> {
        Ok(self.find(id)?.is_some())
    }

    /// An object's kind.
    ///
    /// # Errors
    /// Those of reading.
    pub fn kind(&self, id: &ObjectId) -> Result<Option<Kind>, GitError> {
        let Some(found) = self.find(id)? else { return Ok(None) };
        let pack = self.pack(found.pack)?;
        pack.kind(pack.place(found.row)?).map(Some)
    }

    /// An object's kind and length in bytes.
    ///
    /// # Errors
    /// Those of reading.
    pub fn header(&self, id: &ObjectId) -> Result<Option<(Kind, u64)>, GitError> {
        let Some(found) = self.find(id)? else { return Ok(None) };
        let pack = self.pack(found.pack)?;
        let place = pack.place(found.row)?;
        Ok(Some((pack.kind(place)?, self.bytes_at(pack, place)?)))
    }

    /// The header of the entry that begins there, and its length.
    pub(crate) fn entry_header(&self, pack: &Pack, start: u64) -> Result<(EntryHeader, usize), GitError> {
        self.with_reader(|reader| reader.header(pack, start)).map_err(stored)
    }

    /// The length of the object at a place.
    pub(crate) fn bytes_at(&self, pack: &Arc<Pack>, place: u32) -> Result<u64, GitError> {
        let (start, end) = (pack.offset(place)?, pack.offset(place + 1)?);
        self.with_reader(|reader| {
            let (header, _) = reader.header(&**pack, start).map_err(stored)?;
            if let EntryKind::Object(_) = header.kind {
                return Ok(header.size);
            }
            // Both lengths stand at the beginning of a delta, so the rest need not be expanded.
            let mut head = Vec::new();
            let read = reader.stream(&**pack, start, end, &mut |piece| {
                head.extend_from_slice(piece.get(..piece.len().min(32)).unwrap_or_default());
                if head.len() < 32 { Ok(()) } else { Err("enough".into()) }
            });
            if let Err(error) = read
                && head.len() < 32
            {
                return Err(stored(error));
            }
            result_bytes(&head).map(|(_, bytes)| bytes).map_err(|_| GitError::damaged("a delta has no length"))
        })
    }

    /// An object, if it is there.
    ///
    /// # Errors
    /// [`GitError::TooLarge`] if it is longer than `bytes_max`; those of reading.
    pub fn read(&self, id: &ObjectId, bytes_max: u64) -> Result<Option<Arc<Object>>, GitError> {
        let Some(found) = self.find(id)? else { return Ok(None) };
        let pack = self.pack(found.pack)?;
        let place = pack.place(found.row)?;
        if bytes_max < u64::MAX && self.cached(pack, place).is_none() {
            let bytes = self.bytes_at(pack, place)?;
            if bytes > bytes_max {
                return Err(GitError::TooLarge { id: *id, bytes });
            }
        }
        self.read_place(pack, place).map(Some)
    }

    /// An object of a kind that must be there.
    pub(crate) fn expect(&self, id: &ObjectId, kind: Kind) -> Result<Arc<Object>, GitError> {
        let found = self.read(id, u64::MAX)?.filter(|object| object.kind == kind);
        found.ok_or(GitError::MissingObject { id: *id })
    }

    /// Hands an object to `each` in pieces, whatever its length. Yields its kind; `None` if it is not there.
    ///
    /// # Errors
    /// Those of `each` and of reading.
    pub fn stream(
        &self,
        id: &ObjectId,
        each: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
    ) -> Result<Option<Kind>, GitError> {
        let Some(found) = self.find(id)? else { return Ok(None) };
        let pack = self.pack(found.pack)?;
        self.stream_place(pack, pack.place(found.row)?, each).map(Some)
    }

    /// As [`stream`](Self::stream), of the object at a place.
    pub(crate) fn stream_place(
        &self,
        pack: &Arc<Pack>,
        place: u32,
        each: &mut dyn FnMut(&[u8]) -> Result<(), GitError>,
    ) -> Result<Kind, GitError> {
        let (start, end) = (pack.offset(place)?, pack.offset(place + 1)?);
        let whole = self.with_reader(|reader| {
            let (header, _) = reader.header(&**pack, start).map_err(stored)?;
            let EntryKind::Object(kind) = header.kind else { return Ok(None) };
            let mut failed = None;
            let read = reader.stream(&**pack, start, end, &mut |piece| {
                each(piece).map_err(|error| {
                    failed = Some(error);
                    ReadError::from("the taker failed")
                })
            });
            match failed {
                Some(error) => Err(error),
                None => read.map(|_| Some(kind)).map_err(stored),
            }
        })?;
        if let Some(kind) = whole {
            return Ok(kind);
        }
        let (object, _share) = self.lend(pack, place)?;
        each(&object)?;
        Ok(object.kind)
    }

    fn recent(&self) -> &Cache<(BlobId, u32), Arc<Object>, BySize> {
        &self.0.git.0.recent.0
    }

    fn cached(&self, pack: &Pack, place: u32) -> Option<Arc<Object>> {
        self.recent().get(&(pack.key(), place))
    }

    /// The object at a place. What it is made of does not take more memory than there is for all, with other calls'.
    pub(crate) fn read_place(&self, pack: &Arc<Pack>, place: u32) -> Result<Arc<Object>, GitError> {
        self.lend(pack, place).map(|(object, _)| object)
    }

    /// As [`read_place`](Self::read_place), for as long as its memory is shared with others: no other object must be read
    /// meanwhile that is longer than [`FREE_BYTES`].
    pub(crate) fn lend(&self, pack: &Arc<Pack>, place: u32) -> Result<(Arc<Object>, Share<'_>), GitError> {
        let mut bytes = 0;
        loop {
            match self.make(pack, place, bytes)? {
                Made::Object(object, share) => return Ok((object, share)),
                // All of it is freed while it waits.
                Made::Needs(more) => bytes = more,
            }
        }
    }

    /// Makes the object at a place in at least so many bytes of memory.
    fn make(&self, pack: &Arc<Pack>, place: u32, bytes: u64) -> Result<Made<'_>, GitError> {
        // Deltas from the object down to what is whole: place, beginning and end.
        let mut deltas = Vec::new();
        let (mut at, mut longest_delta) = (place, 0);
        // With bases and results of about the same length.
        let take = |base: u64, delta: u64| {
            let together = if delta == 0 { base } else { base.saturating_mul(2).saturating_add(delta) };
            self.0.git.0.memory.take(bytes.max(together))
        };
        self.with_reader(|reader| {
            let mut entry = Vec::new();
            let (mut object, share) = loop {
                if let Some(known) = self.cached(pack, at) {
                    let share = take(known.len() as u64, longest_delta);
                    break (known, share);
                }
                let (start, end) = (pack.offset(at)?, pack.offset(at + 1)?);
                let (header, _) = reader.header(&**pack, start).map_err(stored)?;
                let base = match header.kind {
                    EntryKind::Object(kind) => {
                        let share = take(header.size, longest_delta);
                        reader.entry(&**pack, start, end, u64::MAX, &mut entry).map_err(stored)?;
                        break (self.cache(pack, at, Object::new(kind, std::mem::take(&mut entry))), share);
                    }
                    EntryKind::OffsetDelta { distance } => {
                        start.checked_sub(distance).map(|base| pack.place_at(base)).transpose()?.flatten()
                    }
                    EntryKind::ReferenceDelta { base } => pack.find(&base)?.map(|row| pack.place(row)).transpose()?,
                };
                longest_delta = longest_delta.max(header.size);
                deltas.push((at, start, end));
                at = base.ok_or(GitError::damaged("a delta has no base"))?;
                if deltas.len() > pack.objects() as usize {
                    return Err(GitError::damaged("deltas need each other"));
                }
            };
            for (place, start, end) in deltas.into_iter().rev() {
                reader.entry(&**pack, start, end, u64::MAX, &mut entry).map_err(stored)?;
                let broken = |_| GitError::damaged("a delta is broken");
                let (_, made) = result_bytes(&entry).map_err(broken)?;
                let needed = (object.len() as u64).saturating_add(entry.len() as u64).saturating_add(made);
                if needed > share.bytes.max(FREE_BYTES) {
                    return Ok(Made::Needs(needed));
                }
                let content = apply(&object, &entry, u64::MAX).map_err(broken)?;
                object = self.cache(pack, place, Object::new(object.kind, content));
            }
            Ok(Made::Object(object, share))
        })
    }

    fn cache(&self, pack: &Pack, place: u32, object: Object) -> Arc<Object> {
        let object = Arc::new(object);
        if object.len() <= CACHED_BYTES_MAX {
            self.recent().insert((pack.key(), place), Arc::clone(&object));
        }
        object
    }

    /// Lends a reader, whose memory serves one call after the other.
    fn with_reader<T>(&self, then: impl FnOnce(&mut EntryReader) -> T) -> T {
        let readers = || self.0.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let free = readers().pop();
        let mut reader = free.unwrap_or_else(|| EntryReader::new(self.0.format));
        let value = then(&mut reader);
        readers().push(reader);
        value
    }
}

/// The error of a stored pack that cannot be read.
pub(crate) fn stored(error: PackError) -> GitError {
    match error {
        PackError::Read(cause) => match cause.downcast::<BlobError>() {
            Ok(error) => GitError::Blob(*error),
            Err(_) => GitError::damaged("a pack cannot be read"),
        },
        _ => GitError::damaged("an entry of a pack is broken"),
    }
}
