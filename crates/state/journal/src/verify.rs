//! Verifies a whole log: that every record that was written is there, as it was written and where it was written.
//!
//! Reads one frame at a time, also while a writer is at work. Changes nothing, and goes on behind damage as far as it
//! can, so that each finding names the records it concerns.

use std::path::Path;
use std::time::Duration;

use crypto::Key256;

use crate::clock::time;
use crate::format::{Beginning, Chain, Frame, HEADER_BYTES, Header, JournalId, Keys, Slot, genesis};
use crate::head::{self, HeadRead};
use crate::report::{Anchor, Expected, Note, Report, SegmentReport};
use crate::segment::{self, At, Segment};
use crate::{Damage, End, Finding, Findings, JournalError};

/// How often verification starts again when retention removes segments under its hands.
const ATTEMPTS: u32 = 5;

/// How long a writer gets to finish a slot of the head.
const HEAD_PAUSE: Duration = Duration::from_millis(5);

/// Verifies the journal in `dir`.
///
/// # Errors
/// [`JournalError::Broken`] with what was found, [`JournalError::WrongKey`], [`JournalError::Io`].
pub fn verify(dir: &Path, key: &Key256) -> Result<Report, JournalError> {
    verify_against(dir, key, &[])
}

/// Verifies the journal in `dir`, and that it goes on from all that was `noted` before.
///
/// # Errors
/// Those of [`verify`].
pub fn verify_against(dir: &Path, key: &Key256, noted: &[Expected]) -> Result<Report, JournalError> {
    let keys = Keys::new(key);
    let mut attempt = 1;
    loop {
        let head = read_head(dir, &keys)?;
        let report = walk(dir, &keys, &head, noted);
        let retired =
            |now: &HeadRead| now.newest.map(|slot| slot.first_segment) != head.newest.map(|slot| slot.first_segment);
        match report {
            Err(JournalError::Broken(_)) if attempt < ATTEMPTS && retired(&head::read(dir, &keys)?) => attempt += 1,
            report => return report,
        }
    }
}

/// Reads the head, once more if a writer may just be writing a slot.
fn read_head(dir: &Path, keys: &Keys) -> Result<HeadRead, JournalError> {
    let head = head::read(dir, keys)?;
    if head.older.is_some() || !head.written {
        return Ok(head);
    }
    std::thread::sleep(HEAD_PAUSE);
    head::read(dir, keys)
}

fn walk(dir: &Path, keys: &Keys, head: &HeadRead, noted: &[Expected]) -> Result<Report, JournalError> {
    let mut segments = Vec::new();
    for number in segment::list(dir)? {
        segments.extend(Segment::open(dir, keys, number)?);
    }
    let Some(journal) = journal_id(head, &segments) else {
        if head.written || !segments.is_empty() {
            return Err(JournalError::WrongKey { dir: dir.to_owned() });
        }
        return Err(JournalError::Broken(Findings::one(0, None, Damage::HeadMissing)));
    };

    let mut walk = Walk::new(head, journal);
    noted.iter().for_each(|noted| walk.note(noted));
    for mut segment in walk.in_order(segments) {
        segment.assume(keys, &journal)?;
        walk.segment(&segment)?;
    }
    walk.finish()
}

/// The journal that the directory is taken to have.
fn journal_id(head: &HeadRead, segments: &[Segment]) -> Option<JournalId> {
    let of_segments = || segments.iter().find_map(|segment| segment.header.map(|header| header.journal));
    head.newest.map(|slot| slot.journal).or_else(of_segments)
}

/// A point of the log whose chain hash is known from the head or from elsewhere.
struct KnownPoint {
    segment: u32,
    anchor: Anchor,
    /// How many records up to there are marked, if that is known as well.
    marked: Option<u64>,
}

/// Bytes that were passed over since the last intact frame.
struct Lost {
    segment: u32,
    /// How many bytes stand from there to the end of the segment.
    bytes: u64,
}

/// A walk along the log.
struct Walk {
    journal: JournalId,
    slot: Option<Slot>,
    known_points: Vec<KnownPoint>,
    /// The last sequence that was passed, intact or not.
    sequence: u64,
    /// The chain after it, if it is known.
    chain: Option<Chain>,
    /// How many records up to it are marked, if that is known.
    marked: Option<u64>,
    /// The number of the last segment that was passed.
    number: Option<u32>,
    lost: Option<Lost>,
    records: u64,
    first_sequence: u64,
    marked_before: u64,
    segments: Vec<SegmentReport>,
    notes: Vec<Note>,
    findings: Findings,
}

impl Walk {
    fn new(head: &HeadRead, journal: JournalId) -> Self {
        let mut walk = Self {
            journal,
            slot: head.newest,
            known_points: Vec::new(),
            sequence: 0,
            chain: Some(genesis(&journal)),
            marked: Some(0),
            number: None,
            lost: None,
            records: 0,
            first_sequence: 1,
            marked_before: 0,
            segments: Vec::new(),
            notes: Vec::new(),
            findings: Findings::none(),
        };
        match head.newest {
            Some(slot) => {
                let end = End::new(journal, &slot.end);
                walk.known_points.push(KnownPoint {
                    segment: end.segment,
                    anchor: end.anchor(),
                    marked: Some(end.marked),
                });
                walk.first_sequence = slot.first_sequence;
                walk.number = slot.first_segment.checked_sub(1);
                if slot.first_segment > 1 {
                    walk.sequence = slot.first_sequence.saturating_sub(1);
                    (walk.chain, walk.marked) = (None, None);
                }
                if head.older.is_none() {
                    walk.notes.push(Note::HeadCopyDamaged);
                }
            }
            None if head.written => walk.find(0, None, Damage::HeadChanged),
            None => walk.find(0, None, Damage::HeadMissing),
        }
        walk
    }

    /// Adds a point that was recorded elsewhere.
    fn note(&mut self, noted: &Expected) {
        let (anchor, marked) = match noted {
            Expected::Anchor(anchor) => (*anchor, None),
            Expected::End(end) if end.journal != self.journal => return self.find(0, None, Damage::Foreign),
            Expected::End(end) => (end.anchor(), Some(end.marked)),
        };
        if anchor.sequence.saturating_add(1) < self.first_sequence {
            self.notes.push(Note::AnchorRetired);
        } else {
            let segment = self.slot.map_or(0, |slot| slot.end.segment);
            self.known_points.push(KnownPoint { segment, anchor, marked });
        }
    }

    fn find(&mut self, segment: u32, records: Option<(u64, u64)>, damage: Damage) {
        self.findings.add(Finding { segment, records, damage });
    }

    /// The segments that are to be walked, in the order in which they were written.
    fn in_order(&mut self, segments: Vec<Segment>) -> Vec<Segment> {
        let (first, end) = self.slot.map_or((0, None), |slot| (slot.first_segment, Some(slot.end.segment)));
        let mut own = Vec::new();
        // What retention has left in the directory isn't part of the log any more.
        for segment in segments.into_iter().filter(|segment| segment.number >= first) {
            match segment.header {
                Some(header) if header.journal != self.journal => self.find(segment.number, None, Damage::Foreign),
                Some(header) if header.number != segment.number => {
                    self.find(segment.number, None, Damage::Reordered);
                    own.push((header.number, segment));
                }
                // A segment that is being begun, or was when the writer crashed.
                None if segment.length <= HEADER_BYTES as u64 && end.is_none_or(|end| segment.number > end) => {}
                None => {
                    self.find(segment.number, None, Damage::Changed);
                    own.push((segment.number, segment));
                }
                Some(_) => own.push((segment.number, segment)),
            }
        }
        own.sort_by_key(|(number, segment)| (*number, *number != segment.number));
        own.dedup_by(|(number, segment), (kept, _)| {
            let repeated = number == kept;
            if repeated {
                self.find(segment.number, None, Damage::Repeated);
            }
            repeated
        });
        own.into_iter().map(|(_, segment)| segment).collect()
    }

    fn segment(&mut self, segment: &Segment) -> Result<(), JournalError> {
        let number = segment.header.map_or(segment.number, |header| header.number);
        let missing = self.number.map(|last| last.saturating_add(1)).filter(|next| *next < number);
        self.number = Some(number);
        let records = self.records;
        match segment.header {
            Some(header) => self.header(&header, missing),
            None => self.chain = None,
        }
        let opened_at = segment.header.map_or(0, |header| header.opened_at);
        let first_sequence = self.sequence.saturating_add(1);
        let sealed_at = self.frames(number, segment)?.unwrap_or(opened_at);
        self.segments.push(SegmentReport {
            number,
            records: self.records - records,
            first_sequence,
            opened_at: time(opened_at),
            sealed_at: time(sealed_at),
            bytes: segment.length,
        });
        Ok(())
    }

    /// Compares what a header says came before with what did.
    fn header(&mut self, header: &Header, missing: Option<u32>) {
        if self.segments.is_empty() && self.slot.is_none() && header.number > 1 {
            // Without a head, what retention removed can't be distinguished from what somebody else did.
            self.sequence = header.first_sequence.saturating_sub(1);
            self.first_sequence = header.first_sequence;
            (self.chain, self.marked) = (None, None);
        }
        if self.segments.is_empty() {
            self.marked_before = header.marked;
        }
        let damage = match header.beginning {
            Beginning::TailMissing => Damage::Truncated,
            _ => Damage::Removed,
        };
        if header.first_sequence <= self.sequence {
            self.find(header.number, None, Damage::Rewritten);
        } else if !self.arrive(
            missing.unwrap_or(header.number),
            header.first_sequence,
            &header.before,
            Some(header.marked),
            damage,
        ) && let Some(missing) = missing
        {
            self.find(missing, None, Damage::Removed);
        }
        match header.beginning {
            Beginning::Torn => {
                let segment = header.number.saturating_sub(1);
                self.notes.push(Note::Torn { segment, bytes: header.torn_bytes });
            }
            Beginning::HeadMissing => self.find(header.number, None, Damage::HeadMissing),
            Beginning::First | Beginning::Rotated | Beginning::TailMissing => {}
        }
    }

    /// Walks the frames of a segment. Yields when the last of them was sealed.
    fn frames(&mut self, number: u32, segment: &Segment) -> Result<Option<u64>, JournalError> {
        let (mut sealed, mut raw) = (Vec::new(), Vec::new());
        let mut offset = segment.start();
        let mut sealed_at = None;
        loop {
            match segment.at(offset, &mut sealed)? {
                At::Frame { frame, next } => {
                    sealed_at = Some(frame.info.sealed_at);
                    let (first, last) = (frame.info.first_sequence, frame.info.last_sequence());
                    if first <= self.sequence {
                        self.misplaced(number, first, last);
                    } else {
                        self.arrive(number, first, &frame.info.before, None, Damage::Removed);
                        self.entries(number, &frame, &mut raw);
                    }
                    offset = next;
                }
                At::Damaged { next } => {
                    self.lost.get_or_insert(Lost { segment: number, bytes: segment.length.saturating_sub(offset) });
                    // Behind the end that the head has, the log lasts as far as it is whole.
                    if self.slot.is_some_and(|slot| self.sequence >= slot.end.sequence) {
                        break;
                    }
                    offset = next;
                }
                At::Fragment => {
                    self.lost.get_or_insert(Lost { segment: number, bytes: segment.length.saturating_sub(offset) });
                    break;
                }
                At::End => break,
            }
        }
        Ok(sealed_at)
    }

    /// Comes to a place whose first record and chain are known, and perhaps the count of marked records before it.
    /// Says whether records are missing before it.
    fn arrive(&mut self, segment: u32, first: u64, before: &Chain, marked: Option<u64>, damage: Damage) -> bool {
        let next = self.sequence.saturating_add(1);
        let lost = self.lost.take();
        let missing = first > next;
        let counted = if missing { marked } else { self.marked.or(marked) };
        // Which of two counts is wrong isn't known.
        self.marked = counted.filter(|counted| marked.is_none_or(|marked| marked == *counted));
        match lost {
            Some(lost) => self.find(lost.segment, missing.then_some((next, first - 1)), Damage::Changed),
            None if missing => self.find(segment, Some((next, first - 1)), damage),
            None if self.chain.is_some_and(|chain| chain != *before) => {
                self.find(segment, Some((first, first)), Damage::Rewritten);
            }
            None if self.marked != counted => self.find(segment, None, Damage::Miscounted),
            None => {}
        }
        if missing || self.chain.is_none() {
            self.pass(segment, first - 1, *before);
        }
        self.chain = Some(*before);
        missing
    }

    /// Walks the records of a frame that follows what was passed.
    fn entries(&mut self, segment: u32, frame: &Frame, raw: &mut Vec<u8>) {
        let info = &frame.info;
        let (first, last) = (info.first_sequence, info.last_sequence());
        let Ok(entries) = frame.entries(raw) else {
            self.find(segment, Some((first, last)), Damage::Changed);
            self.marked = Some(info.marked);
            return self.pass(segment, last, info.after);
        };
        let mut chain = info.before;
        // What follows a malformed entry is missed below.
        for entry in entries.map_while(Result::ok).take_while(|entry| entry.sequence <= last) {
            let next = self.sequence.saturating_add(1);
            if entry.sequence < next {
                self.misplaced(segment, entry.sequence, entry.sequence);
                continue;
            }
            if entry.sequence > next {
                self.find(segment, Some((next, entry.sequence - 1)), Damage::Removed);
                self.marked = None;
            } else if *entry.before != chain {
                // The link to the record before doesn't fit: that record is another one now. The frame's own link to
                // its first record was compared before, so there it is this record.
                let changed = if next == first { next } else { next - 1 };
                self.find(segment, Some((changed, changed)), Damage::Changed);
            }
            chain = entry.chain();
            self.marked = self.marked.map(|marked| marked.saturating_add(u64::from(entry.marked)));
            // The last one is compared with what the frame says below.
            if entry.sequence < last {
                self.pass(segment, entry.sequence, chain);
            }
            self.sequence = entry.sequence;
            self.records += 1;
        }
        if self.sequence < last {
            self.find(segment, Some((self.sequence + 1, last)), Damage::Removed);
        } else if chain != info.after {
            self.find(segment, Some((last, last)), Damage::Changed);
        }
        self.marked = match self.marked {
            // Which of the two is wrong isn't known, so the next frame is reported against neither.
            Some(marked) if marked != info.marked => {
                self.find(segment, Some((first, last)), Damage::Miscounted);
                None
            }
            _ => Some(info.marked),
        };
        self.pass(segment, last, info.after);
    }

    /// Passes a record behind which the chain is known.
    fn pass(&mut self, segment: u32, sequence: u64, chain: Chain) {
        (self.sequence, self.chain) = (sequence, Some(chain));
        let known = || self.known_points.iter().filter(|point| point.anchor.sequence == sequence);
        let miscounted =
            |point: &KnownPoint| self.marked.zip(point.marked).is_some_and(|(counted, marked)| counted != marked);
        if known().any(|point| point.anchor.chain != chain) {
            self.find(segment, Some((sequence, sequence)), Damage::Rewritten);
        } else if known().any(miscounted) {
            self.find(segment, Some((sequence, sequence)), Damage::Miscounted);
        }
    }

    /// Comes to records that should have stood before.
    fn misplaced(&mut self, segment: u32, first: u64, last: u64) {
        // If they were missed where they belong, they were moved; otherwise they stand there as well.
        let missed = self.findings.listed.iter_mut().find(|finding| {
            finding.damage == Damage::Removed && finding.records.is_some_and(|(from, to)| from <= first && last <= to)
        });
        match missed {
            Some(finding) => finding.damage = Damage::Reordered,
            None => self.find(segment, Some((first, last)), Damage::Repeated),
        }
    }

    /// Compares the end of the log with the points that are known.
    fn finish(mut self) -> Result<Report, JournalError> {
        let furthest = self.known_points.iter().max_by_key(|point| point.anchor.sequence);
        let known = furthest.map(|point| (point.segment, point.anchor.sequence));
        let missing = known.filter(|(_, sequence)| *sequence > self.sequence);
        let next = self.sequence.saturating_add(1);
        match (self.lost.take(), missing) {
            // Behind the end that the head has, a frame may be unfinished.
            (Some(Lost { segment, bytes }), None) if self.slot.is_some() => {
                self.notes.push(Note::Unfinished { segment, bytes });
            }
            (Some(lost), missing) => {
                self.find(lost.segment, missing.map(|(_, last)| (next, last)), Damage::Changed);
            }
            (None, Some((segment, last))) => self.find(segment, Some((next, last)), Damage::Truncated),
            (None, None) => {}
        }
        if !self.findings.is_empty() {
            return Err(JournalError::Broken(self.findings));
        }
        Ok(Report {
            records: self.records,
            first_sequence: self.first_sequence,
            marked: self.marked.unwrap_or_default(),
            marked_before: self.marked_before,
            end: Anchor { sequence: self.sequence, chain: self.chain.unwrap_or_default() },
            segments: self.segments,
            notes: self.notes,
        })
    }
}

#[cfg(test)]
mod tests;
