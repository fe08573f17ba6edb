//! `ListPolicies`: AWS-managed policies first, then the account's own.

use service::{AuditClass, Call, Listed, Permit, ResourceOperation, Window};
use store::ReadTx;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::managed_policies::PolicyView;
use crate::records::attachment::{self, UsageCount};
use crate::records::aws_managed;
use crate::records::entity::Entity;
use crate::records::managed_policy::ManagedPolicy;
use crate::resources::at::{At, Place};
use crate::values::error::{IamError, Result};
use crate::values::name;
use crate::values::page::{self, Page};

wire::text_enum! {
    /// The owners whose managed policies are listed.
    pub enum PolicyScope { All = "All", Aws = "AWS", Local = "Local" }
}

wire::text_enum! {
    /// The uses of managed policies.
    pub enum PolicyUsage { Permissions = "PermissionsPolicy", Boundary = "PermissionsBoundary" }
}

wire::shape! {
    /// The input of `ListPolicies`.
    pub struct ListPoliciesInput {
        "Scope" scope: PolicyScope, optional, [];
        "OnlyAttached" only_attached: bool, default, [];
        "PathPrefix" path_prefix: String, optional, [Rule::Length(1, 512), Rule::Pattern(name::POLICY_PATH)];
        "PolicyUsageFilter" policy_usage_filter: PolicyUsage, optional, [];
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "MaxItems" max_items: u32, optional, [page::MAX_ITEMS];
    }
}

pub(crate) struct ListPolicies;

impl ResourceOperation for ListPolicies {
    type On = At<ManagedPolicy>;
    const NAME: &'static str = "ListPolicies";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListPoliciesInput;
    type Output = Page<PolicyView>;

    fn key(input: &Self::Input) -> Place<'_> {
        Place { path: input.path_prefix.as_deref(), name: "" }
    }

    async fn run(input: Self::Input, _: &Permit<Self::On>, call: &Call<'_, Iam>) -> Result<Self::Output> {
        let account = call.account().to_owned();
        Ok(call.service.store.read(move |tx| list(tx, &account, input)).await?.into())
    }
}

/// The prefix of a marker among the AWS-managed policies, which come first; one among the account's own has none.
const AWS_MARKER: &str = "aws.";

fn list(tx: &ReadTx<'_>, account: &str, input: ListPoliciesInput) -> Result<Listed<PolicyView>> {
    let prefix = input.path_prefix.as_deref().unwrap_or_default();
    let wanted = |usage: UsageCount| {
        let used = match input.policy_usage_filter {
            Some(PolicyUsage::Permissions) => usage.attachments > 0,
            Some(PolicyUsage::Boundary) => usage.boundaries > 0,
            None => usage.attachments > 0 || usage.boundaries > 0,
        };
        // A filter by usage means policies that are used so.
        used || !(input.only_attached || input.policy_usage_filter.is_some())
    };
    let scope = input.scope.unwrap_or(PolicyScope::All);
    let among_aws = input.marker.as_deref().is_none_or(|marker| marker.starts_with(AWS_MARKER));
    let own = |window: Window| {
        let id = |policy: &ManagedPolicy| policy.identity.id.clone();
        let view = |policy: ManagedPolicy| -> Result<_> {
            if !policy.identity.path.starts_with(prefix) {
                return Ok(None);
            }
            let usage = attachment::usage(tx, account, policy.arn().as_str())?;
            Ok(wanted(usage).then(|| PolicyView::own(&policy, usage)))
        };
        let mut listed = window.filtered(tx, account, page::SCANNED_MAX, id, view)?;
        listed.items.sort_by(|a, b| a.policy_name.cmp(&b.policy_name));
        Ok::<_, IamError>(listed)
    };
    if scope == PolicyScope::Local || !among_aws {
        return own(page::window(input.marker.clone(), input.max_items));
    }
    let mut views = Vec::new();
    for policy in aws_managed::all().iter().filter(|policy| policy.path.starts_with(prefix)) {
        let usage = attachment::usage(tx, account, policy.arn.as_str())?;
        if wanted(usage) {
            views.push(PolicyView::aws(policy, usage));
        }
    }
    let marker = input.marker.as_deref().and_then(|marker| marker.strip_prefix(AWS_MARKER)).map(str::to_owned);
    let window = page::window(marker, input.max_items);
    let size = window.size();
    let mut listed = window.by_count(views)?;
    if let Some(marker) = listed.next.take() {
        return Ok(Listed { items: listed.items, next: Some(format!("{AWS_MARKER}{marker}")) });
    }
    if scope == PolicyScope::Aws {
        return Ok(listed);
    }
    match size.saturating_sub(listed.items.len()) {
        // The account's own begin on the next page.
        0 => listed.next = Some(format!("{AWS_MARKER}{}", Window::token_of_count(usize::MAX))),
        room => {
            let rest = own(Window::new(None, Some(room), room, room))?;
            listed.items.extend(rest.items);
            listed.next = rest.next;
        }
    }
    Ok(listed)
}
