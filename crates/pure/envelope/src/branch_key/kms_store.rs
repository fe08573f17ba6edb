//! Branch keys under a KMS key, in records that other implementations of the format read: their storage is a trait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crypto::Key256;
use time::OffsetDateTime;
use time::macros::format_description;

use super::{BranchKey, BranchKeyError, BranchKeyStore, BranchKeyVersion};
use crate::EncryptionContext;
use crate::keyring::Pending;
use crate::kms::{Decrypt, Encrypted, GenerateDataKey, KeyArn, KmsClient, ReEncrypt, multi_region_match};

const ID: &str = "branch-key-id";
const TYPE: &str = "type";
const VERSION: &str = "version";
const CREATED: &str = "create-time";
const KMS_ARN: &str = "kms-arn";
const HIERARCHY: &str = "hierarchy-version";
const STORE_NAME: &str = "tablename";
const CUSTOM_PREFIX: &str = "aws-crypto-ec:";
const VERSION_PREFIX: &str = "branch:version:";
const ACTIVE: &str = "branch:ACTIVE";
const BEACON: &str = "beacon:ACTIVE";

/// The length of branch keys in bytes.
const KEY_BYTES: usize = 32;

/// An item of the store: a key under KMS, and attributes that are all authenticated with it.
///
/// Source: AWS Encryption SDK Specification, Branch Key Store, "Record Format".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchKeyRecord {
    /// The branch key's identifier, `branch-key-id`.
    pub id: String,
    /// Kind of record, `type`: `branch:ACTIVE`, `branch:version:` and a version, or `beacon:ACTIVE`.
    pub kind: String,
    /// The encrypted key, `enc`.
    pub encrypted: Vec<u8>,
    /// The other attributes.
    pub attributes: BTreeMap<String, String>,
}

/// Stores records.
pub trait BranchKeyRecords: Send + Sync {
    /// The record of a branch key with this kind.
    fn get<'a>(&'a self, id: &'a str, kind: &'a str) -> Pending<'a, Result<Option<BranchKeyRecord>, BranchKeyError>>;

    /// Stores all of the records or none. `created` must not exist yet; `replaced` must exist with the encrypted key
    /// that comes with it.
    ///
    /// The outcome is [`BranchKeyError::Conflict`] when either is not so.
    fn put(
        &self,
        created: Vec<BranchKeyRecord>,
        replaced: Option<(BranchKeyRecord, Vec<u8>)>,
    ) -> Pending<'_, Result<(), BranchKeyError>>;
}

/// Which KMS key protects the branch keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreKey {
    /// The one with this ARN.
    Key(String),
    /// The one with this ARN, or its replica in another region.
    MultiRegionKey(String),
    /// Whichever the record names. No keys can be made.
    Discovery,
    /// Whichever the record names, or its replica in this region. No keys can be made.
    MultiRegionDiscovery(String),
}

/// Branch keys that are stored as records and protected by a KMS key.
///
/// Source: AWS Encryption SDK Specification, Branch Key Store.
pub struct KmsBranchKeyStore<R> {
    records: R,
    name: String,
    client: Arc<dyn KmsClient>,
    key: StoreKey,
    grant_tokens: Vec<String>,
}

impl<R: BranchKeyRecords> KmsBranchKeyStore<R> {
    /// A store with the logical name `name`, which is bound to every key in it.
    pub fn new(records: R, name: impl Into<String>, client: Arc<dyn KmsClient>, key: StoreKey) -> Self {
        Self { records, name: name.into(), client, key, grant_tokens: Vec::new() }
    }

    /// Sets the grant tokens of every call.
    #[must_use]
    pub fn grant_tokens(mut self, tokens: Vec<String>) -> Self {
        self.grant_tokens = tokens;
        self
    }

    /// The records.
    pub const fn records(&self) -> &R {
        &self.records
    }

    /// Makes a branch key and returns its identifier, a random UUID if none is given. A given identifier needs a
    /// context to tell whose it is.
    ///
    /// # Errors
    /// [`BranchKeyError::Conflict`], [`BranchKeyError::Incapable`], [`BranchKeyError::Kms`].
    pub async fn create(
        &self,
        id: Option<String>,
        context: &EncryptionContext,
        now: SystemTime,
    ) -> Result<String, BranchKeyError> {
        if id.is_some() && context.is_empty() {
            return Err(BranchKeyError::Incapable("a branch key with a chosen identifier needs an encryption context"));
        }
        let arn = self.arn_to_make_under()?.to_owned();
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| BranchKeyVersion::random().to_string());
        let custom = context.iter().map(|(name, value)| (format!("{CUSTOM_PREFIX}{name}"), value.to_owned()));
        let attributes: BTreeMap<String, String> = custom.chain(self.common(&arn, now)?).collect();
        let (version, active) = self.make(&id, &arn, &attributes).await?;
        let mut beacon = BranchKeyRecord { id: id.clone(), kind: BEACON.to_owned(), encrypted: Vec::new(), attributes };
        beacon.encrypted = self.generate(&arn, &beacon).await?.ciphertext;
        self.records.put(vec![version, active, beacon], None).await?;
        Ok(id)
    }

    /// Makes a new version of a branch key and has it wrap data keys from now on. Older versions open for ever.
    ///
    /// # Errors
    /// [`BranchKeyError::NotFound`], [`BranchKeyError::Conflict`], [`BranchKeyError::OtherKey`],
    /// [`BranchKeyError::Kms`].
    pub async fn rotate(&self, id: &str, now: SystemTime) -> Result<BranchKeyVersion, BranchKeyError> {
        self.arn_to_make_under()?;
        let old = self.records.get(id, ACTIVE).await?.ok_or(BranchKeyError::NotFound)?;
        let arn = self.arn_of(&old)?;
        // Only the key service can tell that the attributes, which the new version inherits, are what they were.
        let context = self.context(&old)?;
        self.re_encrypt(&arn, &old.encrypted, &context, &context).await?;
        let mut attributes = old.attributes.clone();
        attributes.remove(VERSION);
        attributes.extend(self.common(attribute(&old, KMS_ARN)?, now)?);
        let (version, active) = self.make(id, &arn, &attributes).await?;
        let number = version_of(&version)?;
        self.records.put(vec![version], Some((active, old.encrypted))).await?;
        Ok(number)
    }

    fn arn_to_make_under(&self) -> Result<&str, BranchKeyError> {
        match &self.key {
            StoreKey::Key(arn) | StoreKey::MultiRegionKey(arn) => Ok(arn),
            StoreKey::Discovery | StoreKey::MultiRegionDiscovery(_) => {
                Err(BranchKeyError::Incapable("a store that discovers its KMS key makes no branch keys"))
            }
        }
    }

    /// The KMS key to ask about a record, if this store uses it.
    fn arn_of(&self, record: &BranchKeyRecord) -> Result<String, BranchKeyError> {
        let stored = attribute(record, KMS_ARN)?;
        let (arn, _) =
            KeyArn::parse_key(stored.as_bytes()).ok_or(BranchKeyError::Malformed("kms-arn is no key's ARN"))?;
        let other = || BranchKeyError::OtherKey(stored.to_owned());
        match &self.key {
            StoreKey::Key(ours) => (ours == stored).then(|| ours.clone()).ok_or_else(other),
            StoreKey::MultiRegionKey(ours) => multi_region_match(ours, stored).then(|| ours.clone()).ok_or_else(other),
            StoreKey::Discovery => Ok(stored.to_owned()),
            StoreKey::MultiRegionDiscovery(region) if arn.is_multi_region() => arn.in_region(region).ok_or_else(other),
            StoreKey::MultiRegionDiscovery(_) => Ok(stored.to_owned()),
        }
    }

    /// The attributes of every new record.
    fn common(&self, arn: &str, now: SystemTime) -> Result<[(String, String); 3], BranchKeyError> {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
        let created = OffsetDateTime::from(now).format(&format).map_err(|error| BranchKeyError::Other(error.into()))?;
        let attributes = [(CREATED, created), (KMS_ARN, arn.to_owned()), (HIERARCHY, "1".to_owned())];
        Ok(attributes.map(|(name, value)| (name.to_owned(), value)))
    }

    /// A new version: its own record, and a copy of it as the active one.
    async fn make(
        &self,
        id: &str,
        arn: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(BranchKeyRecord, BranchKeyRecord), BranchKeyError> {
        let kind = format!("{VERSION_PREFIX}{}", BranchKeyVersion::random());
        let mut version =
            BranchKeyRecord { id: id.to_owned(), kind, encrypted: Vec::new(), attributes: attributes.clone() };
        version.encrypted = self.generate(arn, &version).await?.ciphertext;
        let mut active = BranchKeyRecord { kind: ACTIVE.to_owned(), ..version.clone() };
        active.attributes.insert(VERSION.to_owned(), version.kind.clone());
        let (from, to) = (self.context(&version)?, self.context(&active)?);
        active.encrypted = self.re_encrypt(arn, &version.encrypted, &from, &to).await?.ciphertext;
        Ok((version, active))
    }

    async fn generate(&self, arn: &str, record: &BranchKeyRecord) -> Result<Encrypted, BranchKeyError> {
        let context = self.context(record)?;
        let request =
            GenerateDataKey { key_id: arn, bytes: KEY_BYTES, context: &context, grant_tokens: &self.grant_tokens };
        Ok(self.client.generate_data_key_without_plaintext(request).await?)
    }

    async fn re_encrypt(
        &self,
        arn: &str,
        ciphertext: &[u8],
        from: &EncryptionContext,
        to: &EncryptionContext,
    ) -> Result<Encrypted, BranchKeyError> {
        let request = ReEncrypt { key_id: arn, ciphertext, from, to, grant_tokens: &self.grant_tokens };
        Ok(self.client.re_encrypt(request).await?)
    }

    /// Encryption context of a record's key: everything else in the record, and the store's name.
    fn context(&self, record: &BranchKeyRecord) -> Result<EncryptionContext, BranchKeyError> {
        let mut context: EncryptionContext = record.attributes.iter().collect();
        for (name, value) in [(ID, &record.id), (TYPE, &record.kind), (STORE_NAME, &self.name)] {
            if context.contains(name) || value.is_empty() {
                return Err(BranchKeyError::Malformed("an attribute is empty or has the name of another"));
            }
            context.insert(name, value);
        }
        Ok(context)
    }

    async fn open(&self, id: &str, kind: &str) -> Result<BranchKey, BranchKeyError> {
        let record = self.records.get(id, kind).await?.ok_or(BranchKeyError::NotFound)?;
        if record.id != id || record.kind != kind {
            return Err(BranchKeyError::Malformed("it is not the record that was asked for"));
        }
        for name in [CREATED, HIERARCHY] {
            attribute(&record, name)?;
        }
        let version = version_of(&record)?;
        let arn = self.arn_of(&record)?;
        let context = self.context(&record)?;
        let request = Decrypt {
            key_id: &arn,
            ciphertext: &record.encrypted,
            context: &context,
            algorithm: None,
            grant_tokens: &self.grant_tokens,
        };
        let opened = self.client.decrypt(request).await?;
        let key = Key256::from_slice(opened.plaintext.expose());
        let key = key.map_err(|_| BranchKeyError::Malformed("the key has not 32 bytes"))?;
        let custom =
            record.attributes.iter().filter_map(|(name, value)| Some((name.strip_prefix(CUSTOM_PREFIX)?, value)));
        Ok(BranchKey { id: record.id.clone(), version, key, context: custom.collect() })
    }
}

fn attribute<'r>(record: &'r BranchKeyRecord, name: &str) -> Result<&'r str, BranchKeyError> {
    let value = record.attributes.get(name).map(String::as_str);
    value.ok_or(BranchKeyError::Malformed("it lacks an attribute"))
}

fn version_of(record: &BranchKeyRecord) -> Result<BranchKeyVersion, BranchKeyError> {
    let text = if record.kind == ACTIVE { attribute(record, VERSION)? } else { &record.kind };
    text.strip_prefix(VERSION_PREFIX).ok_or(BranchKeyError::Malformed("it names no version"))?.parse()
}

impl<R: BranchKeyRecords> BranchKeyStore for KmsBranchKeyStore<R> {
    fn active<'a>(&'a self, id: &'a str) -> Pending<'a, Result<BranchKey, BranchKeyError>> {
        Box::pin(self.open(id, ACTIVE))
    }

    fn version<'a>(&'a self, id: &'a str, version: BranchKeyVersion) -> Pending<'a, Result<BranchKey, BranchKeyError>> {
        Box::pin(async move { self.open(id, &format!("{VERSION_PREFIX}{version}")).await })
    }
}
