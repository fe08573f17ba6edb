//! The key of one message: derived from its data key, committed to by its header, and the header's authentication.

use crypto::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};
use crypto::hkdf::{self, Hash};
use crypto::{CryptoError, SecretBytes, constant_time_eq};

use crate::data_key::DataKey;
use crate::header::Header;
use crate::suite::{AlgorithmSuite, Derivation};
use crate::{EncryptionContext, Error};

/// The key of one message.
pub(crate) struct MessageKey {
    key: AeadKey,
    /// Commitment that the header of a committing suite carries.
    commitment: Option<[u8; 32]>,
}

impl MessageKey {
    /// Derives the key, and what commits to it.
    ///
    /// Source: AWS Encryption SDK Specification, Algorithm Suites, "HKDF" and "Commit Key".
    pub(crate) fn derive(suite: AlgorithmSuite, data_key: &DataKey, message_id: &[u8]) -> Result<Self, Error> {
        let (algorithm, id) = (suite.aead(), suite.id().to_be_bytes());
        let hash = match suite.derivation() {
            Derivation::Identity => {
                return Ok(Self { key: AeadKey::new(algorithm, data_key.expose())?, commitment: None });
            }
            Derivation::Hkdf(hash) => hash,
        };
        let mut derived = SecretBytes::from(vec![0; suite.data_key_length()]);
        let mut commitment = None;
        if suite.commits() {
            hkdf::derive(hash, message_id, data_key.expose(), &[&id, b"DERIVEKEY"], derived.expose_mut())?;
            let mut bytes = [0; 32];
            hkdf::derive(Hash::Sha512, message_id, data_key.expose(), &[b"COMMITKEY"], &mut bytes)?;
            commitment = Some(bytes);
        } else {
            hkdf::derive(hash, &[], data_key.expose(), &[&id, message_id], derived.expose_mut())?;
        }
        Ok(Self { key: AeadKey::new(algorithm, derived.expose())?, commitment })
    }

    pub(crate) const fn commitment(&self) -> Option<[u8; 32]> {
        self.commitment
    }

    /// Whether the header commits to this key, when its suite commits at all.
    pub(crate) fn verify_commitment(&self, header: &Header) -> Result<(), Error> {
        match (&self.commitment, &header.commitment) {
            (None, None) => Ok(()),
            (Some(ours), Some(theirs)) if constant_time_eq(ours, theirs) => Ok(()),
            _ => Err(Error::Commitment),
        }
    }

    /// The tag over a serialised header and the part of the encryption context that it does not store.
    pub(crate) fn authenticate(&self, header: &[u8], unstored: &EncryptionContext) -> Result<[u8; TAG_LENGTH], Error> {
        let aad = [header, &unstored.serialize()?].concat();
        Ok(self.key.seal_in_place(&[0; NONCE_LENGTH], &aad, &mut [])?)
    }

    /// Verifies such a tag.
    pub(crate) fn verify(
        &self,
        header: &[u8],
        unstored: &EncryptionContext,
        nonce: &[u8; NONCE_LENGTH],
        tag: &[u8; TAG_LENGTH],
    ) -> Result<(), Error> {
        let aad = [header, &unstored.serialize()?].concat();
        self.key.open_in_place(nonce, &aad, &mut [], tag).map_err(|error| match error {
            CryptoError::NotAuthentic => Error::HeaderNotAuthentic,
            error => Error::Crypto(error),
        })
    }

    /// The key that seals and opens the body.
    pub(crate) fn into_aead(self) -> AeadKey {
        self.key
    }
}
