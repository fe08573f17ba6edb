//! ML-KEM (FIPS 203): keys from and to their encodings, encapsulation and decapsulation.

use aws_lc_rs::kem::{self, Algorithm, AlgorithmId, Ciphertext, ML_KEM_512, ML_KEM_768, ML_KEM_1024};

use crate::aws_lc::{MlKem, ml_kem_read};
use crate::der::{BIT_STRING, SEQUENCE, element, private_key_info};
use crate::{CryptoError, KeyPair, PairKind, SecretBytes, random_bytes};

/// The length of the seed of a pair in bytes: d and z (FIPS 203, algorithm 16).
const SEED_LENGTH: usize = 64;

/// The tag and length before a seed that stands for a whole private key (RFC 9935, section 6).
const SEED: [u8; 2] = [0x80, 64];

impl MlKem {
    fn algorithm(self) -> &'static Algorithm<AlgorithmId> {
        match self {
            Self::MlKem512 => &ML_KEM_512,
            Self::MlKem768 => &ML_KEM_768,
            Self::MlKem1024 => &ML_KEM_1024,
        }
    }

    /// The AlgorithmIdentifier: an object identifier and no parameters (RFC 9935, section 3).
    const fn identifier(self) -> [u8; 13] {
        let last = match self {
            Self::MlKem512 => 1,
            Self::MlKem768 => 2,
            Self::MlKem1024 => 3,
        };
        [SEQUENCE, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, last]
    }

    /// The length of an encapsulated secret in bytes.
    const fn ciphertext_length(self) -> usize {
        match self {
            Self::MlKem512 => 768,
            Self::MlKem768 => 1088,
            Self::MlKem1024 => 1568,
        }
    }

    /// A new random pair.
    pub(crate) fn generate(self) -> Result<KeyPair, CryptoError> {
        let mut seed = SecretBytes::from(vec![0; SEED_LENGTH]);
        random_bytes(seed.expose_mut());
        self.read(self.pkcs8(seed.expose()).expose())
    }

    /// Reads a pair from the PKCS#8 key that holds its seed.
    pub(crate) fn read(self, pkcs8: &[u8]) -> Result<KeyPair, CryptoError> {
        let (raw, _) = ml_kem_read(self, pkcs8)?;
        let seed = pkcs8.last_chunk::<SEED_LENGTH>().ok_or(CryptoError::Key)?;
        if self.pkcs8(seed).expose() != pkcs8 {
            return Err(CryptoError::Key);
        }
        Ok(KeyPair { private: SecretBytes::from(pkcs8), public: self.spki(&raw) })
    }

    fn pkcs8(self, seed: &[u8]) -> SecretBytes {
        let mut key = SecretBytes::with_capacity(SEED.len() + seed.len());
        key.extend(&SEED);
        key.extend(seed);
        private_key_info(&self.identifier(), key.expose())
    }

    fn spki(self, raw: &[u8]) -> Vec<u8> {
        element(SEQUENCE, &[&self.identifier(), &element(BIT_STRING, &[&[0], raw])])
    }
}

/// A private key, which decapsulates.
pub struct DecapsulationKey {
    set: MlKem,
    key: kem::DecapsulationKey,
}

impl DecapsulationKey {
    /// Reads a PKCS#8 key in its seed form.
    ///
    /// # Errors
    /// [`CryptoError::Key`], also for a kind that is not ML-KEM.
    pub fn read(kind: PairKind, pkcs8: &[u8]) -> Result<Self, CryptoError> {
        let set = kind.ml_kem().ok_or(CryptoError::Key)?;
        let (_, private) = ml_kem_read(set, pkcs8)?;
        let key = kem::DecapsulationKey::new(set.algorithm(), private.expose()).map_err(|_| CryptoError::Key)?;
        Ok(Self { set, key })
    }

    /// The secret that was encapsulated. A ciphertext that was not made for this key gives a secret that nobody knows.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for a ciphertext of another parameter set.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<SecretBytes, CryptoError> {
        let refused = CryptoError::Length { bytes: ciphertext.len() };
        if ciphertext.len() != self.set.ciphertext_length() {
            return Err(refused);
        }
        let secret = self.key.decapsulate(Ciphertext::from(ciphertext)).map_err(|_| refused)?;
        Ok(SecretBytes::from(secret.as_ref()))
    }
}

/// A public key, which encapsulates.
pub struct EncapsulationKey(kem::EncapsulationKey);

impl EncapsulationKey {
    /// Reads a SubjectPublicKeyInfo, which ends with the key.
    ///
    /// # Errors
    /// [`CryptoError::Key`], also for a kind that is not ML-KEM.
    pub fn read(kind: PairKind, spki: &[u8]) -> Result<Self, CryptoError> {
        let set = kind.ml_kem().ok_or(CryptoError::Key)?;
        let (_, raw) = spki.split_at_checked(spki.len().saturating_sub(set.key_lengths().0)).ok_or(CryptoError::Key)?;
        if set.spki(raw) != spki {
            return Err(CryptoError::Key);
        }
        Ok(Self(kem::EncapsulationKey::new(set.algorithm(), raw).map_err(|_| CryptoError::Key)?))
    }

    /// A new random secret, and its ciphertext for the private key's holder.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the key is not one of FIPS 203.
    pub fn encapsulate(&self) -> Result<(SecretBytes, Vec<u8>), CryptoError> {
        let (ciphertext, secret) = self.0.encapsulate().map_err(|_| CryptoError::Key)?;
        Ok((SecretBytes::from(secret.as_ref()), ciphertext.as_ref().to_vec()))
    }
}

#[cfg(test)]
mod tests;
