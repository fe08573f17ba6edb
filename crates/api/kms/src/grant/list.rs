//! Listing grants: of a key, or of a principal that can retire them.

use serde::Serialize;
use service::{AuditClass, Call, Listed, Need, Operation, Permit, ResourceOperation, Window};
use wire::{Arn, Timestamp};

use crate::Kms;
use crate::access::{self, Found, KeyRef};
use crate::error::KmsError;
use crate::record::{
    Constraints, GrantOperation, GrantRecord, Party, RetirableRecord, account_arn, is_account_id, retirable_parent,
};
use crate::rules::{
    GRANT_ID, KEY_ID, LIMIT, MARKER_LENGTH, MARKER_PATTERN, PRINCIPAL_LENGTH, PRINCIPAL_PATTERN, SERVICE_LENGTH,
    SERVICE_PATTERN,
};

/// How many grants a page has when the caller does not say, and at most.
const USUAL: usize = 50;
const MOST: usize = 100;

/// An entry of a list of grants.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GrantListEntry {
    key_id: String,
    grant_id: String,
    name: String,
    creation_date: Timestamp,
    grantee_principal: String,
    retiring_principal: Option<String>,
    issuing_account: Arn,
    operations: Vec<GrantOperation>,
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
    next_marker: Option<String>,
    truncated: bool,
}

impl ListGrantsOutput {
    fn of(listed: Listed<GrantRecord>) -> Self {
        let Listed { items, next } = listed.map(GrantListEntry::from);
        Self { grants: items, truncated: next.is_some(), next_marker: next }
    }
}

wire::shape! {
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

impl ResourceOperation for ListGrants {
    type On = Found;
    const NAME: &'static str = "ListGrants";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListGrantsInput;
    type Output = ListGrantsOutput;

    fn key(input: &Self::Input) -> KeyRef<'_> {
        KeyRef::any(&input.key_id)
    }

    fn refine<'n>(_: &'n Self::Input, _: Option<&'n Found>, need: Need<'n>) -> Need<'n> {
        need.with("kms:GrantIsForAWSResource", false)
    }

    async fn run(input: Self::Input, found: &Permit<Found>, call: &Call<'_, Kms>) -> Result<Self::Output, KmsError> {
        let (path, store) = (found.key.record.path(), &call.service.store);
        let (window, grantee) = (Window::new(input.marker, input.limit, USUAL, MOST), input.grantee_principal);
        window.check_form()?;
        input.grant_id.as_deref().map_or(Ok(()), check_grant_id)?;
        let of_anybody = grantee.is_none();
        let wanted = move |grant: &GrantRecord| grantee.as_ref().is_none_or(|grantee| grant.grantee.name == *grantee);
        let listed = match (input.grantee_service_principal, input.grant_id) {
            // No grant has a service as its grantee.
            (Some(_), _) => Listed::empty(),
            (None, Some(id)) => {
                let grant = store.read(move |tx| tx.get::<GrantRecord>(&path, &id)).await.map_err(KmsError::from)?;
                Listed { items: grant.into_iter().filter(wanted).collect(), next: None }
            }
            (None, None) if of_anybody => {
                store.read(move |tx| window.records(tx, &path)).await.map_err(KmsError::from)?
            }
            (None, None) => {
                let keep = move |grant| Ok::<_, KmsError>(Some(grant).filter(&wanted));
                let id = |grant: &GrantRecord| grant.id.clone();
                store.read(move |tx| window.filtered(tx, &path, usize::MAX, id, keep)).await?
            }
        };
        Ok(ListGrantsOutput::of(listed))
    }
}

wire::shape! {
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
        let window = Window::new(input.marker, input.limit, USUAL, MOST);
        window.check_form()?;
        if input.retiring_principal.is_some() && input.retiring_service_principal.is_some() {
            let message = "Specify either RetiringPrincipal or RetiringServicePrincipal.";
            return Err(KmsError::Validation(message.to_owned()));
        }
        let Some(principal) = &input.retiring_principal else {
            // No grant can be retired by a service.
            return match input.retiring_service_principal {
                Some(_) => Ok(ListGrantsOutput::of(Listed::empty())),
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
            let Listed { items, next } = window.records::<RetirableRecord>(tx, &parent)?;
            let mut grants = Vec::with_capacity(items.len());
            for retirable in items {
                let (path, id) = retirable.place(&region);
                grants.extend(tx.get::<GrantRecord>(&path, id)?);
            }
            Ok::<_, KmsError>(Listed { items: grants, next })
        });
        Ok(ListGrantsOutput::of(read.await?))
    }
}
