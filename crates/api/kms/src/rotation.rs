//! Rotation: when keys take up new material, by themselves or on demand. Old versions stay and decrypt for ever.

use serde::Serialize;
use service::{Call, Effect, Need};
use store::Tx;
use wire::Timestamp;
use wire::shape::Rule;

use crate::Kms;
use crate::access::Found;
use crate::error::KmsError;
use crate::grant::GrantUse;
use crate::material::{MaterialRecord, RotationType};
use crate::on_key::KeyOperation;
use crate::page;
use crate::record::{KeyRecord, Rotation, Version};
use crate::reference::Forms;
use crate::rules::{KEY_ID, LIMIT, MARKER_LENGTH, MARKER_PATTERN};
use crate::schedule::{self, Due, Job};
use crate::state::KeyState;

/// How often a key rotates when the caller does not say.
const PERIOD_DAYS: u32 = 365;

/// How often a key can be rotated on demand.
const ON_DEMAND_MAX: usize = 25;

/// When a key that rotates every `period_days` does so after `from`.
pub(crate) fn next(from: Timestamp, period_days: u32) -> Timestamp {
    from.plus_days(i64::from(period_days))
}

wire::shape! {
    /// The input of the operations on rotation that say no more than the key.
    pub(crate) struct RotationInput {
        "KeyId" key_id: String, required, [KEY_ID];
    }
}

wire::shape! {
    /// The input of `EnableKeyRotation`.
    pub(crate) struct EnableKeyRotationInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "RotationPeriodInDays" rotation_period_in_days: u32, optional, [Rule::Range(90, 2560)];
    }
}

/// Lets a key rotate by itself, or changes how often it does.
pub(crate) struct EnableKeyRotation;

impl KeyOperation for EnableKeyRotation {
    const NAME: &'static str = "EnableKeyRotation";
    const ACTION: &'static str = "kms:EnableKeyRotation";
    const EFFECT: Effect = Effect::Change;
    const FORMS: Forms = Forms::OwnKey;
    type Input = EnableKeyRotationInput;
    type Output = ();

    fn key_id(input: &EnableKeyRotationInput) -> &str {
        &input.key_id
    }

    fn granted(_: &EnableKeyRotationInput) -> Option<GrantUse<'_>> {
        None
    }

    fn describe(input: &EnableKeyRotationInput, need: Need) -> Need {
        need.with("kms:RotationPeriodInDays", input.rotation_period_in_days.unwrap_or(PERIOD_DAYS))
    }

    async fn run(input: EnableKeyRotationInput, found: Found, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let (now, period_days) = (call.now, input.rotation_period_in_days.unwrap_or(PERIOD_DAYS));
        let change = move |record: &mut KeyRecord, tx: &mut Tx<'_>| {
            // Said again, it leaves the date that stands.
            if record.rotation.period_days != Some(period_days) {
                record.rotation = Rotation { period_days: Some(period_days), next: Some(next(now, period_days)) };
            }
            Ok(schedule::add(tx, Job::Rotation, record, record.rotation.next)?)
        };
        call.service.change(Self::NAME, &found.key, change).await
    }
}

/// Keeps a key from rotating by itself.
pub(crate) struct DisableKeyRotation;

impl KeyOperation for DisableKeyRotation {
    const NAME: &'static str = "DisableKeyRotation";
    const ACTION: &'static str = "kms:DisableKeyRotation";
    const EFFECT: Effect = Effect::Change;
    const FORMS: Forms = Forms::OwnKey;
    type Input = RotationInput;
    type Output = ();

    fn key_id(input: &RotationInput) -> &str {
        &input.key_id
    }

    fn granted(_: &RotationInput) -> Option<GrantUse<'_>> {
        None
    }

    async fn run(_: RotationInput, found: Found, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let change = |record: &mut KeyRecord, _: &mut Tx<'_>| {
            record.rotation = Rotation::default();
            Ok(())
        };
        call.service.change(Self::NAME, &found.key, change).await
    }
}

/// The output of `GetKeyRotationStatus`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetKeyRotationStatusOutput {
    key_rotation_enabled: bool,
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_period_in_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<Timestamp>,
}

/// Tells whether and when a key rotates by itself.
pub(crate) struct GetKeyRotationStatus;

impl KeyOperation for GetKeyRotationStatus {
    const NAME: &'static str = "GetKeyRotationStatus";
    const ACTION: &'static str = "kms:GetKeyRotationStatus";
    const EFFECT: Effect = Effect::Read;
    const FORMS: Forms = Forms::Key;
    type Input = RotationInput;
    type Output = GetKeyRotationStatusOutput;

    fn key_id(input: &RotationInput) -> &str {
        &input.key_id
    }

    fn granted(_: &RotationInput) -> Option<GrantUse<'_>> {
        None
    }

    async fn run(_: RotationInput, found: Found, _: &Call<'_, Kms>) -> Result<GetKeyRotationStatusOutput, KmsError> {
        let record = &found.key.record;
        // A key that waits for its destruction rotates no more; cancelling brings its rotation back.
        let rotation = if record.state.is_doomed() { Rotation::default() } else { record.rotation.clone() };
        Ok(GetKeyRotationStatusOutput {
            key_rotation_enabled: rotation.period_days.is_some(),
            key_id: found.key.arn.clone(),
            rotation_period_in_days: rotation.period_days,
            next_rotation_date: rotation.next,
        })
    }
}

/// The output of `RotateKeyOnDemand`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RotateKeyOnDemandOutput {
    key_id: String,
}

/// Gives a key new material now. Its own schedule stays as it is.
pub(crate) struct RotateKeyOnDemand;

impl KeyOperation for RotateKeyOnDemand {
    const NAME: &'static str = "RotateKeyOnDemand";
    const ACTION: &'static str = "kms:RotateKeyOnDemand";
    const EFFECT: Effect = Effect::Change;
    const FORMS: Forms = Forms::OwnKey;
    type Input = RotationInput;
    type Output = RotateKeyOnDemandOutput;

    fn key_id(input: &RotationInput) -> &str {
        &input.key_id
    }

    fn granted(_: &RotationInput) -> Option<GrantUse<'_>> {
        None
    }

    async fn run(_: RotationInput, found: Found, call: &Call<'_, Kms>) -> Result<RotateKeyOnDemandOutput, KmsError> {
        let key = &found.key;
        let domain = call.service.domain_key(&key.record.region).await?;
        let rotation = Some(RotationType::OnDemand);
        let material = MaterialRecord::random(&domain, &key.arn, &key.record.id, call.now, rotation);
        let arn = key.arn.clone();
        let change = move |record: &mut KeyRecord, _: &mut Tx<'_>| {
            let on_demand = record.materials.iter().filter(|material| material.rotation == rotation).count();
            if on_demand >= ON_DEMAND_MAX {
                return Err(KmsError::LimitExceeded(format!(
                    "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations \
                     can be performed for this key: {arn}"
                )));
            }
            record.take_up(material);
            Ok(())
        };
        call.service.change(Self::NAME, key, change).await?;
        Ok(RotateKeyOnDemandOutput { key_id: key.arn.clone() })
    }
}

wire::text_enum! {
    /// Which versions `ListKeyRotations` lists.
    pub(crate) enum IncludeKeyMaterial {
        All = "ALL_KEY_MATERIAL",
        Rotations = "ROTATIONS_ONLY",
    }
}

wire::shape! {
    /// The input of `ListKeyRotations`.
    pub(crate) struct ListKeyRotationsInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "IncludeKeyMaterial" include_key_material: IncludeKeyMaterial, optional, [];
        "Limit" limit: i32, optional, [LIMIT];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
    }
}

/// An entry of `ListKeyRotations`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RotationsListEntry {
    key_id: String,
    key_material_id: String,
    key_material_state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_type: Option<RotationType>,
}

/// The output of `ListKeyRotations`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListKeyRotationsOutput {
    rotations: Vec<RotationsListEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

/// Lists a key's rotations, oldest first.
pub(crate) struct ListKeyRotations;

impl KeyOperation for ListKeyRotations {
    const NAME: &'static str = "ListKeyRotations";
    const ACTION: &'static str = "kms:ListKeyRotations";
    const EFFECT: Effect = Effect::Read;
    const FORMS: Forms = Forms::OwnKey;
    type Input = ListKeyRotationsInput;
    type Output = ListKeyRotationsOutput;

    fn key_id(input: &ListKeyRotationsInput) -> &str {
        &input.key_id
    }

    fn granted(_: &ListKeyRotationsInput) -> Option<GrantUse<'_>> {
        None
    }

    async fn run(
        input: ListKeyRotationsInput,
        found: Found,
        _: &Call<'_, Kms>,
    ) -> Result<ListKeyRotationsOutput, KmsError> {
        let (key, all) = (&found.key, input.include_key_material == Some(IncludeKeyMaterial::All));
        let current = key.current().ok().map(|version| version.record.id);
        // Versions are only ever added, so a place in their list is a name for one.
        let listed = key.versions().iter().enumerate().map(|(place, version)| (format!("{place:08}"), version));
        let listed = listed.filter(|(_, version)| all || version.record.rotation.is_some());
        let size = page::size(input.limit, 100, 1000);
        let (listed, next_marker) = page::of(listed, |(place, _)| place, input.marker.as_deref(), size)?;
        let entry = |(_, version): (String, &Version)| RotationsListEntry {
            key_id: key.arn.clone(),
            key_material_id: version.id_text.clone(),
            key_material_state: if Some(version.record.id) == current { "CURRENT" } else { "NON_CURRENT" },
            rotation_date: version.record.rotation.map(|_| version.record.created),
            rotation_type: version.record.rotation,
        };
        let rotations = listed.into_iter().map(entry).collect();
        Ok(ListKeyRotationsOutput { rotations, truncated: next_marker.is_some(), next_marker })
    }
}

impl Kms {
    /// Rotates every key whose time has come, and returns how many. To be called from time to time.
    ///
    /// # Errors
    /// Those of the store, the last one if several keys failed. What failed is tried again by the next call.
    pub async fn rotate_due(&self, now: Timestamp) -> Result<usize, KmsError> {
        let (mut rotated, mut failed) = (0, None);
        for due in schedule::due(&self.store, Job::Rotation, now).await? {
            match self.rotate_one(due, now).await {
                Ok(done) => rotated += usize::from(done),
                Err(error) => failed = Some(error),
            }
        }
        schedule::advance(&self.store, Job::Rotation, now).await?;
        failed.map_or(Ok(rotated), Err)
    }

    async fn rotate_one(&self, due: Due, now: Timestamp) -> Result<bool, KmsError> {
        let domain_key = self.domain_key(&due.region).await?;
        let rotated = self
            .store
            .write(move |tx| {
                schedule::done(tx, Job::Rotation, &due)?;
                let domain = crate::record::domain(&due.account, &due.region);
                let Some(mut record) = tx.get::<KeyRecord>(&domain, &due.key_id)? else { return Ok(None) };
                let Rotation { period_days: Some(period_days), next: Some(planned) } = record.rotation else {
                    return Ok(None);
                };
                // Enabling a key again plans what is passed over here.
                if planned != due.at || record.state != KeyState::Enabled {
                    return Ok(None);
                }
                let (arn, rotation) = (record.arn(), Some(RotationType::Automatic));
                record.take_up(MaterialRecord::random(&domain_key, &arn, &record.id, now, rotation));
                // The dates keep their rhythm, unless the server was down for more than a period.
                let following = next(planned, period_days);
                record.rotation.next = Some(if following > now { following } else { next(now, period_days) });
                schedule::add(tx, Job::Rotation, &record, record.rotation.next)?;
                tx.put(&domain, &due.key_id, &record)?;
                Ok::<_, KmsError>(Some(arn))
            })
            .await?;
        if let Some(arn) = &rotated {
            tracing::info!(key = arn, "rotated");
        }
        Ok(rotated.is_some())
    }
}
