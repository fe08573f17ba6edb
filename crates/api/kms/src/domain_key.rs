//! Domain keys: one a region, under which its keys' material is wrapped. Each serves for a time; then a new one takes
//! over, and what the old one wraps is wrapped anew in the background.
//!
//! Every record says which domain key wraps it, so the work can end and begin anywhere. What wraps material checks in
//! the transaction that stores it that its domain key still serves, so nothing comes under a retired one. That is
//! dropped once a whole look through the keys has found nothing under it, and no call of any process can have a record
//! in hand that was: a day after it retired and the last material was moved from it, as the database says.

mod generation;
mod new_material;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crypto::Key256;
use serde::{Deserialize, Serialize};
use store::{Cursor, ReadTx, Record, Store, StoreError, Tx};
use wire::Timestamp;

use crate::Kms;
use crate::error::KmsError;
use crate::record::{DomainKey, KeyRecord, Wrapped};

pub(crate) use new_material::NewMaterial;
pub use report::{DomainKeyReport, DomainKeyState, domain_keys};

/// The prefix of the names of domain keys in the keyring.
const PREFIX: &str = "domain/";

/// How many days a retired key stays after it retired or material was moved from it: calls that had a record in hand
/// that was under it are long over then, in every process.
const RETIRED_DAYS: i64 = 1;

/// How many keys are looked at together, and changed in one transaction.
const BATCH: usize = 100;

impl DomainKey {
    /// The domain key that serves in a region, as the database has it now. It is made if it is the first.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn serving(store: &Store, region: &str) -> Result<Self, StoreError> {
        let id = region.to_owned();
        let known = store.read(move |tx| tx.get::<DomainKeys>(PARENT, &id)).await?;
        let name = Self::name_of(region, known.map_or(1, |keys| keys.current));
        let key = store.keyring().key(&name).await?;
        Ok(Self { name, key })
    }

    /// The domain key that served in a region when this process last heard of it. Where the transaction finds that it does
    /// [not serve](Self::serves), [`serving`](Self::serving) is to be asked: this may say the same again.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn last_known(kms: &Kms, region: &str) -> Result<Self, StoreError> {
        let known = kms.domain_keys.get(PARENT, region).await?;
        let name = Self::name_of(region, known.map_or(1, |keys| keys.current));
        match kms.store.keyring().peek(&name) {
            Some(key) => Ok(Self { name, key }),
            None => Self::serving(&kms.store, region).await,
        }
    }

    /// Whether it serves as of this transaction. To be asked by each that stores what was wrapped under it: if not, it
    /// is to be wrapped under the one that does.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn serves(&self, tx: &ReadTx<'_>) -> Result<bool, StoreError> {
        let region = region_of(&self.name).unwrap_or_default();
        let known = tx.get::<DomainKeys>(PARENT, region)?;
        Ok(self.name == Self::name_of(region, known.map_or(1, |keys| keys.current)))
    }

    fn name_of(region: &str, generation: u32) -> String {
        match generation {
            1 => format!("{PREFIX}{region}"),
            later => format!("{PREFIX}{region}/{later}"),
        }
    }
}

/// The region whose domain key is called so; `None` for another key's name.
fn region_of(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)?.split('/').next()
}

/// Which domain keys a region has, stored under its name. A region without a record has its first.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DomainKeys {
    current: u32,
    since: Timestamp,
    retired: Vec<Retired>,
}

/// A domain key that wraps nothing new.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Retired {
    generation: u32,
    at: Timestamp,
    /// When material was last moved from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved: Option<Timestamp>,
}

impl Retired {
    /// Whether no call can have a record in hand that was under it.
    fn is_free(&self, now: Timestamp) -> bool {
        self.moved.map_or(self.at, |moved| moved.max(self.at)).plus_days(RETIRED_DAYS) <= now
    }
}

impl Record for DomainKeys {
    const COLLECTION: &'static str = "kms-domain-keys";
}

/// All stand under one parent.
const PARENT: &str = "";

/// A domain key that took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRotation {
    /// The region.
    pub region: String,
    /// How many domain keys the region has had, this one included.
    pub generation: u32,
}

/// The result of a turnover of domain keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainTurnover {
    /// The domain keys that took over.
    pub rotated: Vec<DomainRotation>,
    /// How many keys' material was wrapped anew.
    pub rewrapped: usize,
    /// How many domain keys were dropped.
    pub dropped: usize,
    /// How many keys have material under retired domain keys that cannot be unwrapped; the log names them.
    pub damaged: usize,
}

/// The domain keys of every region, as far as material is to be wrapped anew.
#[derive(Default)]
struct Succession {
    /// By region: the one under which everything is to be.
    current: BTreeMap<String, DomainKey>,
    /// By name: those under which it may still be.
    retired: BTreeMap<String, Arc<Key256>>,
}

impl Succession {
    /// Whether some of the key's material is under a retired domain key.
    fn concerns(&self, record: &KeyRecord) -> bool {
        let mut wrapped = record.materials.iter().filter_map(|material| material.wrapped.as_ref());
        wrapped.any(|wrapped| self.retired.contains_key(&wrapped.domain_key))
    }

    /// Wraps such material anew.
    fn rewrap(&self, record: &mut KeyRecord) -> Result<(), KmsError> {
        let arn = record.arn();
        let Some(domain) = self.current.get(&record.region) else { return Ok(()) };
        for material in &mut record.materials {
            let Some(wrapped) = &material.wrapped else { continue };
            if let Some(retired) = self.retired.get(&wrapped.domain_key) {
                let secret = wrapped.open(retired, &arn, &material.id)?;
                material.wrapped = Some(Wrapped::seal(domain, &arn, &material.id, &secret));
            }
        }
        Ok(())
    }
}

impl Kms {
    /// The domain key under which stored material is wrapped.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when there is no such key any more; [`KmsError::KeyUnavailable`]; those of the store.
    pub(crate) async fn domain_key_named(&self, name: &str) -> Result<Arc<Key256>, KmsError> {
        let key = self.store.keyring().existing(name).await.map_err(KmsError::of_key)?;
        key.ok_or_else(|| KmsError::Damaged(format!("there is no domain key {name}")))
    }

    /// The key for the grant and import tokens of a region. It wraps nothing that lasts, and
    /// stays when domain keys go.
    pub(crate) async fn token_key(&self, region: &str) -> Result<Arc<Key256>, KmsError> {
        Ok(self.store.keyring().key(&format!("kms-tokens/{region}")).await?)
    }

    /// Gives a new domain key to every region whose own has served for `days`, wraps anew what retired ones wrap, and
    /// drops those under which nothing is any more. May be ended at any moment; the next call resumes.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn turn_over_domain_keys(&self, now: Timestamp, days: u32) -> Result<DomainTurnover, KmsError> {
        let (mut regions, rotated) = self.rotate_domain_keys_after(now, days).await?;
        let mut turnover = DomainTurnover { rotated, ..DomainTurnover::default() };
        regions.retain(|_, keys| !keys.retired.is_empty());
        if regions.is_empty() {
            return Ok(turnover);
        }
        let succession = self.succession(&regions).await?;
        let Some((rewrapped, damaged)) = self.rewrap_material(succession, now).await? else {
            // Another domain key took over meanwhile: the next call continues with that.
            return Ok(turnover);
        };
        (turnover.rewrapped, turnover.damaged) = (rewrapped, damaged);
        // Damaged material may be restored from a backup, and needs its domain key then.
        if (turnover.rewrapped, turnover.damaged) == (0, 0) {
            for (region, keys) in &regions {
                turnover.dropped += self.drop_retired(region, keys, now).await?;
            }
        }
        // Wrapped under a retired key it lasts in the database's log, and so does the key.
        if turnover.rewrapped > 0 || turnover.dropped > 0 {
            self.empty_log("wrapped under retired domain keys").await;
        }
        Ok(turnover)
    }

    /// Gives a new domain key to every region at once, however long its own has served. What the old ones wrap waits
    /// for the next [`turn_over_domain_keys`](Self::turn_over_domain_keys).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn rotate_domain_keys(&self, now: Timestamp) -> Result<Vec<DomainRotation>, StoreError> {
        Ok(self.rotate_domain_keys_after(now, 0).await?.1)
    }

    /// Gives a new domain key to every region whose own has served for `days`. Returns the domain keys of all regions.
    async fn rotate_domain_keys_after(
        &self,
        now: Timestamp,
        days: u32,
    ) -> Result<(BTreeMap<String, DomainKeys>, Vec<DomainRotation>), StoreError> {
        let (mut regions, mut rotations) = (BTreeMap::new(), Vec::new());
        for name in self.store.keyring().names().await? {
            let Some(region) = region_of(&name) else { continue };
            if regions.contains_key(region) {
                continue;
            }
            let (keys, rotated) = self.rotate_domain_key(region, now, days).await?;
            rotations.extend(rotated);
            regions.insert(region.to_owned(), keys);
        }
        Ok((regions, rotations))
    }

    /// A region's domain keys, after a new one took over if it was time.
    async fn rotate_domain_key(
        &self,
        region: &str,
        now: Timestamp,
        days: u32,
    ) -> Result<(DomainKeys, Option<DomainRotation>), StoreError> {
        let id = region.to_owned();
        let known = self.store.read(move |tx| tx.get::<DomainKeys>(PARENT, &id)).await?;
        let is_known = known.is_some();
        // The time of one that is not known counts from now on.
        let first = DomainKeys { current: 1, since: now, retired: Vec::new() };
        let keys = known.unwrap_or_else(|| first.clone());
        let is_due = keys.since.plus_days(i64::from(days)) <= now;
        let (current, next) = (keys.current, keys.current.saturating_add(1));
        if is_due {
            // It lasts before anything is wrapped under it.
            self.store.keyring().key(&DomainKey::name_of(region, next)).await?;
        } else if is_known {
            return Ok((keys, None));
        }
        let id = region.to_owned();
        let (keys, took_over) = self
            .store
            .write(move |tx| {
                let found = tx.get::<DomainKeys>(PARENT, &id)?;
                let is_new = found.is_none();
                let mut keys = found.unwrap_or(first);
                // Another process may have been faster.
                let takes_over = is_due && keys.current == current;
                if takes_over {
                    keys.retired.push(Retired { generation: current, at: now, moved: None });
                    (keys.current, keys.since) = (next, now);
                }
                if takes_over || is_new {
                    tx.put(PARENT, &id, &keys)?;
                }
                Ok::<_, StoreError>((keys, takes_over))
            })
            .await?;
        let rotated = took_over.then(|| {
            tracing::info!(region, generation = next, "a new domain key took over");
            DomainRotation { region: region.to_owned(), generation: next }
        });
        Ok((keys, rotated))
    }

    async fn succession(&self, regions: &BTreeMap<String, DomainKeys>) -> Result<Succession, KmsError> {
        let mut succession = Succession::default();
        for (region, keys) in regions {
            let name = DomainKey::name_of(region, keys.current);
            let key = self.domain_key_named(&name).await?;
            succession.current.insert(region.clone(), DomainKey { name, key });
            for retired in &keys.retired {
                let name = DomainKey::name_of(region, retired.generation);
                // One that is gone was dropped by a call that was ended before it could note that.
                if let Some(key) = self.store.keyring().existing(&name).await? {
                    succession.retired.insert(name, key);
                }
            }
        }
        Ok(succession)
    }

    /// Looks through all keys, and wraps anew what is under retired domain keys. Returns for how many keys that was
    /// done, and for how many it could not be; `None` if the succession is not up to date any more.
    async fn rewrap_material(
        &self,
        succession: Succession,
        now: Timestamp,
    ) -> Result<Option<(usize, usize)>, KmsError> {
        let succession = Arc::new(succession);
        let (mut rewrapped, mut damaged, mut after) = (0, 0, None::<Cursor>);
        loop {
            let (looking, from) = (Arc::clone(&succession), after.take());
            let (found, next) = self
                .store
                .read(move |tx| {
                    let page = tx.scan_collection::<KeyRecord>(from.as_ref(), BATCH)?;
                    let concerned = page.items.iter().filter(|record| looking.concerns(record));
                    let found: Vec<_> = concerned.map(|record| (record.domain(), record.id.clone())).collect();
                    Ok::<_, StoreError>((found, page.next))
                })
                .await?;
            if !found.is_empty() {
                let wrapping = Arc::clone(&succession);
                let done = self
                    .store
                    .write(move |tx| {
                        for domain in wrapping.current.values() {
                            if !domain.serves(tx)? {
                                return Ok(None);
                            }
                        }
                        let (mut done, mut not_done, mut regions) = (0, 0, BTreeSet::new());
                        for (domain, id) in &found {
                            // It may have been destroyed, or changed, since it was found.
                            let Some(mut record) = tx.get::<KeyRecord>(domain, id)? else { continue };
                            match wrapping.rewrap(&mut record) {
                                Ok(()) => {
                                    tx.put(domain, id, &record)?;
                                    regions.insert(record.region);
                                    done += 1;
                                }
                                Err(error) => {
                                    tracing::error!(%error, "material stays under a retired domain key");
                                    not_done += 1;
                                }
                            }
                        }
                        for region in &regions {
                            note_moved(tx, region, now)?;
                        }
                        Ok::<_, KmsError>(Some((done, not_done)))
                    })
                    .await?;
                let Some((done, not_done)) = done else { return Ok(None) };
                rewrapped += done;
                damaged += not_done;
            }
            after = next;
            if after.is_none() {
                return Ok(Some((rewrapped, damaged)));
            }
        }
    }

    /// Drops the retired domain keys of a region whose records no call can have in hand. Nothing is under any of them.
    async fn drop_retired(&self, region: &str, keys: &DomainKeys, now: Timestamp) -> Result<usize, KmsError> {
        let empty: BTreeSet<u32> = keys.retired.iter().map(|retired| retired.generation).collect();
        let id = region.to_owned();
        // Another process may have moved the last material while this one was looking.
        let keys = self.store.read(move |tx| tx.get::<DomainKeys>(PARENT, &id)).await.map_err(KmsError::from)?;
        let retired = keys.into_iter().flat_map(|keys| keys.retired);
        let free = retired.filter(|retired| empty.contains(&retired.generation) && retired.is_free(now));
        let gone: BTreeSet<u32> = free.map(|retired| retired.generation).collect();
        if gone.is_empty() {
            return Ok(0);
        }
        for generation in &gone {
            self.store.keyring().remove(&DomainKey::name_of(region, *generation)).await?;
            tracing::info!(region, generation, "a domain key that wraps nothing was dropped");
        }
        let (id, dropped) = (region.to_owned(), gone.len());
        self.store
            .write(move |tx| {
                let Some(mut keys) = tx.get::<DomainKeys>(PARENT, &id)? else { return Ok(()) };
                keys.retired.retain(|retired| !gone.contains(&retired.generation));
                tx.put(PARENT, &id, &keys)
            })
            .await?;
        Ok(dropped)
    }
}

/// Says in the database that material was moved from a region's retired domain keys: calls may have read a record as it
/// was before.
fn note_moved(tx: &mut Tx<'_>, region: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(mut keys) = tx.get::<DomainKeys>(PARENT, region)? else { return Ok(()) };
    keys.retired.iter_mut().for_each(|retired| retired.moved = Some(now));
    tx.put(PARENT, region, &keys)
}
