//! The compression function of SHA-384 and SHA-512 for processors with AVX2 or AVX-512: four blocks' message
//! schedules are computed in vectors while the rounds of the four blocks before run.
//!
//! It is here because it is more than half as fast again as the provider's, which is written for other processors; the
//! numbers are in `docs/adr/0012-sha-384-for-signed-messages.md`. It is for public data: nothing is zeroised.
#![expect(unsafe_code, reason = "code for one kind of processor may be called only after asking for that kind")]
#![expect(clippy::indexing_slicing, reason = "every index is a constant or counted within the arrays' bounds")]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_permute2x128_si256, _mm256_ror_epi64, _mm256_set_epi8, _mm256_set_epi64x,
    _mm256_set1_epi64x, _mm256_shuffle_epi8, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_ternarylogic_epi64,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi64, _mm256_xor_si256,
};
use std::array::from_fn;
use std::mem::{swap, transmute};

use super::constants::K;
use super::rounds::{Fewest, LANES, Mixed, Rounds, Shortest, Word};

/// A block's length in bytes.
pub(super) const BLOCK: usize = 128;

const ROUNDS: usize = K.len();

type Blocks = [[u8; BLOCK]; LANES];

/// Intermediate values. They stay out of the frames of the functions that compute: those that keep vectors
/// aligned have a register less, and the rounds take them all.
struct Work {
    /// The words of four blocks' schedules.
    words: Words,
    /// The same with constants added, which is what rounds take in: of the blocks whose turn it is, and of the next.
    scheduled: [Words; 2],
}

#[repr(align(64))]
struct Words([Word; ROUNDS]);

impl Work {
    const fn new() -> Self {
        const { Self { words: Words::new(), scheduled: [Words::new(), Words::new()] } }
    }
}

impl Words {
    const fn new() -> Self {
        Self([[0; LANES]; ROUNDS])
    }

    /// The words for eight rounds from number `8 * eighth` on.
    #[inline(always)]
    fn eight(&self, eighth: usize) -> &[Word; 8] {
        &self.0.as_chunks().0[eighth]
    }
}

/// The kinds of code that there are: what the schedules take, and the form of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Avx2Fewest,
    Avx2Shortest,
    Avx512Fewest,
    Avx512Shortest,
    Avx512Mixed,
}

impl Kind {
    /// The kinds that this processor runs. Which one is the quickest only a run can tell.
    pub(super) fn available() -> &'static [Self] {
        let avx2 =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
        let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
        match (avx2, avx512) {
            (true, true) => &[Self::Avx512Fewest, Self::Avx512Shortest, Self::Avx512Mixed],
            (true, false) => &[Self::Avx2Fewest, Self::Avx2Shortest],
            (false, _) => &[],
        }
    }

    /// Takes `blocks` into `state`.
    pub(super) fn compress(self, state: &mut [u64; 8], blocks: &[[u8; BLOCK]]) {
        let work = &mut Work::new();
        match self {
            // SAFETY: only `available` hands out values outside of tests, where the processor has what the function
            // and the form of its rounds need.
            Self::Avx2Fewest => unsafe { avx2::compress::<Fewest>(state, blocks, work) },
            // SAFETY: as above.
            Self::Avx2Shortest => unsafe { avx2::compress::<Shortest>(state, blocks, work) },
            // SAFETY: as above.
            Self::Avx512Fewest => unsafe { avx512::compress::<Fewest>(state, blocks, work) },
            // SAFETY: as above.
            Self::Avx512Shortest => unsafe { avx512::compress::<Shortest>(state, blocks, work) },
            // SAFETY: as above.
            Self::Avx512Mixed => unsafe { avx512::compress::<Mixed>(state, blocks, work) },
        }
    }
}

/// The compression of many blocks, compiled for a kind of processor with the rotations that it does best.
macro_rules! compression {
    ($kind:ident, $features:literal, $sigma_0:ident, $sigma_1:ident) => {
        mod $kind {
            use super::*;

            /// # Safety
            /// The processor has what the form of the rounds needs.
            #[target_feature(enable = $features)]
            pub(super) unsafe fn compress<R: Rounds>(state: &mut [u64; 8], blocks: &[[u8; BLOCK]], work: &mut Work) {
                let (groups, rest) = blocks.as_chunks::<LANES>();
                let Work { words, scheduled: [now, next] } = work;
                let (mut now, mut next) = (now, next);
                if let Some(first) = groups.first() {
                    schedule(first, words, now);
                }
                for index in 0..groups.len() {
                    let Some(following) = groups.get(index + 1) else {
                        // SAFETY: the caller's.
                        (0..LANES).for_each(|lane| unsafe { rounds::<R>(state, now, lane) });
                        break;
                    };
                    load(following, words, next);
                    for lane in 0..LANES {
                        let mut rounds = R::begin(state);
                        for eighth in 0..2 {
                            // SAFETY: the caller's.
                            rounds = unsafe { rounds.eight(now.eight(eighth), lane) };
                        }
                        // Sixteen steps in each of four blocks are the sixty-four that the following blocks need.
                        let mut step_of_next = 16 + 16 * lane;
                        for eighth in 2..ROUNDS / 8 {
                            two_steps(step_of_next, words, next);
                            step_of_next += 2;
                            // SAFETY: the caller's.
                            rounds = unsafe { rounds.eight(now.eight(eighth), lane) };
                        }
                        add(state, rounds.end());
                    }
                    swap(&mut now, &mut next);
                }
                if !rest.is_empty() {
                    let mut last = [[0; BLOCK]; LANES];
                    for (place, block) in last.iter_mut().zip(rest) {
                        *place = *block;
                    }
                    schedule(&last, words, now);
                    // SAFETY: the caller's.
                    (0..rest.len()).for_each(|lane| unsafe { rounds::<R>(state, now, lane) });
                }
            }

            /// The whole schedule of four blocks.
            #[target_feature(enable = $features)]
            fn schedule(blocks: &Blocks, words: &mut Words, scheduled: &mut Words) {
                load(blocks, words, scheduled);
                for t in (16..ROUNDS).step_by(2) {
                    two_steps(t, words, scheduled);
                }
            }

            /// Words `t` and `t + 1` of four blocks, from those before them. FIPS 180-4, section 6.4.2.
            #[target_feature(enable = $features)]
            #[inline]
            fn two_steps(t: usize, words: &mut Words, scheduled: &mut Words) {
                // One check instead of one for each word.
                assert!((16..ROUNDS - 1).contains(&t), "a word that is computed from others");
                for t in [t, t + 1] {
                    let before = |count| vector(words.0[t - count]);
                    let recent = _mm256_add_epi64(before(7), $sigma_1(before(2)));
                    let older = _mm256_add_epi64(before(16), $sigma_0(before(15)));
                    put(t, _mm256_add_epi64(older, recent), words, scheduled);
                }
            }
        }
    };
}

compression!(avx2, "avx2,bmi1,bmi2", sigma_0, sigma_1);
compression!(avx512, "avx512f,avx512vl,avx2,bmi1,bmi2", rotating_sigma_0, rotating_sigma_1);

/// All rounds of one lane, with nothing in between.
///
/// # Safety
/// The processor has what the form of the rounds needs.
#[inline]
unsafe fn rounds<R: Rounds>(state: &mut [u64; 8], scheduled: &Words, lane: usize) {
    let mut rounds = R::begin(state);
    for eighth in 0..ROUNDS / 8 {
        // SAFETY: the caller's.
        rounds = unsafe { rounds.eight(scheduled.eight(eighth), lane) };
    }
    add(state, rounds.end());
}

#[inline(always)]
fn add(state: &mut [u64; 8], words: [u64; 8]) {
    for (word, add) in state.iter_mut().zip(words) {
        *word = word.wrapping_add(add);
    }
}

/// The first sixteen words of four blocks.
#[target_feature(enable = "avx2")]
#[inline]
fn load(blocks: &Blocks, words: &mut Words, scheduled: &mut Words) {
    let big_endian =
        _mm256_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607);
    for quarter in 0..4 {
        let [first, second, third, fourth] = blocks.each_ref().map(|block| {
            let words = block.as_chunks::<32>().0[quarter].as_chunks::<8>().0;
            let words = from_fn(|at| u64::from_le_bytes(words[at]));
            _mm256_shuffle_epi8(vector(words), big_endian)
        });
        // From four words of one block in each vector to one word of four blocks.
        let (even, odd) = (_mm256_unpacklo_epi64(first, second), _mm256_unpackhi_epi64(first, second));
        let (even_too, odd_too) = (_mm256_unpacklo_epi64(third, fourth), _mm256_unpackhi_epi64(third, fourth));
        let across = [
            _mm256_permute2x128_si256::<0x20>(even, even_too),
            _mm256_permute2x128_si256::<0x20>(odd, odd_too),
            _mm256_permute2x128_si256::<0x31>(even, even_too),
            _mm256_permute2x128_si256::<0x31>(odd, odd_too),
        ];
        for (t, word) in (4 * quarter..).zip(across) {
            put(t, word, words, scheduled);
        }
    }
}

/// Puts word `t` in its place, and its sum with the constant into the schedule.
#[target_feature(enable = "avx2")]
#[inline]
fn put(t: usize, word: __m256i, words: &mut Words, scheduled: &mut Words) {
    words.0[t] = lanes(word);
    scheduled.0[t] = lanes(_mm256_add_epi64(word, _mm256_set1_epi64x(K[t].cast_signed())));
}

#[inline(always)]
fn vector(word: Word) -> __m256i {
    // SAFETY: both are 32 bytes, for which every value is valid.
    unsafe { transmute::<Word, __m256i>(word) }
}

#[inline(always)]
fn lanes(vector: __m256i) -> Word {
    // SAFETY: as above.
    unsafe { transmute::<__m256i, Word>(vector) }
}
/// Rotations by 1 and 8, and a shift by 7.
#[target_feature(enable = "avx2")]
#[inline]
fn sigma_0(x: __m256i) -> __m256i {
    let bytes_rotated = _mm256_set_epi8(
        8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1, 8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1,
    );
    let by_1 = _mm256_xor_si256(_mm256_srli_epi64(x, 1), _mm256_slli_epi64(x, 63));
    let by_8 = _mm256_shuffle_epi8(x, bytes_rotated);
    _mm256_xor_si256(_mm256_xor_si256(by_1, by_8), _mm256_srli_epi64(x, 7))
}

/// Rotations by 19 and 61, and a shift by 6.
#[target_feature(enable = "avx2")]
#[inline]
fn sigma_1(x: __m256i) -> __m256i {
    let by_19 = _mm256_xor_si256(_mm256_srli_epi64(x, 19), _mm256_slli_epi64(x, 45));
    let by_61 = _mm256_xor_si256(_mm256_srli_epi64(x, 61), _mm256_slli_epi64(x, 3));
    _mm256_xor_si256(_mm256_xor_si256(by_19, by_61), _mm256_srli_epi64(x, 6))
}

/// As [`sigma_0`], with the rotations that AVX-512 has.
#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn rotating_sigma_0(x: __m256i) -> __m256i {
    _mm256_ternarylogic_epi64::<XOR>(_mm256_ror_epi64::<1>(x), _mm256_ror_epi64::<8>(x), _mm256_srli_epi64::<7>(x))
}

/// As [`sigma_1`], with the rotations that AVX-512 has.
#[target_feature(enable = "avx512f,avx512vl")]
#[inline]
fn rotating_sigma_1(x: __m256i) -> __m256i {
    _mm256_ternarylogic_epi64::<XOR>(_mm256_ror_epi64::<19>(x), _mm256_ror_epi64::<61>(x), _mm256_srli_epi64::<6>(x))
}

/// The truth table of an exclusive or of three.
const XOR: i32 = 0x96;
