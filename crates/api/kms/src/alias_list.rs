//! Listing aliases: of an account in a region, or of one key.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use wire::Timestamp;

use crate::Kms;
use crate::access::Found;
use crate::alias::AliasRecord;
use crate::error::KmsError;
use crate::page;
use crate::record::domain;
use crate::reference::{Forms, alias_arn};
use crate::rules::{KEY_ID, LIMIT, MARKER_LENGTH, MARKER_PATTERN};

wire::shape! {
    /// The input of `ListAliases`.
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

/// The output of `ListAliases`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListAliasesOutput {
    aliases: Vec<AliasListEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

/// Lists aliases.
pub(crate) struct ListAliases;

impl Operation for ListAliases {
    type Service = Kms;
    const NAME: &'static str = "ListAliases";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListAliasesInput;
    type Output = ListAliasesOutput;
    type Target = Option<Found>;

    async fn find(input: &ListAliasesInput, call: &Call<'_, Kms>) -> Result<Option<Found>, KmsError> {
        match &input.key_id {
            Some(reference) => Found::find(reference, Forms::OwnKey, &[], call).await.map(Some),
            None => Ok(None),
        }
    }

    fn needs<'n>(_: &'n ListAliasesInput, _: Option<&'n Option<Found>>, call: &'n Call<'_, Kms>) -> Vec<Need<'n>> {
        vec![Need::identity("kms:ListAliases", "*").with("kms:CallerAccount", call.account().to_owned())]
    }

    async fn run(
        input: ListAliasesInput,
        target: Permit<Option<Found>>,
        call: &Call<'_, Kms>,
    ) -> Result<ListAliasesOutput, KmsError> {
        let (account, region) = (call.account(), call.region);
        let (size, domain) = (page::size(input.limit, 50, 100), domain(account, region));
        let store = &call.service.store;
        let (records, next_marker) = match target.into_inner() {
            None => {
                let after = page::cursor(input.marker.as_deref())?;
                let page = store.read(move |tx| tx.page::<AliasRecord>(&domain, after.as_ref(), size)).await;
                let page = page.map_err(KmsError::from)?;
                (page.items, page.next.map(|next| next.to_text()))
            }
            Some(found) => {
                let names = found.key.record.aliases.iter().cloned();
                let (names, next) = page::of(names, String::as_str, input.marker.as_deref(), size)?;
                let read = store.read(move |tx| {
                    let records = names.iter().map(|name| tx.get::<AliasRecord>(&domain, name));
                    Ok::<_, KmsError>(records.collect::<Result<Vec<_>, _>>()?)
                });
                (read.await?.into_iter().flatten().collect(), next)
            }
        };
        let entry = |alias: AliasRecord| AliasListEntry {
            alias_arn: alias_arn(region, account, &alias.name),
            alias_name: alias.name,
            target_key_id: alias.key_id,
            creation_date: alias.created,
            last_updated_date: alias.updated,
        };
        let aliases = records.into_iter().map(entry).collect();
        Ok(ListAliasesOutput { aliases, truncated: next_marker.is_some(), next_marker })
    }
}
