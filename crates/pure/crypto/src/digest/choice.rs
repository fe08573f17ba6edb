//! Which code hashes: what the processor runs, and for long data what ran quickest on it.
//!
//! Whether rounds go better in scalar registers or partly in vectors depends on how long this processor's vector
//! instructions take, and there is no asking for that. All kinds give the same digests, so the stopwatch below decides
//! about time and about nothing else: it is the one clock that the crates on `pure` read.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::vector::{BLOCK, Kind};

/// From how many blocks in one piece on it pays to find out: half a MiB, a few times what finding out takes.
const LONG: usize = 4096;

/// How many blocks each kind is tried with, and how often in turn; the best times count.
const TRIED: usize = 64;
const TRIES: usize = 5;

static QUICKEST: OnceLock<Option<Kind>> = OnceLock::new();

/// Whether there is code for this processor.
pub(super) fn any() -> bool {
    !Kind::available().is_empty()
}

/// The kind for so many blocks in one piece.
pub(super) fn kind(blocks: usize) -> Option<Kind> {
    let any = || Kind::available().first().copied();
    if blocks < LONG { QUICKEST.get().copied().unwrap_or_else(any) } else { *QUICKEST.get_or_init(quickest) }
}

/// Tries every kind, in some hundred microseconds.
fn quickest() -> Option<Kind> {
    let kinds = Kind::available();
    let mut best = vec![Duration::MAX; kinds.len()];
    let blocks = [[0; BLOCK]; TRIED];
    for _ in 0..TRIES {
        for (kind, best) in kinds.iter().zip(&mut best) {
            let begun = Instant::now();
            let mut state = [0; 8];
            kind.compress(&mut state, std::hint::black_box(&blocks));
            std::hint::black_box(state);
            *best = begun.elapsed().min(*best);
        }
    }
    kinds.iter().zip(best).min_by_key(|(_, time)| *time).map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_data_is_hashed_by_a_kind_that_this_processor_runs_and_short_data_then_too() {
        let long = kind(LONG);
        assert_eq!(long.is_some(), any());
        assert!(long.is_none_or(|kind| Kind::available().contains(&kind)));
        assert_eq!(kind(1), long);
    }
}
