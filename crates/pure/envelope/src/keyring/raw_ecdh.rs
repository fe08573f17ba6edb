//! Data keys under a key agreed on with raw elliptic-curve keys that the caller holds.

use crypto::CryptoError;
use crypto::ecdh::{Curve, EcdhPrivateKey, EcdhPublicKey};

use super::ecdh_wrapping::{Parties, RAW_PROVIDER};
use super::{Attempts, KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapped, Unwrapping, Wrapping};
use crate::{DataKey, EncryptedDataKey};

/// Who the two parties are.
enum Scheme {
    /// Ours with a private key, theirs with a public key.
    Between { private: EcdhPrivateKey, ours: EcdhPublicKey, theirs: EcdhPublicKey },
    /// A key of the moment, and the recipient's.
    ToRecipient(EcdhPublicKey),
    /// Whoever sent it, and ours.
    ForRecipient { private: EcdhPrivateKey, ours: EcdhPublicKey },
}

/// Key agreement with raw keys on a NIST curve.
///
/// Private keys are PKCS#8 in PEM or DER; public keys are a SubjectPublicKeyInfo in DER or a point.
///
/// Source: AWS Encryption SDK Specification, Raw ECDH Keyring.
pub struct RawEcdhKeyring {
    curve: Curve,
    scheme: Scheme,
}

impl RawEcdhKeyring {
    /// Agreement between our private key and their public key: encrypts for them, decrypts what either wrapped for
    /// the other. The specification calls it `RawPrivateKeyToStaticPublicKey`.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn between(curve: Curve, our_private_key: &[u8], their_public_key: &[u8]) -> Result<Self, CryptoError> {
        let private = EcdhPrivateKey::read(curve, our_private_key)?;
        let (ours, theirs) = (private.public_key()?, EcdhPublicKey::read(curve, their_public_key)?);
        Ok(Self { curve, scheme: Scheme::Between { private, ours, theirs } })
    }

    /// Agreement between a new private key for each message and the recipient's public key: encrypts only.
    /// The specification calls it `EphemeralPrivateKeyToStaticPublicKey`.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn to_recipient(curve: Curve, their_public_key: &[u8]) -> Result<Self, CryptoError> {
        Ok(Self { curve, scheme: Scheme::ToRecipient(EcdhPublicKey::read(curve, their_public_key)?) })
    }

    /// Agreement between whoever encrypted and our private key: decrypts only.
    /// The specification calls it `PublicKeyDiscovery`.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn for_recipient(curve: Curve, our_private_key: &[u8]) -> Result<Self, CryptoError> {
        let private = EcdhPrivateKey::read(curve, our_private_key)?;
        let ours = private.public_key()?;
        Ok(Self { curve, scheme: Scheme::ForRecipient { private, ours } })
    }

    const fn describe(&self) -> &'static str {
        match self.curve {
            Curve::P256 => "raw ECDH key on P-256",
            Curve::P384 => "raw ECDH key on P-384",
            Curve::P521 => "raw ECDH key on P-521",
        }
    }

    fn wrap_now(&self, keys: &mut Wrapping<'_>) -> Result<(), KeyFailureReason> {
        let other = |error: CryptoError| KeyFailureReason::Other(error.into());
        let (parties, secret) = match &self.scheme {
            Scheme::Between { private, ours, theirs } => {
                (Parties { sender: ours.clone(), recipient: theirs.clone() }, private.agree(theirs))
            }
            Scheme::ToRecipient(recipient) => {
                let private = EcdhPrivateKey::generate(self.curve).map_err(other)?;
                let sender = private.public_key().map_err(other)?;
                (Parties { sender, recipient: recipient.clone() }, private.agree(recipient))
            }
            Scheme::ForRecipient { .. } => {
                return Err(KeyFailureReason::Incapable("it names no recipient to encrypt for"));
            }
        };
        let (secret, context) = (secret.map_err(other)?, keys.context());
        let encrypted = parties.wrap(RAW_PROVIDER, &secret, keys.data_key_or_random(), context)?;
        keys.push(encrypted);
        Ok(())
    }

    /// Opens a data key; `None` when it is none between these parties.
    fn open_one(&self, keys: &Unwrapping<'_>, key: &EncryptedDataKey) -> Option<Result<DataKey, KeyFailureReason>> {
        let parties = Parties::of(key, self.curve)?;
        let (private, other_side) = match &self.scheme {
            Scheme::Between { private, ours, theirs } => {
                let sent = parties.sender == *ours && parties.recipient == *theirs;
                let received = parties.sender == *theirs && parties.recipient == *ours;
                (sent || received).then_some((private, theirs))?
            }
            Scheme::ForRecipient { private, ours } => {
                (parties.recipient == *ours).then_some((private, &parties.sender))?
            }
            Scheme::ToRecipient(_) => return None,
        };
        let secret = private.agree(other_side).map_err(|error| KeyFailureReason::Other(error.into()));
        Some(secret.and_then(|secret| parties.open(&secret, keys, &key.ciphertext)))
    }

    fn open_now(&self, keys: &Unwrapping<'_>) -> Result<Unwrapped, Vec<KeyFailure>> {
        let mut attempts = Attempts::new(self.describe());
        if let Scheme::ToRecipient(_) = self.scheme {
            attempts.failed(KeyFailureReason::Incapable("it has no private key to decrypt with"));
        }
        for (index, key) in keys.encrypted().iter().enumerate() {
            match self.open_one(keys, key) {
                Some(Ok(data_key)) => return Ok(attempts.opened(index, data_key)),
                Some(Err(reason)) => attempts.failed(reason),
                None => {}
            }
        }
        Err(attempts.exhausted())
    }
}

impl Keyring for RawEcdhKeyring {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        let wrapped = self.wrap_now(keys).map_err(|reason| KeyFailure::new(self.describe(), reason));
        Box::pin(std::future::ready(wrapped))
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        let opened = self.open_now(keys);
        Box::pin(std::future::ready(opened))
    }
}
