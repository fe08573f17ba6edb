//! The rounds of SHA-384 and SHA-512, in the order of instructions that measured best.
//!
//! They are bound by the number of instructions on some processors, and on others by the way from one `e` to the next.
//! A compiler reorders additions as it likes and knows of neither, so the rounds are in assembly. The three forms
//! give the same results.
#![expect(unsafe_code, reason = "the order of instructions is kept in assembly only")]

use std::arch::asm;
use std::arch::x86_64::{__m128i, _mm_cvtsi64_si128};

/// How many blocks are scheduled at once, one in each lane of a vector.
pub(super) const LANES: usize = 4;

/// One word of each of four blocks.
pub(super) type Word = [u64; LANES];

/// A form of the rounds.
pub(super) trait Rounds: Sized {
    /// Begins a block.
    fn begin(state: &[u64; 8]) -> Self;

    /// Eight rounds of the block in `lane`, from words with constants added (FIPS 180-4, section 6.4.2), after which every
    /// variable is in its place again.
    ///
    /// # Safety
    /// The processor has what the form says it needs.
    unsafe fn eight(self, words: &[Word; 8], lane: usize) -> Self;

    /// `a` to `h` after the last round.
    fn end(self) -> [u64; 8];
}

/// Applies a round to variables that move up by one each time.
macro_rules! eight {
    ($round:ident, [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident], $($more:tt)*) => {
        $round!(0, [$a $b $c $d $e $f $g $h], $($more)*);
        $round!(1, [$h $a $b $c $d $e $f $g], $($more)*);
        $round!(2, [$g $h $a $b $c $d $e $f], $($more)*);
        $round!(3, [$f $g $h $a $b $c $d $e], $($more)*);
        $round!(4, [$e $f $g $h $a $b $c $d], $($more)*);
        $round!(5, [$d $e $f $g $h $a $b $c], $($more)*);
        $round!(6, [$c $d $e $f $g $h $a $b], $($more)*);
        $round!(7, [$b $c $d $e $f $g $h $a], $($more)*);
    };
}

/// Eight rounds in scalar registers. `$sums` adds `{sigma}` to `{h}`, and both to `{d}`.
macro_rules! scalar {
    ($name:ident, $doc:literal, [$($sums:literal),*]) => {
        #[doc = $doc]
        pub(super) struct $name {
            variables: [u64; 8],
            /// `b ^ c`, which is `a ^ b` of the round before.
            mixed: u64,
        }

        impl Rounds for $name {
            #[inline(always)]
            fn begin(state: &[u64; 8]) -> Self {
                let [_, b, c, ..] = *state;
                Self { variables: *state, mixed: b ^ c }
            }

            #[inline(always)]
            unsafe fn eight(self, words: &[Word; 8], lane: usize) -> Self {
                let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.variables;
                let mut mixed = self.mixed;
                let words = words.as_ptr().cast::<u64>().wrapping_add(lane % LANES);
                macro_rules! round {
                    ($t:literal, [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident],) => {
                        // SAFETY: the caller answers for BMI2. Word `t` of `lane` is read and nothing is written.
                        unsafe {
                            asm!(
                                "andn {next}, {e}, {g}",
                                "mov {other}, {f}",
                                "and {other}, {e}",
                                "add {h}, [{words} + {at}]",
                                "add {h}, {next}",
                                "rorx {sigma}, {e}, 14",
                                "add {h}, {other}",
                                "rorx {next}, {e}, 18",
                                "rorx {other}, {e}, 41",
                                "xor {sigma}, {next}",
                                "mov {next}, {a}",
                                "xor {next}, {b}",
                                "xor {sigma}, {other}",
                                $($sums,)*
                                "rorx {other}, {a}, 28",
                                "rorx {sigma}, {a}, 34",
                                "and {mixed}, {next}",
                                "xor {mixed}, {b}",
                                "add {h}, {mixed}",
                                "xor {other}, {sigma}",
                                "rorx {sigma}, {a}, 39",
                                "xor {other}, {sigma}",
                                "add {h}, {other}",
                                a = in(reg) $a,
                                b = in(reg) $b,
                                d = inout(reg) $d,
                                e = in(reg) $e,
                                f = in(reg) $f,
                                g = in(reg) $g,
                                h = inout(reg) $h,
                                mixed = inout(reg) mixed => _,
                                next = out(reg) mixed,
                                other = out(reg) _,
                                sigma = out(reg) _,
                                words = in(reg) words,
                                at = const size_of::<Word>() * $t,
                                options(pure, readonly, nostack),
                            );
                        }
                    };
                }
                eight!(round, [a b c d e f g h],);
                Self { variables: [a, b, c, d, e, f, g, h], mixed }
            }

            #[inline(always)]
            fn end(self) -> [u64; 8] {
                self.variables
            }
        }
    };
}

scalar!(
    Fewest,
    "In scalar registers, with the fewest instructions. Needs BMI1 and BMI2.",
    ["add {h}, {sigma}", "add {d}, {h}"]
);
scalar!(
    Shortest,
    "In scalar registers, the way from one `e` to the next an addition shorter. Needs BMI1 and BMI2.",
    ["add {d}, {h}", "add {h}, {sigma}", "add {d}, {sigma}"]
);

/// Rounds with `e` in scalar registers and `a` in vectors, where it takes half as many instructions: a scalar
/// sum goes over to the vectors and a copy of `a` comes back, which is needed three rounds later only. Needs BMI2 and
/// AVX-512VL.
pub(super) struct Mixed {
    variables: [u64; 8],
    /// `a`, `b` and `c`.
    vectors: [__m128i; 3],
    /// `f ^ g`, which is `e ^ f` of the round before.
    mixed: u64,
}

impl Rounds for Mixed {
    #[inline(always)]
    fn begin(state: &[u64; 8]) -> Self {
        let [a, b, c, _, _, f, g, _] = *state;
        // SAFETY: every x86-64 has SSE2.
        let vectors = [a, b, c].map(|word| unsafe { _mm_cvtsi64_si128(word.cast_signed()) });
        Self { variables: *state, vectors, mixed: f ^ g }
    }

    #[inline(always)]
    unsafe fn eight(self, words: &[Word; 8], lane: usize) -> Self {
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.variables;
        let [mut first, mut second, mut third] = self.vectors;
        let mut mixed = self.mixed;
        let words = words.as_ptr().cast::<u64>().wrapping_add(lane % LANES);
        macro_rules! round {
            ($t:literal, [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident],) => {
                // SAFETY: the caller answers for BMI2 and AVX-512VL. Word `t` of `lane` is read and nothing is written.
                unsafe {
                    asm!(
                        "and {mixed}, {e}",
                        "rorx {sigma}, {e}, 14",
                        "xor {mixed}, {g}",
                        "rorx {other}, {e}, 18",
                        "xor {sigma}, {other}",
                        "rorx {other}, {e}, 41",
                        "vpternlogq {third}, {first}, {second}, 0xe8",
                        "xor {sigma}, {other}",
                        "vprorq {by_39}, {first}, 39",
                        "add {h}, [{words} + {at}]",
                        "add {h}, {mixed}",
                        "add {d}, {h}",
                        "add {h}, {sigma}",
                        "add {d}, {sigma}",
                        "vprorq {by_28}, {first}, 28",
                        "vprorq {by_34}, {first}, 34",
                        "vpternlogq {by_28}, {by_34}, {by_39}, 0x96",
                        "mov {mixed}, {e}",
                        "xor {mixed}, {f}",
                        "vmovq {by_34}, {h}",
                        "vpaddq {third}, {third}, {by_34}",
                        "vpaddq {third}, {third}, {by_28}",
                        "vmovq {h}, {third}",
                        d = inout(reg) $d,
                        e = in(reg) $e,
                        f = in(reg) $f,
                        g = in(reg) $g,
                        h = inout(reg) $h,
                        mixed = inout(reg) mixed,
                        sigma = out(reg) _,
                        other = out(reg) _,
                        first = in(xmm_reg) first,
                        second = in(xmm_reg) second,
                        third = inout(xmm_reg) third,
                        by_28 = out(xmm_reg) _,
                        by_34 = out(xmm_reg) _,
                        by_39 = out(xmm_reg) _,
                        words = in(reg) words,
                        at = const size_of::<Word>() * $t,
                        options(pure, readonly, nostack),
                    );
                }
                (first, second, third) = (third, first, second);
            };
        }
        eight!(round, [a b c d e f g h],);
        Self { variables: [a, b, c, d, e, f, g, h], vectors: [first, second, third], mixed }
    }

    #[inline(always)]
    fn end(self) -> [u64; 8] {
        self.variables
    }
}
