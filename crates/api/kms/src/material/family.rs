//! Related keys in one transaction: a key, and the keys of other Regions that share its material and rotation.
//!
//! A domain key never wraps what belongs to another Region, so shared material is wrapped anew for each of them. A key
//! of one Region is a family of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crypto::Key256;
use service::Call;
use store::{StoreError, Tx};
use wire::Timestamp;

use crate::Kms;
use crate::error::KmsError;
use crate::record::{DomainKey, KeyRecord, MaterialRecord, RotationType, domain, state};

/// A key and its relatives, as a transaction reads and writes them.
pub(crate) struct Family {
    /// The key that was asked for.
    pub(crate) key: KeyRecord,
    /// Its relatives in other Regions.
    pub(crate) others: Vec<KeyRecord>,
}

/// The domain keys that a family's material is wrapped under.
pub(crate) struct Domains {
    current: BTreeMap<String, DomainKey>,
    named: BTreeMap<String, Arc<Key256>>,
}

impl Domains {
    /// The one under which new material of a Region is wrapped.
    ///
    /// # Errors
    /// [`KmsError::Damaged`], if nobody asked for it.
    pub(crate) fn of(&self, region: &str) -> Result<&DomainKey, KmsError> {
        self.current.get(region).ok_or_else(|| KmsError::Damaged(format!("the domain key of {region} is not at hand")))
    }

    /// One under which stored material is wrapped.
    ///
    /// # Errors
    /// [`KmsError::Damaged`], if nobody asked for it.
    pub(crate) fn named(&self, name: &str) -> Result<&Key256, KmsError> {
        let known = self.named.get(name);
        known.map(|key| &**key).ok_or_else(|| KmsError::Damaged(format!("the domain key {name} is not at hand")))
    }

    /// Whether they still serve, and are enough for a family, which may have grown since they were gathered.
    fn suffice(&self, family: &Family, tx: &Tx<'_>) -> Result<bool, StoreError> {
        for domain in self.current.values() {
            if !domain.serves(tx)? {
                return Ok(false);
            }
        }
        Ok(self.cover(family))
    }

    fn cover(&self, family: &Family) -> bool {
        family.members().all(|member| {
            let mut wrapped = member.materials.iter().filter_map(|material| material.wrapped.as_ref());
            wrapped.all(|wrapped| self.named.contains_key(&wrapped.domain_key))
                && self.current.contains_key(&member.region)
        })
    }
}

impl Family {
    fn read(key: KeyRecord, tx: &Tx<'_>) -> Result<Self, KmsError> {
        let mut others = Vec::new();
        for region in key.related_regions() {
            let other = tx.get::<KeyRecord>(&domain(&key.account, region), &key.id)?;
            others.push(other.ok_or_else(|| KmsError::Damaged(format!("{} has no relative in {region}", key.arn())))?);
        }
        Ok(Self { key, others })
    }

    fn write(&self, tx: &mut Tx<'_>) -> Result<(), KmsError> {
        for member in self.members() {
            tx.put(&member.domain(), &member.id, member)?;
        }
        Ok(())
    }

    /// All of them, the key that was asked for first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &KeyRecord> {
        std::iter::once(&self.key).chain(&self.others)
    }

    /// All of them, to be changed.
    pub(crate) fn members_mut(&mut self) -> impl Iterator<Item = &mut KeyRecord> {
        std::iter::once(&mut self.key).chain(&mut self.others)
    }

    /// Makes new material of the key the version that encrypts, in every Region.
    ///
    /// # Errors
    /// [`KmsError::Damaged`].
    pub(crate) fn take_up(&mut self, material: MaterialRecord, domains: &Domains) -> Result<(), KmsError> {
        let (arn, unwrapping) = (self.key.arn(), |name: &str| domains.named(name));
        for other in &mut self.others {
            other.take_up(material.for_relative(unwrapping, &arn, domains.of(&other.region)?, &other.arn())?);
        }
        self.key.take_up(material);
        Ok(())
    }

    /// Makes the imported material that waits the version that encrypts, in every Region: each has to have it.
    ///
    /// # Errors
    /// [`KmsError::InvalidState`].
    pub(crate) fn take_up_pending(&mut self, rotation: RotationType, now: Timestamp) -> Result<(), KmsError> {
        let invalid = |key: &KeyRecord, is| Err(KmsError::InvalidState { arn: key.arn(), is });
        let Some(pending) = self.key.pending else {
            return invalid(&self.key, "not pending rotation of imported key material");
        };
        for member in self.members_mut() {
            member.remove_expired(now);
            if !member.has_pending() {
                return invalid(member, "pending import of the key material that is pending rotation");
            }
        }
        for member in self.members_mut() {
            member.pending = None;
            member.current = Some(pending);
            if let Some(material) = member.material_mut(pending) {
                (material.rotation, material.created) = (Some(rotation), now);
            }
            member.settle();
        }
        Ok(())
    }
}

impl Kms {
    /// Changes a key and its relatives for a call, if the state that the key is in by then permits the operation.
    /// `regions` are those whose domain keys `work` needs besides the family's own.
    ///
    /// # Errors
    /// Those of [`state::check`], of `work` and of the store; [`KmsError::KeyNotFound`].
    pub(crate) async fn change_family<T: Send + 'static>(
        &self,
        call: &Call<'_, Self>,
        operation: &'static str,
        key: &KeyRecord,
        regions: &[String],
        work: impl Fn(&mut Family, &Domains, &mut Tx<'_>) -> Result<T, KmsError> + Clone + Send + 'static,
    ) -> Result<T, KmsError> {
        let now = call.now;
        self.with_family(Some(call), key, regions, move |family, domains, tx| {
            state::check(operation, family.key.state_at(now), family.key.origin, &family.key.arn())?;
            work(family, domains, tx)
        })
        .await
    }

    /// As [`change_family`](Self::change_family), whatever the key's state. Without a call, `work` records what it
    /// does.
    pub(crate) async fn with_family<T: Send + 'static>(
        &self,
        call: Option<&Call<'_, Self>>,
        key: &KeyRecord,
        regions: &[String],
        work: impl Fn(&mut Family, &Domains, &mut Tx<'_>) -> Result<T, KmsError> + Clone + Send + 'static,
    ) -> Result<T, KmsError> {
        let (place, id, arn) = (key.domain(), key.id.clone(), key.arn());
        loop {
            let domains = self.domains(&place, &id, regions).await?;
            let (place, id, arn, work) = (place.clone(), id.clone(), arn.clone(), work.clone());
            let change = move |tx: &mut Tx<'_>| {
                let key = tx.get::<KeyRecord>(&place, &id)?.ok_or(KmsError::KeyNotFound { arn })?;
                let mut family = Family::read(key, tx)?;
                // Replicated, rotated or taken over from since the domain keys were gathered.
                if !domains.suffice(&family, tx)? {
                    return Ok::<_, KmsError>(None);
                }
                let value = work(&mut family, &domains, tx)?;
                family.write(tx)?;
                Ok(Some(value))
            };
            let done = match call {
                Some(call) => call.write(&self.store, change).await?,
                None => self.store.write(change).await?,
            };
            if let Some(value) = done {
                return Ok(value);
            }
        }
    }

    /// Gathers the domain keys of a family and of other Regions.
    async fn domains(&self, place: &str, id: &str, regions: &[String]) -> Result<Domains, KmsError> {
        let (place, id) = (place.to_owned(), id.to_owned());
        let members = self.store.read(move |tx| {
            let Some(key) = tx.get::<KeyRecord>(&place, &id)? else { return Ok(Vec::new()) };
            let mut members = Vec::new();
            for region in key.related_regions() {
                members.extend(tx.get::<KeyRecord>(&domain(&key.account, region), &key.id)?);
            }
            members.push(key);
            Ok::<_, StoreError>(members)
        });
        let members = members.await?;
        let mut domains = Domains { current: BTreeMap::new(), named: BTreeMap::new() };
        for region in members.iter().map(|member| &member.region).chain(regions) {
            let key = DomainKey::serving(&self.store, region).await?;
            domains.named.insert(key.name.clone(), Arc::clone(&key.key));
            domains.current.insert(region.clone(), key);
        }
        let materials = members.iter().flat_map(|member| &member.materials);
        for wrapped in materials.filter_map(|material| material.wrapped.as_ref()) {
            if !domains.named.contains_key(&wrapped.domain_key) {
                let key = self.domain_key_named(&wrapped.domain_key).await?;
                domains.named.insert(wrapped.domain_key.clone(), key);
            }
        }
        Ok(domains)
    }
}
