//! Which repositories are due for maintenance. Owns no time: a repository is noted when a caller opens it, with the key
//! that the caller's call opened, and is maintained soon after or not at all. So nobody's key is opened for maintenance
//! alone, and a repository whose key is disabled is not maintained either.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use blobs::{BlobId, Owner};
use quick_cache::sync::Cache;
use store::StoreError;

use super::{Maintenance, MaintenanceProgress, Swapped};
use crate::git::Git;
use crate::record::{Meta, ReplacedRecord};
use crate::repository::Inner;
use crate::turns::Sharers;
use crate::{GitError, Repository};

/// How long the key of a repository waits for maintenance at most.
const WAITING_MAX: Duration = Duration::from_mins(5);

/// How many repositories wait at most.
const WAITING_COUNT_MAX: usize = 256;

/// How long a repository that has not changed is left alone after a look at it.
const LOOKED_AT: Duration = Duration::from_hours(1);

/// How many repositories' looks are remembered.
const LOOKED_AT_COUNT: usize = 4096;

/// How long changes stay apart from the rest of a repository before all of it is made one pack, in seconds.
const FULL_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Repositories that were opened, and those that need nothing.
pub(crate) struct Due {
    waiting: Mutex<HashMap<Box<str>, Waiting>>,
    looked_at: Cache<Box<str>, (u64, Instant)>,
    /// Packs that got bitmaps, or cannot have any, by their first blobs.
    mapped: Mutex<HashSet<BlobId>>,
}

struct Waiting {
    owner: Owner,
    fingerprint: [u8; 32],
    since: Instant,
    /// Whether bitmaps are to be made.
    map: bool,
}

impl Due {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::default(), looked_at: Cache::new(LOOKED_AT_COUNT), mapped: Mutex::default() }
    }

    /// Notes a repository that was opened, unless it was looked at lately.
    pub(crate) fn note(&self, repository: &Repository) {
        let Inner { id, snapshot, .. } = &*repository.0;
        if snapshot.packs.is_empty() {
            return;
        }
        let looked_at = self.looked_at.get(id);
        if looked_at.is_some_and(|(version, at)| version == snapshot.meta.version && at.elapsed() < LOOKED_AT) {
            return;
        }
        self.add(repository, false);
    }

    /// Notes a repository of which so many objects were found by a walk: bitmaps of its largest pack would have spared it.
    pub(crate) fn note_walk(&self, repository: &Repository, objects: u64) {
        let Inner { git, snapshot, .. } = &*repository.0;
        if objects < u64::from(git.0.settings.mapped_objects_min) {
            return;
        }
        let largest = snapshot.packs.iter().max_by_key(|pack| pack.objects);
        let Some(pack) = largest.and_then(|pack| pack.blob_ids().next().flatten()) else { return };
        if self.mapped.lock().unwrap_or_else(PoisonError::into_inner).insert(pack) {
            self.add(repository, true);
        }
    }

    fn add(&self, repository: &Repository, map: bool) {
        let Inner { id, owner, fingerprint, .. } = &*repository.0;
        let mut waiting = self.lock();
        if waiting.len() < WAITING_COUNT_MAX || waiting.contains_key(id) {
            let map = map || waiting.get(id).is_some_and(|waiting| waiting.map);
            let (owner, fingerprint, since) = (owner.clone(), *fingerprint, Instant::now());
            waiting.insert(id.clone(), Waiting { owner, fingerprint, since, map });
        }
    }

    fn take(&self) -> Option<(Box<str>, Waiting)> {
        let mut waiting = self.lock();
        waiting.retain(|_, waiting| waiting.since.elapsed() < WAITING_MAX);
        let first = waiting.iter().min_by_key(|(_, waiting)| waiting.since).map(|(id, _)| id.clone())?;
        waiting.remove_entry(&first)
    }

    fn forget_old(&self) {
        self.lock().retain(|_, waiting| waiting.since.elapsed() < WAITING_MAX);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Git {
    /// Maintains those repositories that callers opened in the last minutes and that need it, one after the other. All
    /// packs of one become one after a week with changes, so that what no reference leads to is found. `now` is the time
    /// in seconds since 1970; `go_on` ends the work with `false`. Yields how many repositories were maintained.
    ///
    /// # Errors
    /// The first failure, after the others had their turn.
    pub async fn maintain_due(
        &self,
        maintenance: &Maintenance,
        now: i64,
        go_on: impl Fn() -> bool + Clone + Send + Sync + 'static,
    ) -> Result<usize, GitError> {
        let (mut count, mut failed) = (0, None);
        while go_on()
            && let Some((id, waiting)) = self.0.due.take()
        {
            let due = self.clone();
            let going = go_on.clone();
            let progress = move |_| {
                // Those that wait behind this one may wait too long.
                due.0.due.forget_old();
                going()
            };
            match self.maintain_waiting(&id, waiting, maintenance, now, progress).await {
                Ok(maintained) => count += usize::from(maintained),
                // It was removed, or somebody else maintained it.
                Err(GitError::NotFound | GitError::Outdated) => {}
                Err(error) => {
                    // Not at once again, when the next caller opens it.
                    let version = self.snapshot(&id).await.map_or(0, |snapshot| snapshot.meta.version);
                    self.0.due.looked_at.insert(id, (version, Instant::now()));
                    failed = failed.or(Some(error));
                }
            }
        }
        failed.map_or(Ok(count), Err)
    }

    async fn maintain_waiting(
        &self,
        id: &str,
        waiting: Waiting,
        maintenance: &Maintenance,
        now: i64,
        progress: impl Fn(MaintenanceProgress) -> bool + Send + Sync + 'static,
    ) -> Result<bool, GitError> {
        let Waiting { owner, fingerprint, map, .. } = waiting;
        let (git, snapshot) = (self.clone(), self.snapshot(id).await?);
        let repository =
            Repository(Arc::new(Inner { git, id: id.into(), owner, fingerprint, snapshot }), Sharers::default());
        self.release_replaced(id, now.saturating_sub(maintenance.replaced_seconds)).await?;
        let all = repository.full_is_due(now);
        let maintenance = Maintenance { all: all || maintenance.all, ..maintenance.clone() };
        let needed = all || repository.needs_maintenance(&maintenance, now);
        let swapped = if needed { repository.maintain_now(maintenance, now, progress).await? } else { None };
        let mapped = map && self.map_now(&repository).await?;
        self.0.due.looked_at.insert(id.into(), (self.snapshot(id).await?.meta.version, Instant::now()));
        Ok(swapped.is_some() || mapped)
    }

    /// Makes bitmaps of a repository's largest pack, as it is by now.
    async fn map_now(&self, repository: &Repository) -> Result<bool, GitError> {
        let Inner { id, owner, fingerprint, .. } = &*repository.0;
        let (git, snapshot) = (self.clone(), self.snapshot(id).await?);
        let (id, owner, fingerprint) = (id.clone(), owner.clone(), *fingerprint);
        let Some(made) =
            Repository(Arc::new(Inner { git, id, owner, fingerprint, snapshot }), Sharers::default()).map().await?
        else {
            return Ok(false);
        };
        // It holds what was written until the transaction is durable.
        let publish = made.clone();
        let published = self.0.store.write(move |tx| publish.publish(tx)).await?;
        drop(made);
        Ok(published)
    }

    /// Lets go of packs that were replaced at `before` or earlier, if there are any.
    async fn release_replaced(&self, id: &str, before: i64) -> Result<(), StoreError> {
        let name = id.to_owned();
        let first = self.0.store.read(move |tx| {
            let found = tx.index::<ReplacedRecord>(&name)?.range(&[], std::ops::Bound::Unbounded, 1)?;
            Ok::<_, StoreError>(found.items.first().and_then(|(key, _)| key.first_chunk().copied()))
        });
        if first.await?.is_none_or(|at| i64::from_be_bytes(at) > before) {
            return Ok(());
        }
        let (git, id) = (self.clone(), id.to_owned());
        self.0.store.write(move |tx| git.release(tx, &id, before)).await.map(|_| ())
    }
}

impl Repository {
    /// Maintains the repository and puts the new packs in the place of the old ones, in a transaction of its own: nothing
    /// that a caller sees changes. `now` is the time in seconds since 1970. `None`: there was nothing to do, or it is being
    /// done.
    ///
    /// # Errors
    /// As for [`maintain`](Self::maintain) and [`Maintained::publish`](crate::Maintained::publish).
    pub async fn maintain_now(
        &self,
        maintenance: Maintenance,
        now: i64,
        progress: impl Fn(MaintenanceProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Swapped>, GitError> {
        let all = maintenance.all;
        let maintained = self.maintain(maintenance, now, progress).await?;
        let (id, version) = (self.0.id.clone(), self.0.snapshot.meta.version);
        let publish = maintained.clone();
        let write = self.0.git.0.store.write(move |tx| {
            let swapped = publish.as_ref().map(|maintained| maintained.publish(tx, now)).transpose()?;
            if all && let Some(mut meta) = tx.get::<Meta>("", &id)? {
                // What came meanwhile is not in it.
                if meta.version == version + u64::from(swapped.is_some()) {
                    meta.version += 1;
                    meta.full = Some((meta.version, now));
                    tx.put("", &id, &meta)?;
                }
            }
            Ok::<_, Failed>(swapped)
        });
        let swapped = write.await.map_err(|Failed(error)| error);
        // It holds what was written until the transaction is durable.
        drop(maintained);
        swapped
    }

    /// Whether all packs are to become one, as there have been changes since that was done a week ago.
    fn full_is_due(&self, now: i64) -> bool {
        let snapshot = &self.0.snapshot;
        let since = match snapshot.meta.full {
            Some((version, _)) if version == snapshot.meta.version => return false,
            Some((_, at)) => Some(at),
            None => snapshot.packs.iter().map(|pack| pack.at).min(),
        };
        since.is_some_and(|since| now.saturating_sub(since) >= FULL_SECONDS)
    }
}

/// An error of a transaction that repositories fail or the store.
struct Failed(GitError);

impl<E: Into<GitError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}
