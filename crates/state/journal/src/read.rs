//! Reads records back, oldest or newest first, also while a writer is at work.
//! Opens what it reads, so changed bytes are never returned; whether records are missing is verification's to find.

use std::ops::{ControlFlow, RangeInclusive};
use std::path::Path;
use std::time::SystemTime;

use crypto::Key256;

use crate::clock::time;
use crate::format::{Entry, Frame, HEADER_BYTES, Header, Keys};
use crate::head;
use crate::segment::{self, At, Segment};
use crate::{Damage, Findings, JournalError};

/// A record that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place in the log, from 1.
    pub sequence: u64,
    /// When its batch was sealed: at most the flush interval after it was appended, unless the disk failed meanwhile.
    pub sealed_at: SystemTime,
    /// Whether it was appended as a marked one.
    pub marked: bool,
    /// The bytes that were appended.
    pub bytes: &'a [u8],
}

/// In which order records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they were appended.
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// Hands the records whose sequences are in `sequences` to `visit`, until it breaks.
///
/// Records that retention removed are passed over. Records are readable within the flush interval; marked ones about a
/// millisecond after they were appended; and all once they are durable if somebody waits for that.
///
/// # Errors
/// [`JournalError::Broken`] at the first segment or frame that was changed, [`JournalError::Io`].
pub fn read(
    dir: &Path,
    key: &Key256,
    sequences: RangeInclusive<u64>,
    order: Order,
    mut visit: impl FnMut(Record<'_>) -> ControlFlow<()>,
) -> Result<(), JournalError> {
    let keys = Keys::new(key);
    let mut selected = select(dir, &keys, &sequences)?;
    if order == Order::NewestFirst {
        selected.reverse();
    }
    for Selected { number, last } in selected {
        // Retention may have removed it meanwhile.
        let Some(segment) = Segment::open(dir, &keys, number)? else { continue };
        let offsets = offsets(&segment, order)?;
        if read_segment(&segment, last, &offsets, &sequences, order, &mut visit)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// A segment that may have records asked for.
struct Selected {
    number: u32,
    /// Whether the log ends in it.
    last: bool,
}

/// The segments that may have `sequences`, in order. Looks at headers from the newest back, and no further than needed.
fn select(dir: &Path, keys: &Keys, sequences: &RangeInclusive<u64>) -> Result<Vec<Selected>, JournalError> {
    let journal = head::read(dir, keys)?.newest.map(|slot| slot.journal);
    let own = |header: &Header| journal.is_none_or(|journal| journal == header.journal);
    let mut selected = Vec::new();
    let mut last = true;
    for number in segment::list(dir)?.into_iter().rev() {
        let Some(segment) = Segment::open(dir, keys, number)? else { continue };
        let Some(header) = segment.header.filter(|header| header.number == number && own(header)) else {
            if last && segment.length <= HEADER_BYTES as u64 {
                // It is just being begun.
                continue;
            }
            return Err(changed(number));
        };
        if header.first_sequence <= *sequences.end() {
            selected.push(Selected { number, last });
        }
        last = false;
        if header.first_sequence <= *sequences.start() {
            break;
        }
    }
    selected.reverse();
    Ok(selected)
}

/// Where the frames of a segment begin, in the order in which they are to be read.
fn offsets(segment: &Segment, order: Order) -> Result<Vec<u64>, JournalError> {
    let mut offsets = Vec::new();
    let mut offset = segment.start();
    while let Some(next) = segment.next(offset)? {
        offsets.push(offset);
        offset = next;
    }
    if offset != segment.length {
        offsets.push(offset);
    }
    if order == Order::NewestFirst {
        offsets.reverse();
    }
    Ok(offsets)
}

fn read_segment(
    segment: &Segment,
    last: bool,
    offsets: &[u64],
    sequences: &RangeInclusive<u64>,
    order: Order,
    visit: &mut impl FnMut(Record<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, JournalError> {
    let (mut sealed, mut raw) = (Vec::new(), Vec::new());
    let mut damaged = false;
    let mut intact = false;
    for &offset in offsets {
        let At::Frame { frame, .. } = segment.at(offset, &mut sealed)? else {
            damaged = true;
            // At the end of the log, a frame may be unfinished; with an intact one behind it, it was changed.
            if !last || (order == Order::NewestFirst && intact) {
                return Err(changed(segment.number));
            }
            continue;
        };
        if damaged && order == Order::OldestFirst {
            return Err(changed(segment.number));
        }
        intact = true;
        let info = frame.info;
        let (before, after) = (info.last_sequence() < *sequences.start(), info.first_sequence > *sequences.end());
        match order {
            Order::OldestFirst if after => return Ok(ControlFlow::Break(())),
            Order::NewestFirst if before => return Ok(ControlFlow::Break(())),
            _ if before || after => continue,
            _ => {}
        }
        if read_frame(segment.number, &frame, &mut raw, sequences, order, visit)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn read_frame(
    number: u32,
    frame: &Frame,
    raw: &mut Vec<u8>,
    sequences: &RangeInclusive<u64>,
    order: Order,
    visit: &mut impl FnMut(Record<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, JournalError> {
    let sealed_at = time(frame.info.sealed_at);
    let mut one = |entry: Entry<'_>| {
        if sequences.contains(&entry.sequence) {
            visit(Record { sequence: entry.sequence, sealed_at, marked: entry.marked, bytes: entry.record })
        } else {
            ControlFlow::Continue(())
        }
    };
    let entries = frame.entries(raw).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|_| changed(number))?;
    Ok(match order {
        Order::OldestFirst => entries.into_iter().try_for_each(&mut one),
        Order::NewestFirst => entries.into_iter().rev().try_for_each(&mut one),
    })
}

fn changed(segment: u32) -> JournalError {
    JournalError::Broken(Findings::one(segment, None, Damage::Changed))
}

#[cfg(test)]
mod tests;
