//! Keys from keys: SP 800-108 in counter mode with HMAC.

use aws_lc_rs::kdf::{KbkdfCtrHmacAlgorithm, KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac};

use crate::{CryptoError, Key256};

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
    debug_assert!(!label.contains(&0), "a zero byte ends the label");
    let parts = [label, &[0], context, &OUTPUT_BITS];
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut short = [0; SHORT];
    match short.get_mut(..length) {
        Some(info) => {
            let mut rest = &mut *info;
            for part in parts {
                let (front, back) = rest.split_at_mut(part.len());
                front.copy_from_slice(part);
                rest = back;
            }
            expand(key, info)
        }
        None => expand(key, &parts.concat()),
    }
}

#[expect(clippy::expect_used, reason = "it fails only on an empty key or output, and neither is")]
fn expand(key: &Key256, info: &[u8]) -> Key256 {
    Key256::fill(|out| counter_mode(HMAC_SHA256, key.expose(), info, out).expect("a key derives a key"))
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
