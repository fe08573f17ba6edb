//! ECDSA over digests that the caller computed: short-lived signing keys, and verification under foreign public keys.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair, ParsedPublicKey,
};

use crate::{CryptoError, der};

/// The order of P-256 (SP 800-186, section 3.2.1.3), big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of P-384 (SP 800-186, section 3.2.1.4), big-endian.
const P384_ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
    0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// ECDSA by its curve and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecdsa {
    /// P-256 with SHA-256.
    P256Sha256,
    /// P-384 with SHA-384.
    P384Sha384,
}

impl Ecdsa {
    fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256Sha256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384Sha384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        }
    }

    fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256Sha256 => &ECDSA_P256_SHA256_ASN1,
            Self::P384Sha384 => &ECDSA_P384_SHA384_ASN1,
        }
    }

    /// The order of the curve's group, big-endian.
    const fn order(self) -> &'static [u8] {
        match self {
            Self::P256Sha256 => &P256_ORDER,
            Self::P384Sha384 => &P384_ORDER,
        }
    }

    fn digest(self, digest: &[u8]) -> Result<Digest, CryptoError> {
        let algorithm = match self {
            Self::P256Sha256 => &digest::SHA256,
            Self::P384Sha384 => &digest::SHA384,
        };
        Digest::import_less_safe(digest, algorithm).map_err(|_| CryptoError::Length { bytes: digest.len() })
    }
}

/// A private key for ECDSA, made here and never exported.
pub struct EcdsaKey {
    algorithm: Ecdsa,
    pair: EcdsaKeyPair,
}

impl EcdsaKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the provider cannot make one.
    pub fn generate(algorithm: Ecdsa) -> Result<Self, CryptoError> {
        let pair = EcdsaKeyPair::generate(algorithm.signing()).map_err(|_| CryptoError::Key)?;
        Ok(Self { algorithm, pair })
    }

    /// The curve and hash.
    #[must_use]
    pub const fn algorithm(&self) -> Ecdsa {
        self.algorithm
    }

    /// The public key as a compressed point (SEC 1, section 2.3.3).
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the provider cannot encode it.
    pub fn public_key(&self) -> Result<Vec<u8>, CryptoError> {
        // The provider keeps the point uncompressed, and would compute it once more to compress it.
        let point = self.pair.public_key().as_ref();
        let Some((4, coordinates)) = point.split_first() else { return Err(CryptoError::Key) };
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        let odd = y.last().ok_or(CryptoError::Key)? & 1;
        Ok([&[2 | odd], x].concat())
    }

    /// Signs a digest of the algorithm's hash. The signature is DER, and its length varies by a few bytes.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when the digest is not of that hash.
    pub fn sign_digest(&self, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signature = self.pair.sign_digest(&self.algorithm.digest(digest)?).map_err(|_| CryptoError::Key)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// The other signature that is as good: (r, n − s) for (r, s). Whoever wants another length of DER has it for the price
/// of a subtraction. `None` for what is no DER of two positive integers.
#[must_use]
pub fn mirrored(algorithm: Ecdsa, signature: &[u8]) -> Option<Vec<u8>> {
    let [der::SEQUENCE, length, integers @ ..] = signature else { return None };
    let (r, rest) = der::small_integer(integers).filter(|_| usize::from(*length) == integers.len())?;
    let (s, []) = der::small_integer(rest)? else { return None };
    let order = algorithm.order();
    let mut difference = order.to_vec();
    let mut borrow = false;
    for (index, byte) in difference.iter_mut().rev().enumerate() {
        let subtrahend = s.len().checked_sub(index + 1).and_then(|at| s.get(at)).copied().unwrap_or(0);
        let (once, under) = byte.overflowing_sub(subtrahend);
        let (twice, under_again) = once.overflowing_sub(u8::from(borrow));
        (*byte, borrow) = (twice, under || under_again);
    }
    // What is left of a scalar, from 1 to n − 1, is one too.
    let some = |number: &[u8]| number.iter().any(|byte| *byte != 0);
    let scalar = s.len() <= order.len() && !borrow && some(s) && some(&difference);
    scalar.then(|| der::element(der::SEQUENCE, &[&der::integer(r), &der::integer(&difference)]))
}

/// A public key for ECDSA. Worth keeping: to read a compressed point takes a sixth of the time of a verification.
pub struct EcdsaPublicKey {
    algorithm: Ecdsa,
    key: ParsedPublicKey,
}

impl EcdsaPublicKey {
    /// Reads a point, compressed or not, or a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn read(algorithm: Ecdsa, key: &[u8]) -> Result<Self, CryptoError> {
        let key = ParsedPublicKey::new(algorithm.verification(), key).map_err(|_| CryptoError::Key)?;
        Ok(Self { algorithm, key })
    }

    /// Verifies a DER signature over a digest.
    ///
    /// # Errors
    /// [`CryptoError::NotAuthentic`]; [`CryptoError::Length`] for a digest of another hash.
    pub fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let digest = self.algorithm.digest(digest)?;
        self.key.verify_digest_sig(&digest, signature).map_err(|_| CryptoError::NotAuthentic)
    }
}

#[cfg(test)]
mod tests;
