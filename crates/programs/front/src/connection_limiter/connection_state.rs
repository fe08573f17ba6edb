//! The phase of one connection and its begin: written by its task, read by the sweep, without a lock.
//!
//! Knows no clock: time is a number of sweeps that the connection limiter counts.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

/// The phase that a connection is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The client sends a request's headers, or shakes hands before the first.
    Head,
    /// The client sends a request's body.
    Body,
    /// HTTP/2: streams are open and the server works on none of them. Each has a timer of its own.
    Streams,
    /// The server works.
    Serving,
    /// Nothing, or the client takes the answer.
    Idle,
}

/// Which rules hold for a connection's phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A request after the other: bytes after an answer begin the next request.
    Http1,
    /// Many requests at once: the connection serves while one is open, and bytes alone mean nothing.
    Http2,
}

/// One connection's state.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    /// A packed [`State`], so that the sweep never closes what has just gone on.
    state: AtomicU64,
    draining: AtomicBool,
    still_sending: AtomicBool,
    /// Streamed answers that are on their way.
    streaming: AtomicU32,
    /// Of those, the ones that wait for the program rather than for the client.
    producing: AtomicU32,
    /// The tick at which bytes of one of them were last taken.
    taken: AtomicU32,
    ticks: Arc<AtomicU32>,
    waker: OnceLock<Waker>,
}

/// `closed (1) | phase (3) | http2 (1) | serving (13) | requests (14) | tick (32)`.
#[derive(Clone, Copy)]
struct State {
    closed: bool,
    phase: Phase,
    protocol: Protocol,
    /// Requests that are being served, of those that are open.
    serving: u32,
    requests: u32,
    since: u32,
}

const SERVING_MAX: u32 = (1 << 13) - 1;
const REQUESTS_MAX: u32 = (1 << 14) - 1;

impl State {
    fn pack(self) -> u64 {
        let phase: u64 = match self.phase {
            Phase::Head => 0,
            Phase::Body => 1,
            Phase::Serving => 2,
            Phase::Idle => 3,
            Phase::Streams => 4,
        };
        u64::from(self.closed) << 63
            | phase << 60
            | u64::from(self.protocol == Protocol::Http2) << 59
            | u64::from(self.serving.min(SERVING_MAX)) << 46
            | u64::from(self.requests.min(REQUESTS_MAX)) << 32
            | u64::from(self.since)
    }

    #[expect(clippy::cast_possible_truncation, reason = "each field is cut out of its bits")]
    fn unpack(word: u64) -> Self {
        Self {
            closed: word >> 63 == 1,
            phase: match (word >> 60) & 7 {
                0 => Phase::Head,
                1 => Phase::Body,
                2 => Phase::Serving,
                3 => Phase::Idle,
                _ => Phase::Streams,
            },
            protocol: if (word >> 59) & 1 == 1 { Protocol::Http2 } else { Protocol::Http1 },
            serving: (word >> 46) as u32 & SERVING_MAX,
            requests: (word >> 32) as u32 & REQUESTS_MAX,
            since: word as u32,
        }
    }
}

impl State {
    /// The state with the phase that its counts make, which begins at `now` unless it was this one before.
    fn at(self, now: u32) -> Self {
        let phase = match (self.protocol, self.requests, self.serving) {
            (_, 0, _) => Phase::Idle,
            (Protocol::Http1, _, 0) => Phase::Body,
            (Protocol::Http2, _, 0) => Phase::Streams,
            _ => Phase::Serving,
        };
        let since = if phase == Phase::Streams && self.phase == phase { self.since } else { now };
        Self { phase, since, ..self }
    }
}

impl ConnectionState {
    /// A connection that has just been accepted: its first request's headers are due.
    pub(super) fn new(ticks: Arc<AtomicU32>) -> Self {
        let since = ticks.load(Ordering::Relaxed);
        let state =
            State { closed: false, phase: Phase::Head, protocol: Protocol::Http1, serving: 0, requests: 0, since };
        Self {
            state: AtomicU64::new(state.pack()),
            draining: AtomicBool::new(false),
            still_sending: AtomicBool::new(false),
            streaming: AtomicU32::new(0),
            producing: AtomicU32::new(0),
            taken: AtomicU32::new(since),
            ticks,
            waker: OnceLock::new(),
        }
    }

    /// Records the connection's protocol.
    pub(crate) fn speaks(&self, protocol: Protocol) {
        self.change(|state| Some(State { protocol, ..state }));
    }

    /// Bytes have come. False when the connection has been closed, and they must not be read.
    pub(crate) fn heard(&self) -> bool {
        self.change(|state| {
            let begins = state.protocol == Protocol::Http1 && state.phase == Phase::Idle;
            begins.then(|| State { phase: Phase::Head, since: self.now(), ..state })
        })
    }

    /// A request's headers are complete. `None` when the connection has been closed, and it must not be served.
    pub(crate) fn begin(self: &Arc<Self>) -> Option<Turn> {
        self.change(|state| {
            let requests = state.requests + 1;
            Some(State { requests, ..state }.at(self.now()))
        })
        .then(|| Turn { connection: Arc::clone(self), served: false })
    }

    /// Whether the connection shall take no more requests.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Bytes were written to the client.
    pub(crate) fn wrote(&self) {
        if self.streaming.load(Ordering::Relaxed) > 0 {
            self.taken.store(self.now(), Ordering::Relaxed);
        }
    }

    /// A streamed answer begins. It ends when the guard is dropped.
    pub(crate) fn streams(self: &Arc<Self>) -> Streaming {
        self.taken.store(self.now(), Ordering::Relaxed);
        self.streaming.fetch_add(1, Ordering::Relaxed);
        Streaming { connection: Arc::clone(self), producing: false }
    }

    /// The tick since which the client has taken nothing of streamed answers; `None` if there are none, or one of them
    /// waits for the program.
    pub(super) fn untaken_since(&self) -> Option<u32> {
        let waits = self.streaming.load(Ordering::Relaxed) > 0 && self.producing.load(Ordering::Relaxed) == 0;
        waits.then(|| self.taken.load(Ordering::Relaxed))
    }

    /// A request was answered without reading all of it.
    pub(crate) fn refuses_the_rest(&self) {
        self.still_sending.store(true, Ordering::Relaxed);
    }

    /// Whether the client may still be sending what was refused.
    pub(crate) fn is_still_sending(&self) -> bool {
        self.still_sending.load(Ordering::Relaxed)
    }

    /// Whether the connection has been closed.
    pub(super) fn is_closed(&self) -> bool {
        State::unpack(self.state.load(Ordering::Acquire)).closed
    }

    /// The tick since which the client has been the one who is waited for; `None` while the server works.
    pub(super) fn waiting_since(&self) -> Option<u32> {
        let state = State::unpack(self.state.load(Ordering::Acquire));
        (!state.closed && state.phase != Phase::Serving).then_some(state.since)
    }

    /// Closes the connection if `due` by its phase and the tick at which that began; the phase it was closed in.
    pub(super) fn close_if(&self, due: impl Fn(Phase, u32) -> bool) -> Option<Phase> {
        let mut closed = None;
        self.change(|state| {
            closed = due(state.phase, state.since).then_some(state.phase);
            closed.map(|_| State { closed: true, ..state })
        });
        if closed.is_some() {
            self.wake();
        }
        closed
    }

    /// Takes no more requests from here on.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Notes whom to wake when the connection limiter has decided something: the connection's task, which stays the same.
    pub(super) fn listen(&self, waker: &Waker) {
        self.waker.get_or_init(|| waker.clone());
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    fn now(&self) -> u32 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Makes the state what `next` says, if anything. False when the connection has been closed.
    fn change(&self, mut next: impl FnMut(State) -> Option<State>) -> bool {
        let mut word = self.state.load(Ordering::Acquire);
        loop {
            let state = State::unpack(word);
            if state.closed {
                return false;
            }
            let Some(state) = next(state) else { return true };
            match self.state.compare_exchange_weak(word, state.pack(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(current) => word = current,
            }
        }
    }
}

/// A streamed answer on its way to the client.
#[derive(Debug)]
pub(crate) struct Streaming {
    connection: Arc<ConnectionState>,
    producing: bool,
}

impl Streaming {
    /// Says whether the answer waits for the program, which is no fault of the client's.
    pub(crate) fn set_producing(&mut self, producing: bool) {
        if self.producing == producing {
            return;
        }
        self.producing = producing;
        if producing {
            self.connection.producing.fetch_add(1, Ordering::Relaxed);
        } else {
            self.connection.taken.store(self.connection.now(), Ordering::Relaxed);
            self.connection.producing.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.set_producing(false);
        self.connection.streaming.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request's turn on its connection, from its headers to its answer.
pub(crate) struct Turn {
    connection: Arc<ConnectionState>,
    served: bool,
}

impl Turn {
    /// Enough of the body has arrived to begin its time anew.
    pub(crate) fn progresses(&self) {
        let connection = &self.connection;
        connection.change(|state| (state.phase == Phase::Body).then(|| State { since: connection.now(), ..state }));
    }

    /// The body is complete. False when the connection has been closed, and the request must not be served.
    pub(crate) fn serves(&mut self) -> bool {
        if self.served {
            return true;
        }
        let connection = &self.connection;
        self.served =
            connection.change(|state| Some(State { serving: state.serving + 1, ..state }.at(connection.now())));
        self.served
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection.change(|state| {
            let requests = state.requests.saturating_sub(1);
            let serving = state.serving.saturating_sub(u32::from(self.served));
            Some(State { requests, serving, ..state }.at(connection.now()))
        });
    }
}
