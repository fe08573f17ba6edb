//! Rotation of key material, automatic or on demand. Old versions stay and decrypt for ever.

use serde::Serialize;
use service::{AuditClass, Call, Need, Permit, ResourceOperation};
use store::Tx;
use wire::Timestamp;
use wire::shape::Rule;

use crate::Kms;
use crate::access::{Found, KeyIdInput, KeyIdOutput, KeyRef};
use crate::domain_key::NewMaterial;
use crate::error::KmsError;
use crate::material::family::{Domains, Family};
use crate::record::schedule::upkeep;
use crate::record::{Due, Job, KeyRecord, KeySpec, KeyState, LiveKey, Origin, Rotation, RotationType, schedule};
use crate::rules::KEY_ID;

/// How often a key rotates when the caller does not say.
const PERIOD_DAYS: u32 = 365;

/// How often a key can be rotated on demand.
const ON_DEMAND_MAX: usize = 25;

/// How long before its own rotation a key takes none on demand: 20 minutes.
const CONFLICT_MILLIS: i64 = 20 * 60 * 1000;

wire::shape! {
    pub(crate) struct EnableKeyRotationInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "RotationPeriodInDays" rotation_period_in_days: u32, optional, [Rule::Range(90, 2560)];
    }
}

/// Enables automatic rotation of a key, or changes its period.
pub(crate) struct EnableKeyRotation;

impl ResourceOperation for EnableKeyRotation {
    type On = Found;
    const NAME: &'static str = "EnableKeyRotation";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = EnableKeyRotationInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    fn refine<'n>(input: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:RotationPeriodInDays", input.rotation_period_in_days.unwrap_or(PERIOD_DAYS))
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (now, period_days) = (call.now, input.rotation_period_in_days.unwrap_or(PERIOD_DAYS));
        let change = move |family: &mut Family, _: &Domains, tx: &mut Tx<'_>| {
            // Said again, it leaves the date that stands.
            if family.key.rotation.period_days != Some(period_days) {
                let rotation =
                    Rotation { period_days: Some(period_days), next: Some(Rotation::after(now, period_days)) };
                family.members_mut().for_each(|member| member.rotation = rotation.clone());
            }
            Ok(schedule::add(tx, Job::Rotation, &family.key, family.key.rotation.next)?)
        };
        check_rotates(&found.key, Self::NAME)?;
        call.service.change_family(call, Self::NAME, &found.key.record, &[], change).await
    }
}

/// Disables automatic rotation of a key.
pub(crate) struct DisableKeyRotation;

impl ResourceOperation for DisableKeyRotation {
    type On = Found;
    const NAME: &'static str = "DisableKeyRotation";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = KeyIdInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(_: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let change = |family: &mut Family, _: &Domains, _: &mut Tx<'_>| {
            family.members_mut().for_each(|member| member.rotation = Rotation::default());
            Ok(())
        };
        check_rotates(&found.key, Self::NAME)?;
        call.service.change_family(call, Self::NAME, &found.key.record, &[], change).await
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetKeyRotationStatusOutput {
    key_rotation_enabled: bool,
    key_id: String,
    rotation_period_in_days: Option<u32>,
    next_rotation_date: Option<Timestamp>,
}

/// Returns whether and when a key rotates automatically.
pub(crate) struct GetKeyRotationStatus;

impl ResourceOperation for GetKeyRotationStatus {
    type On = Found;
    const NAME: &'static str = "GetKeyRotationStatus";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = KeyIdInput;
    type Output = GetKeyRotationStatusOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::any(&input.key_id)
    }

    async fn run(_: Self::Input, found: &Permit<Found>, _: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        check_symmetric(&found.key, Self::NAME)?;
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

/// Rotates a key now: to new material, or to the imported material that is pending. Its own schedule stays as it is.
pub(crate) struct RotateKeyOnDemand;

impl ResourceOperation for RotateKeyOnDemand {
    type On = Found;
    const NAME: &'static str = "RotateKeyOnDemand";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = KeyIdInput;
    type Output = KeyIdOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(_: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (key, now, arn) = (&found.key, call.now, found.key.arn.clone());
        let change = move |family: &mut Family, domains: &Domains, _: &mut Tx<'_>| {
            let (record, rotation) = (&family.key, Some(RotationType::OnDemand));
            let on_demand = record.materials.iter().filter(|material| material.rotation == rotation).count();
            if on_demand >= ON_DEMAND_MAX {
                return Err(KmsError::LimitExceeded(format!(
                    "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations \
                     can be performed for this key: {arn}"
                )));
            }
            if record.rotation.next.is_some_and(|at| at.millis() - now.millis() < CONFLICT_MILLIS) {
                return Err(KmsError::RotationDue { arn: arn.clone() });
            }
            if record.origin == Origin::External {
                return family.take_up_pending(RotationType::OnDemand, now);
            }
            let domain = domains.of(&record.region)?;
            let material = NewMaterial::symmetric(record.spec);
            family.take_up(material.wrap(domain, &arn, &record.id, now, rotation), domains)
        };
        check_rotates(key, Self::NAME)?;
        call.service.change_family(call, Self::NAME, &key.record, &[], change).await?;
        Ok(KeyIdOutput { key_id: key.arn.clone() })
    }
}

impl Kms {
    /// Rotates every key whose time has come, and returns how many. To be called from time to time.
    ///
    /// # Errors
    /// Those of the store, the last one if several keys failed. What failed is tried again by the next call.
    pub async fn rotate_due(&self, now: Timestamp) -> Result<usize, KmsError> {
        let work = |due| self.rotate_one(due, now);
        let (rotated, outcome) = schedule::work_off(&self.store, Job::Rotation, now, work).await?;
        outcome.map(|()| rotated)
    }

    async fn rotate_one(&self, due: Due, now: Timestamp) -> Result<bool, KmsError> {
        let place = crate::record::domain(&due.account, &due.region);
        let (id, struck) = (due.key_id.clone(), due.clone());
        let record = self.store.read(move |tx| tx.get::<KeyRecord>(&place, &id)).await.map_err(KmsError::from)?;
        let strike = move |tx: &mut Tx<'_>| schedule::done(tx, Job::Rotation, &struck);
        let Some(record) = record else { return Ok(self.store.write(strike).await.map(|()| false)?) };
        let arn = record.arn();
        let rotated = self
            .with_family(None, &record, &[], move |family, domains, tx| {
                schedule::done(tx, Job::Rotation, &due)?;
                let record = &family.key;
                let Rotation { period_days: Some(period_days), next: Some(planned) } = record.rotation else {
                    return Ok(false);
                };
                // Enabling a key schedules its rotation again; a replica's is its primary key's.
                if planned != due.at || record.state != KeyState::Enabled || !record.leads() {
                    return Ok(false);
                }
                let (domain, rotation) = (domains.of(&record.region)?, Some(RotationType::Automatic));
                let material = NewMaterial::symmetric(record.spec);
                family.take_up(material.wrap(domain, &record.arn(), &record.id, now, rotation), domains)?;
                // The dates keep their rhythm, unless the server was down for more than a period.
                let following = Rotation::after(planned, period_days);
                let following = Some(if following > now { following } else { Rotation::after(now, period_days) });
                family.members_mut().for_each(|member| member.rotation.next = following);
                schedule::add(tx, Job::Rotation, &family.key, following)?;
                tx.record(&upkeep("RotateKey", &family.key, now))?;
                Ok(true)
            })
            .await;
        let rotated = match rotated {
            // Destroyed meanwhile.
            Err(KmsError::KeyNotFound { .. }) => false,
            other => other?,
        };
        if rotated {
            tracing::info!(key = arn, "rotated");
        }
        Ok(rotated)
    }
}

/// Refuses a key that is not for rotation here: one that is not a symmetric encryption key, and a replica, whose
/// rotation is its primary key's.
///
/// # Errors
/// [`KmsError::Unsupported`].
fn check_rotates(key: &LiveKey, operation: &'static str) -> Result<(), KmsError> {
    check_symmetric(key, operation)?;
    if key.record.leads() {
        return Ok(());
    }
    Err(KmsError::Unsupported(format!(
        "{} is a multi-Region replica key. {operation} takes the primary key of a multi-Region key.",
        key.arn
    )))
}

/// Refuses a key of a kind that never rotates.
///
/// # Errors
/// [`KmsError::Unsupported`].
pub(crate) fn check_symmetric(key: &LiveKey, operation: &'static str) -> Result<(), KmsError> {
    match key.record.spec {
        KeySpec::SymmetricDefault => Ok(()),
        spec => {
            Err(KmsError::Unsupported(format!("{} key spec is {spec} which is not valid for {operation}.", key.arn)))
        }
    }
}
