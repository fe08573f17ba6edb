//! How material is wrapped on its way in, and unwrapped here. Knows no keys of ours.

use crypto::rsa::{Padding, RsaPrivateKey};
use crypto::{CryptoError, SecretBytes, key_wrap};

use crate::error::KmsError;
use crate::record::KeySpec;

wire::text_enum! {
    /// How material is wrapped.
    pub(crate) enum WrappingAlgorithm {
        RsaesPkcs1V15 = "RSAES_PKCS1_V1_5",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        RsaAesKeyWrapSha1 = "RSA_AES_KEY_WRAP_SHA_1",
        RsaAesKeyWrapSha256 = "RSA_AES_KEY_WRAP_SHA_256",
        Sm2Pke = "SM2PKE",
    }
}

wire::text_enum! {
    /// The key pair under whose public key material is wrapped.
    pub(crate) enum WrappingKeySpec {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        Sm2 = "SM2",
    }
}

impl WrappingKeySpec {
    /// The spec of a key of ours that is such a pair.
    pub(crate) const fn key_spec(self) -> KeySpec {
        match self {
            Self::Rsa2048 => KeySpec::Rsa2048,
            Self::Rsa3072 => KeySpec::Rsa3072,
            Self::Rsa4096 => KeySpec::Rsa4096,
            Self::Sm2 => KeySpec::Sm2,
        }
    }
}

impl WrappingAlgorithm {
    /// Every algorithm that is served, by its place in a token.
    const SERVED: [Self; 4] =
        [Self::RsaesOaepSha1, Self::RsaesOaepSha256, Self::RsaAesKeyWrapSha1, Self::RsaAesKeyWrapSha256];

    /// The number by which tokens name it.
    pub(crate) fn number(self) -> Option<u8> {
        Self::SERVED.iter().position(|served| *served == self).and_then(|place| u8::try_from(place).ok())
    }

    /// The algorithm that a token names.
    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::SERVED.get(usize::from(number)).copied()
    }

    /// Whether the material is wrapped under an AES key, and only that key under the RSA key.
    const fn has_two_steps(self) -> bool {
        matches!(self, Self::RsaAesKeyWrapSha1 | Self::RsaAesKeyWrapSha256)
    }

    /// Whether material for a key of this spec can be wrapped so.
    ///
    /// # Errors
    /// [`KmsError::Unsupported`].
    ///
    /// Source: AWS KMS API Reference, GetParametersForImport, `WrappingAlgorithm`.
    pub(crate) fn check(self, wrapping: WrappingKeySpec, spec: KeySpec) -> Result<(), KmsError> {
        if self.number().is_none() {
            return Err(KmsError::Unsupported(format!("Wrapping algorithm {self} is not supported.")));
        }
        if wrapping == WrappingKeySpec::Sm2 {
            return Err(KmsError::Unsupported(format!("Wrapping key spec {wrapping} is not supported.")));
        }
        // Material longer than the padding leaves room for takes a second step.
        let too_long = match spec {
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => true,
            KeySpec::EccNistP521 => wrapping == WrappingKeySpec::Rsa2048,
            _ => false,
        };
        if too_long && !self.has_two_steps() {
            return Err(KmsError::Unsupported(format!(
                "Wrapping algorithm {self} with wrapping key spec {wrapping} is not supported for key spec {spec}."
            )));
        }
        Ok(())
    }

    /// Unwraps material.
    ///
    /// # Errors
    /// [`CryptoError`], which is not part of the answer.
    pub(crate) fn unwrap(self, key: &RsaPrivateKey, wrapped: &[u8]) -> Result<SecretBytes, CryptoError> {
        let padding = match self {
            Self::RsaesOaepSha1 | Self::RsaAesKeyWrapSha1 => Padding::OaepSha1,
            Self::RsaesOaepSha256 | Self::RsaAesKeyWrapSha256 => Padding::OaepSha256,
            Self::RsaesPkcs1V15 | Self::Sm2Pke => return Err(CryptoError::Key),
        };
        if !self.has_two_steps() {
            return key.decrypt(padding, wrapped);
        }
        let modulus_bytes = key.public_key().bits() / 8;
        let (aes_key, material) = wrapped.split_at_checked(modulus_bytes).ok_or(CryptoError::NotAuthentic)?;
        key_wrap::unwrap_padded(key.decrypt(padding, aes_key)?.expose(), material)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_name_what_is_served_and_nothing_else() {
        for text in WrappingAlgorithm::TEXTS {
            let algorithm = WrappingAlgorithm::from_text(text).expect("a value");
            let served = algorithm.check(WrappingKeySpec::Rsa4096, KeySpec::SymmetricDefault).is_ok();
            assert_eq!(
                algorithm.number().and_then(WrappingAlgorithm::of_number),
                served.then_some(algorithm),
                "{text}"
            );
        }
        assert_eq!(WrappingAlgorithm::of_number(4), None);
    }

    #[test]
    fn what_nobody_wrapped_is_refused() {
        let private = crypto::KeyPair::generate(crypto::PairKind::Rsa2048).expect("a pair").private;
        let key = RsaPrivateKey::read(private.expose()).expect("a key");
        for text in WrappingAlgorithm::TEXTS {
            let algorithm = WrappingAlgorithm::from_text(text).expect("a value");
            for length in [0, 1, 255, 256, 257, 280, 6144] {
                assert!(algorithm.unwrap(&key, &vec![0x5a; length]).is_err(), "{text}, {length} bytes");
            }
        }
    }
}
