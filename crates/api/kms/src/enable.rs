//! Switching keys off and on.

use service::{AuditClass, Call};
use store::Tx;

use crate::Kms;
use crate::access::Found;
use crate::error::KmsError;
use crate::grant::GrantUse;
use crate::on_key::KeyOperation;
use crate::record::KeyRecord;
use crate::reference::Forms;
use crate::rules::KEY_ID;
use crate::schedule::{self, Job};
use crate::state::KeyState;

wire::shape! {
    /// The input of `EnableKey` and `DisableKey`.
    pub(crate) struct SwitchKeyInput {
        "KeyId" key_id: String, required, [KEY_ID];
    }
}

/// Makes a disabled key usable again.
pub(crate) struct EnableKey;

impl KeyOperation for EnableKey {
    const NAME: &'static str = "EnableKey";
    const ACTION: &'static str = "kms:EnableKey";
    const AUDIT: AuditClass = AuditClass::Change;
    const FORMS: Forms = Forms::OwnKey;
    type Input = SwitchKeyInput;
    type Output = ();

    fn key_id(input: &SwitchKeyInput) -> &str {
        &input.key_id
    }

    fn granted(_: &SwitchKeyInput) -> Option<GrantUse<'_>> {
        None
    }

    async fn run(_: SwitchKeyInput, found: Found, call: &Call<'_, Kms>) -> Result<(), KmsError> {
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

/// Makes a key unusable, from the moment at which the call is answered.
pub(crate) struct DisableKey;

impl KeyOperation for DisableKey {
    const NAME: &'static str = "DisableKey";
    const ACTION: &'static str = "kms:DisableKey";
    const AUDIT: AuditClass = AuditClass::Change;
    const FORMS: Forms = Forms::OwnKey;
    const ASKS_IDLENESS: bool = true;
    type Input = SwitchKeyInput;
    type Output = ();

    fn key_id(input: &SwitchKeyInput) -> &str {
        &input.key_id
    }

    fn granted(_: &SwitchKeyInput) -> Option<GrantUse<'_>> {
        None
    }

    async fn run(_: SwitchKeyInput, found: Found, call: &Call<'_, Kms>) -> Result<(), KmsError> {
        let change = |record: &mut KeyRecord, _: &mut Tx<'_>| {
            record.state = KeyState::Disabled;
            Ok(())
        };
        call.service.change(call, Self::NAME, &found.key, change).await
    }
}
