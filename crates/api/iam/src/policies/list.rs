//! `ListPolicies`: AWS-managed policies first, then the account's own.

use serde::Serialize;
use service::{AuditClass, Call, Need, Operation, Permit};
use store::ReadTx;
use wire::shape::Rule;

use crate::Iam;
use crate::policies::managed_policies::PolicyView;
use crate::records::attachment::{self, UsageCount};
use crate::records::aws_managed;
use crate::records::entity::Entity;
use crate::records::managed_policy::ManagedPolicy;
use crate::values::error::IamError;
use crate::values::kind::Kind;
use crate::values::name;
use crate::values::page::{self, Listed, Window};

wire::text_enum! {
    /// Whose managed policies are listed.
    pub enum PolicyScope { All = "All", Aws = "AWS", Local = "Local" }
}

wire::text_enum! {
    /// What managed policies are used for.
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListPoliciesOutput {
    policies: Vec<PolicyView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

pub(crate) struct ListPolicies;

impl Operation for ListPolicies {
    type Service = Iam;
    const NAME: &'static str = "ListPolicies";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListPoliciesInput;
    type Output = ListPoliciesOutput;
    type Target = ();

    async fn find(_: &Self::Input, _: &Call<'_, Iam>) -> Result<(), IamError> {
        Ok(())
    }

    fn needs(input: &Self::Input, _: Option<&()>, call: &Call<'_, Iam>) -> Vec<Need<'static>> {
        let prefix = input.path_prefix.as_deref().unwrap_or(name::ROOT_PATH);
        vec![Need::identity("iam:ListPolicies", name::arn(Kind::Policy, call.account(), prefix, "").to_string())]
    }

    async fn run(input: Self::Input, _: Permit<()>, call: &Call<'_, Iam>) -> Result<ListPoliciesOutput, IamError> {
        let account = call.account().to_owned();
        let listed = call.service.store.read(move |tx| list(tx, &account, input)).await?;
        Ok(ListPoliciesOutput { is_truncated: listed.is_truncated(), policies: listed.items, marker: listed.marker })
    }
}

/// What precedes a marker among the AWS-managed policies, which come first; one among the account's own has none.
const AWS_MARKER: &str = "aws.";

fn list(tx: &ReadTx<'_>, account: &str, input: ListPoliciesInput) -> Result<Listed<PolicyView>, IamError> {
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
        let mut listed = window.read::<ManagedPolicy, _>(
            tx,
            account,
            |policy| policy.identity.id.clone(),
            |policy| {
                if !policy.identity.path.starts_with(prefix) {
                    return Ok(None);
                }
                let usage = attachment::usage(tx, account, policy.arn().as_str())?;
                Ok(wanted(usage).then(|| PolicyView::own(&policy, usage)))
            },
        )?;
        listed.items.sort_by(|a, b| a.policy_name.cmp(&b.policy_name));
        Ok(listed)
    };
    if scope == PolicyScope::Local || !among_aws {
        return own(Window::new(input.marker.clone(), input.max_items));
    }
    let mut views = Vec::new();
    for policy in aws_managed::all().iter().filter(|policy| policy.path.starts_with(prefix)) {
        let usage = attachment::usage(tx, account, policy.arn.as_str())?;
        if wanted(usage) {
            views.push(PolicyView::aws(policy, usage));
        }
    }
    let marker = input.marker.as_deref().and_then(|marker| marker.strip_prefix(AWS_MARKER)).map(str::to_owned);
    let limit = input.max_items;
    let mut listed = Window::new(marker, limit).cut(views)?;
    if let Some(marker) = listed.marker.take() {
        return Ok(Listed { items: listed.items, marker: Some(format!("{AWS_MARKER}{marker}")) });
    }
    if scope == PolicyScope::Aws {
        return Ok(listed);
    }
    match Window::room(limit, listed.items.len()) {
        // The account's own begin on the next page.
        0 => listed.marker = Some(format!("{AWS_MARKER}{}", Window::marker_at(usize::MAX))),
        room => {
            let rest = own(Window::new(None, Some(room)))?;
            listed.items.extend(rest.items);
            listed.marker = rest.marker;
        }
    }
    Ok(listed)
}
