//! The head file: has the end of the log, so that a missing tail is noticed.
//! Two slots, written in turn and in place, so that a torn write leaves the other. Knows nothing of records.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crypto::Key256;

use crate::disk::DiskFile;
use crate::format::{Keys, NO_ANCHOR, SLOT_BYTES, SLOT_SPACING, SLOTS, Slot};
use crate::{Damage, Findings, JournalError};

/// Where the head of a journal is.
pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("head.seal")
}

/// The content of the head file.
pub(crate) struct HeadRead {
    /// The newest slot that opens.
    pub(crate) newest: Option<Slot>,
    /// The other slot, if it opens too.
    pub(crate) older: Option<Slot>,
    /// Whether there is anything in the file at all.
    pub(crate) written: bool,
}

impl HeadRead {
    /// Whether both slots have the same, so that either may be lost.
    pub(crate) fn settled(&self) -> bool {
        self.newest.zip(self.older).is_some_and(|(newest, older)| newest == Slot { counter: newest.counter, ..older })
    }
}

/// Reads the head of the journal in `dir`. A missing file reads as an empty one.
pub(crate) fn read(dir: &Path, keys: &Keys) -> Result<HeadRead, JournalError> {
    let path = path(dir);
    let failed = |cause| JournalError::Io { action: "read", path: path.clone(), cause };
    let mut read = HeadRead { newest: None, older: None, written: false };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(read),
        Err(error) => return Err(failed(error)),
    };
    let key = keys.head();
    for place in 0..SLOTS {
        let mut bytes = [0; SLOT_BYTES];
        read_up_to(&file, &mut bytes, u64::from(place) * SLOT_SPACING).map_err(failed)?;
        read.written |= bytes.iter().any(|byte| *byte != 0);
        if let Ok(slot) = Slot::open(&key, place, &bytes) {
            let newer = read.newest.is_none_or(|newest| newest.counter < slot.counter);
            (read.newest, read.older) = if newer { (Some(slot), read.newest) } else { (read.newest, Some(slot)) };
        }
    }
    Ok(read)
}

/// The anchor that the head of the journal in `dir` has, if there is one, without opening the journal.
///
/// # Errors
/// [`JournalError::Broken`] when the head doesn't open, [`JournalError::Io`].
pub fn head_anchor(dir: &Path, key: &Key256) -> Result<Option<[u8; 64]>, JournalError> {
    let head = read(dir, &Keys::new(key))?;
    match head.newest {
        Some(slot) => Ok(Some(slot.anchor).filter(|anchor| *anchor != NO_ANCHOR)),
        None if head.written => Err(JournalError::Broken(Findings::one(0, None, Damage::HeadChanged))),
        None => Ok(None),
    }
}

/// Fills `buffer` as far as the file reaches: a slot of an older version is shorter.
fn read_up_to(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.read_at(buffer, offset) {
            Ok(0) => break,
            Ok(length) => {
                buffer = buffer.split_at_mut(length).1;
                offset += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The head, open for the writer.
pub(crate) struct Head<F> {
    file: F,
    key: Key256,
    slot: Slot,
    /// Whether the newest slot is synced.
    synced: bool,
    /// Whether a sync failed, which may have dropped the newest slot.
    dropped: bool,
    /// Whether the other slot says the same, synced as well.
    settled: bool,
}

impl<F: DiskFile> Head<F> {
    /// A head that goes on from `slot`. `settled` says whether both slots of the file have it.
    pub(crate) fn new(file: F, keys: &Keys, slot: Slot, settled: bool) -> io::Result<Self> {
        // A server that was killed may have written the newest slot without syncing it.
        file.sync()?;
        Ok(Self { file, key: keys.head(), slot, synced: true, dropped: false, settled })
    }

    /// The slot that was last written.
    pub(crate) const fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Whether both slots have the newest state, synced. Until then, damage to one slot could hide what the other
    /// doesn't know yet.
    pub(crate) const fn settled(&self) -> bool {
        self.settled
    }

    /// Writes a slot, without syncing it.
    pub(crate) fn write(&mut self, slot: Slot) -> io::Result<()> {
        // The other slot is touched only once this one is synced: a loss of power could tear both otherwise.
        let step = if self.synced { 1 } else { 2 };
        let slot = Slot { counter: self.slot.counter.wrapping_add(step), ..slot };
        self.settled = false;
        let offset = u64::from(Slot::place(slot.counter)) * SLOT_SPACING;
        self.file.write_all_at(&slot.seal(&self.key), offset)?;
        self.slot = slot;
        (self.synced, self.dropped) = (false, false);
        Ok(())
    }

    /// Writes the newest state to both slots, one after the other.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        if self.settled {
            return Ok(());
        }
        self.sync()?;
        self.write(self.slot)?;
        self.sync()?;
        self.settled = true;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.synced {
            return Ok(());
        }
        if self.dropped {
            self.write(self.slot)?;
        }
        let synced = self.file.sync();
        (self.synced, self.dropped) = (synced.is_ok(), synced.is_err());
        synced
    }
}
