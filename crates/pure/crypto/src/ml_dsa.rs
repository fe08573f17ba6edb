//! ML-DSA (FIPS 204) with an empty context, over messages and over message representatives.

use aws_lc_rs::encoding::{AsDer as _, AsRawBytes as _, PublicKeyX509Der};
use aws_lc_rs::signature::{
    KeyPair as _, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING,
    ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
};

use crate::aws_lc::{self, MU_LENGTH, MlDsa};
use crate::{CryptoError, SecretBytes};

impl MlDsa {
    fn signing(self) -> &'static PqdsaSigningAlgorithm {
        match self {
            Self::MlDsa44 => &ML_DSA_44_SIGNING,
            Self::MlDsa65 => &ML_DSA_65_SIGNING,
            Self::MlDsa87 => &ML_DSA_87_SIGNING,
        }
    }

    fn verification(self) -> &'static PqdsaVerificationAlgorithm {
        match self {
            Self::MlDsa44 => &ML_DSA_44,
            Self::MlDsa65 => &ML_DSA_65,
            Self::MlDsa87 => &ML_DSA_87,
        }
    }
}

/// A private key.
pub(crate) struct MlDsaKey {
    set: MlDsa,
    pair: PqdsaKeyPair,
}

impl MlDsaKey {
    /// A new random key.
    pub(crate) fn generate(set: MlDsa) -> Result<Self, CryptoError> {
        let pair = PqdsaKeyPair::generate(set.signing()).map_err(|_| CryptoError::Key)?;
        Ok(Self { set, pair })
    }

    /// Reads a PKCS#8 key.
    pub(crate) fn read(set: MlDsa, pkcs8: &[u8]) -> Result<Self, CryptoError> {
        let pair = PqdsaKeyPair::from_pkcs8(set.signing(), pkcs8).map_err(|_| CryptoError::Key)?;
        Ok(Self { set, pair })
    }

    /// The key in PKCS#8, as its seed (RFC 9881, section 6).
    pub(crate) fn pkcs8(&self) -> Result<SecretBytes, CryptoError> {
        Ok(SecretBytes::from(self.pair.to_pkcs8v1().map_err(|_| CryptoError::Key)?.as_ref()))
    }

    /// The public key as a SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Result<Vec<u8>, CryptoError> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(|_| CryptoError::Key)?;
        Ok(der.as_ref().to_vec())
    }

    /// Signs a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut signature = vec![0; self.set.signature_length()];
        self.pair.sign(message, &mut signature).map_err(|_| CryptoError::Key)?;
        Ok(signature)
    }

    /// Signs a message representative: what the message, the context and the public key were hashed to elsewhere.
    pub(crate) fn sign_mu(&self, mu: &[u8; MU_LENGTH]) -> Result<Vec<u8>, CryptoError> {
        let private = self.pair.private_key().as_raw_bytes().map_err(|_| CryptoError::Key)?;
        aws_lc::ml_dsa_sign_mu(self.set, private.as_ref(), mu)
    }
}

/// A public key.
pub(crate) struct MlDsaPublicKey {
    set: MlDsa,
    key: ParsedPublicKey,
    raw: Vec<u8>,
}

impl MlDsaPublicKey {
    /// Reads a SubjectPublicKeyInfo, which ends with the key.
    pub(crate) fn read(set: MlDsa, spki: &[u8]) -> Result<Self, CryptoError> {
        let key = ParsedPublicKey::new(set.verification(), spki).map_err(|_| CryptoError::Key)?;
        let start = spki.len().checked_sub(set.signing().public_key_len()).ok_or(CryptoError::Key)?;
        let raw = spki.get(start..).ok_or(CryptoError::Key)?.to_vec();
        Ok(Self { set, key, raw })
    }

    /// Verifies a signature over a message.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.key.verify_sig(message, signature).map_err(|_| CryptoError::NotAuthentic)
    }

    /// Verifies a signature over a message representative.
    pub(crate) fn verify_mu(&self, mu: &[u8; MU_LENGTH], signature: &[u8]) -> Result<(), CryptoError> {
        aws_lc::ml_dsa_verify_mu(self.set, &self.raw, mu, signature)
    }
}

#[cfg(test)]
mod tests;
