//! Signatures of JSON web tokens, verified under the keys that a provider publishes (RFC 7518, sections 3.3 and 3.4).
//!
//! Knows numbers and bytes; what a token or a key set looks like is the caller's.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use crate::CryptoError;

/// How long a coordinate of P-256 is, in bytes.
const P256_BYTES: usize = 32;

/// Verifies an RS256 signature under the key with the modulus `n` and the exponent `e`, both big-endian.
///
/// # Errors
/// [`CryptoError::NotAuthentic`], also for a key that cannot be read or has fewer than 2048 bits.
pub fn verify_rs256(n: &[u8], e: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let key = RsaPublicKeyComponents { n, e };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).map_err(|_| CryptoError::NotAuthentic)
}

/// Verifies an ES256 signature under the key at the point `x`, `y` of P-256, both big-endian.
///
/// # Errors
/// [`CryptoError::NotAuthentic`], also for coordinates that are no point.
pub fn verify_es256(x: &[u8], y: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    if x.len() != P256_BYTES || y.len() != P256_BYTES {
        return Err(CryptoError::NotAuthentic);
    }
    let point = [&[4], x, y].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(message, signature).map_err(|_| CryptoError::NotAuthentic)
}

#[cfg(test)]
mod tests;
