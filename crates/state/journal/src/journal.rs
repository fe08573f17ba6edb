//! The handle for callers: opens a journal, starts its writer, and passes records on to it.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crypto::Key256;

use crate::buffer::Buffer;
use crate::disk::{Disk, OsDisk, create_dir};
use crate::format::{HeadAnchor, Keys, NO_ANCHOR};
use crate::recovery::recover;
use crate::writer::Writer;
use crate::{Config, End, JournalError};

/// A place in the journal's order, to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub(crate) u64);

impl Ticket {
    /// The sequence of the record. The first record of a journal has 1.
    #[must_use]
    pub const fn sequence(self) -> u64 {
        self.0
    }
}

/// An open journal. Clones share it; the last one to be dropped closes it.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    buffer: Arc<Buffer>,
    writer: Mutex<Option<JoinHandle<bool>>>,
    found_anchor: HeadAnchor,
}

/// Room in a journal's buffer, reserved for a marked record to come. Dropping it releases the room.
pub struct Room {
    buffer: Arc<Buffer>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.buffer.release(self.bytes);
    }
}

impl Journal {
    /// Opens the journal in `config.dir`, or begins one there, and starts its writer's thread.
    ///
    /// After a crash the log goes on where it ended: an incomplete last frame is cut off, everything else stays.
    ///
    /// # Errors
    /// [`JournalError::InUse`], [`JournalError::WrongKey`], [`JournalError::Io`].
    pub fn open(config: Config, key: &Key256) -> Result<Self, JournalError> {
        Self::open_on(OsDisk, config, key)
    }

    pub(crate) fn open_on<D: Disk>(disk: D, config: Config, key: &Key256) -> Result<Self, JournalError> {
        let dir = &config.dir;
        create_dir(dir).map_err(|cause| JournalError::Io { action: "create", path: dir.clone(), cause })?;
        let lock = lock(dir)?;
        let keys = Keys::new(key);
        let recovered = recover(&disk, dir, &keys)?;
        let found_anchor = recovered.slot.anchor;
        let path = dir.clone();
        let (writer, buffer) = Writer::new(disk, config, keys, recovered, lock)?;
        let thread = thread::Builder::new().name("journal".into()).spawn(move || writer.run());
        let thread = thread.map_err(|cause| JournalError::Io { action: "start a thread for", path, cause })?;
        Ok(Self(Arc::new(Inner { buffer, writer: Mutex::new(Some(thread)), found_anchor })))
    }

    /// Appends a record: at most [`crate::RECORD_BYTES_MAX`] bytes. Copies it and returns.
    ///
    /// # Errors
    /// [`JournalError::TooLong`], [`JournalError::Full`] while too much waits to be written,
    /// [`JournalError::Closed`].
    pub fn append(&self, record: &[u8]) -> Result<Ticket, JournalError> {
        self.0.buffer.append(record, false)
    }

    /// Appends a record that is counted by [`Self::marked`], and has the writer write it at once, without syncing it.
    ///
    /// Reserved room counts as free here: whoever reserved some appends this way first, and then drops the [`Room`].
    ///
    /// # Errors
    /// Those of [`Self::append`].
    pub fn append_marked(&self, record: &[u8]) -> Result<Ticket, JournalError> {
        self.0.buffer.append(record, true)
    }

    /// Reserves room in the buffer for a marked record of at most `bytes` bytes.
    ///
    /// # Errors
    /// [`JournalError::Full`], [`JournalError::Unwritable`] while writing fails, [`JournalError::Closed`].
    pub fn reserve(&self, bytes: usize) -> Result<Room, JournalError> {
        let buffer = Arc::clone(&self.0.buffer);
        let bytes = buffer.reserve(bytes)?;
        Ok(Room { buffer, bytes })
    }

    /// How many marked records were appended since the journal was begun, those in the buffer included.
    ///
    /// After a crash, it is the number of those that survived.
    #[must_use]
    pub fn marked(&self) -> u64 {
        self.0.buffer.marked()
    }

    /// How many of the marked records are known to be on the disk.
    #[must_use]
    pub fn durable_marked(&self) -> u64 {
        self.0.buffer.durable().marked
    }

    /// The end of what is known to be on the disk. Takes a lock and copies.
    #[must_use]
    pub fn durable_end(&self) -> End {
        self.0.buffer.durable()
    }

    /// Stores `anchor` in the head beside the end of the log from its next write on, which follows within about 100 ms.
    ///
    /// The bytes mean nothing to the journal; all zeros are none. Setting them causes no sync of the log. A crash may
    /// leave the anchor that was set before.
    pub fn set_anchor(&self, anchor: [u8; 64]) {
        self.0.buffer.set_anchor(anchor);
    }

    /// The anchor that the head had when the journal was opened. After a crash it may be older than the last one set.
    #[must_use]
    pub fn found_anchor(&self) -> Option<[u8; 64]> {
        Some(self.0.found_anchor).filter(|anchor| *anchor != NO_ANCHOR)
    }

    /// Waits until the record of `ticket` and all before it are on the disk.
    ///
    /// Waiting makes the writer write at once; all who wait at the same time share one sync.
    ///
    /// # Errors
    /// [`JournalError::Unwritable`] when that failed. The record isn't lost: it is written once the disk allows it.
    pub async fn durable(&self, ticket: Ticket) -> Result<(), JournalError> {
        match self.0.buffer.wait_for(ticket)? {
            None => Ok(()),
            Some(receiver) => receiver.await.map_err(|_| JournalError::Unwritable),
        }
    }

    /// Waits until everything appended so far is on the disk.
    ///
    /// # Errors
    /// Those of [`Self::durable`].
    pub async fn sync(&self) -> Result<(), JournalError> {
        self.durable(self.0.buffer.last()).await
    }

    /// The sequence of the last record appended; 0 if there is none yet.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.0.buffer.last().sequence()
    }

    /// Whether the last write succeeded. While it is false, nothing appended is promised to last.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.0.buffer.healthy()
    }

    /// How many bytes wait to be written.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.0.buffer.waiting_bytes()
    }

    /// Writes and syncs everything appended, and ends the writer's thread. Blocks while it does. Other handles can
    /// append no more.
    ///
    /// # Errors
    /// [`JournalError::Unwritable`] when not everything could be written.
    pub fn close(self) -> Result<(), JournalError> {
        self.0.close()
    }
}

impl Inner {
    fn close(&self) -> Result<(), JournalError> {
        self.buffer.close();
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match thread.map(JoinHandle::join) {
            None | Some(Ok(true)) => Ok(()),
            Some(Ok(false) | Err(_)) => Err(JournalError::Unwritable),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The writer has logged what it could not write.
        let _ = self.close();
    }
}

/// Keeps other processes from writing the same journal.
fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join("lock");
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let failed = |cause| JournalError::Io { action: "lock", path: path.clone(), cause };
    let file = opened.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(failed(cause)),
    }
}

#[cfg(test)]
mod tests;
