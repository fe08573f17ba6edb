//! The encryption context: pairs that are authenticated with a ciphertext and not stored in it.

use std::collections::BTreeMap;

/// The pairs as the caller gave them. The map sorts by the names' bytes, which is the canonical order.
pub(crate) type EncryptionContext = BTreeMap<String, String>;

/// Appends the canonical form: the number of pairs, then each name and value behind its length, in order of the names.
///
/// Lengths and number are 32-bit big-endian. Two contexts with the same form are equal: the form can be read back.
pub(crate) fn append_canonical(context: &EncryptionContext, out: &mut Vec<u8>) {
    append_length(context.len(), out);
    for (name, value) in context {
        append_text(name, out);
        append_text(value, out);
    }
}

/// The length of the canonical form in bytes.
pub(crate) fn canonical_length(context: &EncryptionContext) -> usize {
    4 + context.iter().map(|(name, value)| 8 + name.len() + value.len()).sum::<usize>()
}

fn append_text(text: &str, out: &mut Vec<u8>) {
    append_length(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn append_length(length: usize, out: &mut Vec<u8>) {
    // A request's body is far below 4 GiB, so no length is ever cut.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests;
