//! Listing grants: of a key, or of a principal that can retire them.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::ReadTx;
use wire::{Arn, Timestamp};

use crate::Kms;
use crate::access::{self, Found};
use crate::error::KmsError;
use crate::grant::{Constraints, GrantOperation, GrantRecord, GrantUse, RetirableRecord, retirable_parent};
use crate::on_key::KeyOperation;
use crate::page;
use crate::party::Party;
use crate::reference::{Forms, account_arn, is_account_id};
use crate::rules::{
    GRANT_ID, KEY_ID, LIMIT, MARKER_LENGTH, MARKER_PATTERN, PRINCIPAL_LENGTH, PRINCIPAL_PATTERN, SERVICE_LENGTH,
    SERVICE_PATTERN,
};

/// How many grants a page has when the caller does not say, and at most.
const USUAL: usize = 50;
const MOST: usize = 100;

/// How many grants are looked through at once for those of one grantee.
const BATCH: usize = 1000;

/// An entry of a list of grants.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GrantListEntry {
    key_id: String,
    grant_id: String,
    name: String,
    creation_date: Timestamp,
    grantee_principal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retiring_principal: Option<String>,
    issuing_account: Arn,
    operations: Vec<GrantOperation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<Constraints>,
}

impl From<GrantRecord> for GrantListEntry {
    fn from(grant: GrantRecord) -> Self {
        Self {
            key_id: grant.key_arn(),
            grant_id: grant.id,
            name: grant.name.unwrap_or_default(),
            creation_date: grant.created,
            grantee_principal: grant.grantee.name,
            retiring_principal: grant.retiring.map(|retiring| retiring.name),
            issuing_account: account_arn(&grant.issuing_account),
            operations: grant.operations,
            constraints: Some(grant.constraints).filter(|constraints| !constraints.is_empty()),
        }
    }
}

/// A page of grants.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListGrantsOutput {
    grants: Vec<GrantListEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

impl ListGrantsOutput {
    fn new(grants: Vec<GrantRecord>, next_marker: Option<String>) -> Self {
        let grants = grants.into_iter().map(GrantListEntry::from).collect();
        Self { grants, truncated: next_marker.is_some(), next_marker }
    }
}

wire::shape! {
    /// The input of `ListGrants`.
    pub(crate) struct ListGrantsInput {
        "Limit" limit: i32, optional, [LIMIT];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
        "KeyId" key_id: String, required, [KEY_ID];
        "GrantId" grant_id: String, optional, [GRANT_ID];
        "GranteePrincipal" grantee_principal: String, optional, [PRINCIPAL_LENGTH, PRINCIPAL_PATTERN];
        "GranteeServicePrincipal" grantee_service_principal: String, optional, [SERVICE_LENGTH, SERVICE_PATTERN];
    }
}

/// Whether the text could be a grant's id: 64 hexadecimal digits.
///
/// # Errors
/// [`KmsError::InvalidGrantId`].
pub(crate) fn check_grant_id(id: &str) -> Result<(), KmsError> {
    let is_one = id.len() == 64 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_one { Ok(()) } else { Err(KmsError::InvalidGrantId) }
}

/// Lists a key's grants.
pub(crate) struct ListGrants;

impl KeyOperation for ListGrants {
    const NAME: &'static str = "ListGrants";
    const ACTION: &'static str = "kms:ListGrants";
    const AUDIT: AuditClass = AuditClass::Read;
    const FORMS: Forms = Forms::Key;
    type Input = ListGrantsInput;
    type Output = ListGrantsOutput;

    fn key_id(input: &ListGrantsInput) -> &str {
        &input.key_id
    }

    fn granted(_: &ListGrantsInput) -> Option<GrantUse<'_>> {
        None
    }

    fn describe<'n>(_: &'n ListGrantsInput, need: Need<'n>) -> Need<'n> {
        need.with("kms:GrantIsForAWSResource", false)
    }

    async fn run(input: ListGrantsInput, found: Found, call: &Call<'_, Kms>) -> Result<ListGrantsOutput, KmsError> {
        let (path, store) = (found.key.record.path(), &call.service.store);
        let (size, after) = (page::size(input.limit, USUAL, MOST), page::cursor(input.marker.as_deref())?);
        input.grant_id.as_deref().map_or(Ok(()), check_grant_id)?;
        // No grant has a service as its grantee.
        if input.grantee_service_principal.is_some() {
            return Ok(ListGrantsOutput::new(Vec::new(), None));
        }
        if let Some(id) = input.grant_id {
            let grant = store.read(move |tx| tx.get::<GrantRecord>(&path, &id)).await.map_err(KmsError::from)?;
            let wanted = |grant: &GrantRecord| is_of(grant, input.grantee_principal.as_deref());
            return Ok(ListGrantsOutput::new(grant.into_iter().filter(wanted).collect(), None));
        }
        let grantee = input.grantee_principal;
        let (grants, next) = store.read(move |tx| some_of(tx, &path, after, grantee.as_deref(), size)).await?;
        Ok(ListGrantsOutput::new(grants, next))
    }
}

fn is_of(grant: &GrantRecord, grantee: Option<&str>) -> bool {
    grantee.is_none_or(|grantee| grant.grantee.name == grantee)
}

/// Up to `size` of a key's grants to `grantee`, or to anybody.
fn some_of(
    tx: &ReadTx<'_>,
    path: &str,
    mut after: Option<store::Cursor>,
    grantee: Option<&str>,
    size: usize,
) -> Result<(Vec<GrantRecord>, Option<String>), KmsError> {
    let mut grants = Vec::new();
    loop {
        let batch = if grantee.is_some() { BATCH } else { size };
        let page = tx.page::<GrantRecord>(path, after.as_ref(), batch)?;
        let mut items = page.items.into_iter().filter(|grant| is_of(grant, grantee));
        grants.extend(items.by_ref().take(size - grants.len()));
        after = page.next;
        if grants.len() < size && after.is_some() {
            continue;
        }
        let cut_short = items.next().is_some();
        let last = grants.last().filter(|_| cut_short || after.is_some());
        let next = last.map(|last| tx.cursor_after::<GrantRecord>(path, &last.id).to_text());
        return Ok((grants, next));
    }
}

wire::shape! {
    /// The input of `ListRetirableGrants`.
    pub(crate) struct ListRetirableGrantsInput {
        "Limit" limit: i32, optional, [LIMIT];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
        "RetiringPrincipal" retiring_principal: String, optional, [PRINCIPAL_LENGTH, PRINCIPAL_PATTERN];
        "RetiringServicePrincipal" retiring_service_principal: String, optional, [SERVICE_LENGTH, SERVICE_PATTERN];
    }
}

/// Lists the grants that a principal of the caller's account can retire.
pub(crate) struct ListRetirableGrants;

impl Operation for ListRetirableGrants {
    type Service = Kms;
    const NAME: &'static str = "ListRetirableGrants";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListRetirableGrantsInput;
    type Output = ListGrantsOutput;
    type Target = ();

    async fn find(_: &ListRetirableGrantsInput, _: &Call<'_, Kms>) -> Result<(), KmsError> {
        Ok(())
    }

    fn needs(input: &ListRetirableGrantsInput, _: Option<&()>, call: &Call<'_, Kms>) -> Vec<Need<'static>> {
        // Principals of other accounts are none of the caller's business.
        let principal = input.retiring_principal.as_deref().unwrap_or_default();
        let account = match principal.parse::<Arn>() {
            Ok(arn) => arn.account().to_owned(),
            Err(_) if is_account_id(principal) => principal.to_owned(),
            Err(_) => call.account().to_owned(),
        };
        let need = access::need_of_missing("*".to_owned(), &account, "kms:ListRetirableGrants", call);
        vec![need.with("kms:CallerAccount", call.account().to_owned())]
    }

    async fn run(
        input: ListRetirableGrantsInput,
        _: Permit<()>,
        call: &Call<'_, Kms>,
    ) -> Result<ListGrantsOutput, KmsError> {
        let (size, after) = (page::size(input.limit, USUAL, MOST), page::cursor(input.marker.as_deref())?);
        if input.retiring_principal.is_some() && input.retiring_service_principal.is_some() {
            let message = "Specify either RetiringPrincipal or RetiringServicePrincipal.";
            return Err(KmsError::Validation(message.to_owned()));
        }
        let Some(principal) = &input.retiring_principal else {
            // No grant can be retired by a service.
            return match input.retiring_service_principal {
                Some(_) => Ok(ListGrantsOutput::new(Vec::new(), None)),
                None => Err(KmsError::Validation(
                    "1 validation error detected: Value null at 'retiringPrincipal' failed to satisfy constraint: \
                     Member must not be null"
                        .to_owned(),
                )),
            };
        };
        let party = Party::resolve(principal, &*call.service.principals).await?;
        let (region, parent) = (call.region.to_owned(), retirable_parent(call.region, &party.bound));
        let read = call.service.store.read(move |tx| {
            let page = tx.page::<RetirableRecord>(&parent, after.as_ref(), size)?;
            let mut grants = Vec::with_capacity(page.items.len());
            for retirable in page.items {
                let (path, id) = retirable.place(&region);
                grants.extend(tx.get::<GrantRecord>(&path, id)?);
            }
            Ok::<_, KmsError>((grants, page.next.map(|next| next.to_text())))
        });
        let (grants, next) = read.await?;
        Ok(ListGrantsOutput::new(grants, next))
    }
}
