//! Attachments of managed policies as they are stored.
//!
//! An entity's record lists what is attached to it, for the hot path; a record for each attachment leads from the
//! policy to the entity, and a count for each policy and account answers lists. The three change together.

use serde::{Deserialize, Serialize};
use store::{ReadTx, Record, StoreError, Tx};

use crate::records::entity::Identity;
use crate::values::kind::Kind;

/// The use that an entity makes of a managed policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Usage {
    /// It grants.
    Permissions,
    /// It limits.
    Boundary,
}

/// An entity that a managed policy is attached to, under the policy.
#[derive(Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) kind: Kind,
    /// The entity's unique id.
    pub(crate) entity: String,
    pub(crate) usage: Usage,
}

impl Record for Attachment {
    const COLLECTION: &'static str = "iam.attachment";
}

/// How often an account uses a managed policy, under the account and the policy's ARN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsageCount {
    pub(crate) attachments: u32,
    pub(crate) boundaries: u32,
}

impl Record for UsageCount {
    const COLLECTION: &'static str = "iam.usage";
}

impl UsageCount {
    const fn of(&mut self, usage: Usage) -> &mut u32 {
        match usage {
            Usage::Permissions => &mut self.attachments,
            Usage::Boundary => &mut self.boundaries,
        }
    }
}

impl Attachment {
    /// The parent of a policy's attachments. AWS-managed policies are attached in many accounts.
    pub(crate) fn parent(account: &str, arn: &str) -> String {
        format!("{account} {arn}")
    }

    /// Its id under that parent.
    pub(crate) fn id(entity: &str, usage: Usage) -> String {
        match usage {
            Usage::Permissions => format!("{entity} permissions"),
            Usage::Boundary => format!("{entity} boundary"),
        }
    }
}

/// How often `account` uses the policy.
pub(crate) fn usage(tx: &ReadTx<'_>, account: &str, arn: &str) -> Result<UsageCount, StoreError> {
    Ok(tx.get::<UsageCount>(account, arn)?.unwrap_or_default())
}

/// Records that an entity uses a policy. Returns whether it did not before.
pub(crate) fn occupy(
    tx: &mut Tx<'_>,
    kind: Kind,
    entity: &Identity,
    arn: &str,
    usage: Usage,
) -> Result<bool, StoreError> {
    let attachment = Attachment { kind, entity: entity.id.clone(), usage };
    let parent = Attachment::parent(&entity.account, arn);
    match tx.insert(&parent, &Attachment::id(&entity.id, usage), &attachment) {
        Ok(()) => {}
        Err(StoreError::Exists { .. }) => return Ok(false),
        Err(error) => return Err(error),
    }
    let mut count = self::usage(tx, &entity.account, arn)?;
    *count.of(usage) = count.of(usage).saturating_add(1);
    tx.put(&entity.account, arn, &count)?;
    Ok(true)
}

/// Records that an entity uses a policy no longer. Returns whether it did.
pub(crate) fn release(tx: &mut Tx<'_>, entity: &Identity, arn: &str, usage: Usage) -> Result<bool, StoreError> {
    let parent = Attachment::parent(&entity.account, arn);
    if !tx.delete::<Attachment>(&parent, &Attachment::id(&entity.id, usage))? {
        return Ok(false);
    }
    let mut count = self::usage(tx, &entity.account, arn)?;
    *count.of(usage) = count.of(usage).saturating_sub(1);
    if count == UsageCount::default() {
        tx.delete::<UsageCount>(&entity.account, arn)?;
    } else {
        tx.put(&entity.account, arn, &count)?;
    }
    Ok(true)
}
