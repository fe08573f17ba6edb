//! Keys and their use: AWS KMS.
//!
//! Owns the key hierarchy from the domain key of a region down to the key of a single call, key policies, grants and
//! aliases. Refuses to know users: who calls and what identity policies say is asked through `service`'s ports.
//!
//! Source: AWS KMS API Reference; AWS KMS Cryptographic Details.

#![allow(
    clippy::manual_async_fn,
    reason = "an async fn stores its arguments twice, so that each call's future is larger"
)]

mod access;
mod alias;
mod cryptography;
mod domain_key;
mod error;
mod grant;
mod key;
mod key_store;
mod long_work;
mod material;
mod operations;
pub mod ports;
mod record;
mod rules;
mod seed;

use std::sync::Arc;

use crypto::kdf::DerivationKey;
use service::ports::Principals;
use service::{Call, Entry, MaybeReady, Regions, Service};
use store::{Cache, ListCache, Store, Tx};
use wire::Protocol;

pub use cryptography::ServiceDataKeys;
pub use domain_key::{DomainKeyReport, DomainKeyState, DomainRotation, DomainTurnover, domain_keys};
pub use error::{KeyStoreFault, KmsError, TagFault};
pub use record::blob;
pub use record::reference::KeyId;
pub use record::spec::{KeySpec, KeyUsage, Origin};
pub use seed::{SeedKey, seed};

use domain_key::DomainKeys;
use key_store::Connections;
use long_work::LongWork;
use ports::{KeyStores, NoKeyStores};
use record::last_usage::LastUsages;
use record::ready::Material;
use record::{AliasRecord, GrantRecord, Grants, KeyRecord, KeyStoreRecord, LiveKey, Version, domain, reference, state};

/// How many keys are cached, policies parsed and material unwrapped.
const KEYS_CACHED: usize = 10_000;

/// How many aliases are cached.
const ALIASES_CACHED: usize = 10_000;

/// How many keys' grants are cached.
const GRANTS_CACHED: usize = 2_000;

/// How many custom key stores are cached.
const KEY_STORES_CACHED: usize = 1_000;

/// The regions whose domain keys are cached.
const REGIONS_CACHED: usize = 100;

/// The default quota of keys of an account in a region.
const KEYS_MAX: u64 = 100_000;

/// AWS KMS.
pub struct Kms {
    store: Store,
    principals: Arc<dyn Principals>,
    keys: Cache<LiveKey>,
    aliases: Cache<AliasRecord>,
    grants: ListCache<Grants>,
    last_usages: LastUsages,
    key_making: LongWork,
    slow_key_use: LongWork,
    key_stores: Arc<dyn KeyStores>,
    key_store_records: Cache<KeyStoreRecord>,
    domain_keys: Cache<DomainKeys>,
    connections: Connections,
    regions: Regions,
    keys_max: u64,
}

impl Kms {
    /// KMS over `store`, for the principals that `principals` knows.
    #[must_use]
    pub fn new(store: Store, principals: Arc<dyn Principals>) -> Self {
        Self {
            keys: Cache::new::<KeyRecord>(&store, KEYS_CACHED, LiveKey::from),
            aliases: Cache::new::<AliasRecord>(&store, ALIASES_CACHED, |record| record),
            grants: ListCache::new::<GrantRecord>(&store, GRANTS_CACHED, Grants::new),
            last_usages: LastUsages::default(),
            key_stores: Arc::new(NoKeyStores),
            key_store_records: Cache::new::<KeyStoreRecord>(&store, KEY_STORES_CACHED, |record| record),
            domain_keys: Cache::new::<DomainKeys>(&store, REGIONS_CACHED, |record| record),
            connections: Connections::default(),
            store,
            principals,
            regions: Regions::default(),
            key_making: LongWork::on_half_the_cores(),
            slow_key_use: LongWork::on_every_core(),
            keys_max: KEYS_MAX,
        }
    }

    /// The same with another quota of keys for each account and region.
    #[must_use]
    pub const fn with_keys_max(mut self, keys: u64) -> Self {
        self.keys_max = keys;
        self
    }

    /// The same for other Regions.
    #[must_use]
    pub fn in_regions(mut self, regions: Regions) -> Self {
        self.regions = regions;
        self
    }

    /// The same with custom key stores, in the tokens and behind the proxies that `key_stores` knows.
    #[must_use]
    pub fn with_key_stores(mut self, key_stores: Arc<dyn KeyStores>) -> Self {
        self.key_stores = key_stores;
        self
    }

    /// The key `id` of `account` in `region`.
    ///
    /// # Errors
    /// [`KmsError::KeyNotFound`], [`KmsError::KeyUnavailable`]; those of the store.
    fn live<'a>(
        &'a self,
        region: &'a str,
        account: &'a str,
        id: &'a str,
    ) -> MaybeReady<'a, Result<Arc<LiveKey>, KmsError>> {
        let missing = move || KmsError::KeyNotFound { arn: reference::key_arn(region, account, id) };
        let domain = domain(account, region);
        match self.keys.peek(&domain, id) {
            Some(key) => MaybeReady::ready(key.ok_or_else(missing)),
            None => MaybeReady::boxed(async move {
                self.keys.get(&domain, id).await.map_err(KmsError::of_key)?.ok_or_else(missing)
            }),
        }
    }

    /// The material of a version, ready for use.
    fn material<'a, 'k: 'a>(
        &'a self,
        key: &'a LiveKey,
        version: &'k Version,
    ) -> MaybeReady<'a, Result<&'k Material, KmsError>> {
        match version.peek() {
            Some(known) => MaybeReady::ready(Ok(known)),
            None => MaybeReady::boxed(async move {
                let domain = self.domain_key_named(&version.wrapped(key)?.domain_key).await?;
                version.unwrap(&domain, key)
            }),
        }
    }

    /// The backing key of a version of a symmetric encryption key.
    fn backing_key<'a, 'k: 'a>(
        &'a self,
        key: &'a LiveKey,
        version: &'k Version,
    ) -> MaybeReady<'a, Result<&'k DerivationKey, KmsError>> {
        self.material(key, version).map(|material| match material? {
            Material::Backing(backing) => Ok(backing),
            _ => Err(KmsError::Damaged(format!("{} is no symmetric encryption key", key.arn))),
        })
    }

    /// Changes a key's record for a call, if the state that it is in by then permits the operation.
    async fn change<T: Send + 'static>(
        &self,
        call: &Call<'_, Self>,
        operation: &'static str,
        key: &LiveKey,
        work: impl FnOnce(&mut KeyRecord, &mut Tx<'_>) -> Result<T, KmsError> + Send + 'static,
    ) -> Result<T, KmsError> {
        let (domain, id, arn, now) = (key.record.domain(), key.record.id.clone(), key.arn.clone(), call.now);
        call.write(&self.store, move |tx| {
            let record = tx.get::<KeyRecord>(&domain, &id)?;
            let mut record = record.ok_or_else(|| KmsError::KeyNotFound { arn: arn.clone() })?;
            state::check(operation, record.state_at(now), record.origin, &arn)?;
            let value = work(&mut record, tx)?;
            tx.put(&domain, &id, &record)?;
            Ok(value)
        })
        .await
    }
}

impl Service for Kms {
    const NAME: &'static str = "kms";
    const EVENT_SOURCE: &'static str = "kms.amazonaws.com";
    const PROTOCOLS: &'static [Protocol] = &[Protocol::json("1.1", "TrentService")];
    const NOT_SERVED: &'static str = include_str!("../missing.txt");
    type Error = KmsError;

    fn operations() -> &'static [Entry<Self>] {
        operations::TABLE
    }
}

#[cfg(test)]
mod tests;
