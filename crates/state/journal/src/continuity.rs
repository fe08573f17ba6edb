//! Whether a log still goes on from an end that was noted before.
//! Looks at a few frames, so that it can be asked at every start; proving all of a log is verification's to do.

use std::io;
use std::path::Path;

use crypto::Key256;

use crate::format::{Frame, Header, JournalId, Keys, Position};
use crate::recovery::{follow_log, only_begun, start};
use crate::segment::{self, At, Segment};
use crate::{End, JournalError, head};

/// The relation of a log to an end that was recorded elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuity {
    /// The log has it and goes on from there, if at all.
    Continues,
    /// The log ends before it: an older copy was put back, or the end was cut off. A crash doesn't do that.
    Behind {
        /// The last sequence that is there.
        found_sequence: u64,
    },
    /// The journal is another one.
    OtherJournal,
    /// The log has something else in that place.
    Rewritten,
    /// There is no journal.
    Missing,
    /// Retention has removed that place, so that nothing can be said.
    Retired,
}

/// Whether the journal in `dir` goes on from `end`, which was its durable end at some time.
///
/// To be asked before the journal is opened for writing. Reads a few frames, unless something is amiss: then it may
/// read the segment of that end.
///
/// # Errors
/// [`JournalError::WrongKey`], [`JournalError::Io`].
pub fn continues(dir: &Path, key: &Key256, end: &End) -> Result<Continuity, JournalError> {
    let keys = Keys::new(key);
    let numbers = match segment::list(dir) {
        Err(JournalError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
            return Ok(Continuity::Missing);
        }
        listed => listed?,
    };
    let head = head::read(dir, &keys)?;
    let journal = match head.newest {
        Some(slot) => slot.journal,
        None => {
            let mut segments = Vec::new();
            for &number in &numbers {
                segments.extend(Segment::open(dir, &keys, number)?);
            }
            if !head.written && only_begun(&segments) {
                return Ok(Continuity::Missing);
            }
            let header = segments.iter().find_map(|segment| segment.header);
            header.ok_or_else(|| JournalError::WrongKey { dir: dir.to_owned() })?.journal
        }
    };
    if journal != end.journal {
        return Ok(Continuity::OtherJournal);
    }
    if head.newest.is_some_and(|slot| slot.first_sequence > end.sequence.saturating_add(1)) {
        return Ok(Continuity::Retired);
    }
    let search = Search { dir, keys: &keys, numbers: &numbers, journal, end };
    if let Some(same) = search.behind_it()? {
        return Ok(if same { Continuity::Continues } else { Continuity::Rewritten });
    }
    // Nothing stands behind it. Behind the head, there is at most what a crash left.
    let known = head.newest.map(|slot| slot.end).filter(|known| known.sequence <= end.sequence);
    if let Some(known) = known
        && let Some(outcome) = search.follow(known)?
    {
        return Ok(outcome);
    }
    let Some(start) = search.start()? else {
        let found_sequence = head.newest.map_or(0, |slot| slot.first_sequence.saturating_sub(1));
        return Ok(Continuity::Behind { found_sequence });
    };
    Ok(search.follow(start)?.unwrap_or(Continuity::Rewritten))
}

/// A search for an end.
struct Search<'a> {
    dir: &'a Path,
    keys: &'a Keys,
    numbers: &'a [u32],
    journal: JournalId,
    end: &'a End,
}

impl Search<'_> {
    /// A segment, if it is there and is what its name says.
    fn segment(&self, number: u32) -> Result<Option<(Header, Segment)>, JournalError> {
        let opened = Segment::open(self.dir, self.keys, number)?;
        Ok(opened.and_then(|segment| {
            let header = segment.header?;
            ((header.number, header.journal) == (number, self.journal)).then_some((header, segment))
        }))
    }

    /// Whether what stands behind the end follows it; `None` if nothing intact stands there.
    fn behind_it(&self) -> Result<Option<bool>, JournalError> {
        let end = self.end;
        if let Some((_, segment)) = self.segment(end.segment)?.filter(|(_, segment)| segment.length > end.offset) {
            return Ok(match segment.at(end.offset, &mut Vec::new())? {
                At::Frame { frame, .. } => Some(
                    (frame.info.first_sequence, frame.info.before) == (end.sequence.saturating_add(1), end.chain)
                        && marked_before(&frame) == Some(end.marked),
                ),
                At::End | At::Fragment | At::Damaged { .. } => None,
            });
        }
        for &number in self.numbers.iter().filter(|number| **number > end.segment) {
            if let Some((header, segment)) = self.segment(number)? {
                let next = start(&segment, &header);
                return Ok((next.sequence == end.sequence).then(|| self.is_at(&next)));
            }
        }
        Ok(None)
    }

    /// The beginning of the last segment that may have the end.
    fn start(&self) -> Result<Option<Position>, JournalError> {
        for &number in self.numbers.iter().rev().filter(|number| **number <= self.end.segment) {
            if let Some((header, segment)) = self.segment(number)? {
                return Ok(Some(start(&segment, &header)));
            }
        }
        Ok(None)
    }

    /// Looks for the end in the log behind `from`; `None` if the log doesn't reach as far as `from`.
    fn follow(&self, from: Position) -> Result<Option<Continuity>, JournalError> {
        let mut found = None;
        let mut visit = |position: &Position| {
            if position.sequence == self.end.sequence {
                found.get_or_insert(self.is_at(position));
            }
        };
        let followed = follow_log(self.dir, self.keys, self.numbers, self.journal, from, &mut visit)?;
        Ok(followed.map(|followed| match found {
            Some(true) => Continuity::Continues,
            None if followed.end.sequence < self.end.sequence => {
                Continuity::Behind { found_sequence: followed.end.sequence }
            }
            Some(false) | None => Continuity::Rewritten,
        }))
    }

    /// Whether a position of the same sequence is that of the end.
    fn is_at(&self, position: &Position) -> bool {
        (position.chain, position.marked) == (self.end.chain, self.end.marked)
    }
}

/// How many marked records there are before a frame, if its entries are intact.
fn marked_before(frame: &Frame) -> Option<u64> {
    let mut raw = Vec::new();
    let mut marks = 0;
    for entry in frame.entries(&mut raw).ok()? {
        marks += u64::from(entry.ok()?.marked);
    }
    frame.info.marked.checked_sub(marks)
}

#[cfg(test)]
mod tests;
