//! The buffer between the callers and the writer: the records that wait to be written, and who waits for them.
//! Knows entries' layout in memory, not files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::format::{ENTRY_OVERHEAD, Entry, HeadAnchor};
use crate::{End, JournalError, RECORD_BYTES_MAX, Ticket};

/// The writer is woken early once this much waits, in bytes. Little enough that sealing it does not take a core from
/// calls for long, and that it is still in a cache by then.
const FLUSH_BYTES: usize = 1 << 17;

/// After a burst the buffer is shrunk to this much, in bytes: what comes in during a sync has room.
const IDLE_BYTES: usize = 1 << 20;

/// Where callers leave records for the writer.
pub(crate) struct Buffer {
    state: Mutex<State>,
    changed: Condvar,
    healthy: AtomicBool,
    bytes_max: usize,
    flush: Duration,
}

/// A caller that waits for a record to be durable. Dropping it says that the record may never be.
pub(crate) type Waiter = oneshot::Sender<()>;

struct State {
    /// Entries, in the layout that they have in frames.
    entries: Vec<u8>,
    first_append: Option<Instant>,
    next_sequence: u64,
    /// How many of the records so far are marked.
    marked: u64,
    /// Whether any of the entries is marked.
    marks_wait: bool,
    /// The bytes that the writer took and hasn't written yet.
    in_flight: usize,
    /// The bytes reserved for marked records to come.
    reserved: usize,
    /// The end of what is known to be on the disk.
    durable: End,
    /// The newest anchor, and when the first was set that the writer hasn't taken yet.
    anchor: Option<(Instant, HeadAnchor)>,
    /// Whether the writer sleeps with nothing due.
    idle: bool,
    waiters: Vec<Waiter>,
    closing: bool,
    stopped: bool,
}

/// The writer's next work.
pub(crate) struct Turn {
    /// The callers that wait for everything appended so far to be durable.
    pub(crate) waiters: Vec<Waiter>,
    /// When the oldest of the entries taken was appended, if any were.
    pub(crate) appended: Option<Instant>,
    /// The newest anchor, if one was set, and since when one waits.
    pub(crate) anchor: Option<(Instant, HeadAnchor)>,
    /// Whether nothing will be appended any more.
    pub(crate) closing: bool,
}

impl Buffer {
    /// A buffer for the records after `end`.
    pub(crate) fn new(end: End, bytes_max: usize, flush: Duration) -> Self {
        let state = State {
            entries: Vec::new(),
            first_append: None,
            next_sequence: end.sequence.saturating_add(1),
            marked: end.marked,
            marks_wait: false,
            in_flight: 0,
            reserved: 0,
            durable: end,
            anchor: None,
            idle: false,
            waiters: Vec::new(),
            closing: false,
            stopped: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), healthy: AtomicBool::new(true), bytes_max, flush }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete before anything in it can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a record. A marked one may use what is reserved, and has the writer write at once.
    pub(crate) fn append(&self, record: &[u8], marked: bool) -> Result<Ticket, JournalError> {
        let length = u32::try_from(record.len()).ok().filter(|_| record.len() <= RECORD_BYTES_MAX);
        let length = length.ok_or(JournalError::TooLong { length: record.len() })?;
        let mut state = self.lock();
        if state.closing {
            return Err(JournalError::Closed);
        }
        let before = state.entries.len();
        let after = before + ENTRY_OVERHEAD + record.len();
        let reserved = if marked { 0 } else { state.reserved };
        if state.in_flight + after + reserved > self.bytes_max {
            return Err(JournalError::Full);
        }
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        Entry::write(&mut state.entries, length, marked, sequence, record);
        if before == 0 {
            state.first_append = Some(Instant::now());
        }
        let first_mark = marked && !state.marks_wait;
        if marked {
            state.marked += 1;
            state.marks_wait = true;
        }
        drop(state);
        if before == 0 || first_mark || (before < FLUSH_BYTES && after >= FLUSH_BYTES) {
            self.changed.notify_one();
        }
        Ok(Ticket(sequence))
    }

    /// Reserves room for a marked record of `bytes` bytes. Yields how much that is, to be released.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<usize, JournalError> {
        let mut state = self.lock();
        if state.closing {
            return Err(JournalError::Closed);
        }
        if !self.healthy() {
            return Err(JournalError::Unwritable);
        }
        let used = state.in_flight + state.entries.len() + state.reserved;
        let room = bytes.checked_add(ENTRY_OVERHEAD).filter(|room| *room <= self.bytes_max.saturating_sub(used));
        let room = room.ok_or(JournalError::Full)?;
        state.reserved += room;
        Ok(room)
    }

    /// Releases what was reserved.
    pub(crate) fn release(&self, room: usize) {
        let mut state = self.lock();
        state.reserved = state.reserved.saturating_sub(room);
    }

    /// Sets the anchor that the head is to have.
    pub(crate) fn set_anchor(&self, anchor: HeadAnchor) {
        let mut state = self.lock();
        let since = state.anchor.map(|(since, _)| since);
        state.anchor = Some((since.unwrap_or_else(Instant::now), anchor));
        // With something due, the writer wakes soon enough by itself.
        let wake = std::mem::take(&mut state.idle);
        drop(state);
        if wake {
            self.changed.notify_one();
        }
    }

    /// A receiver that resolves once `ticket` is durable; `None` if it is.
    pub(crate) fn wait_for(&self, ticket: Ticket) -> Result<Option<oneshot::Receiver<()>>, JournalError> {
        let mut state = self.lock();
        if ticket.0 <= state.durable.sequence {
            return Ok(None);
        }
        if state.stopped || !self.healthy() {
            return Err(JournalError::Unwritable);
        }
        let (sender, receiver) = oneshot::channel();
        state.waiters.push(sender);
        drop(state);
        self.changed.notify_one();
        Ok(Some(receiver))
    }

    /// The ticket of the last record appended.
    pub(crate) fn last(&self) -> Ticket {
        Ticket(self.lock().next_sequence.saturating_sub(1))
    }

    /// How many of the records appended so far are marked.
    pub(crate) fn marked(&self) -> u64 {
        self.lock().marked
    }

    /// The end of what is known to be on the disk.
    pub(crate) fn durable(&self) -> End {
        self.lock().durable
    }

    pub(crate) fn healthy(&self) -> bool {
        self.healthy.load(Ordering::Acquire)
    }

    /// How many bytes wait to be written.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let state = self.lock();
        state.in_flight + state.entries.len()
    }

    /// Lets nothing more be appended, and has the writer finish.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_one();
    }

    /// Sleeps until the writer has something to do: at `due` at the latest, and if `failing` not before, unless the
    /// journal is being closed. If `batch` is empty, it takes what waits.
    pub(crate) fn next_turn(&self, due: Option<Instant>, failing: bool, batch: &mut Vec<u8>) -> Turn {
        let mut state = self.lock();
        loop {
            let waiting = [state.first_append, state.anchor.map(|(since, _)| since)].into_iter().flatten().min();
            let flush = waiting.filter(|_| !failing).map(|since| since + self.flush);
            let due = [due, flush].into_iter().flatten().min();
            let pressing =
                !failing && (!state.waiters.is_empty() || state.marks_wait || state.entries.len() >= FLUSH_BYTES);
            let remaining = due.map(|due| due.saturating_duration_since(Instant::now()));
            if pressing || state.closing || remaining.is_some_and(|remaining| remaining.is_zero()) {
                break;
            }
            state.idle = remaining.is_none();
            state = match remaining {
                Some(remaining) => {
                    self.changed.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
        state.idle = false;
        let mut appended = None;
        if batch.is_empty() {
            batch.shrink_to(IDLE_BYTES);
            std::mem::swap(batch, &mut state.entries);
            state.in_flight = batch.len();
            appended = state.first_append.take();
            state.marks_wait = false;
        }
        let anchor = state.anchor.take();
        Turn { waiters: std::mem::take(&mut state.waiters), appended, anchor, closing: state.closing }
    }

    /// Whether nothing waits to be taken.
    pub(crate) fn is_drained(&self) -> bool {
        self.lock().entries.is_empty()
    }

    /// Records that what was taken is written, and everything up to `durable` is on the disk.
    pub(crate) fn succeed(&self, waiters: Vec<Waiter>, durable: End) {
        let mut state = self.lock();
        state.in_flight = 0;
        state.durable = durable;
        self.healthy.store(true, Ordering::Release);
        drop(state);
        for waiter in waiters {
            // Who has stopped waiting doesn't mind.
            let _ = waiter.send(());
        }
    }

    /// Records that writing failed, and fails `waiters` and those that have come since.
    pub(crate) fn fail(&self, mut waiters: Vec<Waiter>) {
        let mut state = self.lock();
        self.healthy.store(false, Ordering::Release);
        waiters.append(&mut state.waiters);
        // The lock goes first, and the waiters wake to a journal that says it is failing.
        drop(state);
    }

    /// Records that the writer is gone.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.closing = true;
        state.stopped = true;
        self.healthy.store(false, Ordering::Release);
        state.waiters.clear();
    }
}

#[cfg(test)]
mod tests;
