//! Bitmaps of what some commits lead to: sets of places in a pack that is complete in itself. With them, one branch of
//! several is sent, and reachable objects found, without a walk of all trees. The pack's commit graph (`graph.rs`) is in
//! the same blob, as both serve walks, are of one pack and are made by one job.
//!
//! Owns the blob's form, and for which commits there are bitmaps. A repository without them is slower, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use blobs::{Blob, Owner, Written};
use bytes::Bytes;
use git_object::{Commit, Kind, ObjectId};
use store::Tx;

use crate::chunks::Chunks;
use crate::git::{Inner as GitInner, SERVICE};
use crate::graph::{self, ROW_BYTES, Row};
use crate::links::broken;
use crate::objects::Objects;
use crate::pack::Pack;
use crate::reach::Walk;
use crate::record::{BitmapsRecord, Meta, PackRecord};
use crate::repository::blocking;
use crate::select::Trees;
use crate::summary::kind_of;
use crate::{GitError, Repository};

/// For how many commits that references name there are bitmaps, and for how many others on the way from `HEAD`.
const TIPS_MAX: usize = 100;
const OTHERS_MAX: usize = 50;

/// How many commits are between two of those, at least.
const STEP_MIN: usize = 200;

const VERSION: u32 = 2;

/// `version u32 ‖ bitmaps u32 ‖ commits u32`, then a row for each bitmap: `place u32 ‖ length u32`; the bitmaps; and the
/// rows of the commit graph.
const HEAD_BYTES: usize = 12;

/// The bitmaps and the commit graph of a pack.
pub(crate) struct Bitmaps {
    /// The key that they were opened with.
    fingerprint: [u8; 32],
    blob: Blob,
    chunks: Chunks,
    /// The place of each commit, and where its bitmap begins and ends, in the order of places.
    rows: Vec<(u32, u64, u64)>,
    /// Where the commit graph begins, and how many rows it has.
    graph: (u64, u32),
}

impl Bitmaps {
    /// Opens bitmaps, or finds them among those that are open. `fingerprint` is of the owner's key.
    pub(crate) fn open(
        git: &GitInner,
        owner: &Owner,
        fingerprint: &[u8; 32],
        record: &BitmapsRecord,
    ) -> Result<Arc<Self>, GitError> {
        let damaged = || GitError::damaged("bitmaps contradict themselves");
        let id = record.blob_id().ok_or_else(damaged)?;
        if let Some(known) = git.bitmaps.get(&id)
            && crypto::constant_time_eq(&known.fingerprint, fingerprint)
        {
            return Ok(known);
        }
        let blob = git.blobs.blob_blocking(owner, &id)?;
        let mut head = [0; HEAD_BYTES];
        git.chunks.read_at(&blob, 0, &mut head)?;
        let [version, count, commits] = [0, 4, 8].map(|at| number(&head, at));
        let directory = u64::from(count) * 8;
        if version != VERSION || HEAD_BYTES as u64 + directory > blob.plaintext_bytes() {
            return Err(damaged());
        }
        let mut bytes = vec![0; count as usize * 8];
        git.chunks.read_at(&blob, HEAD_BYTES as u64, &mut bytes)?;
        let (mut rows, mut start) = (Vec::with_capacity(count as usize), HEAD_BYTES as u64 + directory);
        for row in bytes.chunks_exact(8) {
            let end = start + u64::from(number(row, 4));
            rows.push((number(row, 0), start, end));
            start = end;
        }
        if start + u64::from(commits) * ROW_BYTES as u64 != blob.plaintext_bytes() || !rows.is_sorted() {
            return Err(damaged());
        }
        let (chunks, graph) = (git.chunks.clone(), (start, commits));
        let opened = Arc::new(Self { fingerprint: *fingerprint, blob, chunks, rows, graph });
        git.bitmaps.insert(id, Arc::clone(&opened));
        Ok(opened)
    }

    /// The commit at a place, if the graph has it.
    pub(crate) fn commit(&self, place: u32) -> Result<Option<Row>, GitError> {
        let (start, count) = self.graph;
        graph::find(count, place, |number| {
            let mut row = [0; ROW_BYTES];
            self.chunks.read_at(&self.blob, start + u64::from(number) * ROW_BYTES as u64, &mut row)?;
            Ok(row)
        })
    }

    /// The encoded bitmap of the commit at a place.
    pub(crate) fn find(&self, place: u32) -> Result<Option<Vec<u8>>, GitError> {
        let Ok(row) = self.rows.binary_search_by_key(&place, |(place, ..)| *place) else { return Ok(None) };
        let Some((_, start, end)) = self.rows.get(row) else { return Ok(None) };
        // Not longer than the blob, as a chunk of which it was read.
        let mut bytes = vec![0; (end - start) as usize];
        self.chunks.read_at(&self.blob, *start, &mut bytes)?;
        Ok(Some(bytes))
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(u32::MAX, |bytes| u32::from_be_bytes(*bytes))
}

/// Bitmaps that were made, durable and invisible until they are published. Hold it until the transaction is durable. Clones
/// are the same.
#[derive(Clone)]
pub struct Mapped(Arc<Made>);

struct Made {
    id: Box<str>,
    /// The pack's first blob.
    pack: String,
    written: Written,
}

impl Repository {
    /// Finds out what the most important commits lead to, if the largest pack is complete in itself, is not small, and has no
    /// bitmaps yet. For maintenance: takes as long as a walk of the history.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub async fn map(&self) -> Result<Option<Mapped>, GitError> {
        let repository = self.clone();
        let Some((pack, bytes)) = blocking(move || make(&repository)).await? else { return Ok(None) };
        let mut draft = self.0.git.0.blobs.draft(&self.0.owner).await?;
        draft.write(Bytes::from(bytes)).await?;
        let written = draft.finish().await?;
        Ok(Some(Mapped(Arc::new(Made { id: self.id().into(), pack, written }))))
    }
}

impl Mapped {
    /// Adds the bitmaps in the caller's transaction, and removes those of packs that are not there any more. Yields whether
    /// their own pack still is.
    ///
    /// # Errors
    /// [`GitError::NotFound`]; those of reading and writing.
    pub fn publish(&self, tx: &mut Tx<'_>) -> Result<bool, GitError> {
        let Made { id, pack, written } = &*self.0;
        let mut meta = tx.get::<Meta>("", id)?.ok_or(GitError::NotFound)?;
        let (mut packs, mut old) = (Vec::new(), Vec::new());
        {
            let index = tx.index::<PackRecord>(id)?;
            let mut entries = index.iter(&[])?;
            while let Some((_, pack)) = entries.next()? {
                packs.extend(pack.blobs.first().cloned());
            }
            let index = tx.index::<BitmapsRecord>(id)?;
            let mut entries = index.iter(&[])?;
            while let Some((key, record)) = entries.next()? {
                old.push((key, record));
            }
        }
        if !packs.contains(pack) {
            return Ok(false);
        }
        for (key, record) in old {
            if key == pack.as_bytes() || !packs.iter().any(|pack| pack.as_bytes() == key) {
                tx.index_mut::<BitmapsRecord>(id).remove(&key)?;
                if let Some(blob) = record.blob_id() {
                    blobs::Reference::remove(tx, &blob)?;
                }
            }
        }
        tx.index_mut(id).insert(pack.as_bytes(), &BitmapsRecord { blob: written.id.to_string() })?;
        blobs::Reference::insert(tx, written, SERVICE, id)?;
        meta.version += 1;
        tx.put("", id, &meta)?;
        Ok(true)
    }
}

/// Makes the bitmaps of the largest pack. Yields its first blob and their bytes.
fn make(repository: &Repository) -> Result<Option<(String, Vec<u8>)>, GitError> {
    let objects = repository.objects();
    let least = repository.0.git.0.settings.mapped_objects_min;
    let mut largest = None;
    for number in 0..objects.packs() {
        largest = largest.max(Some((objects.pack(number)?.objects(), number)));
    }
    let Some((count, number)) = largest.filter(|(count, _)| *count >= least) else { return Ok(None) };
    let pack = objects.pack(number)?;
    let complete = pack.lists()?.needs.as_ref().is_some_and(Vec::is_empty);
    let known = objects.bitmaps().is_some_and(|(pack, _)| pack == number);
    let Some(key) = pack.record.blobs.first().filter(|_| complete && !known) else { return Ok(None) };
    let mut walk = Walk::new(&objects);
    let commits = choose(repository, &objects, &mut walk, number)?;
    let mut bitmaps: HashMap<u32, Vec<u8>> = HashMap::new();
    for (_, id) in commits {
        let Some(row) = pack.find(&id)? else { continue };
        let place = pack.place(row)?;
        let mut counted = |_| Ok(());
        let mut trees = Trees::new(&objects, Some(number), &mut counted)?;
        trees.closure(&mut walk, &[id], |place| Ok(bitmaps.get(&place).cloned()))?;
        let selection = trees.into_selection();
        if let Some((_, places)) = selection.packs().find(|(found, _)| *found == number)
            && u64::from(places.count()) == selection.count()
        {
            bitmaps.insert(place, places.encode());
        }
    }
    let mut bitmaps: Vec<(u32, Vec<u8>)> = bitmaps.into_iter().collect();
    bitmaps.sort_unstable_by_key(|(place, _)| *place);
    let graph = commit_graph(&objects, pack)?;
    let commits = graph.len() / ROW_BYTES;
    tracing::debug!(objects = count, bitmaps = bitmaps.len(), commits, "bitmaps and a commit graph were made");
    let mut out = VERSION.to_be_bytes().to_vec();
    out.extend((bitmaps.len() as u32).to_be_bytes());
    out.extend((commits as u32).to_be_bytes());
    for (place, bytes) in &bitmaps {
        out.extend(place.to_be_bytes());
        out.extend((bytes.len() as u32).to_be_bytes());
    }
    bitmaps.iter().for_each(|(_, bytes)| out.extend_from_slice(bytes));
    out.extend(graph);
    Ok(Some((key.clone(), out)))
}

/// The rows of all commits of a pack that is complete in itself.
fn commit_graph(objects: &Objects, pack: &Arc<Pack>) -> Result<Vec<u8>, GitError> {
    let mut out = Vec::new();
    let place_of = |id: &ObjectId| -> Result<u32, GitError> {
        let row = pack.find(id)?.ok_or(GitError::MissingObject { id: *id })?;
        Ok(pack.place(row)?)
    };
    for (place, kind) in (0_u32..).zip(pack.kinds()?) {
        if kind_of(kind) != Some(Kind::Commit) {
            continue;
        }
        let object = objects.read_place(pack, place)?;
        let commit = Commit::parse(objects.format(), &object).map_err(broken)?;
        let parents = commit.parents().map(|parent| place_of(&parent)).collect::<Result<Vec<_>, _>>()?;
        let row = Row::new(place, place_of(&commit.tree())?, &parents, commit.committer().seconds);
        row.iter().for_each(|row| row.encode(&mut out));
    }
    Ok(out)
}

/// The commits that get a bitmap, the oldest first, so that each can build on those before.
fn choose(
    repository: &Repository,
    objects: &Objects,
    walk: &mut Walk<'_>,
    pack: usize,
) -> Result<Vec<(i64, ObjectId)>, GitError> {
    let mut tips = Vec::new();
    for reference in repository.references().iter() {
        let id = reference.peeled.unwrap_or(reference.id);
        if objects.pack(pack)?.find(&id)?.is_some() && objects.kind(&id)? == Some(Kind::Commit) {
            tips.push((walk.time(&id)?, id));
        }
    }
    tips.sort_unstable();
    tips.dedup();
    // The newest, and of the others some of any age.
    let mut chosen = tips.split_off(tips.len().saturating_sub(TIPS_MAX / 2));
    let step = tips.len().div_ceil(TIPS_MAX / 2).max(1);
    chosen.extend(tips.iter().step_by(step));
    let mut line = Vec::new();
    let mut next = repository.reference(repository.head());
    while let Some(id) = next {
        line.push(id);
        next = walk.parents(&id)?.first().copied();
    }
    let step = line.len().div_ceil(OTHERS_MAX).max(STEP_MIN);
    for id in line.into_iter().step_by(step) {
        chosen.push((walk.time(&id)?, id));
    }
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}
