//! Where the log goes on when it is opened again, after a clean stop, a crash or worse.
//!
//! Behind the end that the head has, the log lasts as far as its frames are intact and in order: a loss of power may leave
//! anything there, and what it left is cut off. Whatever else is amiss stays as it is for verification to find, and the
//! log goes on behind it in a new segment that says so.

use std::path::Path;

use crypto::random_bytes;

use crate::JournalError;
use crate::disk::{Disk, DiskFile};
use crate::format::{
    Beginning, Chain, HEADER_BYTES, Header, JournalId, Keys, NO_ANCHOR, Position, Slot, Version, genesis,
};
use crate::segment::{self, At, NUMBER_MAX, Segment};
use crate::{clock, head};

/// How the log goes on.
pub(crate) struct Recovered {
    /// The head as it was found, or as it would be had there been one.
    pub(crate) slot: Slot,
    /// Whether both slots of the head have that.
    pub(crate) settled: bool,
    pub(crate) resume: Resume,
}

/// Where the next frame goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Into the last segment, which was begun at `opened_at`.
    Continue { end: Position, opened_at: u64 },
    /// Into a new one.
    Begin(Begin),
}

/// A segment to be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Begin {
    pub(crate) number: u32,
    pub(crate) beginning: Beginning,
    pub(crate) torn_bytes: u64,
    /// The last sequence so far.
    pub(crate) sequence: u64,
    /// The chain after it.
    pub(crate) chain: Chain,
    /// How many records so far are marked.
    pub(crate) marked: u64,
}

impl Begin {
    /// A segment that goes on behind `end`.
    pub(crate) const fn behind(end: &Position, number: u32, beginning: Beginning, torn_bytes: u64) -> Self {
        Self { number, beginning, torn_bytes, sequence: end.sequence, chain: end.chain, marked: end.marked }
    }
}

/// Finds the end of the log in `dir`.
pub(crate) fn recover<D: Disk>(disk: &D, dir: &Path, keys: &Keys) -> Result<Recovered, JournalError> {
    let found = head::read(dir, keys)?;
    let numbers = segment::list(dir)?;
    let Some(slot) = found.newest else {
        return without_head(dir, keys, &numbers, found.written);
    };
    if found.older.is_none() {
        tracing::warn!(dir = %dir.display(), "one of the two copies of the journal's head is damaged; the other is used");
    }
    let settled = found.settled();
    let resume = after_head(disk, dir, keys, &numbers, &slot)?;
    Ok(Recovered { slot, settled, resume })
}

/// Follows the log from the end that the head has.
fn after_head<D: Disk>(
    disk: &D,
    dir: &Path,
    keys: &Keys,
    numbers: &[u32],
    slot: &Slot,
) -> Result<Resume, JournalError> {
    let number = successor(numbers.last().copied().unwrap_or_default().max(slot.end.segment), dir)?;
    let begin =
        |beginning, torn_bytes, end: &Position| Resume::Begin(Begin::behind(end, number, beginning, torn_bytes));

    let Some(followed) = follow_log(dir, keys, numbers, slot.journal, slot.end, &mut |_| {})? else {
        tracing::error!(
            dir = %dir.display(), segment = slot.end.segment, sequence = slot.end.sequence,
            "the journal ends before the record that its head vouches for: run an audit verification"
        );
        return Ok(begin(Beginning::TailMissing, 0, &slot.end));
    };
    let Followed { end, header, last, strays } = followed;
    if strays {
        tracing::error!(
            dir = %dir.display(), segment = end.segment,
            "the end of the journal isn't what was written there: run an audit verification"
        );
        return Ok(begin(Beginning::Rotated, 0, &end));
    }
    let torn_bytes = last.length - end.offset;
    if torn_bytes > 0 {
        let path = segment::path(dir, end.segment);
        tracing::warn!(path = %path.display(), torn_bytes, "a crash left an incomplete frame, which is cut off");
        let cut = disk.open(&path).and_then(|file| file.set_len(end.offset).and_then(|()| file.sync()));
        cut.map_err(|cause| JournalError::Io { action: "truncate", path, cause })?;
        return Ok(begin(Beginning::Torn, torn_bytes, &end));
    }
    if last.version != Version::CURRENT {
        return Ok(begin(Beginning::Rotated, 0, &end));
    }
    Ok(Resume::Continue { end, opened_at: header.opened_at })
}

/// The log behind some place, as far as it is whole.
pub(crate) struct Followed {
    /// Where it ends.
    pub(crate) end: Position,
    /// The header of the segment there.
    header: Header,
    /// That segment.
    last: Segment,
    /// Whether segments stand on the way that don't follow.
    strays: bool,
}

/// Follows the log behind `from`, as far as its frames are intact and in order, and has `visit` see that place and each
/// that it comes to. `None` if the log doesn't reach as far as `from`.
pub(crate) fn follow_log(
    dir: &Path,
    keys: &Keys,
    numbers: &[u32],
    journal: JournalId,
    from: Position,
    visit: &mut impl FnMut(&Position),
) -> Result<Option<Followed>, JournalError> {
    let opened = Segment::open(dir, keys, from.segment)?.filter(|segment| segment.length >= from.offset);
    let Some((mut header, mut last)) = opened.and_then(|segment| {
        Some((segment.header.filter(|header| (header.number, header.journal) == (from.segment, journal))?, segment))
    }) else {
        return Ok(None);
    };
    let (mut end, mut strays) = (from, false);
    follow(&last, &mut end, visit)?;
    for &number in numbers.iter().filter(|number| **number > from.segment) {
        let Some(next) = Segment::open(dir, keys, number)? else { continue };
        match next.header {
            Some(found)
                if (found.number, found.journal) == (number, journal) && found.first_sequence > end.sequence =>
            {
                strays |=
                    (found.first_sequence, found.before, found.marked) != (end.next_sequence(), end.chain, end.marked);
                end = start(&next, &found);
                follow(&next, &mut end, visit)?;
                (header, last) = (found, next);
            }
            // A crash while it was begun left no whole header. It is begun again when its turn comes.
            None if next.length <= HEADER_BYTES as u64 && number == end.segment + 1 => {}
            _ => strays = true,
        }
    }
    Ok(Some(Followed { end, header, last, strays }))
}

/// Begins a journal, or goes on behind segments whose end nothing confirms.
fn without_head(dir: &Path, keys: &Keys, numbers: &[u32], written: bool) -> Result<Recovered, JournalError> {
    let mut segments = Vec::new();
    for &number in numbers {
        segments.extend(Segment::open(dir, keys, number)?);
    }
    let begun = only_begun(&segments);
    let last = segments.iter().rev().find_map(|segment| Some((segment.header?, segment)));
    let Some((header, segment)) = last.filter(|_| written || !begun) else {
        return if written || !begun { Err(JournalError::WrongKey { dir: dir.to_owned() }) } else { Ok(first()) };
    };

    tracing::error!(dir = %dir.display(), "the journal's head is missing or damaged: run an audit verification");
    let mut end = start(segment, &header);
    follow(segment, &mut end, &mut |_| {})?;
    let oldest = segments.iter().find_map(|segment| segment.header).unwrap_or(header);
    let number = successor(numbers.last().copied().unwrap_or_default(), dir)?;
    let begin = Begin::behind(&end, number, Beginning::HeadMissing, 0);
    let slot = Slot {
        counter: 0,
        journal: header.journal,
        first_segment: oldest.number,
        first_sequence: oldest.first_sequence,
        end,
        written_at: clock::millis(),
        anchor: NO_ANCHOR,
    };
    Ok(Recovered { slot, settled: false, resume: Resume::Begin(begin) })
}

/// Whether there is no more of a journal than its first segment's header, which is written before the first head.
pub(crate) fn only_begun(segments: &[Segment]) -> bool {
    segments.iter().all(|segment| segment.number == 1 && segment.length <= HEADER_BYTES as u64)
}

/// A new journal.
fn first() -> Recovered {
    let mut journal = JournalId::default();
    random_bytes(&mut journal);
    let chain = genesis(&journal);
    let end = Position { segment: 1, offset: HEADER_BYTES as u64, sequence: 0, chain, marked: 0 };
    let slot = Slot {
        counter: 0,
        journal,
        first_segment: 1,
        first_sequence: 1,
        end,
        written_at: clock::millis(),
        anchor: NO_ANCHOR,
    };
    let begin = Begin::behind(&end, 1, Beginning::First, 0);
    Recovered { slot, settled: false, resume: Resume::Begin(begin) }
}

/// The place of a segment's first frame.
pub(crate) fn start(segment: &Segment, header: &Header) -> Position {
    Position {
        segment: segment.number,
        offset: segment.start(),
        sequence: header.first_sequence.saturating_sub(1),
        chain: header.before,
        marked: header.marked,
    }
}

/// Moves `end` behind the frames of a segment that follow it, as far as they are intact and in order.
fn follow(segment: &Segment, end: &mut Position, visit: &mut impl FnMut(&Position)) -> Result<(), JournalError> {
    let mut buffer = Vec::new();
    visit(end);
    while let At::Frame { frame, next } = segment.at(end.offset, &mut buffer)? {
        let info = frame.info;
        if (info.first_sequence, info.before) != (end.next_sequence(), end.chain) {
            break;
        }
        let (sequence, marked) = (info.last_sequence(), info.marked);
        *end = Position { offset: next, sequence, chain: info.after, marked, ..*end };
        visit(end);
    }
    Ok(())
}

/// The number of a new segment.
pub(crate) fn successor(number: u32, dir: &Path) -> Result<u32, JournalError> {
    number.checked_add(1).filter(|next| *next <= NUMBER_MAX).ok_or_else(|| JournalError::Io {
        action: "begin another segment in",
        path: dir.to_owned(),
        cause: std::io::Error::other("no segment number is left"),
    })
}

#[cfg(test)]
mod tests;
