//! Which lines two files do not share, by Myers' algorithm.
//!
//! Owns the search and the shortcuts that git's takes, so that the answers are the same. Refuses to know lines: equal ones
//! have one number.
//!
//! Sources: E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), with the linear space refinement; the
//! shortcuts are those of LibXDiff.

use std::ops::Range;

/// Matched lines in a row that are worth following.
const SNAKE: i64 = 20;
/// Cost from which shortcuts are taken.
const SHORTCUT_COST_MIN: i64 = 256;
/// How much further than its cost a path has to be to be taken at once.
const GOOD_FACTOR: i64 = 4;
/// Lines that are looked at to judge whether a frequent line means anything.
const WINDOW: usize = 100;
/// Occurrences from which a line is frequent in any file.
const FREQUENT_MAX: u64 = 1024;

/// Behind the last line of any file, with room to count further.
const OUTSIDE: i64 = i64::MAX / 4;

/// Steps that are taken at most to compare two files. A step takes some nanoseconds; texts of which each line is often in
/// both can take very many.
const STEPS_MAX: u64 = 400_000_000;

/// How often each line is in each file, kept between searches, all zeros; and the steps that are left for all of them.
pub(super) struct Counts(Vec<[u32; 2]>, u64);

impl Counts {
    /// For lines numbered below `numbers`.
    pub(super) fn new(numbers: usize) -> Self {
        Self(vec![[0; 2]; numbers], STEPS_MAX)
    }

    fn of(&self, line: u32) -> [u32; 2] {
        self.0.get(line as usize).copied().unwrap_or_default()
    }

    fn of_mut(&mut self, line: u32) -> Option<&mut [u32; 2]> {
        self.0.get_mut(line as usize)
    }
}

/// Marks the lines of `a` and `b` that the other does not have, or not there.
pub(super) fn mark(a: &[u32], b: &[u32], changed_a: &mut [bool], changed_b: &mut [bool], counts: &mut Counts) {
    for line in a {
        counts.of_mut(*line).into_iter().for_each(|[count, _]| *count += 1);
    }
    for line in b {
        counts.of_mut(*line).into_iter().for_each(|[_, count]| *count += 1);
    }
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let most = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let kept_a = keep(a, start..a.len() - end, changed_a, |line| counts.of(line)[1]);
    let kept_b = keep(b, start..b.len() - end, changed_b, |line| counts.of(line)[0]);
    for line in a.iter().chain(b) {
        counts.of_mut(*line).into_iter().for_each(|counts| *counts = [0; 2]);
    }
    Search::new(a, b, &kept_a, &kept_b, &mut counts.1).run(changed_a, changed_b);
}

/// A power of two near the square root.
fn root(number: u64) -> u64 {
    1 << (u64::BITS - number.leading_zeros()).div_ceil(2)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Matches {
    None,
    Some,
    Many,
}

/// The numbers of the lines that are compared. The others are marked as changed at once: those without a match, and
/// frequent ones in the midst of those.
fn keep(lines: &[u32], within: Range<usize>, changed: &mut [bool], matches: impl Fn(u32) -> u32) -> Vec<usize> {
    let frequent = root(lines.len() as u64).min(FREQUENT_MAX);
    let start = within.start;
    let looked_at = lines.get(within).unwrap_or_default();
    let matches: Vec<Matches> = looked_at
        .iter()
        .map(|line| match u64::from(matches(*line)) {
            0 => Matches::None,
            count if count >= frequent => Matches::Many,
            _ => Matches::Some,
        })
        .collect();
    let mut kept = Vec::with_capacity(matches.len());
    for (at, which) in matches.iter().enumerate() {
        let keeps = match which {
            Matches::None => false,
            Matches::Some => true,
            Matches::Many => means_something(&matches, at),
        };
        if keeps {
            kept.push(start + at);
        } else if let Some(flag) = changed.get_mut(start + at) {
            *flag = true;
        }
    }
    kept
}

/// Whether a frequent line is to be compared: unless lines without a match are on both sides of it, and prevail.
fn means_something(matches: &[Matches], at: usize) -> bool {
    let count = |run: &mut dyn Iterator<Item = &Matches>| {
        let (mut none, mut many) = (0_usize, 0_usize);
        for which in run.take(WINDOW).take_while(|which| **which != Matches::Some) {
            if *which == Matches::None { none += 1 } else { many += 1 }
        }
        (none, many)
    };
    let (none_before, many_before) = count(&mut matches.iter().take(at).rev());
    if none_before == 0 {
        return true;
    }
    let (none_after, many_after) = count(&mut matches.iter().skip(at + 1));
    if none_after == 0 {
        return true;
    }
    let (none, many) = (none_before + none_after, many_before + many_after + 2);
    many * 4 >= many + none
}

/// The furthest lines of `a` on each diagonal (the line of `a` less the line of `b`).
struct Reach {
    lines: Vec<i64>,
    shift: i64,
}

impl Reach {
    fn get(&self, diagonal: i64) -> i64 {
        // What is negative is beyond any length as well.
        self.lines.get((diagonal + self.shift) as usize).copied().unwrap_or(-1)
    }

    fn set(&mut self, diagonal: i64, line: i64) {
        if let Some(at) = self.lines.get_mut((diagonal + self.shift) as usize) {
            *at = line;
        }
    }
}

/// A part of both files, as numbers among the lines that are compared.
#[derive(Clone, Copy)]
struct Area {
    a: (i64, i64),
    b: (i64, i64),
    /// No shortcuts.
    minimal: bool,
}

/// Where to cut an area in two, and whether either half is to be searched without shortcuts.
struct Cut {
    a: i64,
    b: i64,
    minimal: (bool, bool),
}

struct Search<'a> {
    a: Vec<u32>,
    b: Vec<u32>,
    kept_a: &'a [usize],
    kept_b: &'a [usize],
    forward: Reach,
    backward: Reach,
    cost_max: i64,
    steps_left: &'a mut u64,
}

impl<'a> Search<'a> {
    fn new(a: &[u32], b: &[u32], kept_a: &'a [usize], kept_b: &'a [usize], steps_left: &'a mut u64) -> Self {
        let pick =
            |lines: &[u32], kept: &[usize]| kept.iter().filter_map(|at| lines.get(*at).copied()).collect::<Vec<u32>>();
        let diagonals = kept_a.len() + kept_b.len() + 3;
        let reach = || Reach { lines: vec![0; diagonals + 1], shift: kept_b.len() as i64 + 1 };
        let cost_max = (root(diagonals as u64) as i64).max(SHORTCUT_COST_MIN);
        let (forward, backward) = (reach(), reach());
        Self { a: pick(a, kept_a), b: pick(b, kept_b), kept_a, kept_b, forward, backward, cost_max, steps_left }
    }

    fn same(&self, a: i64, b: i64) -> bool {
        self.a.get(a as usize).is_some_and(|line| self.b.get(b as usize) == Some(line))
    }

    fn run(mut self, changed_a: &mut [bool], changed_b: &mut [bool]) {
        let whole = Area { a: (0, self.a.len() as i64), b: (0, self.b.len() as i64), minimal: false };
        let mut areas = vec![whole];
        while let Some(mut area) = areas.pop() {
            while area.a.0 < area.a.1 && area.b.0 < area.b.1 && self.same(area.a.0, area.b.0) {
                (area.a.0, area.b.0) = (area.a.0 + 1, area.b.0 + 1);
            }
            while area.a.0 < area.a.1 && area.b.0 < area.b.1 && self.same(area.a.1 - 1, area.b.1 - 1) {
                (area.a.1, area.b.1) = (area.a.1 - 1, area.b.1 - 1);
            }
            if *self.steps_left == 0 {
                // Not the least change, but one.
                set_all(self.kept_a, area.a, changed_a);
                set_all(self.kept_b, area.b, changed_b);
            } else if area.a.0 == area.a.1 {
                set_all(self.kept_b, area.b, changed_b);
            } else if area.b.0 == area.b.1 {
                set_all(self.kept_a, area.a, changed_a);
            } else {
                let cut = self.cut(&area);
                areas.push(Area { a: (cut.a, area.a.1), b: (cut.b, area.b.1), minimal: cut.minimal.1 });
                areas.push(Area { a: (area.a.0, cut.a), b: (area.b.0, cut.b), minimal: cut.minimal.0 });
            }
        }
    }

    /// Searches from both corners until the paths meet, or one is good enough, or it has cost too much.
    fn cut(&mut self, area: &Area) -> Cut {
        let (least, most) = (area.a.0 - area.b.1, area.a.1 - area.b.0);
        let (first, last) = (area.a.0 - area.b.0, area.a.1 - area.b.1);
        let odd = (first - last) % 2 != 0;
        let (mut forward, mut backward) = ((first, first), (last, last));
        self.forward.set(first, area.a.0);
        self.backward.set(last, area.a.1);
        let met = |(a, diagonal)| Cut { a, b: a - diagonal, minimal: (true, true) };
        for cost in 1.. {
            let mut good = false;
            widen(&mut forward, least, most, &mut self.forward, -1);
            let meets = odd.then_some(backward);
            if let Some(point) = self.go_forward(area, forward, meets, &mut good) {
                return met(point);
            }
            widen(&mut backward, least, most, &mut self.backward, OUTSIDE);
            let meets = (!odd).then_some(forward);
            if let Some(point) = self.go_backward(area, backward, meets, &mut good) {
                return met(point);
            }
            let steps = (forward.1 - forward.0 + backward.1 - backward.0 + 2).unsigned_abs() / 2;
            *self.steps_left = self.steps_left.saturating_sub(steps);
            if *self.steps_left == 0 {
                return self.furthest(area, forward, backward);
            }
            if area.minimal {
                continue;
            }
            if good && cost > SHORTCUT_COST_MIN {
                if let Some((a, diagonal)) = self.good_forward(area, forward, first, cost) {
                    return Cut { a, b: a - diagonal, minimal: (true, false) };
                }
                if let Some((a, diagonal)) = self.good_backward(area, backward, last, cost) {
                    return Cut { a, b: a - diagonal, minimal: (false, true) };
                }
            }
            if cost >= self.cost_max {
                return self.furthest(area, forward, backward);
            }
        }
        // Not reached: the costs end before the numbers do.
        Cut { a: area.a.0, b: area.b.1, minimal: (true, true) }
    }

    /// One step on every other diagonal. Returns where it meets the paths that come the other way.
    fn go_forward(
        &mut self,
        area: &Area,
        on: (i64, i64),
        meets: Option<(i64, i64)>,
        good: &mut bool,
    ) -> Option<(i64, i64)> {
        let mut diagonal = on.1;
        while diagonal >= on.0 {
            let (below, above) = (self.forward.get(diagonal - 1), self.forward.get(diagonal + 1));
            let start = if below >= above { below + 1 } else { above };
            let mut a = start;
            while a < area.a.1 && a - diagonal < area.b.1 && self.same(a, a - diagonal) {
                a += 1;
            }
            *good |= a - start > SNAKE;
            self.forward.set(diagonal, a);
            if meets.is_some_and(|(low, high)| low <= diagonal && diagonal <= high && self.backward.get(diagonal) <= a)
            {
                return Some((a, diagonal));
            }
            diagonal -= 2;
        }
        None
    }

    fn go_backward(
        &mut self,
        area: &Area,
        on: (i64, i64),
        meets: Option<(i64, i64)>,
        good: &mut bool,
    ) -> Option<(i64, i64)> {
        let mut diagonal = on.1;
        while diagonal >= on.0 {
            let (below, above) = (self.backward.get(diagonal - 1), self.backward.get(diagonal + 1));
            let start = if below < above { below } else { above - 1 };
            let mut a = start;
            while a > area.a.0 && a - diagonal > area.b.0 && self.same(a - 1, a - diagonal - 1) {
                a -= 1;
            }
            *good |= start - a > SNAKE;
            self.backward.set(diagonal, a);
            if meets.is_some_and(|(low, high)| low <= diagonal && diagonal <= high && a <= self.forward.get(diagonal)) {
                return Some((a, diagonal));
            }
            diagonal -= 2;
        }
        None
    }

    /// The path from the start that has come furthest for its cost and ends in matched lines.
    fn good_forward(&self, area: &Area, on: (i64, i64), middle: i64, cost: i64) -> Option<(i64, i64)> {
        let (mut best, mut found) = (0, None);
        let mut diagonal = on.1;
        while diagonal >= on.0 {
            let a = self.forward.get(diagonal);
            let b = a - diagonal;
            let value = (a - area.a.0) + (b - area.b.0) - (diagonal - middle).abs();
            let within = area.a.0 + SNAKE <= a && a < area.a.1 && area.b.0 + SNAKE <= b && b < area.b.1;
            if value > GOOD_FACTOR * cost && value > best && within && (1..=SNAKE).all(|k| self.same(a - k, b - k)) {
                (best, found) = (value, Some((a, diagonal)));
            }
            diagonal -= 2;
        }
        found
    }

    fn good_backward(&self, area: &Area, on: (i64, i64), middle: i64, cost: i64) -> Option<(i64, i64)> {
        let (mut best, mut found) = (0, None);
        let mut diagonal = on.1;
        while diagonal >= on.0 {
            let a = self.backward.get(diagonal);
            let b = a - diagonal;
            let value = (area.a.1 - a) + (area.b.1 - b) - (diagonal - middle).abs();
            let within = area.a.0 < a && a <= area.a.1 - SNAKE && area.b.0 < b && b <= area.b.1 - SNAKE;
            if value > GOOD_FACTOR * cost && value > best && within && (0..SNAKE).all(|k| self.same(a + k, b + k)) {
                (best, found) = (value, Some((a, diagonal)));
            }
            diagonal -= 2;
        }
        found
    }

    /// The path of either direction that has come furthest.
    fn furthest(&self, area: &Area, forward: (i64, i64), backward: (i64, i64)) -> Cut {
        let (mut best, mut from_start) = (-1, -1);
        let mut diagonal = forward.1;
        while diagonal >= forward.0 {
            // A path may have gone out of the area by one.
            let a = self.forward.get(diagonal).min(area.a.1).min(area.b.1 + diagonal);
            let sum = 2 * a - diagonal;
            if sum > best {
                (best, from_start) = (sum, a);
            }
            diagonal -= 2;
        }
        let (mut least, mut from_end) = (i64::MAX, i64::MAX);
        let mut diagonal = backward.1;
        while diagonal >= backward.0 {
            let a = self.backward.get(diagonal).max(area.a.0).max(area.b.0 + diagonal);
            let sum = 2 * a - diagonal;
            if sum < least {
                (least, from_end) = (sum, a);
            }
            diagonal -= 2;
        }
        if (area.a.1 + area.b.1) - least < best - (area.a.0 + area.b.0) {
            Cut { a: from_start, b: best - from_start, minimal: (true, false) }
        } else {
            Cut { a: from_end, b: least - from_end, minimal: (false, true) }
        }
    }
}

/// Takes in a diagonal on either side, or leaves out one where the area ends. `outside` is never the better neighbour.
fn widen(on: &mut (i64, i64), least: i64, most: i64, reach: &mut Reach, outside: i64) {
    if on.0 > least {
        on.0 -= 1;
        reach.set(on.0 - 1, outside);
    } else {
        on.0 += 1;
    }
    if on.1 < most {
        on.1 += 1;
        reach.set(on.1 + 1, outside);
    } else {
        on.1 -= 1;
    }
}

fn set_all(kept: &[usize], (start, end): (i64, i64), changed: &mut [bool]) {
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    for at in kept.get(range).unwrap_or_default() {
        if let Some(flag) = changed.get_mut(*at) {
            *flag = true;
        }
    }
}
