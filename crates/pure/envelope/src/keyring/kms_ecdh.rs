//! Data keys under a key agreed on with an elliptic-curve key whose private half stays in KMS.

use std::sync::{Arc, OnceLock};

use crypto::ecdh::{Curve, EcdhPublicKey};
use crypto::{CryptoError, SecretBytes};

use super::ecdh_wrapping::{KMS_PROVIDER, Parties};
use super::{Attempts, KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapped, Unwrapping, Wrapping};
use crate::kms::{DeriveSharedSecret, GetPublicKey, KmsClient};
use crate::{DataKey, EncryptedDataKey};

/// Key agreement with a key in KMS, on a NIST curve.
///
/// Source: AWS Encryption SDK Specification, AWS KMS ECDH Keyring.
pub struct KmsEcdhKeyring {
    client: Arc<dyn KmsClient>,
    key_id: String,
    curve: Curve,
    /// The public half of the key in KMS, once it was asked for.
    ours: OnceLock<EcdhPublicKey>,
    /// The other party; without it, anybody who encrypted for us.
    theirs: Option<EcdhPublicKey>,
    grant_tokens: Vec<String>,
}

impl KmsEcdhKeyring {
    /// Agreement between our key in KMS and their public key (a SubjectPublicKeyInfo in DER, or a point): encrypts
    /// for them, decrypts what either wrapped for the other. The specification calls it
    /// `KmsPrivateKeyToStaticPublicKey`.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn between(
        client: Arc<dyn KmsClient>,
        key_id: impl Into<String>,
        curve: Curve,
        their_public_key: &[u8],
    ) -> Result<Self, CryptoError> {
        let theirs = EcdhPublicKey::read(curve, their_public_key)?;
        Ok(Self { theirs: Some(theirs), ..Self::for_recipient(client, key_id, curve) })
    }

    /// Agreement between whoever encrypted and our key in KMS: decrypts only. The specification calls it
    /// `KmsPublicKeyDiscovery`.
    pub fn for_recipient(client: Arc<dyn KmsClient>, key_id: impl Into<String>, curve: Curve) -> Self {
        Self { client, key_id: key_id.into(), curve, ours: OnceLock::new(), theirs: None, grant_tokens: Vec::new() }
    }

    /// Sets the public half of the key in KMS, instead of asking for it.
    ///
    /// # Errors
    /// [`CryptoError::Key`].
    pub fn with_public_key(mut self, our_public_key: &[u8]) -> Result<Self, CryptoError> {
        self.ours = OnceLock::from(EcdhPublicKey::read(self.curve, our_public_key)?);
        Ok(self)
    }

    /// Sets the grant tokens of every call.
    #[must_use]
    pub fn grant_tokens(mut self, tokens: Vec<String>) -> Self {
        self.grant_tokens = tokens;
        self
    }

    fn describe(&self) -> String {
        format!("KMS ECDH key {}", self.key_id)
    }

    async fn ours(&self) -> Result<&EcdhPublicKey, KeyFailureReason> {
        if let Some(ours) = self.ours.get() {
            return Ok(ours);
        }
        let request = GetPublicKey { key_id: &self.key_id, grant_tokens: &self.grant_tokens };
        let encoded = self.client.get_public_key(request).await?;
        let ours = EcdhPublicKey::read(self.curve, &encoded).map_err(|error| KeyFailureReason::Other(error.into()))?;
        Ok(self.ours.get_or_init(|| ours))
    }

    async fn agree(&self, theirs: &EcdhPublicKey) -> Result<SecretBytes, KeyFailureReason> {
        let request =
            DeriveSharedSecret { key_id: &self.key_id, public_key: theirs.spki(), grant_tokens: &self.grant_tokens };
        Ok(self.client.derive_shared_secret(request).await?)
    }

    async fn wrap_for(&self, keys: &mut Wrapping<'_>) -> Result<(), KeyFailureReason> {
        let recipient = self.theirs.as_ref();
        let recipient = recipient.ok_or(KeyFailureReason::Incapable("it names no recipient to encrypt for"))?;
        let parties = Parties { sender: self.ours().await?.clone(), recipient: recipient.clone() };
        let secret = self.agree(recipient).await?;
        let context = keys.context();
        let encrypted = parties.wrap(KMS_PROVIDER, &secret, keys.data_key_or_random(), context)?;
        keys.push(encrypted);
        Ok(())
    }

    /// Opens a data key; `None` when it is none between these parties.
    async fn open_one(
        &self,
        keys: &Unwrapping<'_>,
        key: &EncryptedDataKey,
        ours: &EcdhPublicKey,
    ) -> Option<Result<DataKey, KeyFailureReason>> {
        let parties = Parties::of(key, self.curve)?;
        let received = parties.recipient == *ours;
        let other_side = match &self.theirs {
            Some(theirs) => {
                let sent = parties.sender == *ours && parties.recipient == *theirs;
                (sent || (received && parties.sender == *theirs)).then_some(theirs)?
            }
            None => received.then_some(&parties.sender)?,
        };
        match self.agree(other_side).await {
            Ok(secret) => Some(parties.open(&secret, keys, &key.ciphertext)),
            Err(reason) => Some(Err(reason)),
        }
    }
}

impl Keyring for KmsEcdhKeyring {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        Box::pin(async move { self.wrap_for(keys).await.map_err(|reason| KeyFailure::new(self.describe(), reason)) })
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        Box::pin(async move {
            let mut attempts = Attempts::new(self.describe());
            if !keys.encrypted().iter().any(|key| Parties::of(key, self.curve).is_some()) {
                return Err(attempts.exhausted());
            }
            let ours = match self.ours().await {
                Ok(ours) => ours,
                Err(reason) => {
                    attempts.failed(reason);
                    return Err(attempts.exhausted());
                }
            };
            for (index, key) in keys.encrypted().iter().enumerate() {
                match self.open_one(keys, key, ours).await {
                    Some(Ok(data_key)) => return Ok(attempts.opened(index, data_key)),
                    Some(Err(reason)) => attempts.failed(reason),
                    None => {}
                }
            }
            Err(attempts.exhausted())
        })
    }
}
