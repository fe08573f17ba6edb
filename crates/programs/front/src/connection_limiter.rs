//! Watches over all connections: how many there may be, and how long each may take over what it is doing.
//!
//! One sweep looks at every connection twice a second, so that no request needs a timer of its own. Knows phases and
//! deadlines; neither sockets nor HTTP.

mod connection_state;
mod crowd;

use std::future::Future;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::{Instant, MissedTickBehavior, timeout, timeout_at};

pub(crate) use connection_state::{ConnectionState, Phase, Protocol, Streaming, Turn};
use crowd::{Crowd, Host};

use crate::limits::Limits;

/// How often the sweep looks, and the resolution of every deadline.
const TICK: Duration = Duration::from_millis(500);

/// When this share of the places is taken, whoever keeps the server waiting has less time.
const CROWDED_PERCENT: usize = 75;

/// How many times less.
const CROWDED_HASTE: u32 = 8;

/// How long a connection that gives up its place is waited for before another is asked to.
const LEAVING: Duration = Duration::from_millis(20);

/// How long a draining server waits for the rest of a request's headers.
const DRAINING_HEAD: Duration = Duration::from_secs(1);

/// All connections of a front.
#[derive(Debug)]
pub(crate) struct ConnectionLimiter {
    limits: Limits,
    places: Arc<Semaphore>,
    admitted: Mutex<Crowd>,
    next_id: AtomicU64,
    ticks: Arc<AtomicU32>,
    closed: Closed,
}

/// How many connections were closed because they took too long, or for others.
#[derive(Debug, Default)]
pub struct Closed {
    /// Over a request's headers or the handshake.
    pub head: AtomicU64,
    /// Over a body.
    pub body: AtomicU64,
    /// Over taking a streamed answer.
    pub answer: AtomicU64,
    /// Between requests.
    pub idle: AtomicU64,
    /// To make room for others.
    pub crowded: AtomicU64,
}

/// A connection's place among the others, given back when dropped.
pub(crate) struct Admission {
    connections: Arc<ConnectionLimiter>,
    id: u64,
    state: Arc<ConnectionState>,
    _place: OwnedSemaphorePermit,
}

impl ConnectionLimiter {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            places: Arc::new(Semaphore::new(limits.connections_max)),
            admitted: Mutex::default(),
            next_id: AtomicU64::new(0),
            ticks: Arc::default(),
            closed: Closed::default(),
        })
    }

    /// Admits a connection that has just been accepted. When all places are taken, others give up theirs; `None` once
    /// the server drains.
    pub(crate) async fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Admission> {
        let host = Host::from(address);
        let place = self.place(host).await?;
        let state = Arc::new(ConnectionState::new(Arc::clone(&self.ticks)));
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.all().insert(id, host, Arc::clone(&state));
        Some(Admission { connections: Arc::clone(self), id, state, _place: place })
    }

    async fn place(&self, newcomer: Host) -> Option<OwnedSemaphorePermit> {
        loop {
            match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) => return Some(place),
                Err(TryAcquireError::Closed) => return None,
                Err(TryAcquireError::NoPermits) => self.make_room(newcomer),
            }
            // Closing wakes a connection's task, which gives the place back.
            if let Ok(place) = timeout(LEAVING, Arc::clone(&self.places).acquire_owned()).await {
                return place.ok();
            }
        }
    }

    /// Closes some connections for one of `newcomer`'s.
    fn make_room(&self, newcomer: Host) {
        let all = self.all();
        for state in all.leavers(newcomer, self.limits.connections_max) {
            if state.close_if(|phase, _| phase != Phase::Serving).is_some() {
                self.closed.crowded.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many connections there are.
    pub(crate) fn count(&self) -> usize {
        self.all().len()
    }

    /// Counts of connections that were closed early.
    pub(crate) const fn closed(&self) -> &Closed {
        &self.closed
    }

    /// Looks after the connections for ever.
    pub(crate) async fn sweep(&self) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            self.look();
        }
    }

    /// Lets every connection finish the requests it has begun and take no others. Returns when no connection is left,
    /// or after `patience`, having closed the rest. Nobody may be waiting for a place any more.
    pub(crate) async fn drain(&self, patience: Duration) {
        let now = Instant::now();
        for state in self.all().states() {
            state.drain();
        }
        let every_place = u32::try_from(self.limits.connections_max).unwrap_or(u32::MAX);
        if timeout_at(now + DRAINING_HEAD.min(patience), self.places.acquire_many(every_place)).await.is_ok() {
            return;
        }
        for state in self.all().states() {
            state.close_if(|phase, _| phase == Phase::Head);
        }
        if timeout_at(now + patience, self.places.acquire_many(every_place)).await.is_err() {
            let left = self.all();
            tracing::warn!(connections = left.len(), "requests still running after the grace period were dropped");
            for state in left.states() {
                state.close_if(|_, _| true);
            }
        }
    }

    fn look(&self) {
        let now = self.ticks.load(Ordering::Relaxed).wrapping_add(1);
        self.ticks.store(now, Ordering::Relaxed);
        let all = self.all();
        let crowded = all.len() * 100 > self.limits.connections_max * CROWDED_PERCENT;
        let haste = if crowded { CROWDED_HASTE } else { 1 };
        for state in all.states() {
            let closed = state.close_if(|phase, since| {
                let (limit, since) = match phase {
                    Phase::Head => (self.limits.head_timeout, since),
                    Phase::Body => (self.limits.body_timeout, since),
                    Phase::Idle => (self.limits.idle_timeout, since),
                    Phase::Streams if crowded => (self.limits.body_timeout, since),
                    Phase::Streams => return false,
                    Phase::Serving => match state.untaken_since() {
                        Some(since) => (self.limits.body_timeout, since),
                        None => return false,
                    },
                };
                let limit = limit / haste;
                // The tick that was current at the phase's begin may have been almost over.
                TICK * now.wrapping_sub(since).saturating_sub(1) >= limit
            });
            match closed {
                Some(Phase::Head) => self.closed.head.fetch_add(1, Ordering::Relaxed),
                Some(Phase::Body | Phase::Streams) => self.closed.body.fetch_add(1, Ordering::Relaxed),
                Some(Phase::Idle) => self.closed.idle.fetch_add(1, Ordering::Relaxed),
                Some(Phase::Serving) => self.closed.answer.fetch_add(1, Ordering::Relaxed),
                None => continue,
            };
        }
    }

    fn all(&self) -> MutexGuard<'_, Crowd> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission {
    /// The connection's state.
    pub(crate) const fn state(&self) -> &Arc<ConnectionState> {
        &self.state
    }

    /// Runs `connection`, a task's whole work, to its end or until it has to be closed.
    pub(crate) async fn attend(self, connection: impl Future<Output = ()>) {
        let mut connection = std::pin::pin!(connection);
        std::future::poll_fn(|task| {
            self.state.listen(task.waker());
            if self.state.is_closed() { Poll::Ready(()) } else { connection.as_mut().poll(task) }
        })
        .await;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.connections.all().remove(self.id);
    }
}

#[cfg(test)]
mod tests;
