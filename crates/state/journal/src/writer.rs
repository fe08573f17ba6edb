//! The writer: takes what was appended, seals it into frames, writes and syncs them, and updates the head.
//! Runs on a thread of its own. Knows nothing of who appends or reads.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crypto::Key256;

use crate::buffer::{Buffer, Turn, Waiter};
use crate::disk::{Disk, DiskFile};
use crate::format::{Beginning, HEADER_BYTES, HeadAnchor, Header, Keys, Position, Sealer, Slot};
use crate::head::{self, Head};
use crate::recovery::{Begin, Recovered, Resume, successor};
use crate::retention::{self, Oldest};
use crate::{Config, End, JournalError, clock, segment};

/// Written frames are synced at most this long after it was due to be written.
const SYNC_AFTER: Duration = Duration::from_millis(50);

/// Nothing more is sealed while this many sealed bytes aren't synced.
const UNSYNCED_BYTES_MAX: usize = 4 << 20;

/// The second slot of the head follows the first when nothing has happened for this long, …
const SETTLE_IDLE: Duration = Duration::from_millis(60);
/// … or else after this long.
const SETTLE_AFTER: Duration = Duration::from_millis(200);

/// Buffers are shrunk to this many bytes after use.
const IDLE_BYTES: usize = 1 << 20;

/// How long the writer waits after a failure before it tries again, at first and at most.
const RETRY_AFTER: Duration = Duration::from_millis(20);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(1);

/// The writer of one journal.
pub(crate) struct Writer<D: Disk> {
    disk: D,
    config: Config,
    keys: Keys,
    buffer: Arc<Buffer>,
    head: Head<D::File>,
    /// When the head is settled if nothing happens, and when at the latest.
    settle: Option<(Instant, Instant)>,
    /// The newest anchor that was set.
    anchor: HeadAnchor,
    /// Since when the head lacks one that was set.
    anchor_since: Option<Instant>,
    sealer: Sealer,

    segment: D::File,
    segment_key: Key256,
    opened_at: u64,
    /// The next segment, while the head doesn't name it yet.
    begun: Option<Opened<D::File>>,

    /// The end of all that is synced.
    durable: Position,
    /// The end of all that is sealed: `unsynced` lies between the two.
    end: Position,
    /// Sealed frames stay here until they are synced, since a failed sync may have dropped what was written.
    unsynced: Vec<u8>,
    /// How much of `unsynced` is in the file.
    written: usize,
    oldest_unsynced: Option<Instant>,

    /// Entries taken from the buffer, of which `sealed` bytes are sealed.
    batch: Vec<u8>,
    sealed: usize,
    retry: Option<(Instant, Duration)>,

    /// Keeps other processes away while the writer lives.
    _lock: File,
}

impl<D: Disk> Writer<D> {
    /// A writer that goes on where `recovered` says.
    pub(crate) fn new(
        disk: D,
        config: Config,
        keys: Keys,
        recovered: Recovered,
        lock: File,
    ) -> Result<(Self, Arc<Buffer>), JournalError> {
        let Recovered { slot, settled, resume } = recovered;
        let failed = |action, path, cause| JournalError::Io { action, path, cause };
        let head_path = head::path(&config.dir);
        let head_file = disk.open(&head_path).map_err(|cause| failed("open", head_path.clone(), cause))?;
        let head = Head::new(head_file, &keys, slot, settled);
        let mut head = head.map_err(|cause| failed("write", head_path.clone(), cause))?;
        let opened = match resume {
            Resume::Continue { end, opened_at } => {
                let path = segment::path(&config.dir, end.segment);
                let file = disk.open(&path).map_err(|cause| failed("open", path.clone(), cause))?;
                // What the last writer wrote but didn't sync is in the file; whether it is on the disk is unknown.
                if end != slot.end {
                    file.sync().map_err(|cause| failed("write", path, cause))?;
                }
                Opened { file, key: keys.segment(&slot.journal, end.segment), opened_at, end }
            }
            Resume::Begin(begin) => begin_segment(&disk, &config, &keys, &slot, &begin)
                .map_err(|cause| failed("create", segment::path(&config.dir, begin.number), cause))?,
        };
        let kept = head.slot().end == opened.end && settled;
        if !kept {
            let written = head.write(Slot { end: opened.end, written_at: clock::millis(), ..slot });
            written.and_then(|()| head.settle()).map_err(|cause| failed("write", head_path, cause))?;
            disk.sync_dir(&config.dir).map_err(|cause| failed("sync", config.dir.clone(), cause))?;
        }
        let flush = Duration::from_millis(config.flush_millis);
        let buffer = Arc::new(Buffer::new(End::new(slot.journal, &opened.end), config.buffer_bytes_max, flush));
        let writer = Self {
            disk,
            config,
            keys,
            buffer: Arc::clone(&buffer),
            head,
            settle: None,
            anchor: slot.anchor,
            anchor_since: None,
            sealer: Sealer::new(),
            segment: opened.file,
            segment_key: opened.key,
            opened_at: opened.opened_at,
            begun: None,
            durable: opened.end,
            end: opened.end,
            unsynced: Vec::new(),
            written: 0,
            oldest_unsynced: None,
            batch: Vec::new(),
            sealed: 0,
            retry: None,
            _lock: lock,
        };
        retention::remove_retired(&writer.disk, &writer.config.dir, writer.head.slot().first_segment);
        Ok((writer, buffer))
    }

    /// Writes until the journal is closed. Says whether everything appended is on the disk.
    pub(crate) fn run(mut self) -> bool {
        let stop = Stop(Arc::clone(&self.buffer));
        loop {
            let turn = self.buffer.next_turn(self.due(), self.retry.is_some(), &mut self.batch);
            let (closing, idle) = (turn.closing, turn.appended.is_none() && turn.waiters.is_empty());
            match self.serve(&turn) {
                Ok(()) => {
                    if self.retry.take().is_some() {
                        tracing::info!(dir = %self.config.dir.display(), "the journal can be written again");
                    }
                    self.buffer.succeed(turn.waiters, End::new(self.head.slot().journal, &self.durable));
                    // Nobody waits for this: the log is on the disk, and the first slot says so.
                    if let Err(error) = self.settle(idle) {
                        self.fail(&error, Vec::new());
                    }
                }
                Err(error) => self.fail(&error, turn.waiters),
            }
            if closing && (self.retry.is_some() || self.buffer.is_drained()) {
                break;
            }
        }
        if self.retry.is_none()
            && let Err(error) = self.head.settle()
        {
            self.fail(&error, Vec::new());
        }
        let whole = self.retry.is_none();
        if !whole {
            let waiting_bytes = self.buffer.waiting_bytes();
            tracing::error!(dir = %self.config.dir.display(), waiting_bytes, "the journal is closed with records unwritten");
        }
        // The lock goes before whoever closes the journal hears of it.
        drop(self);
        drop(stop);
        whole
    }

    /// When there is something to do even if nothing is appended.
    fn due(&self) -> Option<Instant> {
        if let Some((at, _)) = self.retry {
            return Some(at);
        }
        let dues = [self.due_since(self.oldest_unsynced), self.due_since(self.anchor_since)];
        dues.into_iter().chain([self.settle.map(|(idle, _)| idle)]).flatten().min()
    }

    /// When what waits since `since` is to be done at the latest.
    fn due_since(&self, since: Option<Instant>) -> Option<Instant> {
        since.map(|since| since + Duration::from_millis(self.config.flush_millis) + SYNC_AFTER)
    }

    /// Seals and writes what was taken, and syncs it if somebody waits for that or it is time.
    fn serve(&mut self, turn: &Turn) -> io::Result<()> {
        self.oldest_unsynced = self.oldest_unsynced.or(turn.appended);
        if let Some((since, anchor)) = turn.anchor {
            self.anchor = anchor;
            self.anchor_since.get_or_insert(since);
        }
        let awaited = !turn.waiters.is_empty() || turn.closing || self.retry.is_some();
        self.seal()?;
        self.write()?;
        let now = Instant::now();
        if awaited || self.due_since(self.oldest_unsynced).is_some_and(|due| due <= now) {
            self.sync()?;
        } else if self.due_since(self.anchor_since).is_some_and(|due| due <= now) {
            self.write_head()?;
        }
        // After a failure, all of it has to work again.
        if self.retry.is_some() {
            self.head.settle()?;
        }
        Ok(())
    }

    /// Settles the head once it is time, which a busy writer puts off for a while.
    fn settle(&mut self, idle: bool) -> io::Result<()> {
        let Some((due, latest)) = self.settle.filter(|_| !self.head.settled()) else {
            self.settle = None;
            return Ok(());
        };
        let now = Instant::now();
        let due = if idle { due } else { latest.min(now + SETTLE_IDLE) };
        self.settle = Some((due, latest));
        if due <= now {
            self.head.settle()?;
            self.settle = None;
        }
        Ok(())
    }

    /// Seals the batch into frames, beginning segments as they fill.
    fn seal(&mut self) -> io::Result<()> {
        while self.sealed < self.batch.len() {
            let full = self.end.offset >= self.config.segment_bytes_max || aged(&self.config, self.opened_at);
            if full && self.end.offset > HEADER_BYTES as u64 {
                self.sync()?;
                self.rotate()?;
            } else if self.unsynced.len() >= UNSYNCED_BYTES_MAX {
                self.sync()?;
            }
            let entries = self.batch.get_mut(self.sealed..).unwrap_or_default();
            let key = &self.segment_key;
            let taken = self.sealer.seal(key, clock::millis(), &mut self.end, entries, &mut self.unsynced);
            self.sealed += taken.map_err(|_| io::Error::other("an entry is malformed"))?;
        }
        self.batch.clear();
        self.sealed = 0;
        Ok(())
    }

    /// Writes what is sealed and not in the file yet.
    fn write(&mut self) -> io::Result<()> {
        if let Some(frames) = self.unsynced.get(self.written..).filter(|frames| !frames.is_empty()) {
            let offset = self.durable.offset + self.written as u64;
            // What a failure leaves of a frame is written over by the next attempt, or cut off by the next start.
            self.segment.write_all_at(frames, offset)?;
            self.written = self.unsynced.len();
        }
        Ok(())
    }

    /// Makes everything sealed durable, and writes its end to the head.
    fn sync(&mut self) -> io::Result<()> {
        self.write()?;
        if !self.unsynced.is_empty() {
            if let Err(error) = self.segment.sync() {
                self.written = 0;
                return Err(error);
            }
            self.durable = self.end;
            self.unsynced.clear();
            self.unsynced.shrink_to(IDLE_BYTES);
            self.written = 0;
        }
        self.oldest_unsynced = None;
        self.write_head()
    }

    /// Writes a slot of the head with the end of what is synced and the newest anchor, unless it says so already.
    fn write_head(&mut self) -> io::Result<()> {
        let slot = Slot { end: self.durable, anchor: self.anchor, ..*self.head.slot() };
        if slot != *self.head.slot() {
            self.head.write(Slot { written_at: clock::millis(), ..slot })?;
            let now = Instant::now();
            self.settle.get_or_insert((now + SETTLE_IDLE, now + SETTLE_AFTER));
        }
        self.anchor_since = None;
        Ok(())
    }

    /// Begins the next segment, and retires old ones. Everything sealed is synced, and the head has the newest anchor.
    fn rotate(&mut self) -> io::Result<()> {
        let slot = *self.head.slot();
        // Once the head may name a segment, a second attempt must not empty it.
        let opened = match self.begun.take() {
            Some(opened) => opened,
            None => {
                let number = successor(self.end.segment, &self.config.dir).map_err(io::Error::other)?;
                let begin = Begin::behind(&self.end, number, Beginning::Rotated, 0);
                begin_segment(&self.disk, &self.config, &self.keys, &slot, &begin)?
            }
        };
        let end = self.begun.insert(opened).end;
        let kept = Oldest { segment: slot.first_segment, sequence: slot.first_sequence };
        let oldest = retention::oldest(&self.config, &self.keys, end.segment, kept, clock::millis());
        let (first_segment, first_sequence) = (oldest.segment, oldest.sequence);
        self.head.write(Slot { first_segment, first_sequence, end, written_at: clock::millis(), ..slot })?;
        // The head must say that segments were retired before they are gone: otherwise they were removed.
        self.head.settle()?;
        self.settle = None;
        if let Some(Opened { file, key, opened_at, end }) = self.begun.take() {
            (self.segment, self.segment_key, self.opened_at) = (file, key, opened_at);
            (self.end, self.durable) = (end, end);
        }
        retention::remove_retired(&self.disk, &self.config.dir, oldest.segment);
        Ok(())
    }

    /// Fails the waiters, logs why once, and waits longer after every failure before the next attempt.
    fn fail(&mut self, error: &io::Error, waiters: Vec<Waiter>) {
        self.buffer.fail(waiters);
        let pause = match self.retry {
            None => {
                let dir = self.config.dir.display();
                tracing::error!(%dir, %error, "the journal can't be written: no call is served until it can");
                RETRY_AFTER
            }
            Some((_, pause)) => (pause * 2).min(RETRY_AFTER_MAX),
        };
        self.retry = Some((Instant::now() + pause, pause));
    }
}

/// Marks the writer as gone when dropped, however it went.
struct Stop(Arc<Buffer>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A segment that is being written.
struct Opened<F> {
    file: F,
    key: Key256,
    opened_at: u64,
    end: Position,
}

/// Makes a segment with nothing but its header, synced.
fn begin_segment<D: Disk>(
    disk: &D,
    config: &Config,
    keys: &Keys,
    slot: &Slot,
    begin: &Begin,
) -> io::Result<Opened<D::File>> {
    let Begin { number, beginning, torn_bytes, sequence, chain, marked } = *begin;
    let end = Position { segment: number, offset: HEADER_BYTES as u64, sequence, chain, marked };
    let header = Header {
        number,
        journal: slot.journal,
        first_sequence: end.next_sequence(),
        before: chain,
        opened_at: clock::millis(),
        beginning,
        torn_bytes,
        marked,
    };
    let file = disk.create(&segment::path(&config.dir, number))?;
    file.write_all_at(&header.seal(keys), 0)?;
    file.sync()?;
    disk.sync_dir(&config.dir)?;
    Ok(Opened { file, key: keys.segment(&slot.journal, number), opened_at: header.opened_at, end })
}

/// Whether a segment opened at `opened_at` is old enough to be closed.
fn aged(config: &Config, opened_at: u64) -> bool {
    let age_max = u64::from(config.segment_hours_max) * 3_600_000;
    age_max > 0 && clock::millis().saturating_sub(opened_at) >= age_max
}

#[cfg(test)]
mod tests;
