//! Bytes as hexadecimal digits and back. In constant time, since keys are written so as well.

use crate::SecretBytes;

/// The digits, in lower case.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// The digits of 32 bytes, in lower case.
#[must_use]
pub fn encode_hash(bytes: &[u8; 32]) -> [u8; 64] {
    let mut digits = [0; 64];
    // There is room for them.
    let _ = base16ct::lower::encode(bytes, &mut digits);
    digits
}

/// The `N` bytes of twice as many digits in either case; `None` for any other text.
#[must_use]
pub fn decode<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let decoded = base16ct::mixed::decode(digits, &mut bytes).ok()?.len();
    (decoded == N).then_some(bytes)
}

/// The `N` bytes of twice as many digits in lower case; `None` for any other text.
#[must_use]
pub fn decode_lower<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let decoded = base16ct::lower::decode(digits, &mut bytes).ok()?.len();
    (decoded == N).then_some(bytes)
}

/// The bytes of digits in either case that nobody else may see; `None` for any other text.
#[must_use]
pub fn decode_secret(digits: &[u8]) -> Option<SecretBytes> {
    let mut bytes = SecretBytes::from(vec![0; base16ct::decoded_len(digits).ok()?]);
    base16ct::mixed::decode(digits, bytes.expose_mut()).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_written_in_lower_case_and_read_in_either() {
        let bytes: Vec<u8> = (0..=255).collect();
        let digits = encode(&bytes);
        assert!(digits.starts_with("000102") && digits.ends_with("fdfeff"), "{digits}");
        assert_eq!(decode(&digits), <[u8; 256]>::try_from(bytes.as_slice()).ok());
        assert_eq!(decode::<256>(&digits.to_uppercase()), decode_lower(&digits));
        assert_eq!(decode_secret(digits.as_bytes()).expect("digits").expose(), bytes);
        assert_eq!(encode_hash(&[0xa5; 32]), [b'a', b'5'].repeat(32).as_slice());
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in ["", "0", "000", "00000", "+0", "0x", "0g", " 0", "0é", "é"] {
            assert_eq!(decode::<2>(text), None, "{text}");
            assert_eq!(decode_lower::<2>(text), None, "{text}");
        }
        assert_eq!(decode_lower::<1>("AF"), None);
        for text in ["0", "+0", "0g", "é0"] {
            assert!(decode_secret(text.as_bytes()).is_none(), "{text}");
        }
    }
}
