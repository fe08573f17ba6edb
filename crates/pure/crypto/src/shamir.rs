//! Shamir's secret sharing of a key: any `threshold` of its shares give it back, fewer say nothing at all about it.
//!
//! Each byte is shared by itself, as the value at zero of a polynomial over GF(256). No table is looked up and no branch
//! is taken by a secret byte. Knows nothing of how shares are written down.
//!
//! Source: A. Shamir, "How to Share a Secret", 1979; the field is FIPS 197's.

use std::num::NonZeroU8;

use crate::{CryptoError, Key256};

/// The value of the polynomials at one point.
pub struct Share {
    /// The point.
    pub index: NonZeroU8,
    /// A byte for each of the key's.
    pub value: Key256,
}

/// Splits a key into `count` shares, of which any `threshold` combine to it again. A threshold of one would make every
/// share the key.
///
/// # Errors
/// [`CryptoError::Shares`] unless `2 <= threshold <= count`.
pub fn split(key: &Key256, count: u8, threshold: u8) -> Result<Vec<Share>, CryptoError> {
    if threshold < 2 || threshold > count {
        return Err(CryptoError::Shares);
    }
    // Every coefficient is uniform, the highest too: leaving zero out there would rule out keys to holders of few shares.
    let coefficients: Vec<Key256> = (1..threshold).map(|_| Key256::random()).collect();
    let at = |index: NonZeroU8| {
        Key256::fill(|value| {
            for coefficient in coefficients.iter().rev().chain([key]) {
                for (value, coefficient) in value.iter_mut().zip(coefficient.expose()) {
                    *value = multiply(*value, index.get()) ^ coefficient;
                }
            }
        })
    };
    Ok((1..=count).filter_map(NonZeroU8::new).map(|index| Share { index, value: at(index) }).collect())
}

/// The key whose shares these are. Others, or fewer than the threshold, give another key: the caller has to be able to
/// tell.
///
/// # Errors
/// [`CryptoError::Shares`] when there is none, or when two are the same.
pub fn combine(shares: &[Share]) -> Result<Key256, CryptoError> {
    let twice = |(at, share): (usize, &Share)| shares.iter().skip(at + 1).any(|other| other.index == share.index);
    if shares.is_empty() || shares.iter().enumerate().any(twice) {
        return Err(CryptoError::Shares);
    }
    Ok(Key256::fill(|key| {
        for share in shares {
            let weight = weight_at_zero(share.index, shares);
            for (key, value) in key.iter_mut().zip(share.value.expose()) {
                *key ^= multiply(*value, weight);
            }
        }
    }))
}

/// Lagrange's basis polynomial of a share, at zero. Indices are no secrets.
fn weight_at_zero(index: NonZeroU8, shares: &[Share]) -> u8 {
    let others = shares.iter().map(|share| share.index.get()).filter(|&other| other != index.get());
    others.fold(1, |weight, other| multiply(weight, multiply(other, inverse(other ^ index.get()))))
}

/// The product in GF(256) modulo x⁸ + x⁴ + x³ + x + 1, in the same steps whatever the factors are.
const fn multiply(mut a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut bit = 0;
    while bit < 8 {
        product ^= a & 0_u8.wrapping_sub((b >> bit) & 1);
        a = (a << 1) ^ (0x1b & 0_u8.wrapping_sub(a >> 7));
        bit += 1;
    }
    product
}

/// The inverse, which is the 254th power; zero, which has none, gives zero.
const fn inverse(a: u8) -> u8 {
    let mut power = 1;
    let mut step = 0;
    while step < 254 {
        power = multiply(power, a);
        step += 1;
    }
    power
}

#[cfg(test)]
mod tests;
