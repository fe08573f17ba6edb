//! Grants: what is stored of one, and whether one lets a caller do something.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use service::Caller;
use store::{Record, StoreError, Tx};
use wire::Timestamp;

use crate::error::KmsError;
use crate::record::{EncryptionContext, KeyRecord, Party, Standing, key_arn, names_of, path};

wire::text_enum! {
    /// An operation that a grant can allow.
    pub(crate) enum GrantOperation {
        Decrypt = "Decrypt",
        Encrypt = "Encrypt",
        GenerateDataKey = "GenerateDataKey",
        GenerateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext",
        ReEncryptFrom = "ReEncryptFrom",
        ReEncryptTo = "ReEncryptTo",
        Sign = "Sign",
        Verify = "Verify",
        GetPublicKey = "GetPublicKey",
        CreateGrant = "CreateGrant",
        RetireGrant = "RetireGrant",
        DescribeKey = "DescribeKey",
        GenerateDataKeyPair = "GenerateDataKeyPair",
        GenerateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext",
        GenerateMac = "GenerateMac",
        VerifyMac = "VerifyMac",
        DeriveSharedSecret = "DeriveSharedSecret",
        Encapsulate = "Encapsulate",
        Decapsulate = "Decapsulate",
    }
}

/// Constraints on the encryption context of uses under a grant. Unlike in ciphertexts, names are compared without case.
///
/// Source: AWS KMS API Reference, GrantConstraints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Constraints {
    /// It has at least these pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_context_subset: Option<EncryptionContext>,
    /// It has these pairs and no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_context_equals: Option<EncryptionContext>,
}

impl Constraints {
    /// Whether there are any.
    pub(crate) const fn is_empty(&self) -> bool {
        self.encryption_context_subset.is_none() && self.encryption_context_equals.is_none()
    }

    fn met_by(&self, context: &EncryptionContext) -> bool {
        self.encryption_context_subset.as_ref().is_none_or(|subset| contains(context, subset))
            && self.encryption_context_equals.as_ref().is_none_or(|equals| folded(context) == folded(equals))
    }

    /// Whether every context that meets these constraints meets `other` as well.
    fn at_least_as_strict_as(&self, other: &Self) -> bool {
        let equals_ok = other.encryption_context_equals.as_ref().is_none_or(|wanted| {
            self.encryption_context_equals.as_ref().is_some_and(|own| folded(own) == folded(wanted))
        });
        let subset_ok = other.encryption_context_subset.as_ref().is_none_or(|wanted| {
            let own = [&self.encryption_context_equals, &self.encryption_context_subset];
            own.into_iter().flatten().any(|own| contains(own, wanted))
        });
        equals_ok && subset_ok
    }
}

/// The pairs with their names in lower case.
fn folded(context: &EncryptionContext) -> BTreeSet<(String, &str)> {
    context.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect()
}

/// Whether `context` has all of these `pairs`, and no other values for their names.
fn contains(context: &EncryptionContext, pairs: &EncryptionContext) -> bool {
    let wanted = folded(pairs);
    let named = |name: &String| wanted.iter().any(|(wanted, _)| wanted == name);
    folded(context).into_iter().filter(|(name, _)| named(name)).eq(wanted.iter().cloned())
}

/// A grant, stored under its key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) key_id: String,
    pub(crate) name: Option<String>,
    pub(crate) created: Timestamp,
    /// The account of the principal that created it.
    pub(crate) issuing_account: String,
    pub(crate) grantee: Party,
    pub(crate) retiring: Option<Party>,
    pub(crate) operations: Vec<GrantOperation>,
    pub(crate) constraints: Constraints,
}

impl Record for GrantRecord {
    const COLLECTION: &'static str = "kms-grant";
}

/// Finds the grants that a principal can retire: stored under the region and the principal.
#[derive(Serialize, Deserialize)]
pub(crate) struct RetirableRecord {
    account: String,
    key_id: String,
    grant_id: String,
}

impl Record for RetirableRecord {
    const COLLECTION: &'static str = "kms-retirable-grant";
}

/// Finds the grant that the same request made before: stored under the key and a digest of the request.
#[derive(Serialize, Deserialize)]
pub(crate) struct NamedRecord {
    grant_id: String,
}

impl Record for NamedRecord {
    const COLLECTION: &'static str = "kms-named-grant";
}

/// How many grants a key can have.
const GRANTS_MAX: u32 = 50_000;

impl GrantRecord {
    /// The key's ARN.
    pub(crate) fn key_arn(&self) -> String {
        key_arn(&self.region, &self.account, &self.key_id)
    }

    /// The parent under which it is stored.
    pub(crate) fn path(&self) -> String {
        path(&self.account, &self.region, &self.key_id)
    }

    fn retirable_parent(&self) -> Option<String> {
        Some(retirable_parent(&self.region, &self.retiring.as_ref()?.bound))
    }

    /// A digest that distinguishes it from other grants of the same name; `None` without a name.
    fn digest(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        let operations: Vec<_> = self.operations.iter().map(|operation| operation.as_str()).collect();
        let parts = (name, &self.issuing_account, &self.grantee, &self.retiring, operations, &self.constraints);
        let text = serde_json::to_vec(&parts).ok()?;
        Some(crypto::hex::encode(&crypto::sha256(&text)))
    }

    /// Stores it with all that finds it, unless the same request was made before. Returns the id of the grant that is
    /// there in the end.
    ///
    /// # Errors
    /// [`KmsError::QuotaExceeded`]; those of the store.
    pub(crate) fn add(&self, key: &mut KeyRecord, tx: &mut Tx<'_>) -> Result<String, KmsError> {
        let (path, digest) = (self.path(), self.digest());
        if let Some(digest) = &digest
            && let Some(same) = tx.get::<NamedRecord>(&path, digest)?
        {
            return Ok(same.grant_id);
        }
        if key.grants >= GRANTS_MAX {
            let (most, usage) = (u64::from(GRANTS_MAX), u64::from(key.grants));
            return Err(KmsError::QuotaExceeded { quota: "Grants per key", most, usage });
        }
        key.grants += 1;
        tx.insert(&path, &self.id, self)?;
        if let Some(digest) = digest {
            tx.insert(&path, &digest, &NamedRecord { grant_id: self.id.clone() })?;
        }
        if let Some(parent) = self.retirable_parent() {
            let (account, key_id, grant_id) = (self.account.clone(), self.key_id.clone(), self.id.clone());
            tx.insert(&parent, &self.id, &RetirableRecord { account, key_id, grant_id })?;
        }
        Ok(self.id.clone())
    }

    /// Removes it with all that finds it. Returns whether it was there.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) fn remove(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let path = self.path();
        if !tx.delete::<Self>(&path, &self.id)? {
            return Ok(false);
        }
        if let Some(digest) = self.digest() {
            tx.delete::<NamedRecord>(&path, &digest)?;
        }
        if let Some(parent) = self.retirable_parent() {
            tx.delete::<RetirableRecord>(&parent, &self.id)?;
        }
        Ok(true)
    }

    /// Whether it allows this, apart from to whom.
    fn allows(&self, usage: &GrantUse<'_>) -> bool {
        match usage {
            GrantUse::Plain(operation) => self.operations.contains(operation),
            GrantUse::Crypto(operation, context) => {
                self.operations.contains(operation) && self.constraints.met_by(context)
            }
            GrantUse::Create { operations, constraints } => {
                self.operations.contains(&GrantOperation::CreateGrant)
                    && operations.iter().all(|operation| self.operations.contains(operation))
                    && constraints.at_least_as_strict_as(&self.constraints)
            }
        }
    }
}

/// The parent of what a principal can retire.
pub(crate) fn retirable_parent(region: &str, bound: &str) -> String {
    [region, "/", bound].concat()
}

impl RetirableRecord {
    /// The parent and id of the grant.
    pub(crate) fn place(&self, region: &str) -> (String, &str) {
        (path(&self.account, region, &self.key_id), &self.grant_id)
    }
}

/// A use that a grant may allow.
pub(crate) enum GrantUse<'a> {
    /// An operation that has no encryption context: constraints do not bear on it.
    Plain(GrantOperation),
    /// An operation with an encryption context.
    Crypto(GrantOperation, &'a EncryptionContext),
    /// Passing on some of it: no more operations, no looser constraints.
    Create {
        /// The operations of the new grant.
        operations: &'a [GrantOperation],
        /// Its constraints.
        constraints: Constraints,
    },
}

/// How a grant allows a use: as its grantee stands to the caller.
pub(crate) type Claim = Standing;

/// The grants of a key in memory.
#[derive(Clone, Default)]
pub(crate) struct Grants {
    by_grantee: HashMap<String, Vec<GrantRecord>>,
    ids: HashSet<String>,
}

impl Grants {
    /// The grants of a key, from all their records.
    pub(crate) fn new(records: Vec<GrantRecord>) -> Self {
        let mut grants = Self::default();
        records.into_iter().for_each(|record| grants.add(record));
        grants
    }

    /// Adds one, if it is not there.
    pub(crate) fn add(&mut self, record: GrantRecord) {
        if self.ids.insert(record.id.clone()) {
            self.by_grantee.entry(record.grantee.bound.clone()).or_default().push(record);
        }
    }

    /// Whether there is one with this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether a grant lets `caller` do this, and how the caller is its grantee.
    pub(crate) fn claim(&self, caller: &Caller, usage: &GrantUse<'_>) -> Option<Claim> {
        let names = names_of(&caller.principal).into_iter().flatten();
        names
            .filter_map(|(name, standing)| Some((self.by_grantee.get(name)?, standing)))
            .find(|(grants, _)| grants.iter().any(|grant| grant.allows(usage)))
            .map(|(_, standing)| standing)
    }
}

#[cfg(test)]
mod tests;
