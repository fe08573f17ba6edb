//! `ListKeyRotations`: a key's versions, what each is good for, and when it took over.

use serde::Serialize;
use service::{AuditClass, Call, Listed, Permit, ResourceOperation, Window};
use wire::Timestamp;

use crate::Kms;
use crate::access::{Found, KeyRef};
use crate::error::KmsError;
use crate::material::rotation::check_symmetric;
use crate::record::{ExpirationModel, LiveKey, RotationType, Version};
use crate::rules::{KEY_ID, LIMIT, MARKER_LENGTH, MARKER_PATTERN};

wire::text_enum! {
    /// Which versions `ListKeyRotations` lists.
    pub(crate) enum IncludeKeyMaterial {
        All = "ALL_KEY_MATERIAL",
        Rotations = "ROTATIONS_ONLY",
    }
}

wire::shape! {
    pub(crate) struct ListKeyRotationsInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "IncludeKeyMaterial" include_key_material: IncludeKeyMaterial, optional, [];
        "Limit" limit: i32, optional, [LIMIT];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
    }
}

wire::text_enum! {
    /// The state of a version of a key.
    pub(crate) enum KeyMaterialState {
        NonCurrent = "NON_CURRENT",
        Current = "CURRENT",
        PendingRotation = "PENDING_ROTATION",
        PendingMultiRegionImportAndRotation = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
    }
}

wire::text_enum! {
    /// Whether imported material is here.
    pub(crate) enum ImportState {
        Imported = "IMPORTED",
        PendingImport = "PENDING_IMPORT",
    }
}

/// An entry of `ListKeyRotations`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RotationsListEntry {
    key_id: String,
    key_material_id: String,
    key_material_description: Option<String>,
    import_state: Option<ImportState>,
    key_material_state: KeyMaterialState,
    expiration_model: Option<ExpirationModel>,
    valid_to: Option<Timestamp>,
    rotation_date: Option<Timestamp>,
    rotation_type: Option<RotationType>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListKeyRotationsOutput {
    rotations: Vec<RotationsListEntry>,
    next_marker: Option<String>,
    truncated: bool,
}

/// Lists a key's rotations, oldest first.
pub(crate) struct ListKeyRotations;

impl ResourceOperation for ListKeyRotations {
    type On = Found;
    const NAME: &'static str = "ListKeyRotations";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListKeyRotationsInput;
    type Output = ListKeyRotationsOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        check_symmetric(&found.key, Self::NAME)?;
        let (key, all) = (&found.key, input.include_key_material == Some(IncludeKeyMaterial::All));
        // A version keeps its place in the list, so that a place is a name for one.
        let listed = key.versions().iter().enumerate().map(|(place, version)| (format!("{place:08}"), version));
        let listed = listed.filter(|(_, version)| all || version.record.rotation.is_some());
        let listed = Window::new(input.marker, input.limit, 100, 1000).by_name(listed, |(place, _)| place)?;
        let waiting = call.service.state_of_pending(key, call.now).await?;
        let Listed { items, next } = listed.map(|(_, version)| entry(version, key, waiting, call.now));
        Ok(ListKeyRotationsOutput { rotations: items, truncated: next.is_some(), next_marker: next })
    }
}

fn entry(version: &Version, key: &LiveKey, waiting: KeyMaterialState, now: Timestamp) -> RotationsListEntry {
    let (material, record) = (&version.record, &key.record);
    let is_here = material.is_here_at(now);
    RotationsListEntry {
        key_id: key.arn.clone(),
        key_material_id: version.id_text.clone(),
        key_material_description: material.import.as_ref().and_then(|import| import.description.clone()),
        import_state: material.import.is_some().then_some(match is_here {
            true => ImportState::Imported,
            false => ImportState::PendingImport,
        }),
        key_material_state: match material.id {
            id if record.current == Some(id) => KeyMaterialState::Current,
            id if record.pending == Some(id) => waiting,
            _ => KeyMaterialState::NonCurrent,
        },
        expiration_model: material.expiration_model().filter(|_| is_here),
        valid_to: material.expires().filter(|_| is_here),
        rotation_date: material.rotation.map(|_| material.created),
        rotation_type: material.rotation,
    }
}

impl Kms {
    /// The state of pending material: pending rotation, once it is imported in every Region.
    async fn state_of_pending(&self, key: &LiveKey, now: Timestamp) -> Result<KeyMaterialState, KmsError> {
        let record = &key.record;
        let has = |key: &LiveKey| {
            key.versions()
                .iter()
                .any(|version| record.pending == Some(version.record.id) && version.record.is_here_at(now))
        };
        if record.pending.is_some() && record.multi_region.is_some() {
            let mut everywhere = has(key);
            for region in record.related_regions() {
                everywhere &= has(&*self.live(region, &record.account, &record.id).await?);
            }
            if !everywhere {
                return Ok(KeyMaterialState::PendingMultiRegionImportAndRotation);
            }
        }
        Ok(KeyMaterialState::PendingRotation)
    }
}
