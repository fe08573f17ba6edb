//! AES-GCM from one buffer into another, for data whose layout changes while it is sealed or opened.

use aws_lc_rs::aead::{Aad, Nonce};

use super::{AeadKey, NONCE_LENGTH, TAG_LENGTH};
use crate::CryptoError;

impl AeadKey {
    /// Encrypts `plaintext` into `ciphertext`, which is as long, and writes the tag over it and `aad`.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when the lengths differ or are more than GCM takes, 64 GiB.
    pub fn seal_into(
        &self,
        nonce: &[u8; NONCE_LENGTH],
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
        tag: &mut [u8; TAG_LENGTH],
    ) -> Result<(), CryptoError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let sealed = self.0.seal_out_of_place_scatter(nonce, Aad::from(aad), plaintext, ciphertext, &[], tag);
        sealed.map_err(|_| CryptoError::Length { bytes: plaintext.len() })
    }

    /// Decrypts `ciphertext` into `plaintext`, which is as long, if `tag` is the one over it and `aad`. On an error
    /// `plaintext` holds nothing of use.
    ///
    /// # Errors
    /// [`CryptoError::NotAuthentic`].
    pub fn open_into(
        &self,
        nonce: &[u8; NONCE_LENGTH],
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8; TAG_LENGTH],
        plaintext: &mut [u8],
    ) -> Result<(), CryptoError> {
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_separate_gather(nonce, Aad::from(aad), ciphertext, tag, plaintext);
        opened.map_err(|_| CryptoError::NotAuthentic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aead::Algorithm;

    #[test]
    fn out_of_place_is_what_in_place_is() {
        for (algorithm, length) in [(Algorithm::Aes128Gcm, 16), (Algorithm::Aes192Gcm, 24), (Algorithm::Aes256Gcm, 32)]
        {
            let key = AeadKey::new(algorithm, &vec![7; length]).unwrap();
            for plaintext in [&b""[..], b"a", &[3; 4096]] {
                let (nonce, aad) = ([9; NONCE_LENGTH], b"bound");
                let mut in_place = plaintext.to_vec();
                let expected = key.seal_in_place(&nonce, aad, &mut in_place).unwrap();
                let (mut sealed, mut tag) = (vec![0; plaintext.len()], [0; TAG_LENGTH]);
                key.seal_into(&nonce, aad, plaintext, &mut sealed, &mut tag).unwrap();
                assert_eq!((&sealed, tag), (&in_place, expected));
                let mut opened = vec![0; plaintext.len()];
                key.open_into(&nonce, aad, &sealed, &tag, &mut opened).unwrap();
                assert_eq!(opened, plaintext);
                tag[0] ^= 1;
                let refused = key.open_into(&nonce, aad, &sealed, &tag, &mut opened);
                assert!(matches!(refused, Err(CryptoError::NotAuthentic)));
            }
        }
    }

    #[test]
    fn buffers_of_different_lengths_are_refused() {
        let key = AeadKey::new(Algorithm::Aes256Gcm, &[1; 32]).unwrap();
        let refused = key.seal_into(&[0; 12], b"", &[0; 4], &mut [0; 5], &mut [0; 16]);
        assert!(matches!(refused, Err(CryptoError::Length { bytes: 4 })));
        assert!(key.open_into(&[0; 12], b"", &[0; 4], &[0; 16], &mut [0; 3]).is_err());
    }
}
