//! Keys that are held in a key store: encrypted here first and there once more, so that it takes both to decrypt.

use std::sync::Arc;

use crate::ports::{Cause, HeldKey, KeyStoreError};
use service::Call;
use wire::{Blob, SecretBlob};
use zeroize::Zeroizing;

use crate::Kms;
use crate::error::{During, KeyStoreFault, KmsError};
use crate::record::{BlobError, EncryptionContext, KeyRecord, KeyStoreRecord, LiveKey, Origin, Version, blob};
use crate::record::{Held, blob::HeldBlob};

/// The call for which a store is asked.
pub(crate) fn cause(operation: &'static str, call: &Call<'_, Kms>) -> Cause {
    Cause {
        principal_arn: call.caller.principal.arn.to_string(),
        operation,
        request_id: call.request_id.to_owned(),
        region: call.region.to_owned(),
    }
}

/// Random bytes from the token of the store `id`.
///
/// # Errors
/// [`KeyStoreFault`]; [`KmsError::Unsupported`] for a store that is no token.
pub(crate) async fn random(id: &str, length: usize, call: &Call<'_, Kms>) -> Result<SecretBlob, KmsError> {
    let kms = &**call.service;
    let store = kms.key_store_records.get(&crate::record::domain(call.account(), call.region), id).await?;
    let store = store.ok_or_else(|| KmsError::from(KeyStoreFault::NotFound { text: id.to_owned() }))?;
    if store.cluster_id().is_none() {
        return Err(KmsError::Unsupported("GenerateRandom is not supported in an external key store.".to_owned()));
    }
    let connected = kms.connected(&store, During::CreateKey, &cause("GenerateRandom", call)).await?;
    let bytes = connected.random(length).await;
    let bytes = bytes.map_err(|error| KeyStoreFault::Refused { during: During::CreateKey, error })?;
    Ok(SecretBlob(Zeroizing::new(bytes.expose().to_vec())))
}

impl Kms {
    /// The store that holds a key, if one does.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when it is gone, which it cannot be while it holds keys.
    pub(crate) async fn store_of(&self, key: &KeyRecord) -> Result<Option<Arc<KeyStoreRecord>>, KmsError> {
        let Some(held) = &key.held else { return Ok(None) };
        let store = self.key_store_records.get(&key.domain(), &held.store).await?;
        let missing = || KmsError::Damaged(format!("the key store {} of {} is gone", held.store, key.arn()));
        store.ok_or_else(missing).map(Some)
    }

    /// Encrypts with the `version` of a key that is held elsewhere.
    ///
    /// # Errors
    /// [`KeyStoreFault`].
    pub(crate) async fn seal_held(
        &self,
        key: &LiveKey,
        held: &Held,
        version: &Version,
        context: &EncryptionContext,
        plaintext: &[u8],
        cause: Cause,
    ) -> Result<Blob, KmsError> {
        let store = self.store_of(&key.record).await?;
        let store = store.ok_or_else(|| KmsError::Damaged(format!("{} is held nowhere", key.arn)))?;
        let connected = self.connected(&store, During::Use, &cause).await?;
        let material = self.backing_key(key, version).await?;
        let half = blob::seal_half(material, &key.names(version)?, context, plaintext);
        let name = HeldKey { id: &held.key, arn: &key.arn };
        let outer = connected.encrypt(name, &cause, &half.aad, &half.inner).await;
        let outer = outer.map_err(|error| refused(error, key))?;
        half.finish(&outer).map(Blob).ok_or_else(|| refused(KeyStoreError::Malformed, key))
    }

    /// Decrypts what [`seal_held`](Self::seal_held) made.
    ///
    /// # Errors
    /// [`KeyStoreFault`], [`KmsError::InvalidCiphertext`].
    pub(crate) async fn open_held(
        &self,
        key: &LiveKey,
        held: &Held,
        blob: &HeldBlob<'_>,
        version: &Version,
        context: &EncryptionContext,
        cause: Cause,
    ) -> Result<SecretBlob, KmsError> {
        let store = self.store_of(&key.record).await?;
        let store = store.ok_or_else(|| KmsError::Damaged(format!("{} is held nowhere", key.arn)))?;
        let connected = self.connected(&store, During::Use, &cause).await?;
        let name = HeldKey { id: &held.key, arn: &key.arn };
        let inner = connected.decrypt(name, &cause, &blob.aad(context), &blob.outer).await;
        let inner = inner.map_err(|error| refused(error, key))?;
        let material = self.backing_key(key, version).await?;
        blob.open(inner.expose(), material, context).map(SecretBlob).map_err(KmsError::InvalidCiphertext)
    }
}

/// A refusal as the callers of that kind of store know it.
fn refused(error: KeyStoreError, key: &LiveKey) -> KmsError {
    tracing::debug!(key = key.arn, cause = ?error, "a custom key store did not do it");
    match error {
        KeyStoreError::NotAuthentic if key.record.origin == Origin::AwsCloudHsm => {
            KmsError::InvalidCiphertext(BlobError::NotAuthentic)
        }
        error => KeyStoreFault::Refused { during: During::Use, error }.into(),
    }
}
