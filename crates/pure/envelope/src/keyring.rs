//! Keyrings: what wraps data keys and opens them again. How each kind does it is in the files below.

mod ecdh_wrapping;
mod hierarchical;
mod kms;
mod kms_discovery;
mod kms_ecdh;
mod kms_rsa;
mod multi;
mod raw_aes;
mod raw_ecdh;
mod raw_rsa;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

pub use crypto::ecdh::Curve;
pub use crypto::rsa::Padding;
pub use hierarchical::HierarchicalKeyring;
pub use kms::KmsKeyring;
pub use kms_discovery::{DiscoveryFilter, KmsDiscoveryKeyring};
pub use kms_ecdh::KmsEcdhKeyring;
pub use kms_rsa::KmsRsaKeyring;
pub use multi::MultiKeyring;
pub use raw_aes::RawAesKeyring;
pub use raw_ecdh::RawEcdhKeyring;
pub use raw_rsa::RawRsaKeyring;

use crate::kms::KmsError;
use crate::{AlgorithmSuite, DataKey, EncryptedDataKey, EncryptionContext};

/// A result that may need a key service, and so a while.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Wraps data keys and opens them again.
pub trait Keyring: Send + Sync {
    /// Wraps the data key, making it first if there is none yet, and adds its encrypted form.
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>>;

    /// Opens one of the encrypted data keys, or reports for each wrapping key why it did not.
    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>>;
}

impl<K: Keyring + ?Sized> Keyring for Arc<K> {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        (**self).wrap(keys)
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        (**self).open(keys)
    }
}

impl<K: Keyring + ?Sized> Keyring for Box<K> {
    fn wrap<'a>(&'a self, keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        (**self).wrap(keys)
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        (**self).open(keys)
    }
}

/// The data key of a message that is being encrypted, and its encrypted forms so far.
pub struct Wrapping<'a> {
    suite: AlgorithmSuite,
    context: &'a EncryptionContext,
    data_key: Option<DataKey>,
    encrypted: Vec<EncryptedDataKey>,
}

impl<'a> Wrapping<'a> {
    pub(crate) const fn new(suite: AlgorithmSuite, context: &'a EncryptionContext) -> Self {
        Self { suite, context, data_key: None, encrypted: Vec::new() }
    }

    /// The message's algorithm suite.
    #[must_use]
    pub const fn suite(&self) -> AlgorithmSuite {
        self.suite
    }

    /// The message's whole encryption context, which the wrapping authenticates.
    #[must_use]
    pub const fn context(&self) -> &'a EncryptionContext {
        self.context
    }

    /// The data key, once a keyring made it.
    #[must_use]
    pub const fn data_key(&self) -> Option<&DataKey> {
        self.data_key.as_ref()
    }

    /// The data key, made at random if there is none yet.
    pub fn data_key_or_random(&mut self) -> &DataKey {
        let suite = self.suite;
        self.data_key.get_or_insert_with(|| DataKey::random(suite))
    }

    /// Sets the data key that the keyring made, unless there is one: what others wrapped must stay the key.
    pub fn set_data_key(&mut self, made: DataKey) {
        self.data_key.get_or_insert(made);
    }

    /// Adds the data key in an encrypted form.
    pub fn push(&mut self, encrypted: EncryptedDataKey) {
        self.encrypted.push(encrypted);
    }

    pub(crate) fn into_parts(self) -> (Option<DataKey>, Vec<EncryptedDataKey>) {
        (self.data_key, self.encrypted)
    }
}

/// The encrypted data keys of a message that is being decrypted.
#[derive(Clone, Copy)]
pub struct Unwrapping<'a> {
    suite: AlgorithmSuite,
    context: &'a EncryptionContext,
    encrypted: &'a [EncryptedDataKey],
}

impl<'a> Unwrapping<'a> {
    pub(crate) const fn new(
        suite: AlgorithmSuite,
        context: &'a EncryptionContext,
        encrypted: &'a [EncryptedDataKey],
    ) -> Self {
        Self { suite, context, encrypted }
    }

    /// The message's algorithm suite.
    #[must_use]
    pub const fn suite(&self) -> AlgorithmSuite {
        self.suite
    }

    /// The message's whole encryption context, which the wrapping authenticates.
    #[must_use]
    pub const fn context(&self) -> &'a EncryptionContext {
        self.context
    }

    /// The encrypted data keys, in the header's order.
    #[must_use]
    pub const fn encrypted(&self) -> &'a [EncryptedDataKey] {
        self.encrypted
    }

    /// The encrypted data keys of a provider, with their places in the header.
    pub fn of_provider(&self, id: &str) -> impl Iterator<Item = (usize, &'a EncryptedDataKey)> + use<'a, '_> {
        let id = id.to_owned();
        self.encrypted.iter().enumerate().filter(move |(_, key)| key.provider_id == id)
    }
}

/// A data key that a wrapping key opened.
pub struct Unwrapped {
    /// The data key.
    pub data_key: DataKey,
    /// Which of the header's encrypted data keys it was, from 0.
    pub index: usize,
    /// The wrapping key that opened it, for people to read.
    pub wrapping_key: String,
}

/// Why one wrapping key did not do its part.
#[derive(Debug, thiserror::Error)]
#[error("{wrapping_key}: {reason}")]
pub struct KeyFailure {
    /// The wrapping key, for people to read.
    pub wrapping_key: String,
    /// Reason for the failure.
    #[source]
    pub reason: KeyFailureReason,
}

impl KeyFailure {
    /// Puts a failure together.
    #[must_use]
    pub fn new(wrapping_key: impl fmt::Display, reason: KeyFailureReason) -> Self {
        Self { wrapping_key: wrapping_key.to_string(), reason }
    }
}

/// Reason why a wrapping key failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFailureReason {
    /// The message's data key is not under this key.
    #[error("the message's data key is not under it")]
    NotUsed,
    /// The encrypted data key is not authentic: another wrapping key has this name, or the encryption context is not
    /// the message's, or the bytes were changed.
    #[error("another key has this name, or the encryption context is another, or the data key was changed")]
    NotAuthentic,
    /// The encrypted data key has not the provider's form.
    #[error("the encrypted data key is malformed: {0}")]
    Malformed(&'static str),
    /// The data key has not the suite's length.
    #[error("the data key has {bytes} bytes; the algorithm suite takes {expected}")]
    Length {
        /// Its length in bytes.
        bytes: usize,
        /// The suite's.
        expected: usize,
    },
    /// The key service answered for another key than it was asked for.
    #[error("the key service answered for {key_id}")]
    OtherKey {
        /// The key that it answered for.
        key_id: String,
    },
    /// The keyring cannot do this.
    #[error("{0}")]
    Incapable(&'static str),
    /// The key service refused.
    #[error(transparent)]
    Kms(#[from] KmsError),
    /// Any other cause.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// A data key from the bytes that were unwrapped, if they are as many as the suite takes.
pub(crate) fn data_key(suite: AlgorithmSuite, bytes: crypto::SecretBytes) -> Result<DataKey, KeyFailureReason> {
    let length = KeyFailureReason::Length { bytes: bytes.len(), expected: suite.data_key_length() };
    DataKey::new(suite, bytes).ok_or(length)
}

/// The outcome of trying `candidates` in turn: the first that opens, or why none did.
pub(crate) struct Attempts {
    wrapping_key: String,
    failures: Vec<KeyFailure>,
}

impl Attempts {
    pub(crate) fn new(wrapping_key: impl fmt::Display) -> Self {
        Self { wrapping_key: wrapping_key.to_string(), failures: Vec::new() }
    }

    pub(crate) fn failed(&mut self, reason: impl Into<KeyFailureReason>) {
        self.failures.push(KeyFailure::new(&self.wrapping_key, reason.into()));
    }

    pub(crate) fn opened(self, index: usize, data_key: DataKey) -> Unwrapped {
        Unwrapped { data_key, index, wrapping_key: self.wrapping_key }
    }

    /// All failures; that nothing was tried is one.
    pub(crate) fn exhausted(mut self) -> Vec<KeyFailure> {
        if self.failures.is_empty() {
            self.failed(KeyFailureReason::NotUsed);
        }
        self.failures
    }
}
