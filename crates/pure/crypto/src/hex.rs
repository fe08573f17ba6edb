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
    // Every call writes two. Without branches, so that the compiler makes wide instructions of the loop.
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    digits
}

/// The digit of a value below 16, in lower case.
const fn digit(value: u8) -> u8 {
    // The letters stand 39 places behind where the numbers would go on.
    let letter = (9_u8.wrapping_sub(value) >> 7).wrapping_neg();
    b'0' + value + (letter & 39)
}

/// The value of a digit in lower case; and zero, or anything else if it is none.
fn value(digit: u8) -> (u8, u8) {
    let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    let (is_number, is_letter) = (u8::from(number < 10).wrapping_neg(), u8::from(letter < 6).wrapping_neg());
    ((number & is_number) | (letter.wrapping_add(10) & is_letter), !(is_number | is_letter))
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
    let digits = digits.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    // As in `encode_hash`: the same steps whatever the text is.
    let (mut bytes, mut wrong) = ([0; N], 0);
    for (byte, &[high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        let ((high, not_high), (low, not_low)) = (value(high), value(low));
        *byte = high << 4 | low;
        wrong |= not_high | not_low;
    }
    (wrong == 0).then_some(bytes)
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
        for (hash, digits) in bytes.chunks(32).zip(digits.as_bytes().chunks(64)) {
            assert_eq!(encode_hash(hash.try_into().expect("32 bytes")), digits);
        }
    }

    #[test]
    fn any_other_text_is_refused() {
        for text in ["", "0", "000", "00000", "+0", "0x", "0g", " 0", "0é", "é"] {
            assert_eq!(decode::<2>(text), None, "{text}");
            assert_eq!(decode_lower::<2>(text), None, "{text}");
        }
        assert_eq!(decode_lower::<1>("AF"), None);
        // Each character in each place of a pair.
        for byte in 0..=127_u8 {
            let digit = char::from(byte);
            let value =
                digit.to_digit(16).filter(|_| !digit.is_ascii_uppercase()).and_then(|value| u8::try_from(value).ok());
            assert_eq!(decode_lower(&format!("a{digit}")), value.map(|value| [0xa0 | value]), "{digit:?}");
            assert_eq!(decode_lower(&format!("{digit}3")), value.map(|value| [value << 4 | 3]), "{digit:?}");
        }
        for text in ["0", "+0", "0g", "é0"] {
            assert!(decode_secret(text.as_bytes()).is_none(), "{text}");
        }
    }
}
