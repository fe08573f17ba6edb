//! Data keys under whatever KMS key the message names, within bounds. It decrypts only.

use std::collections::BTreeSet;

use super::kms::PROVIDER;
use super::{Attempts, KeyFailure, KeyFailureReason, Keyring, Pending, Unwrapped, Unwrapping, Wrapping, data_key};
use crate::kms::{ClientSource, Decrypt, Decrypted, KeyArn};
use crate::{DataKey, EncryptedDataKey};

/// Which accounts' keys a discovery keyring may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveryFilter {
    /// The partition, `aws` as a rule.
    pub partition: String,
    /// The accounts.
    pub accounts: BTreeSet<String>,
}

impl DiscoveryFilter {
    /// Keys of these accounts.
    #[must_use]
    pub fn new<A: Into<String>>(partition: impl Into<String>, accounts: impl IntoIterator<Item = A>) -> Self {
        Self { partition: partition.into(), accounts: accounts.into_iter().map(Into::into).collect() }
    }

    fn admits(&self, arn: &KeyArn<'_>) -> bool {
        self.partition == arn.partition && self.accounts.contains(arn.account)
    }
}

/// Which regions a discovery keyring calls.
enum Regions {
    /// The one that each key's ARN names.
    All,
    /// One alone.
    One(String),
    /// One alone, where Multi-Region keys of other regions are asked for as well.
    OneMultiRegion(String),
}

/// The KMS keys that the message names: decrypts without a list of keys.
///
/// Without a filter, whoever makes a message chooses the account that is asked to decrypt.
///
/// Source: AWS Encryption SDK Specification, AWS KMS Discovery Keyring and AWS KMS MRK Discovery Keyring.
pub struct KmsDiscoveryKeyring {
    clients: Box<dyn ClientSource>,
    regions: Regions,
    filter: Option<DiscoveryFilter>,
    grant_tokens: Vec<String>,
}

impl KmsDiscoveryKeyring {
    /// A keyring that asks for each key in the region of its ARN.
    pub fn new(clients: impl ClientSource + 'static) -> Self {
        Self { clients: Box::new(clients), regions: Regions::All, filter: None, grant_tokens: Vec::new() }
    }

    /// Asks in this region only.
    #[must_use]
    pub fn in_region(mut self, region: impl Into<String>) -> Self {
        self.regions = Regions::One(region.into());
        self
    }

    /// Asks in this region only, and for the replicas there of Multi-Region keys of other regions.
    #[must_use]
    pub fn multi_region(mut self, region: impl Into<String>) -> Self {
        self.regions = Regions::OneMultiRegion(region.into());
        self
    }

    /// Uses the keys that the filter admits only.
    #[must_use]
    pub fn filter(mut self, filter: DiscoveryFilter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Sets the grant tokens of every call.
    #[must_use]
    pub fn grant_tokens(mut self, tokens: Vec<String>) -> Self {
        self.grant_tokens = tokens;
        self
    }

    /// The region to ask in and the key to ask for, if this key may be used.
    fn request(&self, key: &EncryptedDataKey) -> Option<(String, String)> {
        let (arn, _) = KeyArn::parse_key(&key.provider_info)?;
        if self.filter.as_ref().is_some_and(|filter| !filter.admits(&arn)) {
            return None;
        }
        let region = match &self.regions {
            Regions::All => arn.region,
            Regions::One(region) => Some(region.as_str()).filter(|region| *region == arn.region)?,
            Regions::OneMultiRegion(region) => {
                Some(region.as_str()).filter(|region| *region == arn.region || arn.is_multi_region())?
            }
        };
        Some((region.to_owned(), arn.in_region(region)?))
    }

    async fn decrypt(
        &self,
        keys: &Unwrapping<'_>,
        key: &EncryptedDataKey,
        region: &str,
        arn: &str,
    ) -> Result<DataKey, KeyFailureReason> {
        let request = Decrypt {
            key_id: arn,
            ciphertext: &key.ciphertext,
            context: keys.context(),
            algorithm: None,
            grant_tokens: &self.grant_tokens,
        };
        let client = self.clients.client(region)?;
        let Decrypted { plaintext, key_id } = client.decrypt(request).await?;
        if key_id != arn {
            return Err(KeyFailureReason::OtherKey { key_id });
        }
        data_key(keys.suite(), plaintext)
    }
}

impl Keyring for KmsDiscoveryKeyring {
    fn wrap<'a>(&'a self, _keys: &'a mut Wrapping<'_>) -> Pending<'a, Result<(), KeyFailure>> {
        let failure = KeyFailure::new("KMS discovery", KeyFailureReason::Incapable("it names no key to encrypt with"));
        Box::pin(std::future::ready(Err(failure)))
    }

    fn open<'a>(&'a self, keys: &'a Unwrapping<'_>) -> Pending<'a, Result<Unwrapped, Vec<KeyFailure>>> {
        Box::pin(async move {
            let mut failures = Vec::new();
            for (index, key) in keys.of_provider(PROVIDER) {
                let Some((region, arn)) = self.request(key) else { continue };
                let attempt = Attempts::new(format!("KMS key {arn}"));
                match self.decrypt(keys, key, &region, &arn).await {
                    Ok(data_key) => return Ok(attempt.opened(index, data_key)),
                    Err(reason) => failures.push(KeyFailure::new(format!("KMS key {arn}"), reason)),
                }
            }
            if failures.is_empty() {
                failures.push(KeyFailure::new("KMS discovery", KeyFailureReason::NotUsed));
            }
            Err(failures)
        })
    }
}
