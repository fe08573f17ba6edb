//! Diffie-Hellman on the NIST curves, the encodings of its public keys, and keys from a shared secret.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPublicKeyCompressedBin, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, EcdsaVerificationAlgorithm, ParsedPublicKey,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::{CryptoError, SecretBytes, kdf};

/// A NIST curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    fn agreement(self) -> &'static agreement::Algorithm {
        match self {
            Self::P256 => &ECDH_P256,
            Self::P384 => &ECDH_P384,
            Self::P521 => &ECDH_P521,
        }
    }

    fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1,
            Self::P384 => &ECDSA_P384_SHA384_ASN1,
            Self::P521 => &ECDSA_P521_SHA512_ASN1,
        }
    }

    /// The length of a coordinate in bytes.
    const fn coordinate(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// A public key: a point on the curve other than infinity.
#[derive(Clone, PartialEq, Eq)]
pub struct EcdhPublicKey {
    curve: Curve,
    compressed: Vec<u8>,
    spki: Vec<u8>,
}

impl EcdhPublicKey {
    /// Reads a SubjectPublicKeyInfo in DER, or a point (SEC 1, section 2.3.3), compressed or not.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn read(curve: Curve, encoded: &[u8]) -> Result<Self, CryptoError> {
        let key = ParsedPublicKey::new(curve.verification(), encoded).map_err(|_| CryptoError::Key)?;
        let spki: PublicKeyX509Der<'_> = key.as_der().map_err(|_| CryptoError::Key)?;
        Self::from_spki(curve, spki.as_ref())
    }

    /// The structure ends with the uncompressed point: compressing keeps x and the parity of y.
    fn from_spki(curve: Curve, spki: &[u8]) -> Result<Self, CryptoError> {
        let length = curve.coordinate();
        let (rest, y) = spki.split_at_checked(spki.len().saturating_sub(length)).ok_or(CryptoError::Key)?;
        let (rest, x) = rest.split_at_checked(rest.len().saturating_sub(length)).ok_or(CryptoError::Key)?;
        let (Some(4), Some(last)) = (rest.last(), y.last()) else { return Err(CryptoError::Key) };
        let compressed = [&[2 | (last & 1)], x].concat();
        Ok(Self { curve, compressed, spki: spki.to_vec() })
    }

    /// The curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The compressed point.
    #[must_use]
    pub fn compressed(&self) -> &[u8] {
        &self.compressed
    }

    /// The SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }
}

/// A private key for key agreement.
pub struct EcdhPrivateKey {
    curve: Curve,
    key: PrivateKey,
}

impl EcdhPrivateKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the provider cannot make one.
    pub fn generate(curve: Curve) -> Result<Self, CryptoError> {
        let key = PrivateKey::generate(curve.agreement()).map_err(|_| CryptoError::Key)?;
        Ok(Self { curve, key })
    }

    /// Reads a PKCS#8 key that is not encrypted, in PEM or DER.
    ///
    /// # Errors
    /// [`CryptoError::Key`], also for a key on another curve.
    pub fn read(curve: Curve, encoded: &[u8]) -> Result<Self, CryptoError> {
        let der = match PrivatePkcs8KeyDer::from_pem_slice(encoded) {
            Ok(der) => SecretBytes::from(der.secret_pkcs8_der()),
            Err(_) => SecretBytes::from(encoded),
        };
        let key = PrivateKey::from_private_key_der(curve.agreement(), der.expose()).map_err(|_| CryptoError::Key)?;
        Ok(Self { curve, key })
    }

    /// The curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The public half.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the provider cannot encode it.
    pub fn public_key(&self) -> Result<EcdhPublicKey, CryptoError> {
        let key = self.key.compute_public_key().map_err(|_| CryptoError::Key)?;
        let spki: PublicKeyX509Der<'_> = key.as_der().map_err(|_| CryptoError::Key)?;
        let compressed: EcPublicKeyCompressedBin<'_> = key.as_be_bytes().map_err(|_| CryptoError::Key)?;
        let public = EcdhPublicKey::from_spki(self.curve, spki.as_ref())?;
        if public.compressed != compressed.as_ref() {
            return Err(CryptoError::Key);
        }
        Ok(public)
    }

    /// The secret shared with the holder of `peer`'s private key: the x coordinate of the product.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the peer's key is on another curve.
    pub fn agree(&self, peer: &EcdhPublicKey) -> Result<SecretBytes, CryptoError> {
        let peer = agreement::UnparsedPublicKey::new(peer.curve.agreement(), peer.compressed());
        agreement::agree(&self.key, peer, CryptoError::Key, |secret| Ok(SecretBytes::from(secret)))
    }
}

/// Fills `out` with key material from a shared secret: SP 800-108 in counter mode with HMAC-SHA384.
///
/// Source: NIST SP 800-108r1, section 4.1: `HMAC(secret, [i]_32 ‖ label ‖ 0x00 ‖ context ‖ [bits of out]_32)`.
///
/// # Errors
/// [`CryptoError::Length`] when `out` is empty or longer than 512 MiB.
pub fn derive(secret: &SecretBytes, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    let bits = u32::try_from(out.len()).ok().and_then(|bytes| bytes.checked_mul(8));
    let Some(bits) = bits else { return Err(CryptoError::Length { bytes: out.len() }) };
    let info = [label, &[0], context, &bits.to_be_bytes()].concat();
    kdf::counter_mode(kdf::HMAC_SHA384, secret.expose(), &info, out)
}

#[cfg(test)]
mod tests;
