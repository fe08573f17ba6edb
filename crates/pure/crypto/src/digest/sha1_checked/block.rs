//! One block that may have been made to collide: would another one, with a known difference, give the same state?
//!
//! Rare, so it is written to be read. Knows no other blocks.

#![expect(clippy::indexing_slicing, reason = "every index is counted within the arrays' bounds")]

use std::sync::LazyLock;

use super::Block;
use super::conditions::VECTORS;

/// Steps of the compression function.
pub(super) const STEPS: usize = 80;

type State = [u32; 5];
pub(super) type Schedule = [u32; STEPS];

/// A disturbance vector of the paper's notation, type I or II, with `k` and `b`.
pub(super) struct Vector {
    pub(super) second_type: bool,
    pub(super) k: u8,
    pub(super) b: u8,
    /// A step before which both messages have the same state.
    pub(super) same_before: u8,
}

/// The differences of all vectors.
static DIFFERENCES: LazyLock<[Schedule; 32]> = LazyLock::new(|| VECTORS.each_ref().map(Vector::differences));

/// The words before the first of a disturbance that local collisions depend on.
const BEFORE: usize = 5;

impl Vector {
    /// The differences of the words of two messages with that disturbance vector.
    pub(super) fn differences(&self) -> Schedule {
        let (k, b) = (usize::from(self.k) + BEFORE, u32::from(self.b));
        let mut disturbance = [0_u32; STEPS + BEFORE];
        if self.second_type {
            disturbance[k + 1] = 1 << ((31 + b) % 32);
            disturbance[k + 3] = 1 << ((31 + b) % 32);
        }
        disturbance[k + 15] = 1 << b;
        // It fulfils the recurrence of the message schedule, in both directions.
        for t in k + 16..STEPS + BEFORE {
            let word = disturbance[t - 3] ^ disturbance[t - 8] ^ disturbance[t - 14] ^ disturbance[t - 16];
            disturbance[t] = word.rotate_left(1);
        }
        for t in (0..k).rev() {
            let word = disturbance[t + 16].rotate_right(1);
            disturbance[t] = word ^ disturbance[t + 13] ^ disturbance[t + 8] ^ disturbance[t + 2];
        }
        // Each disturbance is followed by five corrections: a local collision.
        std::array::from_fn(|step| {
            let at = |back: usize, by: u32| disturbance[step + BEFORE - back].rotate_left(by);
            at(0, 0) ^ at(1, 5) ^ at(2, 0) ^ at(3, 30) ^ at(4, 30) ^ at(5, 30)
        })
    }
}

/// The words of all steps.
fn schedule(block: &Block) -> Schedule {
    let mut words = [0; STEPS];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for t in 16..STEPS {
        words[t] = (words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16]).rotate_left(1);
    }
    words
}

/// The mix of a step, with its constant.
#[inline(always)]
fn mixed(step: usize, b: u32, c: u32, d: u32) -> u32 {
    let (mixed, constant) = match step / 20 {
        0 => (d ^ b & (c ^ d), 0x5a82_7999_u32),
        1 => (b ^ c ^ d, 0x6ed9_eba1),
        2 => (b & c | d & (b | c), 0x8f1b_bcdc),
        _ => (b ^ c ^ d, 0xca62_c1d6),
    };
    mixed.wrapping_add(constant)
}

#[inline(always)]
fn forward(words: &Schedule, steps: std::ops::Range<usize>, mut state: State) -> State {
    for step in steps {
        let [a, b, c, d, e] = state;
        let sum = a.rotate_left(5).wrapping_add(mixed(step, b, c, d)).wrapping_add(e).wrapping_add(words[step]);
        state = [sum, a, b.rotate_left(30), c, d];
    }
    state
}

#[inline(always)]
fn backward(words: &Schedule, steps: std::ops::Range<usize>, mut state: State) -> State {
    for step in steps.rev() {
        let [sum, a, b, c, d] = state;
        let b = b.rotate_right(30);
        let e = sum.wrapping_sub(a.rotate_left(5)).wrapping_sub(mixed(step, b, c, d)).wrapping_sub(words[step]);
        state = [a, b, c, d, e];
    }
    state
}

/// From the step where both messages have the same state to the end.
fn forward_from(words: &Schedule, same: usize, mut state: State) -> State {
    if same == 58 {
        state = forward(words, 58..60, state);
        state = forward(words, 60..65, state);
    }
    forward(words, 65..STEPS, state)
}

/// From the beginning to the step where both messages have the same state.
fn forward_to(words: &Schedule, same: usize, mut state: State) -> State {
    state = forward(words, 0..20, state);
    state = forward(words, 20..40, state);
    state = forward(words, 40..58, state);
    if same == 65 {
        state = forward(words, 58..60, state);
        state = forward(words, 60..65, state);
    }
    state
}

/// And back again.
fn backward_from(words: &Schedule, same: usize, mut state: State) -> State {
    if same == 65 {
        state = backward(words, 60..65, state);
        state = backward(words, 58..60, state);
    }
    state = backward(words, 40..58, state);
    state = backward(words, 20..40, state);
    backward(words, 0..20, state)
}

/// Whether a block that takes `start` to `end` is one of two that end in the same state, for a disturbance vector of
/// `mask`.
#[cold]
pub(super) fn collides(block: &Block, mask: u32, start: &State, end: &State) -> bool {
    let words = schedule(block);
    let mut at = [None::<State>; 2];
    let mut left = mask;
    while left != 0 {
        let number = left.trailing_zeros() as usize;
        left &= left - 1;
        let same = usize::from(VECTORS[number].same_before);
        let known = &mut at[usize::from(same == 65)];
        let state = *known.get_or_insert_with(|| forward_to(&words, same, *start));
        let mut other = words;
        for (word, difference) in other.iter_mut().zip(&DIFFERENCES[number]) {
            *word ^= difference;
        }
        let first = backward_from(&other, same, state);
        let last = forward_from(&other, same, state);
        if first.iter().zip(last).zip(end).all(|((first, last), end)| first.wrapping_add(last) == *end) {
            return true;
        }
    }
    false
}
