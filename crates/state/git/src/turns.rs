//! Turns of transfers, each of which takes a thread: so many at once, of which one caller and one address have a share at
//! most. Knows their names and nothing of what is transferred.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::GitError;

/// Parts of all turns that one caller and one address may have: a quarter and a half.
const OF_A_CALLER: usize = 4;
const OF_AN_ADDRESS: usize = 2;

/// Turns, as many as there may be at once.
pub(crate) struct Turns {
    all: Arc<Share>,
    max: usize,
    /// Those of each caller and address that has some or waits for one.
    shares: Mutex<HashMap<Name, Arc<Share>>>,
}

/// A caller's or an address's part of all turns, and its name.
type Name = (usize, Box<str>);

/// Turns that some transfers share.
struct Share {
    turns: Arc<Semaphore>,
    /// Transfers that wait for one.
    waiting: AtomicUsize,
}

/// Who transfers, and whence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sharers(pub(crate) Option<(Box<str>, Box<str>)>);

/// A turn, free again once this is dropped.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    shares: Vec<Arc<Share>>,
    permits: Vec<OwnedSemaphorePermit>,
}

/// Those who wait for a turn that was taken, as far as they can be seen.
pub(crate) struct Queue(Vec<Arc<Share>>);

impl Turns {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { all: Share::new(max), max, shares: Mutex::default() })
    }

    /// Waits for a turn: first for one of the caller's share, then of the address's, then of all.
    ///
    /// # Errors
    /// [`GitError::Interrupted`], which does not happen: nobody closes them.
    pub(crate) async fn take(self: &Arc<Self>, sharers: &Sharers) -> Result<Turn, GitError> {
        let shares = match &sharers.0 {
            Some((caller, address)) => {
                vec![self.share(caller, OF_A_CALLER), self.share(address, OF_AN_ADDRESS), Arc::clone(&self.all)]
            }
            None => vec![Arc::clone(&self.all)],
        };
        let mut turn = Turn { turns: Arc::clone(self), shares, permits: Vec::with_capacity(3) };
        for share in &turn.shares {
            turn.permits.push(share.take().await?);
        }
        Ok(turn)
    }

    fn share(&self, name: &str, part: usize) -> Arc<Share> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shares.entry((part, name.into())).or_insert_with(|| Share::new((self.max / part).max(1))))
    }
}

impl Share {
    fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { turns: Arc::new(Semaphore::new(max)), waiting: AtomicUsize::new(0) })
    }

    async fn take(&self) -> Result<OwnedSemaphorePermit, GitError> {
        let _waiting = Waiting::new(&self.waiting);
        Arc::clone(&self.turns).acquire_owned().await.map_err(|_| GitError::Interrupted)
    }
}

impl Turn {
    /// Those who wait for it, or for another in its place.
    pub(crate) fn queue(&self) -> Queue {
        Queue(self.shares.clone())
    }
}

impl Queue {
    /// Whether somebody waits.
    pub(crate) fn has_any(&self) -> bool {
        self.0.iter().any(|share| share.waiting.load(Ordering::Relaxed) > 0)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.permits.clear();
        self.shares.clear();
        let mut shares = self.turns.shares.lock().unwrap_or_else(PoisonError::into_inner);
        // Turns and those who wait for one have the others.
        shares.retain(|_, share| Arc::strong_count(share) > 1);
    }
}

/// A transfer that waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn taken(turns: &Arc<Turns>, caller: &str, address: &str) -> Option<Turn> {
        let sharers = Sharers(Some((caller.into(), address.into())));
        timeout(Duration::from_millis(20), turns.take(&sharers)).await.ok().map(|turn| turn.expect("open"))
    }

    #[tokio::test]
    async fn one_caller_and_one_address_leave_turns_for_others() {
        let turns = Turns::new(16);
        let mut held = Vec::new();
        while let Some(turn) = taken(&turns, "eve", &format!("10.0.0.{}", held.len())).await {
            held.push(turn);
        }
        assert_eq!(held.len(), 4, "a quarter for a caller, from wherever");
        assert!(taken(&turns, "bob", "10.0.0.1").await.is_some());
        held.clear();
        while let Some(turn) = taken(&turns, &format!("user {}", held.len()), "10.0.0.1").await {
            held.push(turn);
        }
        assert_eq!(held.len(), 8, "a half for an address, whoever calls");
        assert!(taken(&turns, "bob", "10.0.0.2").await.is_some());
        held.clear();
        assert!(turns.shares.lock().expect("a lock").is_empty(), "who has none is forgotten");
    }

    #[tokio::test]
    async fn who_waits_is_seen_by_those_whose_turn_would_serve() {
        let turns = Turns::new(4);
        let eve = taken(&turns, "eve", "10.0.0.1").await.expect("a turn");
        let bob = taken(&turns, "bob", "10.0.0.2").await.expect("a turn");
        assert!(!eve.queue().has_any() && !bob.queue().has_any());
        let (again, sharers) = (Arc::clone(&turns), Sharers(Some(("eve".into(), "10.0.0.3".into()))));
        let waiting = tokio::spawn(async move { again.take(&sharers).await.map(drop) });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(eve.queue().has_any() && !bob.queue().has_any(), "her share alone is used up");
        drop(eve);
        waiting.await.expect("no panic").expect("a turn");
        let others = [taken(&turns, "a", "a").await, taken(&turns, "b", "b").await, taken(&turns, "c", "c").await];
        assert!(others.iter().all(Option::is_some) && !bob.queue().has_any());
        let (again, sharers) = (Arc::clone(&turns), Sharers(Some(("d".into(), "d".into()))));
        let waiting = tokio::spawn(async move { again.take(&sharers).await.map(drop) });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(bob.queue().has_any() && others.iter().flatten().all(|turn| turn.queue().has_any()));
        drop(bob);
        waiting.await.expect("no panic").expect("a turn");
        assert!(others.iter().flatten().all(|turn| !turn.queue().has_any()));
    }
}
