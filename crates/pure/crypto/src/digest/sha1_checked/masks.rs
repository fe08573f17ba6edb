//! Which disturbance vectors each of some blocks may belong to. All blocks are looked at together, in vectors.
#![expect(unsafe_code, reason = "code for one kind of processor may be called only after asking for that kind")]
#![expect(clippy::indexing_slicing, reason = "every index is a constant or counted within the arrays' bounds")]

use super::conditions::{CONDITIONS, Condition, WORDS};
use super::{Block, LANES};

/// The disturbance vectors of up to [`LANES`] blocks, a bit each. Zero: the block collides with none that is known.
pub(super) fn masks(blocks: &[Block]) -> [u32; LANES] {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            // SAFETY: the processor has what the function was compiled for.
            return unsafe { masks_avx512(blocks) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { masks_avx2(blocks) };
        }
    }
    compute(blocks)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
fn masks_avx512(blocks: &[Block]) -> [u32; LANES] {
    compute(blocks)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn masks_avx2(blocks: &[Block]) -> [u32; LANES] {
    compute(blocks)
}

/// One word of each block.
type Words = [u32; LANES];

#[inline(always)]
fn compute(blocks: &[Block]) -> [u32; LANES] {
    let mut words = [[0_u32; LANES]; WORDS];
    for (lane, block) in blocks.iter().enumerate().take(LANES) {
        for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
            word[lane] = u32::from_be_bytes(*bytes);
        }
    }
    for t in 16..WORDS {
        let (one, two, three, four) = (words[t - 3], words[t - 8], words[t - 14], words[t - 16]);
        let word = &mut words[t];
        for lane in 0..LANES {
            word[lane] = (one[lane] ^ two[lane] ^ three[lane] ^ four[lane]).rotate_left(1);
        }
    }
    let mut masks = [u32::MAX; LANES];
    // Not a loop: with constants, a condition takes five instructions for all blocks.
    macro_rules! conditions {
        ($($tens:literal)*) => {
            $(
                condition::<{ 10 * $tens }>(&words, &mut masks);
                condition::<{ 10 * $tens + 1 }>(&words, &mut masks);
                condition::<{ 10 * $tens + 2 }>(&words, &mut masks);
                condition::<{ 10 * $tens + 3 }>(&words, &mut masks);
                condition::<{ 10 * $tens + 4 }>(&words, &mut masks);
                condition::<{ 10 * $tens + 5 }>(&words, &mut masks);
                condition::<{ 10 * $tens + 6 }>(&words, &mut masks);
                condition::<{ 10 * $tens + 7 }>(&words, &mut masks);
                condition::<{ 10 * $tens + 8 }>(&words, &mut masks);
                condition::<{ 10 * $tens + 9 }>(&words, &mut masks);
            )*
        };
    }
    const { assert!(CONDITIONS.len() <= 160, "all conditions have their turn") };
    conditions!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    masks
}

/// Takes the vectors of one condition from those blocks that break it.
#[inline(always)]
fn condition<const NUMBER: usize>(words: &[Words; WORDS], masks: &mut Words) {
    const LAST: usize = CONDITIONS.len() - 1;
    if NUMBER > LAST {
        return;
    }
    let Condition { words: [one, other], bits: [bit, other_bit], differ, vectors } =
        const { &CONDITIONS[if NUMBER > LAST { LAST } else { NUMBER }] };
    let (one, other) = (&words[*one as usize], &words[*other as usize]);
    // The bits become signs, and those all bits of a word.
    let (shift, other_shift) = (31 - *bit as u32 % 32, 31 - *other_bit as u32 % 32);
    let (flip, others) = (if *differ { u32::MAX } else { 0 }, !vectors);
    for lane in 0..LANES {
        let broken = ((one[lane] << shift ^ other[lane] << other_shift) as i32 >> 31) as u32 ^ flip;
        masks[lane] &= !broken | others;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_code_finds_the_same() {
        let mut state = 7_u32;
        let mut found = 0;
        for count in (1..=LANES).cycle().take(300) {
            let mut blocks = [[0; 64]; LANES];
            blocks.iter_mut().flatten().for_each(|byte| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (state >> 24) as u8;
            });
            let blocks = &blocks[..count];
            let (one, other) = (masks(blocks), compute(blocks));
            assert_eq!(one[..count], other[..count]);
            for (block, mask) in blocks.iter().zip(one) {
                assert_eq!(compute(&[*block])[0], mask);
                found += u32::from(mask != 0);
            }
        }
        assert!(found > 50, "some blocks need a closer look, and few: {found}");
        assert!(found < 400, "{found}");
    }
}
