//! `DescribeKey`, and the metadata of keys that other answers show as well.

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::Timestamp;

use crate::Kms;
use crate::access::{Found, GrantedKeyInput, KeyRef};
use crate::error::KmsError;
use crate::record::{
    EncapsulationAlgorithm, EncryptionAlgorithm, ExpirationModel, GrantOperation, KeyAgreementAlgorithm, KeyManager,
    KeySpec, KeyState, KeyStoreRecord, KeyUsage, LiveKey, MacAlgorithm, MaterialRecord, MultiRegionConfiguration,
    Origin, SigningAlgorithm, algorithms_of, key_store,
};

/// `KeyMetadata`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyMetadata {
    #[serde(rename = "AWSAccountId")]
    aws_account_id: String,
    key_id: String,
    arn: String,
    creation_date: Timestamp,
    enabled: bool,
    description: String,
    key_usage: KeyUsage,
    key_state: KeyState,
    deletion_date: Option<Timestamp>,
    valid_to: Option<Timestamp>,
    origin: Origin,
    expiration_model: Option<ExpirationModel>,
    key_manager: KeyManager,
    customer_master_key_spec: KeySpec,
    key_spec: KeySpec,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    encryption_algorithms: &'static [EncryptionAlgorithm],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    signing_algorithms: &'static [SigningAlgorithm],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    key_agreement_algorithms: &'static [KeyAgreementAlgorithm],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    encapsulation_algorithms: &'static [EncapsulationAlgorithm],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    mac_algorithms: &'static [MacAlgorithm],
    multi_region: bool,
    multi_region_configuration: Option<MultiRegionConfiguration>,
    pending_deletion_window_in_days: Option<i32>,
    current_key_material_id: Option<String>,
    custom_key_store_id: Option<String>,
    cloud_hsm_cluster_id: Option<String>,
    xks_key_configuration: Option<XksKeyConfiguration>,
}

/// `XksKeyConfigurationType`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct XksKeyConfiguration {
    id: String,
}

/// An output that is a key's metadata.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyMetadataOutput {
    key_metadata: KeyMetadata,
}

impl KeyMetadataOutput {
    /// The metadata of a key at `now`, and of the `store` that holds it, if one does.
    pub(crate) fn of(key: &LiveKey, now: Timestamp, store: Option<&KeyStoreRecord>) -> Self {
        Self { key_metadata: KeyMetadata::of(key, now, store) }
    }
}

impl KeyMetadata {
    /// The metadata of a key at `now`, and of the `store` that holds it, if one does.
    pub(crate) fn of(key: &LiveKey, now: Timestamp, store: Option<&KeyStoreRecord>) -> Self {
        let record = &key.record;
        let state = key_store::state(record.state_at(now), store);
        // Of several materials, the one that expires first speaks for the key.
        let versions = || key.versions().iter().map(|version| &version.record);
        let permanent = || versions().filter(|version| record.pending != Some(version.id) && version.is_here_at(now));
        let (spec, usage) = (record.spec, record.usage);
        // Only these have more than one.
        let material = if spec == KeySpec::SymmetricDefault { key.current().ok() } else { None };
        let external = record.held.as_ref().filter(|_| record.origin == Origin::ExternalKeyStore);
        Self {
            aws_account_id: record.account.clone(),
            key_id: record.id.clone(),
            arn: key.arn.clone(),
            creation_date: record.created,
            enabled: state == KeyState::Enabled,
            description: record.description.clone(),
            key_usage: record.usage,
            key_state: state,
            deletion_date: record.destroyed_at,
            valid_to: permanent().filter_map(MaterialRecord::expires).min(),
            origin: record.origin,
            expiration_model: permanent().filter_map(MaterialRecord::expiration_model).min(),
            key_manager: record.manager,
            customer_master_key_spec: record.spec,
            key_spec: record.spec,
            encryption_algorithms: algorithms_of(spec, usage),
            signing_algorithms: algorithms_of(spec, usage),
            key_agreement_algorithms: algorithms_of(spec, usage),
            encapsulation_algorithms: algorithms_of(spec, usage),
            mac_algorithms: algorithms_of(spec, usage),
            multi_region: record.multi_region.is_some(),
            multi_region_configuration: record
                .multi_region
                .as_ref()
                .map(|relatives| MultiRegionConfiguration::new(relatives, &record.region, &record.account, &record.id)),
            pending_deletion_window_in_days: record.deletion_window_days,
            current_key_material_id: material.and_then(|version| key.shown_material_id(version)),
            custom_key_store_id: record.held.as_ref().map(|held| held.store.clone()),
            cloud_hsm_cluster_id: store.and_then(KeyStoreRecord::cluster_id).map(str::to_owned),
            xks_key_configuration: external.map(|held| XksKeyConfiguration { id: held.key.clone() }),
        }
    }
}

/// Describes a key.
pub(crate) struct DescribeKey;

impl ResourceOperation for DescribeKey {
    type On = Found;
    const NAME: &'static str = "DescribeKey";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GrantedKeyInput;
    type Output = KeyMetadataOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::plain(&input.key_id, &input.grant_tokens, GrantOperation::DescribeKey)
    }

    async fn run(_: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        Ok(KeyMetadataOutput::of(&found.key, call.now, found.store.as_deref()))
    }
}
