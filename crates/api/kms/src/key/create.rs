//! `CreateKey`.

use std::collections::BTreeMap;

use service::{AuditClass, Call, Need, Permit, ResourceOperation};

use crate::Kms;
use crate::access::Account;
use crate::error::KmsError;
use crate::key::describe::KeyMetadataOutput;
use crate::key::tag::{self, Tag};
use crate::key_store::{self, Wanted as WantedStore};
use crate::record::{
    DomainKey, KeyCount, KeyId, KeyRecord, KeySpec, KeyState, KeyUsage, LiveKey, MultiRegionKeyType, Origin,
    PolicyRecord, Relatives, key_arn,
};
use crate::rules::{CUSTOM_KEY_STORE_ID, DESCRIPTION, POLICY_LENGTH, POLICY_PATTERN};

wire::shape! {
    pub(crate) struct CreateKeyInput {
        "Policy" policy: String, optional, [POLICY_LENGTH, POLICY_PATTERN];
        "Description" description: String, default, [DESCRIPTION];
        "KeyUsage" key_usage: KeyUsage, optional, [];
        "CustomerMasterKeySpec" customer_master_key_spec: KeySpec, optional, [];
        "KeySpec" key_spec: KeySpec, optional, [];
        "Origin" origin: Origin, optional, [];
        "CustomKeyStoreId" custom_key_store_id: String, optional, [CUSTOM_KEY_STORE_ID];
        "BypassPolicyLockoutSafetyCheck" bypass: bool, default, [];
        "Tags" tags: Vec<Tag>, default, [];
        "MultiRegion" multi_region: bool, default, [];
        "XksKeyId" xks_key_id: String, optional,
            [wire::shape::Rule::Length(1, 128), wire::shape::Rule::Pattern("^[a-zA-Z0-9-_.]+$")];
    }
}

impl CreateKeyInput {
    /// The spec that is asked for, by its old or its new name.
    fn spec(&self) -> KeySpec {
        self.key_spec.or(self.customer_master_key_spec).unwrap_or(KeySpec::SymmetricDefault)
    }

    /// The usage that is asked for, if any.
    fn usage(&self) -> KeyUsage {
        self.key_usage.unwrap_or(KeyUsage::EncryptDecrypt)
    }

    /// Checks members that exclude each other, or are not supported.
    fn check(&self) -> Result<(), KmsError> {
        let invalid = |message: &str| Err(KmsError::Validation(message.to_owned()));
        let unsupported = |message: String| Err(KmsError::Unsupported(message));
        if self.key_spec.is_some() && self.customer_master_key_spec.is_some() {
            return invalid(
                "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
                 deprecated.",
            );
        }
        let spec = self.spec();
        if spec != KeySpec::SymmetricDefault && self.key_usage.is_none() {
            return invalid("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.");
        }
        if spec.usages().is_empty() {
            return unsupported(format!("KeySpec {spec} is not supported."));
        }
        if !spec.usages().contains(&self.usage()) {
            return invalid(&format!("KeyUsage {} is not compatible with KeySpec {spec}", self.usage()));
        }
        if self.origin() == Origin::External && !spec.can_be_imported() {
            return unsupported(format!("Origin {} is not supported with KeySpec {spec}.", self.origin()));
        }
        self.wanted_store().check()
    }

    /// Where the material is to come from.
    fn origin(&self) -> Origin {
        self.origin.unwrap_or(Origin::AwsKms)
    }

    /// The members that concern a key store.
    fn wanted_store(&self) -> WantedStore {
        WantedStore {
            origin: self.origin(),
            spec: self.spec(),
            store: self.custom_key_store_id.clone(),
            external_key: self.xks_key_id.clone(),
            multi_region: self.multi_region,
        }
    }
}

/// Creates a key.
pub(crate) struct CreateKey;

impl ResourceOperation for CreateKey {
    type On = Account;
    const NAME: &'static str = "CreateKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = CreateKeyInput;
    type Output = KeyMetadataOutput;

    fn key(_: &Self::Input) {}

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Account>, mut need: Need<'n>) -> Need<'n> {
        need = need
            .with("kms:KeySpec", input.spec().as_str())
            .with("kms:KeyUsage", input.usage().as_str())
            .with("kms:KeyOrigin", input.origin().as_str())
            .with("kms:MultiRegion", input.multi_region)
            .with("kms:BypassPolicyLockoutSafetyCheck", input.bypass);
        if input.multi_region {
            need = need.with("kms:MultiRegionKeyType", MultiRegionKeyType::Primary.as_str());
        }
        if input.tags.is_empty() { need } else { tag::describe_tags(need, &input.tags) }
    }

    fn further_needs<'n>(input: &'n Self::Input, _: Option<&'n Account>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        let any_key = key_arn(call.region, call.account(), "*");
        let tag = || tag::describe_tags(Need::identity("kms:TagResource", any_key), &input.tags);
        if input.tags.is_empty() { Vec::new() } else { vec![tag()] }
    }

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        input.check()?;
        let (spec, usage) = (input.spec(), input.usage());
        let (origin, wanted) = (input.origin(), input.wanted_store());
        let mut tags = BTreeMap::new();
        tag::add(&mut tags, input.tags)?;
        let kms = &**call.service;
        let (account, region) = (call.account().to_owned(), call.region.to_owned());
        let policy = match input.policy {
            Some(text) => PolicyRecord::accept(text, &*kms.principals).await?,
            None => PolicyRecord::of_account(&account),
        };
        let id = KeyId::random(input.multi_region).to_string();
        let mut record = KeyRecord {
            description: input.description,
            origin,
            state: if origin == Origin::External { KeyState::PendingImport } else { KeyState::Enabled },
            multi_region: input.multi_region.then(|| Relatives::of_primary(call.region)),
            tags,
            ..KeyRecord::new((account, region), id, spec, usage, policy, call.now)
        };
        if !input.bypass {
            record.policy.check_lockout(&record, call).await?;
        }
        wanted.hold(&mut record, call).await?;
        let (arn, most) = (record.arn(), kms.keys_max);
        let material = match origin {
            Origin::External => None,
            _ => Some(kms.random_material(record.spec).await?),
        };
        call.touch(arn.clone());
        let mut took_over = false;
        let record = loop {
            let (mut stored, mut domain_key) = (record.clone(), None);
            if let Some(material) = &material {
                let serving = match took_over {
                    false => DomainKey::last_known(kms, call.region).await?,
                    true => DomainKey::serving(&kms.store, call.region).await?,
                };
                stored.take_up(material.wrap(&serving, &arn, &stored.id, call.now, None));
                domain_key = Some(serving);
            }
            let made = call.write(&kms.store, move |tx| {
                // Another one took over meanwhile.
                if let Some(domain_key) = domain_key
                    && !domain_key.serves(tx)?
                {
                    return Ok(None);
                }
                let domain = stored.domain();
                KeyCount::increase(tx, &domain, most)?;
                key_store::take(&stored, tx)?;
                tx.insert(&domain, &stored.id, &stored)?;
                Ok::<_, KmsError>(Some(stored))
            });
            if let Some(made) = made.await? {
                break made;
            }
            took_over = true;
        };
        let store = kms.store_of(&record).await?;
        Ok(KeyMetadataOutput::of(&LiveKey::from(record), call.now, store.as_deref()))
    }
}
