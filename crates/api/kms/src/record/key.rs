//! A key as it is stored, all of it but its grants; and the same in memory, ready for use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crypto::{CryptoError, Key256};
use policy::Policy;
use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;

use crate::error::KmsError;
use crate::record::{
    AccountNumber, Held, KeyId, KeyManager, KeySpec, KeyState, KeyUsage, KeyVersion, Material, MaterialHint,
    MaterialId, MaterialRecord, MultiRegionKeyType, Origin, PolicyRecord, PublicMaterial, Relatives, Slot, Wrapped,
    key_arn,
};

/// A key, stored under its account and region.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) description: String,
    pub(crate) spec: KeySpec,
    pub(crate) usage: KeyUsage,
    pub(crate) origin: Origin,
    pub(crate) manager: KeyManager,
    pub(crate) state: KeyState,
    /// When a key that is pending deletion will be destroyed.
    pub(crate) destroyed_at: Option<Timestamp>,
    /// How long a primary key that is pending replica deletion will then be pending deletion.
    pub(crate) deletion_window_days: Option<i32>,
    /// Its relatives, if it is a multi-Region key.
    pub(crate) multi_region: Option<Relatives>,
    pub(crate) policy: PolicyRecord,
    pub(crate) tags: BTreeMap<String, String>,
    /// The names of the aliases that point here.
    pub(crate) aliases: BTreeSet<String>,
    /// Every version, oldest first.
    pub(crate) materials: Vec<MaterialRecord>,
    /// The version that encrypts; none as long as there is no material.
    pub(crate) current: Option<MaterialId>,
    /// Imported material that waits to take over by a rotation.
    pub(crate) pending: Option<MaterialId>,
    /// When the first of the imported material that the key needs expires.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) rotation: Rotation,
    /// Where it is held, if not here alone.
    pub(crate) held: Option<Held>,
    /// How many grants there are.
    pub(crate) grants: u32,
}

/// When a key takes up new material.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Rotation {
    /// The period of automatic rotation, if that is enabled.
    pub(crate) period_days: Option<u32>,
    /// When it does so next.
    pub(crate) next: Option<Timestamp>,
}

impl Rotation {
    /// When a key that rotates every `period_days` does so after `from`.
    pub(crate) fn after(from: Timestamp, period_days: u32) -> Timestamp {
        from.plus_days(i64::from(period_days))
    }
}

impl Record for KeyRecord {
    const COLLECTION: &'static str = "kms-key";
}

/// The parent of an account's keys and aliases in a region.
pub(crate) fn domain(account: &str, region: &str) -> String {
    [account, "/", region].concat()
}

impl KeyRecord {
    /// A customer's key, enabled, with nothing to it yet: no material, no aliases, no tags.
    pub(crate) fn new(
        place: (String, String),
        id: String,
        spec: KeySpec,
        usage: KeyUsage,
        policy: PolicyRecord,
        created: Timestamp,
    ) -> Self {
        let (account, region) = place;
        Self {
            account,
            region,
            id,
            created,
            description: String::new(),
            spec,
            usage,
            origin: Origin::AwsKms,
            manager: KeyManager::Customer,
            state: KeyState::Enabled,
            destroyed_at: None,
            deletion_window_days: None,
            multi_region: None,
            policy,
            tags: BTreeMap::new(),
            aliases: BTreeSet::new(),
            materials: Vec::new(),
            current: None,
            pending: None,
            expires: None,
            rotation: Rotation::default(),
            held: None,
            grants: 0,
        }
    }

    /// The key's ARN.
    pub(crate) fn arn(&self) -> String {
        key_arn(&self.region, &self.account, &self.id)
    }

    /// The parent under which it is stored.
    pub(crate) fn domain(&self) -> String {
        domain(&self.account, &self.region)
    }

    /// The parent of its grants.
    pub(crate) fn path(&self) -> String {
        path(&self.account, &self.region, &self.id)
    }

    /// Primary or replica, if it is a multi-Region key.
    pub(crate) fn multi_region_key_type(&self) -> Option<MultiRegionKeyType> {
        self.multi_region.as_ref().map(|relatives| relatives.key_type(&self.region))
    }

    /// The regions of its relatives, its own not among them.
    pub(crate) fn related_regions(&self) -> impl Iterator<Item = &str> {
        let relatives = self.multi_region.iter().flat_map(Relatives::regions);
        relatives.filter(|region| *region != self.region)
    }

    /// Whether its rotation is its own affair: a replica's is its primary key's.
    pub(crate) fn leads(&self) -> bool {
        self.multi_region_key_type() != Some(MultiRegionKeyType::Replica)
    }

    /// Makes `material` the version that encrypts.
    pub(crate) fn take_up(&mut self, material: MaterialRecord) {
        self.current = Some(material.id);
        self.materials.push(material);
    }
}

/// The parent of a key's grants.
pub(crate) fn path(account: &str, region: &str, key_id: &str) -> String {
    [account, "/", region, "/", key_id].concat()
}

/// A key in memory: its record, its policy parsed, and its material as far as it has been used.
pub(crate) struct LiveKey {
    pub(crate) record: KeyRecord,
    pub(crate) arn: String,
    pub(crate) policy: Arc<Policy>,
    id: Option<(AccountNumber, KeyId)>,
    versions: Vec<Version>,
    current: Option<usize>,
    pub(crate) last_usage: Arc<Slot>,
}

/// One version of a key in memory.
pub(crate) struct Version {
    pub(crate) record: MaterialRecord,
    /// The id as text, for answers.
    pub(crate) id_text: String,
    material: OnceLock<Material>,
    public: OnceLock<PublicMaterial>,
}

impl From<MaterialRecord> for Version {
    fn from(record: MaterialRecord) -> Self {
        Self { id_text: record.id.to_string(), record, material: OnceLock::new(), public: OnceLock::new() }
    }
}

impl From<KeyRecord> for LiveKey {
    fn from(mut record: KeyRecord) -> Self {
        let arn = record.arn();
        let policy = record.policy.parsed(&arn);
        let versions: Vec<_> = std::mem::take(&mut record.materials).into_iter().map(Version::from).collect();
        let current = record.current.and_then(|id| versions.iter().position(|version| version.record.id == id));
        let id = AccountNumber::parse(&record.account).zip(KeyId::parse(&record.id));
        Self { record, arn, policy, id, versions, current, last_usage: Arc::default() }
    }
}

impl LiveKey {
    /// The version that encrypts.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when there is none, which no enabled key is without.
    pub(crate) fn current(&self) -> Result<&Version, KmsError> {
        let current = self.current.and_then(|index| self.versions.get(index));
        current.ok_or_else(|| KmsError::Damaged(format!("{} has no material", self.arn)))
    }

    /// The version that a ciphertext names.
    pub(crate) fn version(&self, hint: &MaterialHint) -> Option<&Version> {
        self.versions.iter().find(|version| version.record.id.hint() == *hint)
    }

    /// Every version, oldest first.
    pub(crate) fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The id of `version` as callers see it. Of a key that is held elsewhere they do not: the version here is half of
    /// it.
    pub(crate) fn shown_material_id(&self, version: &Version) -> Option<String> {
        self.record.held.is_none().then(|| version.id_text.clone())
    }

    /// The names that a ciphertext made with `version` carries.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when account or key id are not such.
    pub(crate) fn names(&self, version: &Version) -> Result<KeyVersion, KmsError> {
        let (account, key) = self.id.ok_or_else(|| KmsError::Damaged(format!("{} is no key's ARN", self.arn)))?;
        Ok(KeyVersion { account, key, material: version.record.id.hint() })
    }

    /// The error of a key that is not what its record says.
    pub(crate) fn damaged(&self, cause: impl std::fmt::Display) -> KmsError {
        KmsError::Damaged(format!("{}: {cause}", self.arn))
    }

    /// Whether this is the key that a ciphertext names.
    pub(crate) fn made(&self, names: &KeyVersion) -> bool {
        self.id == Some((names.account, names.key))
    }
}

impl Version {
    /// The material, if it was made ready before.
    pub(crate) fn peek(&self) -> Option<&Material> {
        self.material.get()
    }

    /// The material of this version of `key`, unwrapped under its domain key, parsed and cached.
    ///
    /// # Errors
    /// [`KmsError::Damaged`], also when the secret is not here.
    pub(crate) fn unwrap(&self, domain: &Key256, key: &LiveKey) -> Result<&Material, KmsError> {
        if let Some(known) = self.material.get() {
            return Ok(known);
        }
        let secret = self.wrapped(key)?.open(domain, &key.arn, &self.record.id)?;
        let (spec, usage) = (key.record.spec, key.record.usage);
        let material = Material::read(spec, usage, secret.expose()).map_err(|error| self.unreadable(key, &error))?;
        Ok(self.material.get_or_init(|| material))
    }

    /// The secret as it is stored.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when it is not here.
    pub(crate) fn wrapped(&self, key: &LiveKey) -> Result<&Wrapped, KmsError> {
        let missing = || KmsError::Damaged(format!("the material {} of {} is not here", self.id_text, key.arn));
        self.record.wrapped.as_ref().ok_or_else(missing)
    }

    /// The public key of this version of `key`, parsed and cached.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when there is none.
    pub(crate) fn public(&self, key: &LiveKey) -> Result<&PublicMaterial, KmsError> {
        if let Some(known) = self.public.get() {
            return Ok(known);
        }
        let (spec, usage) = (key.record.spec, key.record.usage);
        let public =
            PublicMaterial::read(spec, usage, self.spki(key)?).map_err(|error| self.unreadable(key, &error))?;
        Ok(self.public.get_or_init(|| public))
    }

    /// The public key as a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`KmsError::Damaged`] when there is none.
    pub(crate) fn spki(&self, key: &LiveKey) -> Result<&[u8], KmsError> {
        let missing = || KmsError::Damaged(format!("the material {} of {} has no public key", self.id_text, key.arn));
        self.record.public.as_ref().map(|public| &*public.0).ok_or_else(missing)
    }

    fn unreadable(&self, key: &LiveKey, error: &CryptoError) -> KmsError {
        KmsError::Damaged(format!("the material {} of {}: {error}", self.id_text, key.arn))
    }
}

#[cfg(test)]
pub(crate) mod tests;
