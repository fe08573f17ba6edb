//! Which lines two files do not share, by the histogram algorithm.
//!
//! Owns the choice of the run of equal lines that divides the files: one whose rarest line is rare, and then a long one.
//! Refuses to know lines: equal ones have one number.
//!
//! Source: JGit's description of HistogramDiff, an extension of Bram Cohen's patience difference.

use std::ops::Range;

use super::myers::{self, Counts};

/// Occurrences of a line up to which it may divide the files.
const OCCURRENCES_MAX: u32 = 64;
/// Lines that may be looked at for each line of the files, beside `LOOKS_MIN`, before the rest is left to Myers'
/// algorithm, whose time is bounded.
const LOOKS_PER_LINE: u64 = 200;
const LOOKS_MIN: u64 = 1_000_000;

/// Marks the lines of `a` and `b` that the other does not have, or not there. Lines are numbered below `numbers`.
pub(super) fn mark(a: &[u32], b: &[u32], numbers: usize, changed_a: &mut [bool], changed_b: &mut [bool]) {
    let mut index = Index { first: vec![NONE; numbers], count: vec![0; numbers], next: vec![NONE; a.len()] };
    let mut counts = None;
    let mut looks = LOOKS_MIN + LOOKS_PER_LINE * (a.len() + b.len()) as u64;
    let mut regions = vec![(0..a.len(), 0..b.len())];
    while let Some((in_a, in_b)) = regions.pop() {
        if in_a.is_empty() || in_b.is_empty() {
            fill(changed_a, in_a);
            fill(changed_b, in_b);
            continue;
        }
        let found = if looks == 0 { Found::Frequent } else { index.find(a, b, &in_a, &in_b, &mut looks) };
        match found {
            Found::Nothing => {
                fill(changed_a, in_a);
                fill(changed_b, in_b);
            }
            Found::Frequent => {
                let counts = counts.get_or_insert_with(|| Counts::new(numbers));
                let lines = (a.get(in_a.clone()).unwrap_or_default(), b.get(in_b.clone()).unwrap_or_default());
                if let (Some(in_a), Some(in_b)) = (changed_a.get_mut(in_a), changed_b.get_mut(in_b)) {
                    myers::mark(lines.0, lines.1, in_a, in_b, counts);
                }
            }
            Found::Run { a: run_a, b: run_b } => {
                regions.push((run_a.end..in_a.end, run_b.end..in_b.end));
                regions.push((in_a.start..run_a.start, in_b.start..run_b.start));
            }
        }
    }
}

fn fill(changed: &mut [bool], range: Range<usize>) {
    changed.get_mut(range).into_iter().for_each(|flags| flags.fill(true));
}

const NONE: u32 = u32::MAX;

/// Where each line is in a region of the first file.
struct Index {
    /// By a line's number: where it is first, and how often it is there.
    first: Vec<u32>,
    count: Vec<u32>,
    /// By a line's place: where the same line is next.
    next: Vec<u32>,
}

enum Found {
    /// The regions have no line in common.
    Nothing,
    /// They have, but none that is rare enough.
    Frequent,
    /// The run of equal lines that divides them.
    Run { a: Range<usize>, b: Range<usize> },
}

impl Index {
    fn count_of(&self, lines: &[u32], at: usize) -> u32 {
        lines.get(at).and_then(|line| self.count.get(*line as usize)).copied().unwrap_or(0)
    }

    /// The place of the next occurrence.
    fn next_of(&self, at: usize) -> Option<usize> {
        self.next.get(at).filter(|next| **next != NONE).map(|next| *next as usize)
    }

    fn find(&mut self, a: &[u32], b: &[u32], in_a: &Range<usize>, in_b: &Range<usize>, looks: &mut u64) -> Found {
        let lines = a.get(in_a.clone()).unwrap_or_default();
        for (at, line) in in_a.clone().zip(lines).rev() {
            let line = *line as usize;
            if let (Some(first), Some(count)) = (self.first.get_mut(line), self.count.get_mut(line)) {
                self.next.get_mut(at).into_iter().for_each(|next| *next = *first);
                // Texts of more lines than fit in 32 bits are not compared.
                (*first, *count) = (at as u32, *count + 1);
            }
        }
        let mut best = Best { count: OCCURRENCES_MAX + 1, common: false, run: None };
        let mut at = in_b.start;
        let mut spent = (in_a.len() + in_b.len()) as u64;
        while at < in_b.end {
            at = self.look(a, b, in_a, in_b, at, &mut best, &mut spent);
        }
        *looks = looks.saturating_sub(spent);
        for line in lines {
            let line = *line as usize;
            self.first.get_mut(line).into_iter().for_each(|first| *first = NONE);
            self.count.get_mut(line).into_iter().for_each(|count| *count = 0);
        }
        match best.run {
            _ if best.common && best.count > OCCURRENCES_MAX => Found::Frequent,
            Some((a, b)) => Found::Run { a, b },
            None => Found::Nothing,
        }
    }

    /// Looks at every run that has the line at `at` of the second file. Returns the line to look at next.
    #[expect(clippy::too_many_arguments, reason = "the two files, their regions, and what is counted")]
    fn look(
        &self,
        a: &[u32],
        b: &[u32],
        in_a: &Range<usize>,
        in_b: &Range<usize>,
        at: usize,
        best: &mut Best,
        spent: &mut u64,
    ) -> usize {
        let mut following = at + 1;
        let Some(line) = b.get(at).map(|line| *line as usize) else { return following };
        let occurrences = self.count.get(line).copied().unwrap_or(0);
        if occurrences == 0 {
            return following;
        }
        best.common = true;
        if occurrences > best.count {
            return following;
        }
        let mut occurrence = self.first.get(line).map(|first| *first as usize);
        while let Some(start) = occurrence {
            let (mut run_a, mut run_b) = (start..start + 1, at..at + 1);
            let mut rarest = occurrences;
            let same = |at_a: usize, at_b: usize| a.get(at_a) == b.get(at_b);
            while in_a.start < run_a.start && in_b.start < run_b.start && same(run_a.start - 1, run_b.start - 1) {
                (run_a.start, run_b.start) = (run_a.start - 1, run_b.start - 1);
                if rarest > 1 {
                    rarest = rarest.min(self.count_of(a, run_a.start));
                }
            }
            while run_a.end < in_a.end && run_b.end < in_b.end && same(run_a.end, run_b.end) {
                if rarest > 1 {
                    rarest = rarest.min(self.count_of(a, run_a.end));
                }
                (run_a.end, run_b.end) = (run_a.end + 1, run_b.end + 1);
            }
            *spent += run_a.len() as u64;
            following = following.max(run_b.end);
            let end = run_a.end;
            if best.run.as_ref().map_or(1, |(run, _)| run.len()) < run_a.len() || rarest < best.count {
                (best.count, best.run) = (rarest, Some((run_a, run_b)));
            }
            // Occurrences inside of the run would find it again.
            occurrence = self.next_of(start);
            while occurrence.is_some_and(|next| next < end) {
                occurrence = occurrence.and_then(|next| self.next_of(next));
            }
        }
        following
    }
}

/// The best run so far.
struct Best {
    /// Occurrences of its rarest line.
    count: u32,
    /// Whether any line is in both.
    common: bool,
    run: Option<(Range<usize>, Range<usize>)>,
}
