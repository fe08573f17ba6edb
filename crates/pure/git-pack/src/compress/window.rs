//! The last few objects of one thread, as possible bases of the next one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Candidate, Choice, Objects, Search, chains::Chains};
use crate::{Deflater, DeltaIndex, ReadError, create};

/// An object in the window.
struct Slot {
    number: u32,
    bytes: Vec<u8>,
    /// Made when the first object is compared with this one.
    index: Option<DeltaIndex>,
    depth: u32,
}

impl Slot {
    fn memory(&self) -> usize {
        self.bytes.capacity() + self.index.as_ref().map_or(0, DeltaIndex::bytes)
    }
}

pub(super) struct Window<'a, O: ?Sized> {
    candidates: &'a [Candidate],
    objects: &'a O,
    search: &'a Search,
    /// Bytes that the slots may take.
    share: usize,
    chains: &'a Chains,
    /// Bytes of compressed deltas that all threads keep.
    kept: &'a AtomicUsize,
    /// The most promising one last.
    slots: VecDeque<Slot>,
    deflater: Deflater,
    pub(super) found: Vec<(u32, Choice)>,
}

/// The best delta so far.
struct Best {
    slot: usize,
    depth: u32,
    delta: Vec<u8>,
}

impl<'a, O: Objects + ?Sized> Window<'a, O> {
    pub(super) fn new(
        candidates: &'a [Candidate],
        objects: &'a O,
        search: &'a Search,
        share: usize,
        chains: &'a Chains,
        kept: &'a AtomicUsize,
    ) -> Self {
        let (slots, found, deflater) = (VecDeque::new(), Vec::new(), Deflater::new());
        Self { candidates, objects, search, share, chains, kept, slots, deflater, found }
    }

    /// Looks for deltas of some objects that are next to each other in the order.
    pub(super) fn segment(&mut self, numbers: &[u32], progress: &dyn Fn(usize) -> bool) -> Result<(), ReadError> {
        self.slots.clear();
        let mut before = None;
        for numbers in numbers.chunks(64) {
            for number in numbers {
                let kind = self.candidates.get(*number as usize).map(|candidate| candidate.kind);
                if before != kind {
                    self.slots.clear();
                }
                before = kind;
                self.object(*number)?;
            }
            if !progress(numbers.len()) {
                return Err("ended".into());
            }
        }
        Ok(())
    }

    fn object(&mut self, number: u32) -> Result<(), ReadError> {
        let target = self.objects.read(number)?;
        let best = self.best(number, &target);
        let mut depth = 0;
        if let Some(Best { slot, depth: found, delta }) = best
            && let Some(slot) = self.slots.remove(slot)
        {
            depth = found;
            let mut stream = Vec::with_capacity(delta.len() / 2 + 64);
            self.deflater.deflate(&delta, &mut stream);
            stream.shrink_to_fit();
            let kept = self.kept.fetch_add(stream.len(), Ordering::Relaxed) + stream.len() <= self.search.kept_bytes;
            if !kept {
                self.kept.fetch_sub(stream.len(), Ordering::Relaxed);
            }
            let stream = kept.then_some(stream);
            self.found.push((number, Choice::Delta { base: slot.number, bytes: delta.len() as u64, stream }));
            // What was a good base for this one may be one for the next.
            self.slots.push_back(slot);
        }
        let slot = Slot { number, bytes: target, index: None, depth };
        if depth < self.search.depth {
            // Its base is nearer to the objects that follow than it is itself, as it is the larger one.
            let behind = usize::from(depth > 0).min(self.slots.len());
            self.slots.insert(self.slots.len() - behind, slot);
        }
        while self.slots.len() > self.search.window {
            self.slots.pop_front();
        }
        while self.slots.iter().map(Slot::memory).sum::<usize>() > self.share / 2 && self.slots.len() > 1 {
            self.slots.pop_front();
        }
        Ok(())
    }

    /// The delta that is worth most: a deep chain has to be worth it.
    fn best(&mut self, number: u32, target: &[u8]) -> Option<Best> {
        let depth_max = self.search.depth.saturating_sub(self.chains.height(number));
        let size = target.len() as u64;
        let candidates = self.candidates;
        let island = |number: u32| candidates.get(number as usize).is_some_and(|candidate| candidate.island);
        let mut best: Option<Best> = None;
        for (at, slot) in self.slots.iter_mut().enumerate().rev() {
            if slot.depth >= depth_max || island(number) && !island(slot.number) {
                continue;
            }
            // The deeper the base, the smaller the delta has to be.
            let (limit, depth) = match &best {
                None => ((size / 2).saturating_sub(20), 1),
                Some(best) => (best.delta.len() as u64, best.depth),
            };
            let limit =
                limit * u64::from(depth_max - slot.depth) / u64::from((depth_max + 1).saturating_sub(depth).max(1));
            let base = slot.bytes.len() as u64;
            // What the base does not have is new; and of a base that is much larger, little is used.
            if limit < 8 || size.saturating_sub(base) >= limit || size < base / 32 {
                continue;
            }
            let index = slot.index.get_or_insert_with(|| DeltaIndex::new(&slot.bytes));
            let Some(delta) = create(index, &slot.bytes, target, usize::try_from(limit).unwrap_or(usize::MAX)) else {
                continue;
            };
            let better =
                best.as_ref().is_none_or(|best| (delta.len(), slot.depth + 1) < (best.delta.len(), best.depth));
            if better {
                best = Some(Best { slot: at, depth: slot.depth + 1, delta });
            }
        }
        best
    }
}
