//! A push on its way in: sealed and looked at while it arrives, then resolved, checked and indexed. Nothing of it is
//! visible before it is published. Knows no wire and moves no references.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use blobs::{Blob, Draft};
use bytes::{Bytes, BytesMut};
use git_object::{Kind, ObjectFormat, ObjectId, fsck, hash_object};
use git_pack::{
    Bases, Deflater, Effort, EntryKind, Failure, Limits, PACK_HEADER_BYTES, PackError, ReadAt, ReadError, Scanned,
    Scanner, Visitor, Writer, checksum, index_bytes, resolve, write_index,
};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::check::Check;
use crate::chunks::Chunks;
use crate::objects::Objects;
use crate::pack::Pack;
use crate::received::{Received, Unpublished};
use crate::record::{Origin, PackRecord};
use crate::repository::{blocking, examine_tips};
use crate::summary::Summary;
use crate::turns::Queue;
use crate::{GitError, Repository};

/// Pieces that wait to be looked at, or to be sealed.
const PIECES_AHEAD: usize = 16;

/// Up to this length, a push stays in memory until it is whole, and becomes one blob.
const SMALL_BYTES: usize = 2 << 20;

/// Pushes with more objects are resolved one after the other.
const SMALL_OBJECTS: u32 = 2000;

/// How much memory the objects take that are resolved at a time, about, in bytes: of a large push, and of each small one.
const RESOLVE_BYTES: usize = 48 << 20;
const RESOLVE_SMALL_BYTES: usize = 2 << 20;

/// How far a push has come, once all of it has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Objects are made of deltas.
    Resolving {
        /// How many were made.
        done: u32,
        /// How many there are.
        of: u32,
    },
    /// It is looked at whether all is there.
    Checking,
}

/// A push on its way in. Dropped before it is finished, it leaves nothing.
pub struct Receiving {
    repository: Repository,
    format: ObjectFormat,
    origin: Origin,
    check: Arc<Check>,
    scanner: Option<mpsc::Sender<Bytes>>,
    scanning: JoinHandle<Result<Scanned, GitError>>,
    storing: JoinHandle<Result<Entries, GitError>>,
    received: Arc<AtomicU32>,
    complete: watch::Receiver<bool>,
    /// Those who wait for its turn, once it has one.
    queue: Arc<OnceLock<Queue>>,
}

/// The entries of a pack that arrived.
enum Entries {
    Memory(Vec<u8>),
    Draft(Box<Draft>),
}

impl Repository {
    /// Begins to receive a pack. The objects have to keep the rules of `git fsck`, but for those that `options` let pass.
    ///
    /// # Errors
    /// [`GitError::OtherFormat`].
    pub fn receive(&self, format: ObjectFormat, options: fsck::Options) -> Result<Receiving, GitError> {
        self.receive_from(format, options, Origin::Push)
    }

    fn receive_from(
        &self,
        format: ObjectFormat,
        options: fsck::Options,
        origin: Origin,
    ) -> Result<Receiving, GitError> {
        self.expect_format(format)?;
        let check = Arc::new(Check::new(format, options, self.objects_of(format)));
        let (scanner, mut pieces) = mpsc::channel::<Bytes>(PIECES_AHEAD);
        let (store, entries) = mpsc::channel::<Bytes>(PIECES_AHEAD);
        let limits = self.limits();
        let received = Arc::new(AtomicU32::new(0));
        let (completed, complete) = watch::channel(false);
        let (checking, counter) = (Arc::clone(&check), Arc::clone(&received));
        let turns = Arc::clone(&self.0.git.0.receives);
        let queue = Arc::<OnceLock<Queue>>::default();
        let scan = move |first: Option<Bytes>, mut pieces: mpsc::Receiver<Bytes>| {
            let (mut scanner, mut expected, mut next) = (Scanner::new(format, limits), false, first);
            while let Some(piece) = next.take().or_else(|| pieces.blocking_recv()) {
                let range = scanner.push(&piece, &mut &*checking).map_err(refused)?;
                if let Some(declared) = scanner.declared().filter(|_| !expected) {
                    checking.expect(declared);
                    expected = true;
                }
                counter.store(scanner.received(), Ordering::Relaxed);
                if scanner.is_complete() {
                    completed.send_replace(true);
                }
                // The other end is gone after an error alone, which is reported where it happened.
                if !range.is_empty() && store.blocking_send(piece.slice(range)).is_err() {
                    return Err(GitError::Interrupted);
                }
            }
            scanner.finish().map_err(|error| refused(Failure::Pack(error)))
        };
        let (sharers, queued) = (self.1.clone(), Arc::clone(&queue));
        let scanning = tokio::spawn(async move {
            // A client that still makes its pack needs no turn.
            let first = pieces.recv().await;
            let turn = turns.take(&sharers).await?;
            queued.get_or_init(|| turn.queue());
            let scanned = blocking(move || scan(first, pieces)).await;
            drop(turn);
            scanned
        });
        let storing = tokio::spawn(store_entries(self.clone(), entries));
        Ok(Receiving {
            repository: self.clone(),
            format,
            origin,
            check,
            scanner: Some(scanner),
            scanning,
            storing,
            received,
            complete,
            queue,
        })
    }

    fn limits(&self) -> Limits {
        Limits { blob_bytes_max: self.0.git.0.settings.blob_bytes_max, ..Limits::default() }
    }

    /// Receives objects that a call made, with what they lead to here or there. `tips` get ready to be named by references.
    ///
    /// # Errors
    /// As for [`Receiving::finish`].
    pub async fn write(
        &self,
        format: ObjectFormat,
        objects: Vec<(Kind, Vec<u8>)>,
        tips: Vec<ObjectId>,
    ) -> Result<Received, GitError> {
        let known = self.objects_of(format);
        let pack = blocking(move || {
            let mut seen = std::collections::HashSet::new();
            let mut new = Vec::new();
            for (kind, content) in objects {
                let id = hash_object(format, kind, &content).map_err(|error| GitError::Collision { id: error.id })?;
                if seen.insert(id) && !known.exists(&id)? {
                    new.push((kind, content));
                }
            }
            let count = u32::try_from(new.len());
            let count = count.map_err(|_| GitError::BadRequest { reason: "too many objects".to_owned() })?;
            let mut pack = Vec::new();
            let mut writer = Writer::new(format, count, &mut pack);
            for (kind, content) in new {
                writer.entry(EntryKind::Object(kind), &content, &mut pack);
            }
            writer.finish(&mut pack);
            Ok(pack)
        })
        .await?;
        let mut receiving = self.receive_from(format, fsck::Options::default(), Origin::Call)?;
        receiving.push(pack.into()).await?;
        receiving.finish(tips, |_| {}).await
    }
}

impl Receiving {
    /// Takes in the next bytes of the pack. Waits while those before are being looked at.
    ///
    /// # Errors
    /// [`GitError::BadPack`], [`GitError::Fsck`], [`GitError::Collision`]; those of reading and writing. The push is refused.
    pub async fn push(&mut self, bytes: Bytes) -> Result<(), GitError> {
        let sent = match &self.scanner {
            Some(scanner) => scanner.send(bytes).await.is_ok(),
            None => false,
        };
        if sent {
            return Ok(());
        }
        // Whoever looked at it has ended, and says why.
        if self.scanner.take().is_none() {
            return Err(GitError::Interrupted);
        }
        Err(match (&mut self.scanning).await {
            Ok(Err(GitError::Interrupted)) => match (&mut self.storing).await {
                Ok(Err(error)) => error,
                _ => GitError::Interrupted,
            },
            Ok(Err(error)) => error,
            _ => GitError::Interrupted,
        })
    }

    /// Waits until all of the pack has arrived, or was refused: on a connection that goes on, nothing else says where it
    /// ends. May be dropped and called again.
    pub async fn complete(&mut self) {
        // The other end is gone once the pack was refused.
        let _ = self.complete.wait_for(|complete| *complete).await;
    }

    /// How long it may take for each 64 KiB, as long as it has a turn for which others wait.
    #[must_use]
    pub fn pace(&self) -> Duration {
        self.repository.0.git.0.settings.pace
    }

    /// Whether others wait for the turn that it has.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        self.queue.get().is_some_and(Queue::has_any)
    }

    /// How many objects have arrived.
    #[must_use]
    pub fn received(&self) -> u32 {
        self.received.load(Ordering::Relaxed)
    }

    /// Checks and indexes what arrived, and makes it durable. `tips` are the objects that references are to be moved to, of
    /// the pack or there before. `progress` is called on several threads.
    ///
    /// # Errors
    /// As for [`push`](Self::push); [`GitError::MissingObject`] when an object leads to one that is neither here nor there.
    pub async fn finish(
        mut self,
        tips: Vec<ObjectId>,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<Received, GitError> {
        // The end of the pack.
        if self.scanner.take().is_none() {
            return Err(GitError::Interrupted);
        }
        let (scanned, entries) = tokio::join!(&mut self.scanning, &mut self.storing);
        let entries = entries.unwrap_or(Err(GitError::Interrupted));
        let scanned = match scanned.unwrap_or(Err(GitError::Interrupted)) {
            Err(GitError::Interrupted) => {
                entries?;
                return Err(GitError::Interrupted);
            }
            other => other?,
        };
        if scanned.table.is_empty() {
            return self.repository.check(self.format, tips).await;
        }
        self.index(scanned, entries?, tips, progress).await
    }

    async fn index(
        self,
        scanned: Scanned,
        entries: Entries,
        tips: Vec<ObjectId>,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<Received, GitError> {
        let Self { repository, format, origin, check, .. } = self;
        let git = repository.0.git.clone();
        let owner = repository.0.owner.clone();
        let (mut written, source) = match entries {
            Entries::Memory(bytes) => (Vec::new(), Source::Memory(bytes)),
            Entries::Draft(draft) => {
                let written = draft.finish().await?;
                let blob = git.0.blobs.blob(&owner, &written.id).await?;
                (vec![written], Source::Stored(blob, git.0.chunks.clone()))
            }
        };
        let work = Indexing {
            repository: repository.clone(),
            format,
            check: Arc::clone(&check),
            before: repository.objects_of(format),
            limits: repository.limits(),
            threads: git.0.settings.threads,
            runtime: Handle::current(),
        };
        // Many small pushes do not wait for a large one.
        let large = scanned.table.len() > SMALL_OBJECTS;
        let turns = Arc::clone(&git.0.resolving);
        let turn = if large { turns.acquire_owned().await.ok() } else { None };
        let (found, progress) = blocking(move || {
            let found = work.index(scanned, source, &progress)?;
            Ok((found, progress))
        })
        .await?;
        drop(turn);
        // In one blob with the entries, if these were still in memory.
        written.push(found.draft.finish().await?);
        let record = PackRecord {
            blobs: written.iter().map(|written| written.id.to_string()).collect(),
            origin,
            ..found.record
        };
        let unpublished = Unpublished { record, written };
        let quarantine = Arc::new(unpublished.record.clone());
        let linked = found.linked;
        let checked = repository.clone();
        let (objects, tips) = blocking(move || {
            progress(Progress::Checking);
            let inner = &checked.0;
            let pack = Pack::open(&inner.git.0, format, &inner.owner, &inner.fingerprint, &quarantine)?;
            let objects = checked.objects_with(format, Some(pack));
            check.finish(&objects, !linked)?;
            let tips = examine_tips(&objects, &tips)?;
            Ok((objects, tips))
        })
        .await?;
        Ok(Received::new(&repository, format, objects, tips, Some(unpublished)))
    }
}

/// Takes entries as they arrive: into memory, or a draft if there are more of them.
async fn store_entries(repository: Repository, mut entries: mpsc::Receiver<Bytes>) -> Result<Entries, GitError> {
    let mut memory = BytesMut::new();
    let mut draft: Option<Draft> = None;
    while let Some(piece) = entries.recv().await {
        if let Some(draft) = &mut draft {
            draft.write(piece).await?;
            continue;
        }
        memory.extend_from_slice(&piece);
        if memory.len() > SMALL_BYTES {
            let mut begun = repository.0.git.0.blobs.draft(&repository.0.owner).await?;
            begun.write(std::mem::take(&mut memory).freeze()).await?;
            draft = Some(begun);
        }
    }
    Ok(draft.map_or_else(|| Entries::Memory(memory.into()), |draft| Entries::Draft(Box::new(draft))))
}

/// The entries of a pack, as the pack file from its header on.
enum Source {
    Memory(Vec<u8>),
    Stored(Blob, Chunks),
}

impl ReadAt for Source {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let Some(offset) = offset.checked_sub(PACK_HEADER_BYTES as u64) else {
            return Err("a pack's header is not stored".into());
        };
        match self {
            Self::Memory(bytes) => bytes.read_at(offset, into),
            Self::Stored(blob, chunks) => {
                let room = blob.plaintext_bytes().saturating_sub(offset).min(into.len() as u64);
                let (into, _) = into.split_at_mut(room as usize);
                chunks.read_at(blob, offset, into)?;
                Ok(into.len())
            }
        }
    }
}

/// A source and what was added behind it.
struct Extended<'a> {
    source: &'a Source,
    end: u64,
    added: &'a [u8],
}

impl ReadAt for Extended<'_> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        match offset.checked_sub(self.end) {
            Some(behind) => self.added.read_at(behind, into),
            None => {
                let room = (self.end - offset).min(into.len() as u64);
                let (into, _) = into.split_at_mut(room as usize);
                self.source.read_at(offset, into)
            }
        }
    }
}

/// Input of resolving.
struct Indexing {
    repository: Repository,
    format: ObjectFormat,
    check: Arc<Check>,
    before: Objects,
    limits: Limits,
    threads: usize,
    runtime: Handle,
}

/// Result of resolving.
struct Indexed {
    /// Data to store: the entries if they are not stored yet, added entries, index, summary.
    draft: Draft,
    /// Without blobs.
    record: PackRecord,
    /// Whether it is known that all is there that objects lead to.
    linked: bool,
}

impl Indexing {
    fn index(
        self,
        scanned: Scanned,
        source: Source,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<Indexed, GitError> {
        let Scanned { mut table, checksum: mut hash } = scanned;
        let deltas = (0..table.len()).filter(|entry| table.is_delta(*entry)).count();
        let visitor = Counting { check: &self.check, done: AtomicU32::new(0), of: deltas as u32, progress };
        let large = table.len() > SMALL_OBJECTS;
        let (threads, memory_bytes) = if large { (self.threads, RESOLVE_BYTES) } else { (1, RESOLVE_SMALL_BYTES) };
        let effort = Effort { threads, memory_bytes, exceeding: Some(&self.repository.0.git.0.exceeding) };
        let bases = resolve(&mut table, &source, &Outside(&self.before), &visitor, self.limits, effort);
        let bases = bases.map_err(refused)?;
        let (arrived, end) = (table.len(), table.end());
        let (mut added, mut deflater) = (Vec::new(), Deflater::new());
        for (id, kind) in &bases {
            let base = self.before.expect(id, *kind)?;
            table.complete(id, *kind, &base, &mut deflater, &mut added);
        }
        if !bases.is_empty() {
            let extended = Extended { source: &source, end, added: &added };
            hash = checksum(self.format, table.len(), &extended, table.end())
                .map_err(|error| refused(Failure::Pack(error)))?;
        }
        let order = table.by_id();
        for pair in order.windows(2) {
            if let [one, other] = pair
                && table.id(*one) == table.id(*other)
                && let Some(id) = table.id(*one)
            {
                return Err(GitError::BadPack { reason: format!("The same object {id} appears twice in the pack") });
            }
        }
        let ties = self.check.ties(&table, arrived)?;
        let entries = match source {
            Source::Memory(bytes) => bytes,
            Source::Stored(..) => Vec::new(),
        };
        // In pieces: what is said of millions of objects takes as much memory as the table has already.
        let (blobs, owner) = (&self.repository.0.git.0.blobs, &self.repository.0.owner);
        let mut draft = self.runtime.block_on(blobs.draft(owner))?;
        let mut put = |piece: Bytes| Ok::<_, GitError>(self.runtime.block_on(draft.write(piece))?);
        put(entries.into())?;
        put(added.into())?;
        let mut copy = |piece: &[u8]| put(Bytes::copy_from_slice(piece));
        write_index(&table, &order, &hash, &mut copy)?;
        let borrowed: Vec<ObjectId> = bases.into_iter().map(|(id, _)| id).collect();
        let summary = Summary {
            places: &order,
            table: &table,
            roots: Some(&ties.roots),
            needs: ties.needs.as_deref(),
            borrowed: Some(&borrowed),
        };
        let summary_bytes = summary.write(&mut copy)?;
        let record = PackRecord {
            blobs: Vec::new(),
            objects: table.len(),
            entries_bytes: table.end() - PACK_HEADER_BYTES as u64,
            index_bytes: index_bytes(&table),
            summary_bytes,
            hash: hash.to_string(),
            origin: Origin::Push,
            at: 0,
        };
        Ok(Indexed { draft, record, linked: ties.needs.is_some() })
    }
}

/// Bases that a thin pack leaves out.
struct Outside<'a>(&'a Objects);

impl Bases for Outside<'_> {
    fn base(&self, id: &ObjectId, bytes_max: u64) -> Result<Option<(Kind, Vec<u8>)>, ReadError> {
        let found = self.0.read(id, bytes_max)?;
        Ok(found.map(|object| (object.kind, object.to_vec())))
    }
}

/// Counts what the check sees.
struct Counting<'a, P> {
    check: &'a Check,
    done: AtomicU32,
    of: u32,
    progress: &'a P,
}

impl<P: Fn(Progress) + Sync> Visitor for Counting<'_, P> {
    type Error = GitError;

    fn object(&self, entry: u32, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), GitError> {
        Visitor::object(self.check, entry, id, kind, bytes)?;
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let percent = |done: u32| u64::from(done) * 100 / u64::from(self.of.max(1));
        if percent(done) != percent(done - 1) || done == self.of {
            (self.progress)(Progress::Resolving { done, of: self.of });
        }
        Ok(())
    }
}

/// Why a pack is refused.
fn refused(failure: Failure<GitError>) -> GitError {
    match failure {
        Failure::Object(error) => error,
        Failure::Pack(PackError::Collision(collision)) => GitError::Collision { id: collision.id },
        Failure::Pack(PackError::Read(cause)) => match cause.downcast::<GitError>() {
            Ok(error) => *error,
            Err(cause) => match cause.downcast::<blobs::BlobError>() {
                Ok(error) => GitError::Blob(*error),
                Err(_) => GitError::damaged("a pack cannot be read"),
            },
        },
        Failure::Pack(error) => GitError::BadPack { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_read_as_if_what_was_added_had_been_there() {
        let source = Source::Memory((0..100).collect());
        let extended = Extended { source: &source, end: 112, added: &[200, 201, 202] };
        let mut bytes = [0; 8];
        assert_eq!(extended.read_at(12, &mut bytes).unwrap(), 8);
        assert_eq!(bytes, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(extended.read_at(110, &mut bytes).unwrap(), 2);
        assert_eq!(bytes[..2], [98, 99]);
        assert_eq!(extended.read_at(112, &mut bytes).unwrap(), 3);
        assert_eq!(bytes[..3], [200, 201, 202]);
        assert_eq!(extended.read_at(115, &mut bytes).unwrap(), 0);
        assert!(extended.read_at(3, &mut bytes).is_err());
    }
}
