//! `UpdatePrimaryRegion`: a replica becomes the primary key, and the primary key a replica.

use service::{AuditClass, Call, Need, Operation, Permit};

use crate::Kms;
use crate::access::{self, Found};
use crate::error::KmsError;
use crate::key::replicate::check_primary;
use crate::record::{Forms, Job, key_arn, schedule, state};
use crate::rules::{KEY_ID, REGION_LENGTH, REGION_PATTERN};

wire::shape! {
    pub(crate) struct UpdatePrimaryRegionInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "PrimaryRegion" primary_region: String, required, [REGION_LENGTH, REGION_PATTERN];
    }
}

/// The primary key, and the replica that is to take its place, if there is one.
pub(crate) struct Keys {
    primary: Found,
    replica: Option<Found>,
}

/// Changes the primary key of a multi-Region key.
///
/// The change is complete when the call is answered: no key is ever `Updating`.
///
/// Source: AWS KMS API Reference, UpdatePrimaryRegion.
pub(crate) struct UpdatePrimaryRegion;

const ACTION: &str = "kms:UpdatePrimaryRegion";

impl Operation for UpdatePrimaryRegion {
    type Service = Kms;
    const NAME: &'static str = "UpdatePrimaryRegion";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdatePrimaryRegionInput;
    type Output = ();
    type Target = Keys;

    async fn find(input: &UpdatePrimaryRegionInput, call: &Call<'_, Kms>) -> Result<Keys, KmsError> {
        let primary = Found::named(&input.key_id, Forms::OwnKey, &[], call).await?;
        let record = &primary.key.record;
        let replica = match record.related_regions().any(|region| region == input.primary_region) {
            true => Some(Found::in_region(&input.primary_region, &record.account, &record.id, call).await?),
            false => None,
        };
        Ok(Keys { primary, replica })
    }

    fn needs<'n>(
        input: &'n UpdatePrimaryRegionInput,
        found: Option<&'n Keys>,
        call: &'n Call<'_, Kms>,
    ) -> Vec<Need<'n>> {
        let needs: Vec<_> = match found {
            Some(keys) => {
                let replica = keys.replica.as_ref().map(|replica| replica.need_of(ACTION, None, call));
                std::iter::once(keys.primary.need_of(ACTION, None, call)).chain(replica).collect()
            }
            None => access::need_of_unnamed(&input.key_id, Forms::OwnKey, ACTION, call).into_iter().collect(),
        };
        needs.into_iter().map(|need| need.with("kms:PrimaryRegion", input.primary_region.clone())).collect()
    }

    async fn run(input: UpdatePrimaryRegionInput, target: Permit<Keys>, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let Keys { primary, replica } = target.into_inner();
        primary.ready(Self::NAME, call)?;
        let record = &primary.key.record;
        check_primary(record)?;
        let (region, now) = (input.primary_region, call.now);
        if region == record.region {
            return Err(KmsError::Unsupported(format!("{} is the primary key already.", primary.key.arn)));
        }
        let missing = KmsError::KeyNotFound { arn: key_arn(&region, &record.account, &record.id) };
        replica.ok_or(missing)?.ready(Self::NAME, call)?;
        call.service
            .change_family(call, Self::NAME, record, &[], move |family, _, tx| {
                check_primary(&family.key)?;
                let former = family.key.region.clone();
                for member in family.members_mut() {
                    let Some(relatives) = &mut member.multi_region else { continue };
                    if !relatives.replicas.remove(&region) {
                        return Err(KmsError::KeyNotFound { arn: key_arn(&region, &member.account, &member.id) });
                    }
                    relatives.replicas.insert(former.clone());
                    relatives.primary.clone_from(&region);
                }
                for member in family.members().filter(|member| member.region == region) {
                    state::check(Self::NAME, member.state_at(now), member.origin, &member.arn())?;
                    // The primary key schedules the rotation.
                    schedule::add(tx, Job::Rotation, member, member.rotation.next)?;
                }
                Ok(())
            })
            .await
    }
}
