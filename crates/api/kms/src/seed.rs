//! Keys with given ids and given material, made at once: the keys of a test suite, the same every time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use service::ports::Principals;
use service::{Operator, Regions};
use store::{Store, Tx};
use wire::{SecretBlob, Timestamp};

use crate::KEYS_MAX;
use crate::access::managed;
use crate::alias;
use crate::domain_key::NewMaterial;
use crate::error::KmsError;
use crate::key::tag;
use crate::record::{
    AliasRecord, DomainKey, KeyCount, KeyId, KeyRecord, KeySpec, KeyState, KeyUsage, PolicyRecord, alias_arn,
};

/// A key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeedKey {
    /// A UUID.
    id: String,
    /// Where it is; the server's own region if nothing is said.
    region: Option<String>,
    #[serde(default = "symmetric")]
    spec: KeySpec,
    /// The usage; left out where the spec allows one only.
    usage: Option<KeyUsage>,
    #[serde(default)]
    description: String,
    /// The key policy; without one the account decides by identity policies.
    policy: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// Base64 of the key, or of a private key in PKCS#8; random if it is not given.
    material: Option<SecretBlob>,
    #[serde(default = "yes")]
    enabled: bool,
}

const fn symmetric() -> KeySpec {
    KeySpec::SymmetricDefault
}

const fn yes() -> bool {
    true
}

/// Makes the keys that a seed gives an account, all or nothing. Those that are there already stay as they are.
///
/// # Errors
/// [`KmsError::Validation`], which names the key; those of the operations that make the same.
pub async fn seed(
    store: &Store,
    principals: &dyn Principals,
    account: &str,
    (region, regions): (&str, &Regions),
    keys: Vec<SeedKey>,
    by: Operator,
) -> Result<(), KmsError> {
    let now = by.time;
    if let Some(region) = keys.iter().filter_map(|key| key.region.as_deref()).find(|region| !regions.has(region)) {
        return Err(KmsError::Validation(format!("there is no Region {region:?}; the setting `regions` adds some")));
    }
    let mut made = Vec::with_capacity(keys.len());
    for key in keys {
        let region = key.region.clone().unwrap_or_else(|| region.to_owned());
        made.push(record(key, account, region, principals, now).await?);
    }
    let mut ids = BTreeSet::new();
    if let Some((twice, _)) = made.iter().find(|(record, _)| !ids.insert((&record.region, &record.id))) {
        return Err(KmsError::Validation(format!("The key {} is given twice.", twice.id)));
    }
    let made = Arc::new(made);
    loop {
        let mut domains = BTreeMap::new();
        for (record, _) in &*made {
            if !domains.contains_key(&record.region) {
                domains.insert(record.region.clone(), DomainKey::serving(store, &record.region).await?);
            }
        }
        let made = Arc::clone(&made);
        if store.write(move |tx| plant(tx, &made, &domains, by)).await? {
            return Ok(());
        }
    }
}

/// Stores the keys, except those that an interrupted first start has stored. Returns `false` and does nothing when
/// another domain key took over meanwhile.
fn plant(
    tx: &mut Tx<'_>,
    made: &[(KeyRecord, NewMaterial)],
    domains: &BTreeMap<String, DomainKey>,
    by: Operator,
) -> Result<bool, KmsError> {
    for domain_key in domains.values() {
        if !domain_key.serves(tx)? {
            return Ok(false);
        }
    }
    for (record, material) in made {
        let Some(domain_key) = domains.get(&record.region) else { continue };
        let (domain, mut record) = (record.domain(), record.clone());
        if tx.get::<KeyRecord>(&domain, &record.id)?.is_some() {
            continue;
        }
        record.take_up(material.wrap(domain_key, &record.arn(), &record.id, by.time, None));
        KeyCount::increase(tx, &domain, KEYS_MAX)?;
        tx.insert(&domain, &record.id, &record)?;
        tx.record(&by.event("SeedKey", &serde_json::json!({"keyId": record.arn()})))?;
        for name in &record.aliases {
            if tx.get::<AliasRecord>(&domain, name)?.is_some() {
                return Err(KmsError::AliasExists { arn: alias_arn(&record.region, &record.account, name) });
            }
            tx.insert(&domain, name, &AliasRecord::new(name, &record.id, by.time))?;
        }
    }
    Ok(true)
}

async fn record(
    seed: SeedKey,
    account: &str,
    region: String,
    principals: &dyn Principals,
    now: Timestamp,
) -> Result<(KeyRecord, NewMaterial), KmsError> {
    let invalid = |what: &str| KmsError::Validation(format!("The key {} {what}.", wire::shape::quote(&seed.id)));
    if !matches!(KeyId::parse(&seed.id), Some(KeyId::Single(_))) {
        return Err(invalid("has an id that is not a UUID in small letters"));
    }
    let usage = match (seed.usage, seed.spec.usages()) {
        (Some(usage), usages) if usages.contains(&usage) => usage,
        (None, [usage]) => *usage,
        (Some(_), _) => return Err(invalid("has a usage that its spec does not have")),
        (None, _) => return Err(invalid("has a spec of several usages and does not say for which it is")),
    };
    for name in &seed.aliases {
        alias::check_name(name)?;
        if !is_name(name) || managed::is_reserved(name) {
            return Err(invalid("has an alias of a name that is reserved or has other letters than aliases have"));
        }
    }
    let mut tags = BTreeMap::new();
    tag::add(
        &mut tags,
        seed.tags.iter().map(|(key, value)| tag::Tag { key: key.clone(), value: value.clone() }).collect(),
    )?;
    let policy = match &seed.policy {
        Some(text) => PolicyRecord::accept(text.clone(), principals).await?,
        None => PolicyRecord::of_account(account),
    };
    let material = match &seed.material {
        None => NewMaterial::random(seed.spec)?,
        Some(bytes) => {
            NewMaterial::read(seed.spec, &bytes.0).ok_or_else(|| invalid("has material that is not of its spec"))?
        }
    };
    let record = KeyRecord {
        description: seed.description,
        state: if seed.enabled { KeyState::Enabled } else { KeyState::Disabled },
        aliases: seed.aliases.into_iter().collect::<BTreeSet<_>>(),
        tags,
        ..KeyRecord::new((account.to_owned(), region), seed.id, seed.spec, usage, policy, now)
    };
    Ok((record, material))
}

/// Whether a text has the letters and the length of an alias name.
fn is_name(text: &str) -> bool {
    text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte))
}

#[cfg(test)]
mod tests;
