//! Keys wrapped under an AES key: AES-KWP.

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};

use crate::{CryptoError, SecretBytes};

/// How much longer than the secret its wrapping is at most: the integrity value, and padding to blocks of 8 bytes.
const OVERHEAD: usize = 8 + 7;

/// Unwraps a secret of at least one byte that was wrapped with padding under an AES-256 key.
///
/// Source: RFC 5649; NIST SP 800-38F, section 6.3.
///
/// # Errors
/// [`CryptoError::Length`] when the key is not one of 32 bytes; [`CryptoError::NotAuthentic`].
pub fn unwrap_padded(key: &[u8], wrapped: &[u8]) -> Result<SecretBytes, CryptoError> {
    let key = AesKek::new(&AES_256, key).map_err(|_| CryptoError::Length { bytes: key.len() })?;
    let mut secret = SecretBytes::from(vec![0; wrapped.len()]);
    let unwrapped = key.unwrap_with_padding(wrapped, secret.expose_mut()).map(|secret| secret.len());
    secret.truncate(unwrapped.map_err(|_| CryptoError::NotAuthentic)?);
    Ok(secret)
}

/// Wraps a secret, as those do who bring keys.
///
/// # Errors
/// [`CryptoError::Length`] when the key is not one of 32 bytes, or the secret is empty.
pub fn wrap_padded(key: &[u8], secret: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = AesKek::new(&AES_256, key).map_err(|_| CryptoError::Length { bytes: key.len() })?;
    let mut wrapped = vec![0; secret.len() + OVERHEAD];
    let written = key.wrap_with_padding(secret, &mut wrapped).map(|wrapped| wrapped.len());
    wrapped.truncate(written.map_err(|_| CryptoError::Length { bytes: secret.len() })?);
    Ok(wrapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_every_length_come_back() {
        let key = [7; 32];
        for length in (1..100).chain([2375, 4096]) {
            let secret: Vec<u8> = (0..length).map(|byte| u8::try_from(byte % 251).expect("below 251")).collect();
            let wrapped = wrap_padded(&key, &secret).expect("wraps");
            assert_eq!(wrapped.len() % 8, 0);
            assert_eq!(unwrap_padded(&key, &wrapped).expect("unwraps").expose(), secret);
            assert!(unwrap_padded(&[8; 32], &wrapped).is_err(), "another key");
            let mut changed = wrapped.clone();
            if let Some(last) = changed.last_mut() {
                *last ^= 1;
            }
            assert!(unwrap_padded(&key, &changed).is_err(), "a changed byte");
        }
    }

    #[test]
    fn what_is_no_wrapping_is_refused() {
        for length in [0, 1, 7, 8, 9, 15, 16, 17, 24, 4096] {
            assert!(unwrap_padded(&[7; 32], &vec![0xa6; length]).is_err(), "{length} bytes");
        }
        for length in [0, 15, 16, 24, 31, 33] {
            let refused = unwrap_padded(&vec![7; length], &[0; 24]);
            assert!(matches!(refused, Err(CryptoError::Length { .. })), "a key of {length} bytes");
        }
        assert!(wrap_padded(&[7; 32], &[]).is_err());
    }
}
