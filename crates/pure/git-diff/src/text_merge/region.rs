//! The regions of two texts that differ from their base, and which side each is taken from.

use std::ops::Range;

use super::{Lines, Options, Style};
use crate::lines::{self, Algorithm, Replaced};

/// Unchanged lines between two conflicts up to which these are one.
const BETWEEN_MAX: usize = 3;

/// Where a region of the result comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Both sides have changed it, each in its own way.
    Conflict,
    /// Our side alone has changed it.
    Ours,
    /// Their side alone has.
    Theirs,
    /// Both are taken, one behind the other. No region is found so; conflicts can be settled so.
    Both,
    /// A conflict whose sides turned out to be equal.
    Same,
}

/// Lines of each text that lie between lines which are in all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where it is taken from.
    pub taken: Taken,
    /// Lines of the base, counted from 0.
    pub base: Range<usize>,
    /// Lines of our side.
    pub ours: Range<usize>,
    /// Lines of their side.
    pub theirs: Range<usize>,
}

/// The regions in which one side or both differ from the base, conflicts being shown whole.
///
/// Equal changes of both sides are no region.
#[must_use]
pub fn regions(base: &[u8], ours: &[u8], theirs: &[u8], algorithm: Algorithm) -> Vec<Region> {
    let lines = Lines { base: lines::split(base), ours: lines::split(ours), theirs: lines::split(theirs) };
    let (by_us, by_them) =
        (changes(&lines.base, &lines.ours, algorithm), changes(&lines.base, &lines.theirs, algorithm));
    overlap(&lines, &by_us, &by_them)
}

/// The regions of a merge, or nothing if one side has changed nothing.
pub(super) fn find(lines: &Lines<'_>, options: &Options<'_>) -> Option<Vec<Region>> {
    let by_us = changes(&lines.base, &lines.ours, options.algorithm);
    let by_them = changes(&lines.base, &lines.theirs, options.algorithm);
    if by_us.is_empty() || by_them.is_empty() {
        return None;
    }
    let mut regions = overlap(lines, &by_us, &by_them);
    match options.style {
        Style::Diff3 => {}
        Style::ZealousDiff3 => regions.iter_mut().for_each(|region| trim(lines, region)),
        Style::Merge => {
            regions = regions.into_iter().flat_map(|region| refine(lines, region, options.algorithm)).collect();
            regions = join(lines, regions, options.join_over_punctuation);
        }
    }
    Some(regions)
}

fn changes(before: &[&[u8]], after: &[&[u8]], algorithm: Algorithm) -> Vec<Change> {
    let numbered = lines::number(before.iter().copied(), after.iter().copied());
    lines::compute(&numbered, algorithm, None).into_iter().map(Change::from).collect()
}

/// Lines of the base, and those of one side that are in their place.
#[derive(Clone)]
struct Change {
    base: Range<usize>,
    side: Range<usize>,
}

impl From<Replaced> for Change {
    fn from((before, after): Replaced) -> Self {
        let wide = |range: Range<u32>| range.start as usize..range.end as usize;
        Self { base: wide(before), side: wide(after) }
    }
}

impl Change {
    /// Lines that the side has more than the base once this change is over.
    fn shift(&self) -> isize {
        self.side.end as isize - self.base.end as isize
    }
}

/// Goes through the changes of both sides at once.
fn overlap(lines: &Lines<'_>, by_us: &[Change], by_them: &[Change]) -> Vec<Region> {
    let mut regions = Vec::new();
    let (mut ours, mut theirs) = (by_us.iter().peekable(), by_them.iter().peekable());
    // How far unchanged lines of each side are from those of the base.
    let (mut our_shift, mut their_shift) = (0_isize, 0_isize);
    loop {
        match (ours.peek().copied(), theirs.peek().copied()) {
            (None, None) => return regions,
            (Some(us), them) if them.is_none_or(|them| us.base.end < them.base.start) => {
                push(&mut regions, Taken::Ours, us.base.clone(), us.side.clone(), moved(&us.base, their_shift));
                our_shift = us.shift();
                ours.next();
            }
            (us, Some(them)) if us.is_none_or(|us| them.base.end < us.base.start) => {
                push(&mut regions, Taken::Theirs, them.base.clone(), moved(&them.base, our_shift), them.side.clone());
                their_shift = them.shift();
                theirs.next();
            }
            (Some(us), Some(them)) => {
                let same = us.base == them.base
                    && us.side.len() == them.side.len()
                    && lines.ours.get(us.side.clone()) == lines.theirs.get(them.side.clone());
                if !same {
                    let base = us.base.start.min(them.base.start)..us.base.end.max(them.base.end);
                    // Each side goes as far beyond its change as the other's change does.
                    let widen = |change: &Change| {
                        let start = change.side.start - (change.base.start - base.start).min(change.side.start);
                        start..change.side.end + (base.end - change.base.end)
                    };
                    push(&mut regions, Taken::Conflict, base.clone(), widen(us), widen(them));
                }
                let (our_end, their_end) = (us.base.end, them.base.end);
                if our_end >= their_end {
                    their_shift = them.shift();
                    theirs.next();
                }
                if their_end >= our_end {
                    our_shift = us.shift();
                    ours.next();
                }
            }
            // A change is always behind, before or over one of the other side.
            (Some(_), None) | (None, Some(_)) => return regions,
        }
    }
}

/// Lines of a side that it has as the base has them.
fn moved(base: &Range<usize>, shift: isize) -> Range<usize> {
    base.start.saturating_add_signed(shift)..base.end.saturating_add_signed(shift)
}

/// Appends a region, or makes it one with the last if they touch on either side: a conflict, unless both are one side's.
fn push(regions: &mut Vec<Region>, taken: Taken, base: Range<usize>, ours: Range<usize>, theirs: Range<usize>) {
    match regions.last_mut() {
        Some(last) if ours.start <= last.ours.end || theirs.start <= last.theirs.end => {
            if taken != last.taken {
                last.taken = Taken::Conflict;
            }
            (last.base.end, last.ours.end, last.theirs.end) = (base.end, ours.end, theirs.end);
        }
        _ => regions.push(Region { taken, base, ours, theirs }),
    }
}

/// Leaves the lines out that both sides of a conflict begin or end with.
fn trim(lines: &Lines<'_>, region: &mut Region) {
    if region.taken != Taken::Conflict {
        return;
    }
    let ours = lines.ours.get(region.ours.clone()).unwrap_or_default();
    let theirs = lines.theirs.get(region.theirs.clone()).unwrap_or_default();
    let start = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let most = ours.len().min(theirs.len()) - start;
    let end = ours.iter().rev().zip(theirs.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    region.ours = region.ours.start + start..region.ours.end - end;
    region.theirs = region.theirs.start + start..region.theirs.end - end;
}

/// Divides a conflict into those of its lines that differ.
fn refine(lines: &Lines<'_>, region: Region, algorithm: Algorithm) -> Vec<Region> {
    if region.taken != Taken::Conflict || region.ours.is_empty() || region.theirs.is_empty() {
        return vec![region];
    }
    let ours = lines.ours.get(region.ours.clone()).unwrap_or_default();
    let theirs = lines.theirs.get(region.theirs.clone()).unwrap_or_default();
    let found = changes(ours, theirs, algorithm);
    if found.is_empty() {
        return vec![Region { taken: Taken::Same, ..region }];
    }
    let shifted = |range: &Range<usize>, by: usize| range.start + by..range.end + by;
    found
        .iter()
        .map(|change| Region {
            taken: Taken::Conflict,
            base: region.base.clone(),
            ours: shifted(&change.base, region.ours.start),
            theirs: shifted(&change.side, region.theirs.start),
        })
        .collect()
}

/// Makes conflicts one that have few lines between them: they take less room so.
fn join(lines: &Lines<'_>, regions: Vec<Region>, over_punctuation: bool) -> Vec<Region> {
    let mut joined: Vec<Region> = Vec::with_capacity(regions.len());
    for region in regions {
        if let Some(last) = joined.last_mut()
            && last.taken == Taken::Conflict
            && region.taken == Taken::Conflict
        {
            let between = lines.ours.get(last.ours.end..region.ours.start).unwrap_or_default();
            let says_something = || between.iter().any(|line| line.iter().any(u8::is_ascii_alphanumeric));
            if between.len() <= BETWEEN_MAX || over_punctuation && !says_something() {
                last.ours.end = region.ours.end;
                last.theirs.end = region.theirs.end;
                last.base.end = last.base.end.max(region.base.end);
                continue;
            }
        }
        joined.push(region);
    }
    joined
}
