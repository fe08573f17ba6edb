//! Deltas that are used again: which, how deep their chains are, and that no chain is a ring.

use super::Candidate;

const NONE: u32 = u32::MAX;

/// Bases, depths and heights of objects. 12 bytes an object.
pub(super) struct Chains {
    bases: Vec<u32>,
    /// The longest chain of deltas below each object.
    heights: Vec<u32>,
}

impl Chains {
    pub(super) fn new(candidates: &[Candidate], depth_max: u32) -> Self {
        let count = candidates.len() as u32;
        let fits = |candidate: &Candidate, base: u32| {
            let found = candidates.get(base as usize);
            found.is_some_and(|found| found.island || !candidate.island)
        };
        let base = |candidate: &Candidate| candidate.reusable.filter(|base| fits(candidate, *base)).unwrap_or(NONE);
        let mut bases: Vec<u32> = candidates.iter().map(base).collect();
        // 0: not seen. 1: on the way. From 2 on: its depth is known.
        let (mut depths, mut heights, mut path) = (vec![0_u32; bases.len()], vec![0_u32; bases.len()], Vec::new());
        for number in 0..count {
            let mut at = number;
            while let Some(depth) = depths.get_mut(at as usize).filter(|depth| **depth == 0) {
                *depth = 1;
                path.push(at);
                at = bases.get(at as usize).copied().unwrap_or(NONE);
            }
            let mut ring = depths.get(at as usize) == Some(&1);
            // `at` is the base of the last one on the way.
            while let Some(last) = path.pop() {
                let above = bases.get(last as usize).and_then(|base| depths.get(*base as usize)).copied();
                let depth = above.filter(|_| !ring).map_or(2, |above| above + 1);
                ring = false;
                let cut = depth - 2 > depth_max;
                let depth = if cut { 2 } else { depth };
                if let (Some(place), Some(base)) = (depths.get_mut(last as usize), bases.get_mut(last as usize)) {
                    *place = depth;
                    if depth == 2 {
                        *base = NONE;
                    }
                }
            }
        }
        for number in 0..count {
            let (mut at, mut height) = (number, 0);
            loop {
                let base = bases.get(at as usize).copied().unwrap_or(NONE);
                height += 1;
                let Some(place) = heights.get_mut(base as usize).filter(|place| **place < height) else { break };
                (*place, at) = (height, base);
            }
        }
        Self { bases, heights }
    }

    /// The base of an object whose delta is used again.
    pub(super) fn base(&self, number: u32) -> Option<u32> {
        self.bases.get(number as usize).copied().filter(|base| *base != NONE)
    }

    /// The longest chain of deltas below an object.
    pub(super) fn height(&self, number: u32) -> u32 {
        self.heights.get(number as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use git_object::Kind;

    use super::Chains;
    use crate::compress::Candidate;

    fn chains(bases: &[Option<u32>], depth_max: u32) -> Chains {
        let candidate = |reusable: &Option<u32>| Candidate {
            kind: Kind::Blob,
            size: 1,
            path: 0,
            reusable: *reusable,
            island: false,
        };
        Chains::new(&bases.iter().map(candidate).collect::<Vec<_>>(), depth_max)
    }

    #[test]
    fn rings_are_cut() {
        let bases = [Some(1), Some(2), Some(0), Some(0), Some(4), Some(9)];
        let chains = chains(&bases, 50);
        for start in 0..6 {
            let (mut at, mut steps) = (start, 0);
            while let Some(base) = chains.base(at) {
                (at, steps) = (base, steps + 1);
                assert!(steps < 6, "a ring from {start}");
            }
        }
        let kept = (0..6).filter(|number| chains.base(*number).is_some()).count();
        assert_eq!(kept, 3, "no more is cut than has to be");
        assert_eq!(chains.height(4), 0);
    }

    #[test]
    fn chains_that_are_too_long_are_cut() {
        let bases: Vec<_> = (0..100_u32).map(|number| number.checked_add(1).filter(|base| *base < 100)).collect();
        let chains = chains(&bases, 9);
        let mut lengths = Vec::new();
        for start in 0..100 {
            let (mut at, mut length) = (start, 0);
            while let Some(base) = chains.base(at) {
                (at, length) = (base, length + 1);
            }
            lengths.push(length);
        }
        assert_eq!(lengths.iter().max(), Some(&9));
        assert_eq!((0..100).filter(|number| chains.base(*number).is_none()).count(), 10);
        assert_eq!((0..100).map(|number| chains.height(number)).max(), Some(9));
    }
}
