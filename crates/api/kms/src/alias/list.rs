//! Listing aliases: of an account in a region, or of one key.

use serde::Serialize;
use service::{AuditClass, Call, Listed, Permit, ResourceOperation, Window};
use store::StoreError;
use wire::Timestamp;

use crate::Kms;
use crate::access::{Account, Found};
use crate::error::KmsError;
use crate::record::{AliasRecord, Forms, alias_arn, domain};
use crate::rules::{KEY_ID, LIMIT, MARKER_LENGTH, MARKER_PATTERN};

wire::shape! {
    pub(crate) struct ListAliasesInput {
        "KeyId" key_id: String, optional, [KEY_ID];
        "Limit" limit: i32, optional, [LIMIT];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
    }
}

/// An entry of `ListAliases`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AliasListEntry {
    alias_name: String,
    alias_arn: String,
    target_key_id: String,
    creation_date: Timestamp,
    last_updated_date: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListAliasesOutput {
    aliases: Vec<AliasListEntry>,
    next_marker: Option<String>,
    truncated: bool,
}

/// Lists aliases.
pub(crate) struct ListAliases;

impl ResourceOperation for ListAliases {
    type On = Account;
    const NAME: &'static str = "ListAliases";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListAliasesInput;
    type Output = ListAliasesOutput;

    fn key(_: &Self::Input) {}

    async fn run(input: Self::Input, _: &Permit<Account>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (account, region, store) = (call.account(), call.region, &call.service.store);
        let (window, domain) = (Window::new(input.marker, input.limit, 50, 100), domain(account, region));
        let listed = match &input.key_id {
            None => store.read(move |tx| window.records::<AliasRecord>(tx, &domain)).await.map_err(KmsError::from)?,
            Some(reference) => {
                let found = Found::named(reference, Forms::OwnKey, &[], call).await?;
                let Listed { items, next } = window.by_name(found.key.record.aliases.clone(), String::as_str)?;
                let read = store.read(move |tx| {
                    let records = items.iter().map(|name| tx.get::<AliasRecord>(&domain, name));
                    records.collect::<Result<Vec<_>, StoreError>>()
                });
                Listed { items: read.await.map_err(KmsError::from)?.into_iter().flatten().collect(), next }
            }
        };
        let entry = |alias: AliasRecord| AliasListEntry {
            alias_arn: alias_arn(region, account, &alias.name),
            alias_name: alias.name,
            target_key_id: alias.key_id,
            creation_date: alias.created,
            last_updated_date: alias.updated,
        };
        let Listed { items, next } = listed.map(entry);
        Ok(ListAliasesOutput { aliases: items, truncated: next.is_some(), next_marker: next })
    }
}
