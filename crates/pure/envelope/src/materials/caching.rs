//! Materials that are used for more than one message, within bounds.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crypto::{Sha384, sha384};

use super::{DecryptionMaterials, DecryptionRequest, EncryptionMaterials, EncryptionRequest, MaterialsSource};
use crate::keyring::Pending;
use crate::suite::Derivation;
use crate::{AlgorithmSuite, Error};

/// Tells the time, which only ever grows. Functions like `Instant::now` do.
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Instant;
}

impl<F: Fn() -> Instant + Send + Sync> Clock for F {
    fn now(&self) -> Instant {
        self()
    }
}

/// How long and how much materials may be used.
#[derive(Clone, Copy, Debug)]
pub struct CacheLimits {
    /// Maximum number of cached entries. The least recently used one is evicted first.
    pub entries_max: usize,
    /// How long an entry is used.
    pub age_max: Duration,
    /// How many messages are encrypted under one data key, from 1 to 2³².
    pub messages_max: u64,
    /// How many bytes are encrypted under one data key.
    pub bytes_max: u64,
}

impl CacheLimits {
    /// Up to `entries_max` entries for up to `age_max` each, and the most messages and bytes that are ever safe.
    #[must_use]
    pub const fn new(entries_max: usize, age_max: Duration) -> Self {
        Self { entries_max, age_max, messages_max: 1 << 32, bytes_max: i64::MAX as u64 }
    }

    /// Bounds the messages under one data key.
    #[must_use]
    pub const fn messages_max(mut self, count: u64) -> Self {
        self.messages_max = count;
        self
    }

    /// Bounds the bytes under one data key.
    #[must_use]
    pub const fn bytes_max(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }
}

/// Uses the materials of another source for more than one message.
///
/// A message is encrypted with cached materials only when the length of its plaintext is known or bounded beforehand,
/// and only in suites that derive a key for each message. Messages with the same materials share their data key, and
/// a signed message its signing key, with each other.
///
/// Source: AWS Encryption SDK Specification, Caching Cryptographic Materials Manager.
pub struct CachingMaterials<M, C> {
    inner: M,
    limits: CacheLimits,
    clock: C,
    entries: Mutex<HashMap<[u8; 48], Entry>>,
}

struct Entry {
    made: Instant,
    used: Instant,
    messages: u64,
    bytes: u64,
    materials: Materials,
}

#[derive(Clone)]
enum Materials {
    Encryption(EncryptionMaterials),
    Decryption(DecryptionMaterials),
}

impl<M: MaterialsSource, C: Clock> CachingMaterials<M, C> {
    /// Caches what `inner` gives, by the time of `clock`.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use envelope::{CacheLimits, CachingMaterials, Encryption, RawAesKeyring};
    ///
    /// let keyring = RawAesKeyring::new("example", "key-1", &[7; 32])?;
    /// let limits = CacheLimits::new(100, Duration::from_secs(300)).messages_max(1000);
    /// let materials = CachingMaterials::new(keyring, limits, Instant::now);
    /// let one = Encryption::new(&materials).encrypt(b"one")?;
    /// let two = Encryption::new(&materials).encrypt(b"two")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(inner: M, limits: CacheLimits, clock: C) -> Self {
        Self { inner, limits, clock, entries: Mutex::new(HashMap::new()) }
    }

    /// The entry, if it is still good for so many more messages of together `bytes` bytes, which are counted.
    fn find(&self, id: &[u8; 48], messages: u64, bytes: u64) -> Option<Materials> {
        let now = self.clock.now();
        let mut entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let entry = entries.get_mut(id)?;
        let (messages, bytes) = (entry.messages.saturating_add(messages), entry.bytes.saturating_add(bytes));
        let fresh = now.saturating_duration_since(entry.made) < self.limits.age_max;
        if !fresh || messages > self.limits.messages_max || bytes > self.limits.bytes_max {
            entries.remove(id);
            return None;
        }
        (entry.used, entry.messages, entry.bytes) = (now, messages, bytes);
        Some(entry.materials.clone())
    }

    fn keep(&self, id: [u8; 48], materials: Materials, messages: u64, bytes: u64) {
        let now = self.clock.now();
        let mut entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        entries.retain(|_, entry| now.saturating_duration_since(entry.made) < self.limits.age_max);
        if entries.len() >= self.limits.entries_max && !entries.contains_key(&id) {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                entries.remove(&oldest);
            }
        }
        if self.limits.entries_max > 0 {
            entries.insert(id, Entry { made: now, used: now, messages, bytes, materials });
        }
    }
}

/// A suite without key derivation would use one key with the same nonces for every message.
fn derives(suite: AlgorithmSuite) -> bool {
    suite.derivation() != Derivation::Identity
}

/// Identifies what was asked for: parts with their lengths, so that no two requests run into each other.
fn identify<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 48] {
    let mut digest = Sha384::new();
    for part in parts {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finish()
}

fn encryption_id(request: &EncryptionRequest) -> Result<[u8; 48], Error> {
    let suite = request.suite.unwrap_or_else(|| request.policy.default_suite()).id().to_be_bytes();
    let context = request.context.serialize()?;
    let unstored = request.unstored.iter().map(String::as_bytes);
    Ok(identify([&b"encryption"[..], &suite, &context].into_iter().chain(unstored)))
}

fn decryption_id(request: &DecryptionRequest<'_>) -> Result<[u8; 48], Error> {
    let suite = request.suite.id().to_be_bytes();
    let (context, reproduced) = (request.context.serialize()?, request.reproduced.serialize()?);
    let mut keys: Vec<[u8; 48]> = Vec::new();
    for key in request.encrypted_data_keys {
        keys.push(identify([key.provider_id.as_bytes(), &key.provider_info, &key.ciphertext]));
    }
    // The header's order is part of it, since the materials say which of the keys was opened.
    let keys = sha384(&keys.concat());
    Ok(identify([&b"decryption"[..], &suite, &context, &reproduced, &keys]))
}

impl<M: MaterialsSource, C: Clock> MaterialsSource for CachingMaterials<M, C> {
    fn encryption<'a>(&'a self, request: EncryptionRequest) -> Pending<'a, Result<EncryptionMaterials, Error>> {
        Box::pin(async move {
            let suite = request.suite.unwrap_or_else(|| request.policy.default_suite());
            if !request.policy.lets_encrypt(suite) {
                return Err(Error::Policy { policy: request.policy, suite });
            }
            let Some(bytes) = request.plaintext_max.filter(|bytes| derives(suite) && *bytes <= self.limits.bytes_max)
            else {
                return self.inner.encryption(request).await;
            };
            let id = encryption_id(&request)?;
            if let Some(Materials::Encryption(materials)) = self.find(&id, 1, bytes) {
                return Ok(materials);
            }
            let materials = self.inner.encryption(request).await?;
            if derives(materials.suite) {
                self.keep(id, Materials::Encryption(materials.clone()), 1, bytes);
            }
            Ok(materials)
        })
    }

    fn decryption<'a>(&'a self, request: DecryptionRequest<'a>) -> Pending<'a, Result<DecryptionMaterials, Error>> {
        Box::pin(async move {
            if !request.policy.lets_decrypt(request.suite) {
                return Err(Error::Policy { policy: request.policy, suite: request.suite });
            }
            if !derives(request.suite) {
                return self.inner.decryption(request).await;
            }
            let id = decryption_id(&request)?;
            if let Some(Materials::Decryption(materials)) = self.find(&id, 0, 0) {
                return Ok(materials);
            }
            let materials = self.inner.decryption(request).await?;
            self.keep(id, Materials::Decryption(materials.clone()), 0, 0);
            Ok(materials)
        })
    }
}
