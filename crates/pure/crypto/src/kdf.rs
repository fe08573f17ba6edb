//! Keys from keys: SP 800-108 in counter mode with HMAC.

use aws_lc_rs::kdf::{KbkdfCtrHmacAlgorithm, KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac};

use crate::{CryptoError, HmacKey, Key256};

const HMAC_SHA256: &KbkdfCtrHmacAlgorithm = known(KbkdfCtrHmacAlgorithmId::Sha256);
pub(crate) const HMAC_SHA384: &KbkdfCtrHmacAlgorithm = known(KbkdfCtrHmacAlgorithmId::Sha384);

#[expect(clippy::panic, reason = "it runs while this is compiled")]
const fn known(id: KbkdfCtrHmacAlgorithmId) -> &'static KbkdfCtrHmacAlgorithm {
    match get_kbkdf_ctr_hmac_algorithm(id) {
        Some(algorithm) => algorithm,
        None => panic!("the provider has the counter-mode KDF with this hash"),
    }
}

/// The output's length in bits, the last field of the fixed input.
const OUTPUT_BITS: [u8; 4] = 256_u32.to_be_bytes();

/// Fixed input up to this length is put together on the stack, in bytes.
const SHORT: usize = 256;

/// Derives the key that `key` has for the purpose `label` and the instance `context`.
///
/// `label` must not contain a zero byte, since one separates it from `context`.
///
/// Source: NIST SP 800-108r1, section 4.1: `HMAC(key, [1]_32 ‖ label ‖ 0x00 ‖ context ‖ [256]_32)`.
#[must_use]
pub fn derive(key: &Key256, label: &[u8], context: &[u8]) -> Key256 {
    with_fixed(label, context, |fixed| expand(key, fixed))
}

/// A key that many are derived from: what each derivation begins with is done once.
pub struct DerivationKey(HmacKey);

impl DerivationKey {
    /// Makes a key ready.
    #[must_use]
    pub fn new(key: &Key256) -> Self {
        Self(HmacKey::new(key.expose()))
    }

    /// As [`derive()`] of the key it was made from.
    #[must_use]
    pub fn derive(&self, label: &[u8], context: &[u8]) -> Key256 {
        with_fixed(label, context, |fixed| self.expand(fixed))
    }

    /// The key's length is that of the hash, so that there is one block, and the first.
    fn expand(&self, fixed: &[u8]) -> Key256 {
        Key256::fill(|out| self.0.sign_into(&[&1_u32.to_be_bytes(), fixed], out))
    }
}

/// Puts a derivation's fixed input together, all but the number of the block.
fn with_fixed<T>(label: &[u8], context: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    debug_assert!(!label.contains(&0), "a zero byte ends the label");
    let parts = [label, &[0], context, &OUTPUT_BITS];
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut short = [0; SHORT];
    match short.get_mut(..length) {
        Some(fixed) => {
            let mut rest = &mut *fixed;
            for part in parts {
                let (front, back) = rest.split_at_mut(part.len());
                front.copy_from_slice(part);
                rest = back;
            }
            then(fixed)
        }
        None => then(&parts.concat()),
    }
}

#[expect(clippy::expect_used, reason = "it fails only on an empty key or output, and neither is")]
fn expand(key: &Key256, fixed: &[u8]) -> Key256 {
    Key256::fill(|out| counter_mode(HMAC_SHA256, key.expose(), fixed, out).expect("a key derives a key"))
}

/// Fills `out` from a fixed input, which each block has behind its number of 32 bits.
///
/// # Errors
/// [`CryptoError::Length`] when the key or `out` is empty, or `out` is longer than the provider fills.
pub(crate) fn counter_mode(
    algorithm: &'static KbkdfCtrHmacAlgorithm,
    key: &[u8],
    fixed: &[u8],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    kbkdf_ctr_hmac(algorithm, key, fixed, out).map_err(|_| CryptoError::Length { bytes: out.len() })
}

#[cfg(test)]
mod tests;
