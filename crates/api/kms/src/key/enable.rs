//! `EnableKey` and `DisableKey`.

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;

use crate::Kms;
use crate::access::{Found, KeyIdInput, KeyRef};
use crate::error::KmsError;
use crate::record::{Job, KeyRecord, KeyState, schedule};

/// Enables a disabled key.
pub(crate) struct EnableKey;

impl ResourceOperation for EnableKey {
    type On = Found;
    const NAME: &'static str = "EnableKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = KeyIdInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(_: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let now = call.now;
        let change = move |record: &mut KeyRecord, tx: &mut Tx<'_>| {
            record.state = KeyState::Enabled;
            if !record.leads() {
                return Ok(());
            }
            // A rotation that came due meanwhile was passed over.
            record.rotation.next = record.rotation.next.map(|next| next.max(now));
            Ok(schedule::add(tx, Job::Rotation, record, record.rotation.next)?)
        };
        call.service.change(call, Self::NAME, &found.key, change).await
    }
}

/// Disables a key, from the moment at which the call is answered.
pub(crate) struct DisableKey;

impl ResourceOperation for DisableKey {
    type On = Found;
    const NAME: &'static str = "DisableKey";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = KeyIdInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id).asking_idleness()
    }

    async fn run(_: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let change = |record: &mut KeyRecord, _: &mut Tx<'_>| {
            record.state = KeyState::Disabled;
            Ok(())
        };
        call.service.change(call, Self::NAME, &found.key, change).await
    }
}
