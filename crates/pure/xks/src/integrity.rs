//! Values that bind the parts of a ciphertext together.

/// The value by which a key service sees that a ciphertext arrived as the proxy made it: SHA-256 over the parts.
///
/// Source: the specification's appendix C.
#[must_use]
pub fn integrity_value(aad: &[u8], metadata: &[u8], vector: &[u8], ciphertext: &[u8], tag: &[u8]) -> [u8; 32] {
    crypto::sha256(&[aad, metadata, vector, ciphertext, tag].concat())
}

/// Associated data for the key manager: the caller's, then the ciphertext's metadata, each behind its length, so that
/// neither can pass for the other.
///
/// `None` when either is longer than the lengths can say.
///
/// Source: the specification, "Encrypt", `ciphertextMetadata`.
#[must_use]
pub fn manager_aad(aad: &[u8], metadata: &[u8]) -> Option<Vec<u8>> {
    let aad_length = u16::try_from(aad.len()).ok()?.to_be_bytes();
    let metadata_length = u8::try_from(metadata.len()).ok()?;
    Some([&aad_length[..], aad, &[metadata_length], metadata].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn associated_data_and_metadata_cannot_pass_for_each_other() {
        assert_eq!(manager_aad(b"ab", b"c").expect("short"), b"\0\x02ab\x01c");
        assert_ne!(manager_aad(b"", b"abc"), manager_aad(b"abc", b""));
        assert!(manager_aad(&[0; 65_536], b"").is_none() && manager_aad(b"", &[0; 256]).is_none());
    }
}
