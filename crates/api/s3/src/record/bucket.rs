//! A bucket as it is stored: its name, its owner, and the settings that requests for objects need. What they do not need
//! has records of its own.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{CryptoError, Key256};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use store::{Indexed, ReadTx, Record};
use wire::Timestamp;
use zeroize::Zeroizing;

use crate::error::{Refusal, S3Error};

/// A bucket, stored by its name, of which there is one in all accounts and Regions.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct BucketRecord {
    /// 128 random bits in hexadecimal: a bucket that is made again under the same name shares nothing with this one.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) created: Timestamp,
    /// Absent as long as nobody has turned versioning on.
    pub(crate) versioning: Option<Versioning>,
    pub(crate) encryption: DefaultEncryption,
    pub(crate) ownership: Option<Ownership>,
    pub(crate) public_access: Option<PublicAccess>,
    pub(crate) object_lock: Option<ObjectLock>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether policies may go by the bucket's tags.
    pub(crate) abac: bool,
    /// The key under which objects' keys are wrapped that are protected by the bucket alone (SSE-S3).
    pub(crate) secret: BucketSecret,
}

impl Record for BucketRecord {
    const COLLECTION: &'static str = "s3-bucket";
}

impl BucketRecord {
    /// The parent under which all buckets are stored.
    pub(crate) const PARENT: &'static str = "";

    /// The bucket as a transaction finds it, which a call has looked up before.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`], also if another has the name by now; those of the store.
    pub(crate) fn current(tx: &ReadTx<'_>, known: &Self) -> Result<Self, S3Error> {
        let found = tx.get::<Self>(Self::PARENT, &known.name)?.filter(|found| found.id == known.id);
        found.ok_or_else(|| Refusal::NoSuchBucket { bucket: known.name.clone() }.into())
    }

    /// Its objects.
    ///
    /// # Errors
    /// [`S3Error::Damaged`] when the stored id is none.
    pub(crate) fn objects(&self) -> Result<buckets::Bucket, S3Error> {
        let damaged = || S3Error::Damaged(format!("the id of bucket {} is none", self.name));
        buckets::Bucket::parse(&self.id).ok_or_else(damaged)
    }

    /// Which ids new versions of its objects get.
    pub(crate) const fn object_versioning(&self) -> buckets::Versioning {
        match self.versioning {
            None => buckets::Versioning::Off,
            Some(Versioning::Enabled) => buckets::Versioning::Enabled,
            Some(Versioning::Suspended) => buckets::Versioning::Suspended,
        }
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        ["arn:aws:s3:::", &self.name].concat()
    }
}

/// An account's bucket, in the index of the account by the bucket's name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BucketEntry {
    pub(crate) region: String,
    pub(crate) created: Timestamp,
}

impl Indexed for BucketEntry {
    const NAME: &'static str = "s3-buckets-of-account";
}

wire::text_enum! {
    /// Whether a bucket keeps the versions of its objects.
    pub(crate) enum Versioning { Enabled = "Enabled", Suspended = "Suspended" }
}

wire::text_enum! {
    /// Whose the objects are that others put into a bucket. All are the bucket's owner's here.
    pub(crate) enum Ownership {
        BucketOwnerPreferred = "BucketOwnerPreferred",
        ObjectWriter = "ObjectWriter",
        BucketOwnerEnforced = "BucketOwnerEnforced",
    }
}

wire::text_enum! {
    /// How firmly a version is retained.
    pub(crate) enum ObjectLockMode { Governance = "GOVERNANCE", Compliance = "COMPLIANCE" }
}

/// The protection of objects whose requests name none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DefaultEncryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub(crate) algorithm: String,
    /// The KMS key as it was named: an id, an ARN or an alias.
    pub(crate) key: Option<String>,
    /// Whether objects share a data key of the bucket.
    pub(crate) bucket_key: bool,
    /// Whether requests cannot bring keys of their own (SSE-C).
    pub(crate) blocks_customer_keys: bool,
}

impl Default for DefaultEncryption {
    /// That of a new bucket.
    fn default() -> Self {
        Self { algorithm: "AES256".to_owned(), key: None, bucket_key: false, blocks_customer_keys: true }
    }
}

/// The parts of a public access block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicAccess {
    pub(crate) block_public_acls: bool,
    pub(crate) ignore_public_acls: bool,
    pub(crate) block_public_policy: bool,
    pub(crate) restrict_public_buckets: bool,
}

impl PublicAccess {
    /// That of a new bucket.
    pub(crate) const BLOCKED: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

/// Object lock of a bucket, which cannot be turned off again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectLock {
    /// The retention of versions whose requests name none.
    pub(crate) default: Option<DefaultRetention>,
}

/// The retention of new versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DefaultRetention {
    pub(crate) mode: ObjectLockMode,
    pub(crate) days: Option<i32>,
    pub(crate) years: Option<i32>,
}

/// A bucket's own key. The store seals it with the record.
#[derive(Clone)]
pub(crate) struct BucketSecret(Zeroizing<[u8; 32]>);

impl BucketSecret {
    /// A new one.
    pub(crate) fn random() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        crypto::random_bytes(&mut *bytes);
        Self(bytes)
    }

    /// The key.
    ///
    /// # Errors
    /// None: it has the right length.
    pub(crate) fn key(&self) -> Result<Key256, CryptoError> {
        Key256::from_slice(&*self.0)
    }
}

impl Serialize for BucketSecret {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&Zeroizing::new(STANDARD.encode(*self.0)))
    }
}

impl<'de> Deserialize<'de> for BucketSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let mut bytes = Zeroizing::new([0; 32]);
        let whole = STANDARD.decode_slice(text.as_bytes(), &mut *bytes).ok() == Some(bytes.len());
        if whole { Ok(Self(bytes)) } else { Err(serde::de::Error::custom("not a key")) }
    }
}
