//! Where the keys of a message come from, and what must hold of its encryption context.
//!
//! The specification calls a source of materials a cryptographic materials manager. Every keyring is one.

mod caching;
mod required;

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
pub use caching::{CacheLimits, CachingMaterials, Clock};
use crypto::signature::EcdsaKey;
pub use required::RequiredContext;

use crate::context::PUBLIC_KEY;
use crate::keyring::{KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapping, Wrapping};
use crate::{AlgorithmSuite, CommitmentPolicy, DataKey, EncryptedDataKey, EncryptionContext, Error, VerificationKey};

/// Request for the materials to encrypt a message with.
#[derive(Clone, Debug)]
pub struct EncryptionRequest {
    /// The caller's encryption context.
    pub context: EncryptionContext,
    /// Names of entries that are authenticated but not stored in the message.
    pub unstored: BTreeSet<String>,
    /// The algorithm suite, if the caller asked for one.
    pub suite: Option<AlgorithmSuite>,
    /// The commitment policy.
    pub policy: CommitmentPolicy,
    /// The plaintext's length in bytes, or a bound on it, if it is known.
    pub plaintext_max: Option<u64>,
}

/// Suite, encryption context and keys that a message is encrypted with.
#[derive(Clone)]
pub struct EncryptionMaterials {
    /// The algorithm suite.
    pub suite: AlgorithmSuite,
    /// The whole encryption context.
    pub context: EncryptionContext,
    /// Names of entries that are authenticated but not stored in the message.
    pub unstored: BTreeSet<String>,
    /// The data key.
    pub data_key: Arc<DataKey>,
    /// The data key under each wrapping key.
    pub encrypted_data_keys: Vec<EncryptedDataKey>,
    /// The key that signs the message, if its suite signs.
    pub signing_key: Option<Arc<EcdsaKey>>,
}

/// Request for the materials that a message was encrypted with: fields of its header, policy and known context.
#[derive(Clone, Copy, Debug)]
pub struct DecryptionRequest<'a> {
    /// The algorithm suite.
    pub suite: AlgorithmSuite,
    /// The commitment policy.
    pub policy: CommitmentPolicy,
    /// The stored encryption context.
    pub context: &'a EncryptionContext,
    /// The encryption context that the caller knows: it has to agree with the stored one, and adds what isn't stored.
    pub reproduced: &'a EncryptionContext,
    /// The data key under each wrapping key.
    pub encrypted_data_keys: &'a [EncryptedDataKey],
}

/// Encryption context and keys that a message is decrypted with.
#[derive(Clone)]
pub struct DecryptionMaterials {
    /// The whole encryption context.
    pub context: EncryptionContext,
    /// Names of entries that are authenticated but not stored in the message.
    pub unstored: BTreeSet<String>,
    /// The data key.
    pub data_key: Arc<DataKey>,
    /// Which of the encrypted data keys was opened, from 0.
    pub data_key_index: usize,
    /// The wrapping key that opened it, for people to read.
    pub wrapping_key: String,
    /// The public key that verifies the message's signature, if its suite signs.
    pub verification_key: Option<VerificationKey>,
}

/// A source of materials.
pub trait MaterialsSource: Send + Sync {
    /// Materials to encrypt a message with.
    fn encryption<'a>(&'a self, request: EncryptionRequest) -> Pending<'a, Result<EncryptionMaterials, Error>>;

    /// The materials that a message was encrypted with.
    fn decryption<'a>(&'a self, request: DecryptionRequest<'a>) -> Pending<'a, Result<DecryptionMaterials, Error>>;
}

/// A keyring as a source of materials: the specification's default cryptographic materials manager.
impl<K: Keyring> MaterialsSource for K {
    fn encryption<'a>(&'a self, request: EncryptionRequest) -> Pending<'a, Result<EncryptionMaterials, Error>> {
        Box::pin(encryption(self, request))
    }

    fn decryption<'a>(&'a self, request: DecryptionRequest<'a>) -> Pending<'a, Result<DecryptionMaterials, Error>> {
        Box::pin(decryption(self, request))
    }
}

async fn encryption(keyring: &impl Keyring, request: EncryptionRequest) -> Result<EncryptionMaterials, Error> {
    let EncryptionRequest { mut context, unstored, suite, policy, plaintext_max: _ } = request;
    let suite = suite.unwrap_or_else(|| policy.default_suite());
    if !policy.lets_encrypt(suite) {
        return Err(Error::Policy { policy, suite });
    }
    if context.contains(PUBLIC_KEY) {
        return Err(Error::ReservedContext { name: PUBLIC_KEY.to_owned() });
    }
    if let Some(name) = unstored.iter().find(|name| !context.contains(name)) {
        return Err(Error::ContextMissing { name: name.clone() });
    }
    let signing_key = match suite.signature() {
        Some(algorithm) => {
            let key = EcdsaKey::generate(algorithm)?;
            context.insert(PUBLIC_KEY, BASE64.encode(key.public_key()?));
            Some(Arc::new(key))
        }
        None => None,
    };
    let mut keys = Wrapping::new(suite, &context);
    keyring.wrap(&mut keys).await.map_err(Error::Wrap)?;
    let (data_key, encrypted_data_keys) = keys.into_parts();
    let made = data_key.map(Arc::new).filter(|_| !encrypted_data_keys.is_empty());
    let none = || Error::Wrap(KeyFailure::new("the keyring", KeyFailureReason::Incapable("it wrapped no data key")));
    let data_key = made.ok_or_else(none)?;
    Ok(EncryptionMaterials { suite, context, unstored, data_key, encrypted_data_keys, signing_key })
}

async fn decryption(keyring: &impl Keyring, request: DecryptionRequest<'_>) -> Result<DecryptionMaterials, Error> {
    let DecryptionRequest { suite, policy, context, reproduced, encrypted_data_keys } = request;
    if !policy.lets_decrypt(suite) {
        return Err(Error::Policy { policy, suite });
    }
    let mut whole = context.clone();
    let mut unstored = BTreeSet::new();
    for (name, value) in reproduced.iter() {
        match context.get(name) {
            Some(stored) if stored == value => {}
            Some(_) => return Err(Error::ContextMismatch { name: name.to_owned() }),
            None => {
                whole.insert(name, value);
                unstored.insert(name.to_owned());
            }
        }
    }
    let verification_key = match (suite.signs(), context.get(PUBLIC_KEY)) {
        (true, Some(text)) => VerificationKey::new(suite, BASE64.decode(text).map_err(|_| Error::PublicKeyMissing)?),
        (true, None) => return Err(Error::PublicKeyMissing),
        (false, Some(_)) => return Err(Error::PublicKeyUnexpected),
        (false, None) => None,
    };
    let opened = keyring.open(&Unwrapping::new(suite, &whole, encrypted_data_keys)).await;
    let opened = opened.map_err(|failures| Error::Unwrap {
        failures,
        wrapped_under: encrypted_data_keys
            .iter()
            .map(|key| format!("{} {}", key.provider_id, key.wrapping_key()))
            .collect(),
    })?;
    Ok(DecryptionMaterials {
        context: whole,
        unstored,
        data_key: Arc::new(opened.data_key),
        data_key_index: opened.index,
        wrapping_key: opened.wrapping_key,
        verification_key,
    })
}
