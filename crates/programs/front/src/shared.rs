//! Limits and counts that all connections of a front share. Knows nothing of its application.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::connection_limiter::{Closed, ConnectionLimiter};
use crate::limits::Limits;

/// Bytes of request bodies that may wait in memory over all connections. A body in one piece, as nearly all are, does
/// not count: it stays in its connection's read buffer.
pub(crate) const BODIES_BYTES_MAX: usize = 64 << 20;

/// Limits and counts of all connections.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) connections: Arc<ConnectionLimiter>,
    pub(crate) traffic: Traffic,
    pub(crate) bodies: Bodies,
    pub(crate) draining: AtomicBool,
}

impl Shared {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            connections: ConnectionLimiter::new(limits),
            traffic: Traffic::default(),
            bodies: Bodies::default(),
            draining: AtomicBool::new(false),
        }
    }
}

/// Counts of what happens before a request reaches the application.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// TLS handshakes that failed.
    pub handshakes_failed: AtomicU64,
    /// Connections that spoke plain HTTP where only TLS is answered.
    pub plain_refused: AtomicU64,
    /// Requests refused for a body over the limit.
    pub bodies_too_large: AtomicU64,
    /// Requests refused because too many bodies waited in memory.
    pub bodies_crowded_out: AtomicU64,
}

/// A front's counts, for its program's metrics.
#[derive(Clone, Debug)]
pub struct Statistics(Arc<Shared>);

impl Statistics {
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        Self(Arc::clone(shared))
    }

    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.connections.count()
    }

    /// Connections that were closed because they took too long, or for others.
    #[must_use]
    pub fn closed(&self) -> &Closed {
        self.0.connections.closed()
    }

    /// Counts of what came in.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.0.traffic
    }
}

impl Default for Statistics {
    /// Counts of a front that has served nobody.
    fn default() -> Self {
        Self(Arc::new(Shared::new(Limits::default())))
    }
}

/// The bytes of request bodies in memory, counted.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    bytes: AtomicUsize,
}

impl Bodies {
    /// Counts `bytes` more. False when that is too much for all; they count nevertheless, until they are given back.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        before.saturating_add(bytes) <= BODIES_BYTES_MAX
    }

    /// Counts `bytes` less.
    pub(crate) fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_all_connections_share_one_bound_and_give_back_what_they_took() {
        let bodies = Bodies::default();
        assert!(bodies.take(BODIES_BYTES_MAX - 1));
        assert!(bodies.take(1));
        assert!(!bodies.take(1));
        bodies.give_back(2);
        bodies.give_back(BODIES_BYTES_MAX - 1);
        assert!(bodies.take(BODIES_BYTES_MAX));
    }
}
