//! `ListKeys`.

use serde::Serialize;
use service::{AuditClass, Call, Listed, Permit, ResourceOperation, Window};

use crate::Kms;
use crate::access::Account;
use crate::error::KmsError;
use crate::record::{KeyRecord, domain};
use crate::rules::{LIMIT, MARKER_LENGTH, MARKER_PATTERN};

wire::text_enum! {
    /// Whose keys are listed.
    pub(crate) enum ResourceOwner {
        Own = "SELF",
        OtherAccounts = "OTHER_ACCOUNTS_VIA_RAM",
    }
}

wire::shape! {
    pub(crate) struct ListKeysInput {
        "Limit" limit: i32, optional, [LIMIT];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
        "ResourceOwners" resource_owners: Vec<ResourceOwner>, optional, [wire::shape::Rule::Length(1, 2)];
    }
}

/// An entry of `ListKeys`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyListEntry {
    key_id: String,
    key_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListKeysOutput {
    keys: Vec<KeyListEntry>,
    next_marker: Option<String>,
    truncated: bool,
}

/// Lists an account's keys in a region.
pub(crate) struct ListKeys;

impl ResourceOperation for ListKeys {
    type On = Account;
    const NAME: &'static str = "ListKeys";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListKeysInput;
    type Output = ListKeysOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        if input.resource_owners.is_some_and(|owners| owners.contains(&ResourceOwner::OtherAccounts)) {
            return Err(KmsError::Unsupported("Keys cannot be shared through RAM.".to_owned()));
        }
        let (window, domain) = (Window::new(input.marker, input.limit, 100, 1000), domain(call.account(), call.region));
        let listed = call.service.store.read(move |tx| window.records::<KeyRecord>(tx, &domain)).await;
        let listed = listed.map_err(KmsError::from)?;
        let Listed { items, next } = listed.map(|key| KeyListEntry { key_arn: key.arn(), key_id: key.id });
        Ok(ListKeysOutput { keys: items, truncated: next.is_some(), next_marker: next })
    }
}
