//! The report on domain keys for operators: which there are, and how much each still wraps.

use std::collections::{BTreeMap, BTreeSet};

use store::{Cursor, Store, StoreError};
use wire::Timestamp;

use super::{BATCH, DomainKeys, PARENT, PREFIX, region_of};
use crate::record::KeyRecord;

/// The state of a domain key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainKeyState {
    /// It wraps what is new, since then; the first key of a region that has not been looked at yet has no time.
    Serves(Option<Timestamp>),
    /// It was made to serve next.
    Made,
    /// It wraps nothing new since then.
    Retired(Timestamp),
    /// It is not there any more. Nothing should be wrapped under it.
    Gone,
}

/// A domain key, and how much it wraps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainKeyReport {
    /// The region.
    pub region: String,
    /// How many domain keys the region has had, up to this one.
    pub generation: u32,
    /// Its state.
    pub state: DomainKeyState,
    /// How many keys have material under it.
    pub keys: u64,
}

/// Every domain key, by region and in the order of their making. Looks through all keys, while they may be changing.
///
/// # Errors
/// Those of the store.
pub async fn domain_keys(store: &Store) -> Result<Vec<DomainKeyReport>, StoreError> {
    let wrapping = count(store).await?;
    let mut names: BTreeSet<String> = store.keyring().names().await?.into_iter().collect();
    names.retain(|name| name.starts_with(PREFIX));
    let there = names.clone();
    names.extend(wrapping.keys().cloned());
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let Some(region) = region_of(&name).map(str::to_owned) else { continue };
        let id = region.clone();
        let record = store.read(move |tx| tx.get::<DomainKeys>(PARENT, &id)).await?;
        let generation = generation_of(&name);
        let state = if there.contains(&name) { state(record.as_ref(), generation) } else { DomainKeyState::Gone };
        found.push(DomainKeyReport { region, generation, state, keys: wrapping.get(&name).copied().unwrap_or(0) });
    }
    found.sort_unstable_by(|one, other| (&one.region, one.generation).cmp(&(&other.region, other.generation)));
    Ok(found)
}

/// How many keys have material under each domain key.
async fn count(store: &Store) -> Result<BTreeMap<String, u64>, StoreError> {
    let (mut counts, mut after) = (BTreeMap::<String, u64>::new(), None::<Cursor>);
    loop {
        let from = after.take();
        let (wrapping, next) = store
            .read(move |tx| {
                let page = tx.scan_collection::<KeyRecord>(from.as_ref(), BATCH)?;
                let wrapping: Vec<_> = page.items.iter().flat_map(names_of).collect();
                Ok::<_, StoreError>((wrapping, page.next))
            })
            .await?;
        for name in wrapping {
            *counts.entry(name).or_default() += 1;
        }
        after = next;
        if after.is_none() {
            return Ok(counts);
        }
    }
}

/// The domain keys that wrap some of the key's material.
fn names_of(record: &KeyRecord) -> BTreeSet<String> {
    let wrapped = record.materials.iter().filter_map(|material| material.wrapped.as_ref());
    wrapped.map(|wrapped| wrapped.domain_key.clone()).collect()
}

/// The last part of a domain key's name, unless it is the region's first.
fn generation_of(name: &str) -> u32 {
    name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')?.1.parse().ok()).unwrap_or(1)
}

fn state(keys: Option<&DomainKeys>, generation: u32) -> DomainKeyState {
    let Some(keys) = keys else { return DomainKeyState::Serves(None) };
    if generation == keys.current {
        return DomainKeyState::Serves(Some(keys.since));
    }
    let retired = keys.retired.iter().find(|retired| retired.generation == generation);
    retired.map_or(DomainKeyState::Made, |retired| DomainKeyState::Retired(retired.at))
}
