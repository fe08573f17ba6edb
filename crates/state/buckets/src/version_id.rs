//! Ids of versions and uploads: 32 characters, safe in URLs, in which a sequence number is. Knows no record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::BucketsError;

/// The id of the one version of an object that was written while its bucket gave no ids.
pub(crate) const NULL: &str = "null";

/// A new id: `sequence u64 ‖ 16 random bytes` in base64.
pub(crate) fn generate(sequence: u64) -> String {
    let random: [u8; 16] = crypto::random_nonce();
    URL_SAFE_NO_PAD.encode([&sequence.to_be_bytes()[..], &random].concat())
}

/// The sequence number in an id.
///
/// # Errors
/// [`BucketsError::InvalidVersionId`] for a text that is no id.
pub(crate) fn sequence(id: &str) -> Result<u64, BucketsError> {
    let mut bytes = [0; 24];
    let length = URL_SAFE_NO_PAD.decode_slice(id, &mut bytes).map_err(|_| BucketsError::InvalidVersionId)?;
    match bytes.first_chunk() {
        Some(sequence) if length == 24 => Ok(u64::from_be_bytes(*sequence)),
        _ => Err(BucketsError::InvalidVersionId),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_32_characters_and_its_sequence_and_nothing_else_is_one() {
        for number in [0, 1, 1 << 40, u64::MAX] {
            let id = generate(number);
            assert_eq!((id.len(), sequence(&id).unwrap()), (32, number));
            assert_ne!(generate(number), id);
        }
        for text in ["", "null", &"a".repeat(31), &"a".repeat(33), &"+".repeat(32), &"é".repeat(16), &"a".repeat(9000)]
        {
            assert!(matches!(sequence(text), Err(BucketsError::InvalidVersionId)), "{text}");
        }
    }
}
