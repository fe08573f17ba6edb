//! DER: the little that encodings of keys and signatures need and the provider does not do.

use crate::SecretBytes;

/// The tag of a SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;

/// The tag of an OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;

/// The tag of an INTEGER.
const INTEGER: u8 = 0x02;

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

/// An INTEGER of a number that is not negative, big-endian.
pub(crate) fn integer(number: &[u8]) -> Vec<u8> {
    let significant = number.iter().position(|byte| *byte != 0).and_then(|first| number.get(first..)).unwrap_or(&[0]);
    let negative = significant.first().is_some_and(|byte| *byte >= 0x80);
    element(INTEGER, &[if negative { &[0] } else { &[] }, significant])
}

/// Takes an INTEGER of less than 128 bytes that is not negative off `bytes`: the number, without zeros before it, and
/// the rest.
pub(crate) fn small_integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [INTEGER, length @ 1..0x80, rest @ ..] = bytes else { return None };
    let (number, rest) = rest.split_at_checked(usize::from(*length))?;
    match number {
        [0x80..=0xff, ..] | [0, 0..0x80, ..] => None,
        [0, number @ ..] | number => Some((number, rest)),
    }
}

/// A PrivateKeyInfo (RFC 5208, section 5): a private key under its whole AlgorithmIdentifier.
pub(crate) fn private_key_info(algorithm: &[u8], key: &[u8]) -> SecretBytes {
    let inner = SecretBytes::from(element(OCTET_STRING, &[key]));
    SecretBytes::from(element(SEQUENCE, &[&VERSION, algorithm, inner.expose()]))
}
