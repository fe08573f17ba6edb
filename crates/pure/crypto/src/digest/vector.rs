//! The compression function of SHA-384 and SHA-512 for processors with AVX2 or AVX-512: four blocks' message
//! schedules are computed in vectors while the rounds of the four blocks before run in scalar registers.
//!
//! It is here because it is a third faster than the provider's, which is written for other processors; the numbers
//! are in `docs/adr/0012-sha-384-for-signed-messages.md`. It is for public data: nothing is zeroised.
#![expect(unsafe_code, reason = "code for one kind of processor may be called only after asking for that kind")]
#![expect(clippy::indexing_slicing, reason = "every index is a constant or counted within the arrays' bounds")]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_ror_epi64, _mm256_set_epi8, _mm256_set_epi64x, _mm256_set1_epi64x,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_ternarylogic_epi64,
    _mm256_xor_si256,
};

/// A block's length in bytes.
pub(super) const BLOCK: usize = 128;

const ROUNDS: usize = 80;

/// How many blocks are scheduled at once, one in each lane of a vector.
const LANES: usize = 4;

type Blocks = [[u8; BLOCK]; LANES];

/// FIPS 180-4, section 4.2.3.
const K: [u64; ROUNDS] = [
    0x428a_2f98_d728_ae22,
    0x7137_4491_23ef_65cd,
    0xb5c0_fbcf_ec4d_3b2f,
    0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019,
    0x923f_82a4_af19_4f9b,
    0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242,
    0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c,
    0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f,
    0x80de_b1fe_3b16_96b1,
    0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2,
    0xefbe_4786_384f_25e3,
    0x0fc1_9dc6_8b8c_d5b5,
    0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275,
    0x4a74_84aa_6ea6_e483,
    0x5cb0_a9dc_bd41_fbd4,
    0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210,
    0xb003_27c8_98fb_213f,
    0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2,
    0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f,
    0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc,
    0x2e1b_2138_5c26_c926,
    0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de,
    0x766a_0abb_3c77_b2a8,
    0x81c2_c92e_47ed_aee6,
    0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364,
    0xa81a_664b_bc42_3001,
    0xc24b_8b70_d0f8_9791,
    0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910,
    0xf40e_3585_5771_202a,
    0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8,
    0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99,
    0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63,
    0x4ed8_aa4a_e341_8acb,
    0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc,
    0x78a5_636f_4317_2f60,
    0x84c8_7814_a1f0_ab72,
    0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28,
    0xa450_6ceb_de82_bde9,
    0xbef9_a3f7_b2c6_7915,
    0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207,
    0xeada_7dd6_cde0_eb1e,
    0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba,
    0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae,
    0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84,
    0x32ca_ab7b_40c7_2493,
    0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6,
    0x597f_299c_fc65_7e2a,
    0x5fcb_6fab_3ad6_faec,
    0x6c44_198c_4a47_5817,
];

/// The schedules of four blocks, constants added: what the rounds take in.
type Scheduled = [[u64; LANES]; ROUNDS];

/// The kinds of processor that there is code for.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Avx2,
    Avx512,
}

impl Kind {
    /// The kind of this processor.
    pub(super) fn detect() -> Option<Self> {
        let avx2 =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
        let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
        match (avx2, avx512) {
            (true, true) => Some(Self::Avx512),
            (true, false) => Some(Self::Avx2),
            (false, _) => None,
        }
    }

    /// Takes `blocks` into `state`.
    pub(super) fn compress(self, state: &mut [u64; 8], blocks: &[[u8; BLOCK]]) {
        match self {
            // SAFETY: a value of the kind is made only where the processor has what the function is compiled for.
            Self::Avx2 => unsafe { avx2::compress(state, blocks) },
            // SAFETY: as above.
            Self::Avx512 => unsafe { avx512::compress(state, blocks) },
        }
    }
}

/// One round (FIPS 180-4, section 6.4.2). What goes into the new `a` last is kept in `sigma` for the next round, and
/// `a ^ b` in `mixed`: both shorten what the rounds wait for. The order is the one that measured best.
macro_rules! round {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $word:expr, $mixed:ident, $sigma:ident) => {
        $h = $h.wrapping_add($word);
        let chosen = $e & $f;
        let (by_41, by_18) = ($e.rotate_right(41), $e.rotate_right(18));
        $a = $a.wrapping_add($sigma);
        $h = $h.wrapping_add(chosen);
        let chosen = !$e & $g;
        let rotated = by_41 ^ by_18;
        let by_14 = $e.rotate_right(14);
        $h = $h.wrapping_add(chosen);
        let next = $a ^ $b;
        let by_39 = $a.rotate_right(39);
        $h = $h.wrapping_add(rotated ^ by_14);
        let (by_34, by_28) = ($a.rotate_right(34), $a.rotate_right(28));
        $d = $d.wrapping_add($h);
        let majority = ($mixed & next) ^ $b;
        $sigma = by_34 ^ by_39 ^ by_28;
        $h = $h.wrapping_add(majority);
        $mixed = next;
    };
}

/// Eight rounds from number `t` on, after which every variable is in its place again.
macro_rules! eight_rounds {
    ([$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident], $mixed:ident, $sigma:ident,
     $words:expr, $t:expr, $lane:expr) => {
        round!($a $b $c $d $e $f $g $h, $words[$t][$lane], $mixed, $sigma);
        round!($h $a $b $c $d $e $f $g, $words[$t + 1][$lane], $mixed, $sigma);
        round!($g $h $a $b $c $d $e $f, $words[$t + 2][$lane], $mixed, $sigma);
        round!($f $g $h $a $b $c $d $e, $words[$t + 3][$lane], $mixed, $sigma);
        round!($e $f $g $h $a $b $c $d, $words[$t + 4][$lane], $mixed, $sigma);
        round!($d $e $f $g $h $a $b $c, $words[$t + 5][$lane], $mixed, $sigma);
        round!($c $d $e $f $g $h $a $b, $words[$t + 6][$lane], $mixed, $sigma);
        round!($b $c $d $e $f $g $h $a, $words[$t + 7][$lane], $mixed, $sigma);
    };
}

/// The compression of many blocks, compiled for a kind of processor with the rotations that it does best.
macro_rules! compression {
    ($kind:ident, $features:literal, $sigma_0:ident, $sigma_1:ident) => {
        mod $kind {
            use super::*;

            #[target_feature(enable = $features)]
            pub(super) fn compress(state: &mut [u64; 8], blocks: &[[u8; BLOCK]]) {
                let (groups, rest) = blocks.as_chunks::<LANES>();
                let mut words = [_mm256_setzero_si256(); ROUNDS];
                let mut scheduled: [Scheduled; 2] = [[[0; LANES]; ROUNDS]; 2];
                let (mut now, mut next) = (0, 1);
                if let Some(first) = groups.first() {
                    schedule(first, &mut words, &mut scheduled[now]);
                }
                for index in 0..groups.len() {
                    match groups.get(index + 1) {
                        Some(following) => {
                            load(following, &mut words, &mut scheduled[next]);
                            for lane in 0..LANES {
                                let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
                                let (mut mixed, mut sigma) = (b ^ c, 0);
                                eight_rounds!([a b c d e f g h], mixed, sigma, scheduled[now], 0, lane);
                                eight_rounds!([a b c d e f g h], mixed, sigma, scheduled[now], 8, lane);
                                // Sixteen steps in each of four blocks are the sixty-four that the following blocks
                                // need.
                                let (mut t, mut step_of_next) = (16, 16 + 16 * lane);
                                for _ in 0..8 {
                                    step(step_of_next, &mut words, &mut scheduled[next]);
                                    step(step_of_next + 1, &mut words, &mut scheduled[next]);
                                    eight_rounds!([a b c d e f g h], mixed, sigma, scheduled[now], t, lane);
                                    step_of_next += 2;
                                    t += 8;
                                }
                                add(state, [a.wrapping_add(sigma), b, c, d, e, f, g, h]);
                            }
                        }
                        None => (0..LANES).for_each(|lane| rounds(state, &scheduled[now], lane)),
                    }
                    (now, next) = (next, now);
                }
                if !rest.is_empty() {
                    let mut last = [[0; BLOCK]; LANES];
                    for (place, block) in last.iter_mut().zip(rest) {
                        *place = *block;
                    }
                    schedule(&last, &mut words, &mut scheduled[now]);
                    (0..rest.len()).for_each(|lane| rounds(state, &scheduled[now], lane));
                }
            }

            /// The whole schedule of four blocks.
            #[target_feature(enable = $features)]
            fn schedule(blocks: &Blocks, words: &mut [__m256i; ROUNDS], scheduled: &mut Scheduled) {
                load(blocks, words, scheduled);
                for t in 16..ROUNDS {
                    step(t, words, scheduled);
                }
            }

            /// Word `t` of four blocks, from those before it. FIPS 180-4, section 6.4.2.
            #[target_feature(enable = $features)]
            #[inline]
            fn step(t: usize, words: &mut [__m256i; ROUNDS], scheduled: &mut Scheduled) {
                let recent = _mm256_add_epi64(words[t - 7], $sigma_1(words[t - 2]));
                let older = _mm256_add_epi64(words[t - 16], $sigma_0(words[t - 15]));
                words[t] = _mm256_add_epi64(older, recent);
                scheduled[t] = with_constant(words[t], t);
            }
        }
    };
}

compression!(avx2, "avx2,bmi1,bmi2", sigma_0, sigma_1);
compression!(avx512, "avx512f,avx512vl,avx2,bmi1,bmi2", rotating_sigma_0, rotating_sigma_1);

/// All rounds of one lane, with nothing in between.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
fn rounds(state: &mut [u64; 8], scheduled: &Scheduled, lane: usize) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    let (mut mixed, mut sigma) = (b ^ c, 0);
    for t in (0..ROUNDS).step_by(8) {
        eight_rounds!([a b c d e f g h], mixed, sigma, scheduled, t, lane);
    }
    add(state, [a.wrapping_add(sigma), b, c, d, e, f, g, h]);
}

fn add(state: &mut [u64; 8], words: [u64; 8]) {
    for (word, add) in state.iter_mut().zip(words) {
        *word = word.wrapping_add(add);
    }
}

/// The first sixteen words of four blocks.
#[target_feature(enable = "avx2")]
#[inline]
fn load(blocks: &Blocks, words: &mut [__m256i; ROUNDS], scheduled: &mut Scheduled) {
    let big_endian =
        _mm256_set_epi64x(0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f, 0x0001_0203_0405_0607);
    let blocks = blocks.each_ref().map(|block| block.as_chunks::<8>().0);
    for t in 0..16 {
        let [first, second, third, fourth] = blocks.map(|block| i64::from_le_bytes(block[t]));
        words[t] = _mm256_shuffle_epi8(_mm256_set_epi64x(fourth, third, second, first), big_endian);
        scheduled[t] = with_constant(words[t], t);
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn with_constant(words: __m256i, t: usize) -> [u64; LANES] {
    let sum = _mm256_add_epi64(words, _mm256_set1_epi64x(K[t].cast_signed()));
    // SAFETY: both are the same 32 bytes, for which every value is valid.
    unsafe { std::mem::transmute::<__m256i, [u64; LANES]>(sum) }
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
