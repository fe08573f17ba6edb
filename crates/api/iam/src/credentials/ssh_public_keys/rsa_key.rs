//! RSA public keys.
//!
//! Source: RFC 4253, section 6.6; RFC 8017, appendix A.1.1; RFC 5280, section 4.1.2.7.

use super::public_key::field;

/// Bits of a modulus.
const BITS: std::ops::RangeInclusive<usize> = 2048..=16_384;

/// The object identifier of rsaEncryption, and the NULL that follows it.
const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// An RSA public key: both numbers big-endian, without leading zeros.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RsaKey {
    exponent: Vec<u8>,
    modulus: Vec<u8>,
}

impl RsaKey {
    /// The only algorithm that AWS takes.
    pub(super) const ALGORITHM: &str = "ssh-rsa";

    /// The key of SSH's fields behind the algorithm's name.
    pub(super) fn from_fields(fields: &[u8]) -> Option<Self> {
        let (exponent, rest) = field(fields)?;
        let (modulus, rest) = field(rest)?;
        if rest.is_empty() { Self::sound(unsigned(exponent)?, unsigned(modulus)?) } else { None }
    }

    /// The key of these numbers, if it is one that may be used.
    fn sound(exponent: Vec<u8>, modulus: Vec<u8>) -> Option<Self> {
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        let sound = BITS.contains(&bits) && odd(&modulus) && odd(&exponent) && exponent != [1];
        sound.then_some(Self { exponent, modulus })
    }

    /// The key of a SubjectPublicKeyInfo.
    pub(super) fn from_info(der: &[u8]) -> Option<Self> {
        let (info, rest) = element(SEQUENCE, der)?;
        let (algorithm, key) = element(SEQUENCE, info)?;
        let (bits, end) = element(BIT_STRING, key)?;
        let whole = rest.is_empty() && end.is_empty() && algorithm == RSA_ENCRYPTION;
        // No bit of the last byte is unused.
        Self::from_pkcs1(bits.strip_prefix(&[0])?).filter(|_| whole)
    }

    /// The key of an RSAPublicKey.
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let (numbers, rest) = element(SEQUENCE, der)?;
        let (modulus, numbers) = element(INTEGER, numbers)?;
        let (exponent, numbers) = element(INTEGER, numbers)?;
        if !rest.is_empty() || !numbers.is_empty() {
            return None;
        }
        Self::sound(unsigned(exponent)?, unsigned(modulus)?)
    }

    pub(super) fn fields(&self) -> Vec<Vec<u8>> {
        vec![signed(&self.exponent), signed(&self.modulus)]
    }

    /// The key as a SubjectPublicKeyInfo.
    pub(super) fn info(&self) -> Vec<u8> {
        let numbers = [encoded(INTEGER, &signed(&self.modulus)), encoded(INTEGER, &signed(&self.exponent))].concat();
        let mut bits = vec![0];
        bits.extend(encoded(SEQUENCE, &numbers));
        encoded(SEQUENCE, &[encoded(SEQUENCE, RSA_ENCRYPTION), encoded(BIT_STRING, &bits)].concat())
    }
}

/// The content of the first DER element, which must have this tag, and what follows.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| (length << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn encoded(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut der = vec![tag];
    match length {
        [0, low] if low < 0x80 => der.push(low),
        [0, low] => der.extend([0x81, low]),
        [high, low] => der.extend([0x82, high, low]),
    }
    der.extend_from_slice(content);
    der
}

/// A positive number without leading zeros.
fn unsigned(number: &[u8]) -> Option<Vec<u8>> {
    if number.first()? & 0x80 != 0 {
        return None;
    }
    let start = number.iter().position(|byte| *byte != 0)?;
    number.get(start..).map(<[u8]>::to_vec)
}

/// The number with a zero before it if it would otherwise be read as negative.
fn signed(number: &[u8]) -> Vec<u8> {
    let mut signed = Vec::with_capacity(number.len() + 1);
    if number.first().is_some_and(|first| first & 0x80 != 0) {
        signed.push(0);
    }
    signed.extend_from_slice(number);
    signed
}
