//! Random bytes from the provider's generator, which the operating system seeds.

/// Fills `out` with random bytes fit for keys.
#[expect(clippy::expect_used, reason = "without randomness no operation is safe, and the provider itself aborts")]
pub fn random_bytes(out: &mut [u8]) {
    aws_lc_rs::rand::fill(out).expect("the operating system supplies randomness");
}
