//! Puts new packs in the place of old ones, in one transaction. What was replaced stays for a while: readers may not have
//! opened it yet.

use std::sync::Arc;

use store::{StoreError, Tx};

use crate::git::{Git, SERVICE};
use crate::received::Unpublished;
use crate::record::{Meta, Origin, PackRecord, ReplacedRecord};
use crate::{GitError, Repository};

/// How many replaced packs are let go of in one transaction.
const BATCH: usize = 100;

/// Packs that were made by maintenance, durable and invisible until they are published. Hold it until the transaction is
/// durable. Clones are the same.
#[derive(Clone)]
pub struct Maintained(Arc<Inner>);

struct Inner {
    repository: Repository,
    replaced: Vec<Arc<PackRecord>>,
    expired: Vec<Arc<PackRecord>>,
    written: Vec<Unpublished>,
    replaced_seconds: i64,
}

/// Effect of [`Maintained::publish`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swapped {
    /// Packs that were replaced.
    pub replaced: usize,
    /// Packs that came in their place.
    pub written: usize,
    /// Objects that went for good, as no reference had led to them for long enough.
    pub dropped: u64,
}

impl Maintained {
    pub(super) fn new(
        repository: &Repository,
        replaced: Vec<Arc<PackRecord>>,
        expired: Vec<Arc<PackRecord>>,
        written: Vec<Unpublished>,
        replaced_seconds: i64,
    ) -> Self {
        Self(Arc::new(Inner { repository: repository.clone(), replaced, expired, written, replaced_seconds }))
    }

    /// Replaces the packs, in the caller's transaction. `now` is the time in seconds since 1970. Objects that are to go stay
    /// if anything changed since the repository was opened: next time, then.
    ///
    /// # Errors
    /// [`GitError::Outdated`] when another maintenance came before; [`GitError::NotFound`]; those of reading and writing.
    pub fn publish(&self, tx: &mut Tx<'_>, now: i64) -> Result<Swapped, GitError> {
        let Inner { repository, replaced, expired, written, replaced_seconds } = &*self.0;
        let id = repository.id();
        let mut meta = tx.get::<Meta>("", id)?.ok_or(GitError::NotFound)?;
        let unchanged = meta.version == repository.0.snapshot.meta.version;
        let (mut keys, mut dropped_keys) = (Vec::new(), Vec::new());
        {
            let index = tx.index::<PackRecord>(id)?;
            let mut entries = index.iter(&[])?;
            while let Some((key, pack)) = entries.next()? {
                let one_of = |packs: &[Arc<PackRecord>]| packs.iter().any(|other| other.blobs == pack.blobs);
                if one_of(replaced) {
                    keys.push((key, pack));
                } else if unchanged && one_of(expired) {
                    dropped_keys.push((key, pack));
                }
            }
        }
        if keys.len() != replaced.len() {
            return Err(GitError::Outdated);
        }
        if keys.is_empty() && dropped_keys.is_empty() {
            return Ok(Swapped { replaced: 0, written: 0, dropped: 0 });
        }
        let mut swapped = Swapped { replaced: keys.len(), written: written.len(), dropped: 0 };
        for (key, pack) in keys.iter().chain(&dropped_keys) {
            tx.index_mut::<PackRecord>(id).remove(key)?;
            let record = ReplacedRecord { blobs: pack.blobs.clone() };
            tx.index_mut(id).put(&replaced_key(now, pack), &record)?;
        }
        if let Some((newest, _)) = keys.last() {
            for pack in written {
                let key = free_key(tx, id, newest, pack.record.origin)?;
                tx.index_mut(id).insert(&key, &pack.record)?;
                for written in &pack.written {
                    blobs::Reference::insert(tx, written, SERVICE, id)?;
                }
            }
        }
        if !dropped_keys.is_empty() {
            swapped.dropped = dropped_keys.iter().map(|(_, pack)| u64::from(pack.objects)).sum();
            // Pushes that were checked before have to be checked again.
            meta.dropped += 1;
        }
        meta.version += 1;
        tx.put("", id, &meta)?;
        repository.0.git.release(tx, id, now.saturating_sub(*replaced_seconds))?;
        Ok(swapped)
    }
}

/// A key where the newest of the replaced packs was: what was pushed since is newer.
fn free_key(tx: &Tx<'_>, id: &str, newest: &[u8], origin: Origin) -> Result<Vec<u8>, GitError> {
    let version = newest.get(..8).unwrap_or(newest);
    let index = tx.index::<PackRecord>(id)?;
    // What references lead to is looked for first.
    let suffixes: Vec<u8> = if origin == Origin::Unreachable { (0..=254).collect() } else { vec![255] };
    for suffix in suffixes {
        let key = [version, &[suffix]].concat();
        if index.get(&key)?.is_none() {
            return Ok(key);
        }
    }
    Err(GitError::damaged("there is no place for a pack"))
}

/// When it was replaced, and its first blob.
fn replaced_key(now: i64, pack: &PackRecord) -> Vec<u8> {
    let blob = pack.blobs.first().map(String::as_bytes).unwrap_or_default();
    [&now.max(0).to_be_bytes()[..], blob].concat()
}

impl Git {
    /// Lets go of packs that were replaced at `before` (seconds since 1970) or earlier: the next sweep of the blobs removes
    /// them. Yields how many.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn release(&self, tx: &mut Tx<'_>, id: &str, before: i64) -> Result<usize, StoreError> {
        let found = tx.index::<ReplacedRecord>(id)?.range(&[], std::ops::Bound::Unbounded, BATCH)?;
        let mut count = 0;
        for (key, record) in found.items {
            let at = key.first_chunk().map_or(i64::MAX, |at| i64::from_be_bytes(*at));
            if at > before {
                break;
            }
            for blob in record.blob_ids().flatten() {
                blobs::Reference::remove(tx, &blob)?;
            }
            tx.index_mut::<ReplacedRecord>(id).remove(&key)?;
            count += 1;
        }
        Ok(count)
    }
}
