//! RSA public keys in the two forms that AWS takes: a line of OpenSSH, and PEM.
//!
//! Source: RFC 4253, section 6.6; RFC 8017, appendix A.1.1; RFC 5280, section 4.1.2.7.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::values::error::{IamError, Result, Special};

/// The only algorithm that AWS takes.
const ALGORITHM: &[u8] = b"ssh-rsa";

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

fn invalid() -> IamError {
    Special::InvalidPublicKey.error("The public key is malformed, or not an RSA key of at least 2048 bits.")
}

impl RsaKey {
    /// Reads a line `ssh-rsa AAAA… comment`, or PEM.
    ///
    /// # Errors
    /// `InvalidPublicKey`; `UnrecognizedPublicKeyEncoding` when it is neither.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        let key = if text.starts_with("-----BEGIN ") {
            Self::from_pem(text).ok_or_else(invalid)?
        } else if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-") {
            Self::from_line(text).ok_or_else(invalid)?
        } else {
            let message = "The public key is neither in OpenSSH's form nor in PEM.";
            return Err(Special::UnrecognizedPublicKeyEncoding.error(message));
        };
        let bits = key.modulus.len() * 8 - key.modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        let sound = BITS.contains(&bits) && odd(&key.modulus) && odd(&key.exponent) && key.exponent != [1];
        if sound { Ok(key) } else { Err(invalid()) }
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        if words.next()?.as_bytes() != ALGORITHM {
            return None;
        }
        let blob = STANDARD.decode(words.next()?).ok()?;
        let (algorithm, rest) = field(&blob)?;
        let (exponent, rest) = field(rest)?;
        let (modulus, rest) = field(rest)?;
        if algorithm != ALGORITHM || !rest.is_empty() {
            return None;
        }
        Some(Self { exponent: unsigned(exponent)?, modulus: unsigned(modulus)? })
    }

    fn from_pem(text: &str) -> Option<Self> {
        let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
        let (body, rest) = rest.split_once("-----END ")?;
        if rest.trim_end().strip_suffix("-----")? != label {
            return None;
        }
        let body: String = body.split_ascii_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        match label {
            "PUBLIC KEY" => {
                let (info, rest) = element(SEQUENCE, &der)?;
                let (algorithm, key) = element(SEQUENCE, info)?;
                let (bits, end) = element(BIT_STRING, key)?;
                let whole = rest.is_empty() && end.is_empty() && algorithm == RSA_ENCRYPTION;
                // No bit of the last byte is unused.
                Self::from_pkcs1(bits.strip_prefix(&[0])?).filter(|_| whole)
            }
            "RSA PUBLIC KEY" => Self::from_pkcs1(&der),
            _ => None,
        }
    }

    fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let (numbers, rest) = element(SEQUENCE, der)?;
        let (modulus, numbers) = element(INTEGER, numbers)?;
        let (exponent, numbers) = element(INTEGER, numbers)?;
        if !rest.is_empty() || !numbers.is_empty() {
            return None;
        }
        Some(Self { exponent: unsigned(exponent)?, modulus: unsigned(modulus)? })
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.modulus.len() + 32);
        for bytes in [ALGORITHM, &signed(&self.exponent), &signed(&self.modulus)] {
            blob.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            blob.extend_from_slice(bytes);
        }
        blob
    }

    /// As a line of OpenSSH, without comment.
    pub(crate) fn line(&self) -> String {
        format!("ssh-rsa {}", STANDARD.encode(self.blob()))
    }

    /// As PEM.
    pub(crate) fn pem(&self) -> String {
        let numbers = [encoded(INTEGER, &signed(&self.modulus)), encoded(INTEGER, &signed(&self.exponent))].concat();
        let mut bits = vec![0];
        bits.extend(encoded(SEQUENCE, &numbers));
        let info = [encoded(SEQUENCE, RSA_ENCRYPTION), encoded(BIT_STRING, &bits)].concat();
        let body = STANDARD.encode(encoded(SEQUENCE, &info));
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (index, letter) in body.chars().enumerate() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }

    /// MD5 of the key as SSH sends it, in pairs of digits with colons. It names the key and proves nothing.
    pub(crate) fn fingerprint(&self) -> String {
        let pairs: Vec<_> = Md5::digest(self.blob()).iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(":")
    }
}

/// The first field of SSH's binary form, and what follows.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
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

#[cfg(test)]
mod tests;
