//! Customer-managed policies and their documents as they are stored.

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record, StoreError, Tx};
use wire::{Arn, Timestamp};

use crate::records::aws_managed::{self, AwsManaged};
use crate::records::entity::{self, Entity, Identity, Tagged};
use crate::values::error::{IamError, Result};
use crate::values::kind::Kind;
use crate::values::tag::Tag;
use crate::values::{name, policy_arn};

/// A customer-managed policy as it is stored, under its account and unique id.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ManagedPolicy {
    pub(crate) identity: Identity,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) tags: Vec<Tag>,
    /// The number of the version in force.
    pub(crate) default_version: u32,
    /// The number that the next version gets; numbers are not used again.
    pub(crate) next_version: u32,
    /// The versions there are, oldest first.
    pub(crate) versions: Vec<VersionEntry>,
}

/// A version, without its document.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct VersionEntry {
    pub(crate) number: u32,
    pub(crate) created: Timestamp,
}

impl ManagedPolicy {
    /// A new policy with its first version.
    pub(crate) fn new(identity: Identity, description: Option<String>, tags: Vec<Tag>, created: Timestamp) -> Self {
        Self {
            identity,
            description,
            created,
            updated: created,
            tags,
            default_version: 1,
            next_version: 2,
            versions: vec![VersionEntry { number: 1, created }],
        }
    }
}

/// Adds a new policy and the document of its first version.
///
/// # Errors
/// `EntityAlreadyExists`.
pub(crate) fn insert(tx: &mut Tx<'_>, policy: &ManagedPolicy, document: String) -> Result<()> {
    entity::insert(tx, policy)?;
    let document = PolicyDocument { arn: policy.arn().to_string(), text: document };
    tx.put(&document.arn, &version_id(1), &document)?;
    Ok(tx.put(&document.arn, DEFAULT, &document)?)
}

impl Record for ManagedPolicy {
    const COLLECTION: &'static str = "iam.policy";
}

impl Entity for ManagedPolicy {
    const KIND: Kind = Kind::Policy;

    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

impl Tagged for ManagedPolicy {
    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

/// The document of one version of a managed policy, under the policy's ARN and the version.
///
/// The document in force is stored a second time as version [`DEFAULT`], so that the hot path reads one record.
#[derive(Serialize, Deserialize)]
pub(crate) struct PolicyDocument {
    pub(crate) arn: String,
    pub(crate) text: String,
}

/// The id of the document in force.
pub(crate) const DEFAULT: &str = "default";

impl Record for PolicyDocument {
    const COLLECTION: &'static str = "iam.policy-document";
}

/// A managed policy, whoever manages it.
pub(crate) enum AnyPolicy {
    /// The account.
    Own(Box<ManagedPolicy>),
    /// AWS.
    Aws(&'static AwsManaged),
}

/// The managed policy that has this ARN, for callers of `account`.
pub(crate) fn find(tx: &ReadTx<'_>, account: &str, arn: &str) -> Result<Option<AnyPolicy>, StoreError> {
    if policy_arn::is_aws_managed(arn) {
        return Ok(aws_managed::find(arn).map(AnyPolicy::Aws));
    }
    let Ok(parsed) = arn.parse::<Arn>() else { return Ok(None) };
    let Some(located) = name::locate(&parsed) else { return Ok(None) };
    if located.kind != Kind::Policy || parsed.account() != account {
        return Ok(None);
    }
    let policy = entity::find::<ManagedPolicy>(tx, account, located.name)?;
    Ok(policy.filter(|policy| policy.identity.path == located.path).map(|policy| AnyPolicy::Own(Box::new(policy))))
}

impl AnyPolicy {
    /// Its tags. AWS-managed policies have none.
    pub(crate) fn tags(&self) -> &[Tag] {
        match self {
            Self::Own(policy) => &policy.tags,
            Self::Aws(_) => &[],
        }
    }

    /// The policy if it is the account's own, to be changed.
    ///
    /// # Errors
    /// `InvalidInput` for an AWS-managed policy.
    pub(crate) fn own(&self) -> Result<&ManagedPolicy> {
        match self {
            Self::Own(policy) => Ok(policy),
            Self::Aws(policy) => Err(IamError::ForeignPolicy { arn: policy.arn.to_string() }),
        }
    }
}

/// A version's id, such as `v2`.
pub(crate) fn version_id(number: u32) -> String {
    format!("v{number}")
}
