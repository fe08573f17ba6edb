//! Maintenance in the background: of repositories that somebody opens, as only then their key is at hand.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use blobs::BlobId;
use tokio::runtime::Handle;

use crate::git::Git;
use crate::maintenance::{Maintenance, Swapped, Turn};
use crate::{GitError, Repository};

/// How long a repository is left alone whose maintenance failed, in seconds.
const PAUSE_SECONDS: i64 = 600;

/// What there is to know about maintenance in the background.
pub(crate) struct Upkeep {
    maintenance: Maintenance,
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
    /// One repository after the other: the others' turn comes.
    one: tokio::sync::Mutex<()>,
    /// Until when repositories are left alone.
    paused: Mutex<HashMap<Box<str>, i64>>,
    /// Packs that got bitmaps, or cannot have any, by their keys.
    mapped: Mutex<HashSet<BlobId>>,
}

impl Git {
    /// From now on, maintains repositories that are opened and need it, in the background and one at a time. `clock` yields
    /// the seconds since 1970 and does not jump ahead: objects are removed for good by it. The first call counts.
    pub fn keep_up(&self, maintenance: Maintenance, clock: impl Fn() -> i64 + Send + Sync + 'static) {
        let (one, paused, mapped) = (tokio::sync::Mutex::default(), Mutex::default(), Mutex::default());
        // Nobody needs to know that it was said before.
        let _ = self.0.upkeep.set(Upkeep { maintenance, clock: Box::new(clock), one, paused, mapped });
    }
}

/// Begins the maintenance of a repository that was opened, if it is needed.
pub(crate) fn begin(repository: &Repository) {
    let git = repository.0.git.clone();
    let Some(upkeep) = git.0.upkeep.get() else { return };
    let now = (upkeep.clock)();
    if !repository.needs_maintenance(&upkeep.maintenance, now) {
        return;
    }
    let paused = || upkeep.paused.lock().unwrap_or_else(PoisonError::into_inner);
    if paused().get(repository.id()).is_some_and(|until| now < *until) {
        return;
    }
    let Some(turn) = Turn::take(repository) else { return };
    let (git, repository) = (git.clone(), repository.clone());
    tokio::spawn(async move {
        let Some(upkeep) = git.0.upkeep.get() else { return };
        let _one = upkeep.one.lock().await;
        match keep_up(&git, &repository, upkeep, turn).await {
            Ok(None) => {}
            Ok(Some(swapped)) => {
                let Swapped { replaced, written, dropped } = swapped;
                tracing::debug!(replaced, written, dropped, "a repository was maintained");
            }
            // Another process was quicker, or it was removed.
            Err(GitError::Outdated | GitError::NotFound) => {}
            Err(error) => {
                tracing::warn!(%error, repository = repository.id(), "the maintenance of a repository failed");
                let mut paused = upkeep.paused.lock().unwrap_or_else(PoisonError::into_inner);
                paused.retain(|_, until| now < *until);
                paused.insert(repository.id().into(), now.saturating_add(PAUSE_SECONDS));
            }
        }
    });
}

async fn keep_up(git: &Git, repository: &Repository, upkeep: &Upkeep, turn: Turn) -> Result<Option<Swapped>, GitError> {
    // As it is now: it may have waited for its turn.
    let repository = repository.reopen(git.snapshot(repository.id()).await?);
    let now = (upkeep.clock)();
    let made = repository.maintain_in_turn(turn, upkeep.maintenance.clone(), now, |_| true).await?;
    let Some(made) = made else { return Ok(None) };
    let publish = made.clone();
    let swapped = git.0.store.write(move |tx| publish.publish(tx, now)).await;
    drop(made);
    swapped.map(Some)
}

/// Begins to make bitmaps of a repository's largest pack: so many objects were found by a walk that they would have spared.
pub(crate) fn map(repository: &Repository, objects: u64) {
    let git = repository.0.git.clone();
    let Some(upkeep) = git.0.upkeep.get() else { return };
    let largest = repository.0.snapshot.packs.iter().max_by_key(|pack| pack.objects);
    let Some(pack) = largest.and_then(|pack| pack.blob_ids().next().flatten()) else { return };
    let mut mapped = upkeep.mapped.lock().unwrap_or_else(PoisonError::into_inner);
    if objects < u64::from(git.0.settings.mapped_objects_min) || !mapped.insert(pack) {
        return;
    }
    drop(mapped);
    let (Ok(runtime), repository) = (Handle::try_current(), repository.clone()) else { return };
    let git = git.clone();
    runtime.spawn(async move {
        let Some(upkeep) = git.0.upkeep.get() else { return };
        let _one = upkeep.one.lock().await;
        if let Err(error) = keep_mapped(&git, &repository).await {
            tracing::warn!(%error, repository = repository.id(), "the bitmaps of a repository were not made");
        }
    });
}

async fn keep_mapped(git: &Git, repository: &Repository) -> Result<(), GitError> {
    let repository = repository.reopen(git.snapshot(repository.id()).await?);
    let Some(made) = repository.map().await? else { return Ok(()) };
    let publish = made.clone();
    let published = git.0.store.write(move |tx| publish.publish(tx)).await;
    drop(made);
    published.map(|_| ())
}
