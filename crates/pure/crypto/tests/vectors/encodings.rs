//! Keys and signatures in DER around the numbers that vectors give.

use crypto::PairKind;

/// A DER element.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let head = match digits {
        [] => vec![tag, 0],
        [short @ 0..=127] => vec![tag, *short],
        long => [&[tag, 0x80 | u8::try_from(long.len()).unwrap()], long].concat(),
    };
    [head, content].concat()
}

/// A DER integer from an unsigned number in big-endian.
pub(crate) fn integer(number: &[u8]) -> Vec<u8> {
    let digits = &number[number.iter().take_while(|byte| **byte == 0).count()..];
    element(2, &[if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] }, digits])
}

/// The number in `length` bytes, whatever zeros it came with.
pub(crate) fn sized(number: &[u8], length: usize) -> Vec<u8> {
    let digits = &number[number.iter().take_while(|byte| **byte == 0).count()..];
    [vec![0; length - digits.len()], digits.to_vec()].concat()
}

/// The length of a curve's coordinate in bytes.
pub(crate) fn coordinate(kind: PairKind) -> usize {
    match kind {
        PairKind::P256 | PairKind::Secp256k1 => 32,
        PairKind::P384 => 48,
        PairKind::P521 => 66,
        other => panic!("{other:?} is not on a Weierstrass curve"),
    }
}

/// The AlgorithmIdentifier of a curve (RFC 5480).
fn curve(kind: PairKind) -> Vec<u8> {
    let named: &[u8] = match kind {
        PairKind::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        PairKind::P384 => &[0x2b, 0x81, 4, 0, 0x22],
        PairKind::P521 => &[0x2b, 0x81, 4, 0, 0x23],
        PairKind::Secp256k1 => &[0x2b, 0x81, 4, 0, 0x0a],
        other => panic!("{other:?} is not on a Weierstrass curve"),
    };
    element(0x30, &[&element(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]]), &element(6, &[named])])
}

/// A point as a SubjectPublicKeyInfo.
pub(crate) fn ec_public_key(kind: PairKind, x: &[u8], y: &[u8]) -> Vec<u8> {
    let length = coordinate(kind);
    let point = element(3, &[&[0, 4], &sized(x, length), &sized(y, length)]);
    element(0x30, &[&curve(kind), &point])
}

/// A scalar in PKCS#8 (RFC 5958, RFC 5915).
pub(crate) fn ec_private_key(kind: PairKind, scalar: &[u8]) -> Vec<u8> {
    let key = element(0x30, &[&[2, 1, 1], &element(4, &[&sized(scalar, coordinate(kind))])]);
    element(0x30, &[&[2, 1, 0], &curve(kind), &element(4, &[&key])])
}

/// An Ed25519 seed in PKCS#8 (RFC 8410).
pub(crate) fn ed25519_private_key(seed: &[u8]) -> Vec<u8> {
    let algorithm = element(0x30, &[&element(6, &[&[0x2b, 0x65, 0x70]])]);
    element(0x30, &[&[2, 1, 0], &algorithm, &element(4, &[&element(4, &[seed])])])
}

/// An ECDSA signature.
pub(crate) fn ecdsa_signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    element(0x30, &[&integer(r), &integer(s)])
}

/// An RSA key as a SubjectPublicKeyInfo (RFC 8017, appendix A.1).
pub(crate) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let algorithm = element(0x30, &[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0]]);
    let key = element(0x30, &[&integer(modulus), &integer(exponent)]);
    element(0x30, &[&algorithm, &element(3, &[&[0], &key])])
}

/// An RSA private key as PKCS#1 has it (RFC 8017, appendix A.1.2), from its modulus, exponents, primes, the private
/// exponent modulo each prime less one, and the second prime's inverse modulo the first.
pub(crate) fn rsa_private_key(numbers: &[Vec<u8>; 8]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| integer(number)).collect();
    element(0x30, &[&[2, 1, 0], &numbers])
}

/// The AlgorithmIdentifier of a parameter set (RFC 9881 and RFC 9935, section 2).
fn parameter_set(kind: PairKind) -> Vec<u8> {
    let last = match kind {
        PairKind::MlDsa44 => [3, 0x11],
        PairKind::MlDsa65 => [3, 0x12],
        PairKind::MlDsa87 => [3, 0x13],
        PairKind::MlKem512 => [4, 1],
        PairKind::MlKem768 => [4, 2],
        PairKind::MlKem1024 => [4, 3],
        other => panic!("{other:?} is neither ML-DSA nor ML-KEM"),
    };
    element(0x30, &[&element(6, &[&[0x60, 0x86, 0x48, 1, 0x65, 3, 4], &last])])
}

/// A seed that stands for a whole ML-DSA or ML-KEM private key, in PKCS#8 (RFC 9881 and RFC 9935, section 6).
pub(crate) fn seeded_private_key(kind: PairKind, seed: &[u8]) -> Vec<u8> {
    element(0x30, &[&[2, 1, 0], &parameter_set(kind), &element(4, &[&element(0x80, &[seed])])])
}

/// An ML-DSA or ML-KEM public key as a SubjectPublicKeyInfo.
pub(crate) fn raw_public_key(kind: PairKind, raw: &[u8]) -> Vec<u8> {
    element(0x30, &[&parameter_set(kind), &element(3, &[&[0], raw])])
}
