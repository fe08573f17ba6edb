//! DER, written: the little that key encodings need and the provider does not write. Reads nothing.

use crate::SecretBytes;

/// The tag of a SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;

/// The tag of an OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;

/// The tag of a BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;

/// `INTEGER 0`, the version of a PrivateKeyInfo.
const VERSION: [u8; 3] = [2, 1, 0];

/// An element with a definite length.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = length.to_be_bytes();
    let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = Vec::with_capacity(length + 10);
    out.push(tag);
    if let (Ok(short), true) = (u8::try_from(length), length < 0x80) {
        out.push(short);
    } else {
        out.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
        out.extend_from_slice(&significant);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A PrivateKeyInfo (RFC 5208, section 5): a private key under its whole AlgorithmIdentifier.
pub(crate) fn private_key_info(algorithm: &[u8], key: &[u8]) -> SecretBytes {
    let inner = SecretBytes::from(element(OCTET_STRING, &[key]));
    SecretBytes::from(element(SEQUENCE, &[&VERSION, algorithm, inner.expose()]))
}
