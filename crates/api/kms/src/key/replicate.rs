//! `ReplicateKey`: a related key in another Region, with the same id and material and a policy of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};

use crate::Kms;
use crate::access::{Found, KeyRef};
use crate::error::KmsError;
use crate::key::describe::KeyMetadata;
use crate::key::tag::{self, Tag, TagListEntry};
use crate::record::{KeyCount, KeyRecord, KeyState, LiveKey, MultiRegionKeyType, Origin, PolicyRecord, key_arn};
use crate::rules::{DESCRIPTION, KEY_ID, POLICY_LENGTH, POLICY_PATTERN, REGION_LENGTH, REGION_PATTERN};

wire::shape! {
    pub(crate) struct ReplicateKeyInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "ReplicaRegion" replica_region: String, required, [REGION_LENGTH, REGION_PATTERN];
        "Policy" policy: String, optional, [POLICY_LENGTH, POLICY_PATTERN];
        "BypassPolicyLockoutSafetyCheck" bypass: bool, default, [];
        "Description" description: String, default, [DESCRIPTION];
        "Tags" tags: Vec<Tag>, default, [];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReplicateKeyOutput {
    replica_key_metadata: KeyMetadata,
    replica_policy: String,
    replica_tags: Vec<TagListEntry>,
}

/// Makes a replica of a multi-Region primary key in another Region.
///
/// The replica is there when the call is answered: it is never `Creating`.
///
/// Source: AWS KMS API Reference, ReplicateKey.
pub(crate) struct ReplicateKey;

impl ReplicateKeyInput {
    /// Needs in the replica's Region, whose key policies do not exist yet.
    fn needs_there(&self, key: Option<&KeyRecord>, call: &Call<'_, Kms>) -> Vec<Need<'static>> {
        let region = self.replica_region.as_str();
        let there = |action, resource: String| {
            Need::identity(action, resource)
                .with("aws:RequestedRegion", region.to_owned())
                .with("kms:CallerAccount", call.account().to_owned())
        };
        let mut create = there("kms:CreateKey", "*".to_owned())
            .with("kms:MultiRegion", true)
            .with("kms:MultiRegionKeyType", MultiRegionKeyType::Replica.as_str())
            .with("kms:BypassPolicyLockoutSafetyCheck", self.bypass);
        if let Some(key) = key {
            create = create
                .with("kms:KeySpec", key.spec.as_str())
                .with("kms:KeyUsage", key.usage.as_str())
                .with("kms:KeyOrigin", key.origin.as_str());
        }
        if self.tags.is_empty() {
            return vec![create];
        }
        let any_key = key_arn(region, call.account(), "*");
        vec![tag::describe_tags(create, &self.tags), tag::describe_tags(there("kms:TagResource", any_key), &self.tags)]
    }
}

impl ResourceOperation for ReplicateKey {
    type On = Found;
    const NAME: &'static str = "ReplicateKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = ReplicateKeyInput;
    type Output = ReplicateKeyOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:ReplicaRegion", &input.replica_region)
    }

    fn further_needs<'n>(input: &'n Self::Input, found: Option<&'n Found>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        input.needs_there(found.map(|found| &found.key.record), call)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (kms, key, region) = (&**call.service, &found.key, input.replica_region);
        check_primary(&key.record)?;
        if !kms.regions.has(&region) {
            return Err(KmsError::Unsupported(format!("There is no Region {region}.")));
        }
        if partition(&region) != partition(call.region) {
            return Err(KmsError::Unsupported(format!("Region {region} is not in the partition of the primary key.")));
        }
        let mut tags = BTreeMap::new();
        tag::add(&mut tags, input.tags)?;
        let policy = match input.policy {
            Some(text) => PolicyRecord::accept(text, &*kms.principals).await?,
            None => PolicyRecord::of_account(call.account()),
        };
        let plan = KeyRecord {
            region: region.clone(),
            created: call.now,
            description: input.description,
            state: KeyState::Enabled,
            destroyed_at: None,
            deletion_window_days: None,
            expires: None,
            policy,
            tags,
            aliases: BTreeSet::new(),
            materials: Vec::new(),
            held: None,
            grants: 0,
            ..key.record.clone()
        };
        if !input.bypass {
            plan.policy.check_lockout(&plan, call).await?;
        }
        let most = kms.keys_max;
        call.touch(plan.arn());
        let replica = kms
            .change_family(call, Self::NAME, &key.record, &[region], move |family, domains, tx| {
                check_primary(&family.key)?;
                let mut replica = plan.clone();
                if tx.get::<KeyRecord>(&replica.domain(), &replica.id)?.is_some() {
                    return Err(already_exists(&replica));
                }
                for material in &family.key.materials {
                    // Imported material is imported into each Region by its owner.
                    if replica.origin == Origin::External {
                        replica.materials.push(material.without_material());
                        continue;
                    }
                    let (domain, from, to) = (domains.of(&replica.region)?, family.key.arn(), replica.arn());
                    let unwrapping = |name: &str| domains.named(name);
                    replica.materials.push(material.for_relative(unwrapping, &from, domain, &to)?);
                }
                (replica.current, replica.pending) = (family.key.current, family.key.pending);
                replica.settle();
                replica.rotation = family.key.rotation.clone();
                for member in family.members_mut() {
                    if let Some(relatives) = &mut member.multi_region {
                        relatives.replicas.insert(replica.region.clone());
                    }
                }
                replica.multi_region.clone_from(&family.key.multi_region);
                KeyCount::increase(tx, &replica.domain(), most)?;
                tx.insert(&replica.domain(), &replica.id, &replica)?;
                Ok(replica)
            })
            .await?;
        let replica = LiveKey::from(replica);
        Ok(ReplicateKeyOutput {
            replica_key_metadata: KeyMetadata::of(&replica, call.now, None),
            replica_policy: replica.record.policy.text.clone(),
            replica_tags: replica.record.tags.iter().map(TagListEntry::from).collect(),
        })
    }
}

/// Refuses what is not the primary key of a multi-Region key.
///
/// # Errors
/// [`KmsError::Unsupported`].
pub(crate) fn check_primary(key: &KeyRecord) -> Result<(), KmsError> {
    match key.multi_region_key_type() {
        Some(MultiRegionKeyType::Primary) => Ok(()),
        _ => Err(KmsError::Unsupported(format!("{} is not a multi-Region primary key.", key.arn()))),
    }
}

fn already_exists(replica: &KeyRecord) -> KmsError {
    KmsError::ReplicaExists { arn: replica.arn(), region: replica.region.clone() }
}

/// The partition that a Region's name belongs to.
///
/// Source: AWS General Reference, "Amazon Resource Names"; each partition's Regions begin alike.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("us-iso") => "aws-iso",
        _ => "aws",
    }
}
