//! Which deltas have which base. Nothing here reads an object.

use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

use git_object::ObjectId;

use crate::Table;
use crate::table::NONE;

/// The deltas of each base. 8 bytes an entry.
pub(super) struct Plan<'a> {
    pub(super) table: &'a Table,
    /// For each entry, where its deltas begin in `order`.
    starts: Vec<u32>,
    /// Offset deltas by their bases.
    order: Vec<u32>,
    /// For the first reference delta of each base, whether the base has turned up, and where.
    claims: Vec<AtomicU8>,
}

const OPEN: u8 = 0;
const INSIDE: u8 = 1;
const OUTSIDE: u8 = 2;

/// An object that is in the pack twice although deltas name it.
pub(super) struct Twice;

/// Deltas of one base that are still to be resolved.
#[derive(Default)]
pub(super) struct Children {
    references: Range<u32>,
    offsets: Range<u32>,
}

impl Children {
    pub(super) fn len(&self) -> usize {
        self.references.len() + self.offsets.len()
    }

    /// Takes away half of them, or the only one.
    pub(super) fn half(&mut self) -> Self {
        let take = |range: &mut Range<u32>| {
            let middle = range.start + (range.end - range.start).div_ceil(2);
            let taken = range.start..middle;
            range.start = middle;
            taken
        };
        if self.references.is_empty() {
            Self { references: 0..0, offsets: take(&mut self.offsets) }
        } else if self.offsets.is_empty() {
            Self { references: take(&mut self.references), offsets: 0..0 }
        } else {
            Self { references: std::mem::take(&mut self.references), offsets: 0..0 }
        }
    }
}

impl<'a> Plan<'a> {
    pub(super) fn new(table: &'a Table) -> Self {
        let entries = table.len() as usize;
        // Counting sort by base.
        let mut starts = vec![0_u32; entries + 1];
        let bases = || (0..table.len()).map(|entry| table.base(entry).unwrap_or(NONE));
        for base in bases() {
            if let Some(count) = starts.get_mut(base as usize) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut order = vec![0; sum as usize];
        // Bases come before their deltas: backwards, all deltas of a delta are counted before it is.
        let mut sizes = vec![1_u32; entries];
        for (entry, base) in (0..table.len()).zip(bases()).rev() {
            let Some(start) = starts.get_mut(base as usize) else { continue };
            *start -= 1;
            if let Some(place) = order.get_mut(*start as usize) {
                *place = entry;
            }
            let size = sizes.get(entry as usize).copied().unwrap_or_default();
            if let Some(all) = sizes.get_mut(base as usize) {
                *all = all.saturating_add(size);
            }
        }
        // The delta with the most below it comes last. Its base is not needed any more then, so that a thread holds no more
        // than a logarithm of the number of objects.
        for (start, end) in starts.iter().zip(starts.iter().skip(1)) {
            let Some(children) = order.get_mut(*start as usize..*end as usize) else { continue };
            let size = |entry: u32| sizes.get(entry as usize).copied().unwrap_or_default();
            let heaviest = children.iter().enumerate().max_by_key(|(_, entry)| size(**entry)).map(|(at, _)| at);
            if let Some((at, last)) = heaviest.zip(children.len().checked_sub(1)) {
                children.swap(at, last);
            }
        }
        let claims = table.references.iter().map(|_| AtomicU8::new(OPEN)).collect();
        Self { table, starts, order, claims }
    }

    pub(super) fn has_deltas(&self) -> bool {
        !self.order.is_empty() || !self.claims.is_empty()
    }

    /// The deltas of an entry whose object is known.
    pub(super) fn children(&self, entry: u32) -> Result<Children, Twice> {
        let start = |entry: usize| self.starts.get(entry).copied().unwrap_or_default();
        let offsets = start(entry as usize)..start(entry as usize + 1);
        let mut references = 0..0;
        if !self.table.references.is_empty()
            && let Some(id) = self.table.id(entry)
        {
            let first = self.table.references.partition_point(|(base, _)| *base < id) as u32;
            if let Some((_, group)) = self.group(first).filter(|(base, _)| *base == id) {
                match self.claim(first, INSIDE) {
                    OPEN => references = group,
                    INSIDE => return Err(Twice),
                    _ => {}
                }
            }
        }
        Ok(Children { references, offsets })
    }

    /// The next of those deltas, and whether its base is named by id.
    pub(super) fn next(&self, children: &mut Children) -> Option<(u32, bool)> {
        if let Some(at) = children.references.next() {
            return self.table.references.get(at as usize).map(|(_, entry)| (*entry, true));
        }
        children.offsets.next().and_then(|at| self.order.get(at as usize)).map(|entry| (*entry, false))
    }

    /// The reference deltas of a base that was found outside, for the one who asks first.
    pub(super) fn outside(&self, first: u32) -> Option<Children> {
        let (_, references) = self.group(first).filter(|_| self.claim(first, OUTSIDE) == OPEN)?;
        Some(Children { references, offsets: 0..0 })
    }

    /// The base of a group of reference deltas.
    pub(super) fn group(&self, first: u32) -> Option<(ObjectId, Range<u32>)> {
        let rest = self.table.references.get(first as usize..)?;
        let (base, _) = rest.first()?;
        let length = rest.iter().take_while(|(other, _)| other == base).count() as u32;
        Some((*base, first..first + length))
    }

    /// Claims a group, if nobody has. Returns how it was before.
    fn claim(&self, first: u32, how: u8) -> u8 {
        let Some(claim) = self.claims.get(first as usize) else { return OUTSIDE };
        claim.compare_exchange(OPEN, how, Ordering::Relaxed, Ordering::Relaxed).unwrap_or_else(|before| before)
    }

    pub(super) fn is_claimed(&self, first: u32) -> bool {
        self.claims.get(first as usize).is_some_and(|claim| claim.load(Ordering::Relaxed) != OPEN)
    }

    /// The groups whose base has not turned up.
    pub(super) fn unclaimed(&self) -> Vec<u32> {
        let (mut groups, mut at) = (Vec::new(), 0);
        while let Some((_, group)) = self.group(at) {
            if !self.is_claimed(at) {
                groups.push(at);
            }
            at = group.end;
        }
        groups
    }

    /// A base that has not turned up.
    pub(super) fn missing(&self) -> Option<ObjectId> {
        self.unclaimed().first().and_then(|group| self.group(*group)).map(|(base, _)| base)
    }
}
