//! Data keys under branch keys, which are cached for a while so that the key service is rarely asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crypto::aead::{AeadKey, NONCE_LENGTH, TAG_LENGTH};
use crypto::{SecretBytes, kdf, random_bytes};

use super::{Attempts, KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapped, Unwrapping, Wrapping, data_key};
use crate::branch_key::{BranchKey, BranchKeyStore, BranchKeyVersion};
use crate::cursor::Cursor;
use crate::materials::Clock;
use crate::{DataKey, EncryptedDataKey, EncryptionContext};

const PROVIDER: &str = "aws-kms-hierarchy";
const SALT_LENGTH: usize = 16;

/// Maximum number of cached branch keys.
const ENTRIES_MAX: usize = 1000;

type Choose = dyn Fn(&EncryptionContext) -> Result<String, Box<dyn std::error::Error + Send + Sync>> + Send + Sync;

/// Which branch key a message belongs to.
enum Choice {
    One(String),
    ByContext(Box<Choose>),
}

/// A branch key and when it was had from the store.
type Kept = (Arc<BranchKey>, Instant);

/// Branch keys from a store, cached for as long as the caller says.
///
/// Source: AWS Encryption SDK Specification, AWS KMS Hierarchical Keyring.
pub struct HierarchicalKeyring<S, C> {
    store: S,
    choice: Choice,
    age_max: Duration,
    clock: C,
    /// By identifier and version; without a version, the active one.
    kept: Mutex<HashMap<(String, Option<BranchKeyVersion>), Kept>>,
}

impl<S: BranchKeyStore, C: Clock> HierarchicalKeyring<S, C> {
    /// A keyring of the one branch key `id`. It is had from the store again after `age_max` by the time of `clock`,
    /// `Instant::now` for instance.
    pub fn new(store: S, id: impl Into<String>, age_max: Duration, clock: C) -> Self {
        Self { store, choice: Choice::One(id.into()), age_max, clock, kept: Mutex::new(HashMap::new()) }
    }

    /// A keyring of many branch keys, where `choose` tells by the encryption context which one a message belongs to.
    pub fn by_context<F>(store: S, choose: F, age_max: Duration, clock: C) -> Self
    where
        F: Fn(&EncryptionContext) -> Result<String, Box<dyn std::error::Error + Send + Sync>> + Send + Sync + 'static,
    {
        Self { store, choice: Choice::ByContext(Box::new(choose)), age_max, clock, kept: Mutex::new(HashMap::new()) }
    }

    fn choose(&self, context: &EncryptionContext) -> Result<String, KeyFailure> {
        match &self.choice {
            Choice::One(id) => Ok(id.clone()),
            Choice::ByContext(choose) => {
                choose(context).map_err(|error| KeyFailure::new("branch key", KeyFailureReason::Other(error)))
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<(String, Option<BranchKeyVersion>), Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn branch_key(
        &self,
        id: &str,
        version: Option<BranchKeyVersion>,
    ) -> Result<Arc<BranchKey>, KeyFailureReason> {
        let (place, now) = ((id.to_owned(), version), self.clock.now());
        let fresh = |since: Instant| now.saturating_duration_since(since) < self.age_max;
        if let Some((key, _)) = self.kept().get(&place).filter(|(_, since)| fresh(*since)) {
            return Ok(Arc::clone(key));
        }
        let found = match version {
            Some(version) => self.store.version(id, version).await,
            None => self.store.active(id).await,
        };
        let key = Arc::new(found.map_err(|error| KeyFailureReason::Other(error.into()))?);
        let mut kept = self.kept();
        kept.retain(|_, (_, since)| fresh(*since));
        if kept.len() >= ENTRIES_MAX {
            let oldest = kept.iter().min_by_key(|(_, (_, since))| *since).map(|(place, _)| place.clone());
            if let Some(oldest) = oldest {
                kept.remove(&oldest);
            }
        }
        kept.insert(place, (Arc::clone(&key), now));
        Ok(key)
    }

    async fn wrap_under(&self, id: &str, keys: &mut Wrapping<'_>) -> Result<(), KeyFailureReason> {
        let branch = self.branch_key(id, None).await?;
        let aad = associated_data(id, branch.version, keys.context())?;
        let (mut salt, mut nonce) = ([0; SALT_LENGTH], [0; NONCE_LENGTH]);
        random_bytes(&mut salt);
        random_bytes(&mut nonce);
        let mut wrapped = SecretBytes::from(keys.data_key_or_random().expose());
        let tag = wrapping_key(&branch, &salt).seal_in_place(&nonce, &aad, wrapped.expose_mut());
        let tag = tag.map_err(|error| KeyFailureReason::Other(error.into()))?;
        keys.push(EncryptedDataKey {
            provider_id: PROVIDER.to_owned(),
            provider_info: id.as_bytes().to_vec(),
            ciphertext: [&salt[..], &nonce, &branch.version.0, wrapped.expose(), &tag].concat(),
        });
        Ok(())
    }

    /// Source: AWS Encryption SDK Specification, AWS KMS Hierarchical Keyring, "Ciphertext".
    async fn open_one(&self, id: &str, keys: &Unwrapping<'_>, ciphertext: &[u8]) -> Result<DataKey, KeyFailureReason> {
        let mut cursor = Cursor::new(ciphertext);
        let head = cursor.array::<SALT_LENGTH>().zip(cursor.array::<NONCE_LENGTH>()).zip(cursor.array::<16>());
        let Some((((salt, nonce), version), (wrapped, tag))) = head.zip(cursor.rest().split_last_chunk::<TAG_LENGTH>())
        else {
            return Err(KeyFailureReason::Malformed("it is shorter than its salt, nonce, version and tag"));
        };
        let version = BranchKeyVersion(version);
        let branch = self.branch_key(id, Some(version)).await?;
        let aad = associated_data(id, version, keys.context())?;
        let mut opened = SecretBytes::from(wrapped);
        let outcome = wrapping_key(&branch, &salt).open_in_place(&nonce, &aad, opened.expose_mut(), tag);
        outcome.map_err(|_| KeyFailureReason::NotAuthentic)?;
        data_key(keys.suite(), opened)
    }
}

fn wrapping_key(branch: &BranchKey, salt: &[u8; SALT_LENGTH]) -> AeadKey {
    AeadKey::aes256(&kdf::derive(&branch.key, PROVIDER.as_bytes(), salt))
}

fn associated_data(
    id: &str,
    version: BranchKeyVersion,
    context: &EncryptionContext,
) -> Result<Vec<u8>, KeyFailureReason> {
    let context = context.serialize().map_err(|error| KeyFailureReason::Other(error.into()))?;
    Ok([PROVIDER.as_bytes(), id.as_bytes(), &version.0, &context].concat())
}

impl<S: BranchKeyStore, C: Clock> Keyring for HierarchicalKeyring<S, C> {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        Box::pin(async move {
            let id = self.choose(keys.context())?;
            let wrapped = self.wrap_under(&id, keys).await;
            wrapped.map_err(|reason| KeyFailure::new(format!("branch key {id}"), reason))
        })
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        Box::pin(async move {
            let id = self.choose(keys.context()).map_err(|failure| vec![failure])?;
            let mut attempts = Attempts::new(format!("branch key {id}"));
            for (index, key) in keys.of_provider(PROVIDER) {
                if key.provider_info != id.as_bytes() {
                    continue;
                }
                match self.open_one(&id, keys, &key.ciphertext).await {
                    Ok(data_key) => return Ok(attempts.opened(index, data_key)),
                    Err(reason) => attempts.failed(reason),
                }
            }
            Err(attempts.exhausted())
        })
    }
}
