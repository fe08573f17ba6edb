//! `UpdateKeyDescription`.

use service::{AuditClass, Call, Permit, ResourceOperation};
use store::Tx;

use crate::Kms;
use crate::access::{Found, KeyRef};
use crate::error::KmsError;
use crate::record::KeyRecord;
use crate::rules::{DESCRIPTION, KEY_ID};

wire::shape! {
    pub(crate) struct UpdateKeyDescriptionInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "Description" description: String, required, [DESCRIPTION];
    }
}

/// Replaces a key's description.
pub(crate) struct UpdateKeyDescription;

impl ResourceOperation for UpdateKeyDescription {
    type On = Found;
    const NAME: &'static str = "UpdateKeyDescription";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = UpdateKeyDescriptionInput;
    type Output = ();

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::own(&input.key_id)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let change = move |record: &mut KeyRecord, _: &mut Tx<'_>| {
            record.description = input.description;
            Ok(())
        };
        call.service.change(call, Self::NAME, &found.key, change).await
    }
}
