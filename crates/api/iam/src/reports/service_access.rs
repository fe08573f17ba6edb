//! `ListPoliciesGrantingServiceAccess`: which of somebody's policies give access to a service at all.
//!
//! Looks at what statements allow, whatever resources and conditions they are about and whatever else denies.

use serde::Serialize;
use service::{AuditClass, Call, Permit, ResourceOperation};
use wire::shape::Rule;

use crate::Iam;
use crate::policies::attachments::AttachedPolicy;
use crate::policies::source::{Origin, PolicySource, Sourced};
use crate::values::error::Result;
use crate::values::page::{self, Item, Page};
use crate::values::policy_arn;

/// The services that identity policies here speak of, by the prefixes of their actions, in the order of these.
pub(crate) const SERVICES: [(&str, &str); 6] = [
    ("codecommit", "AWS CodeCommit"),
    ("codedeploy", "AWS CodeDeploy"),
    ("iam", "AWS Identity and Access Management"),
    ("kms", "AWS Key Management Service"),
    ("s3", "Amazon S3"),
    ("sts", "AWS Security Token Service"),
];

/// The rules of a service's prefix.
pub(crate) const NAMESPACE: [Rule; 2] = [Rule::Length(1, 64), Rule::Pattern(r"[\w-]*")];

wire::shape! {
    /// The input of `ListPoliciesGrantingServiceAccess`.
    pub struct ListPoliciesGrantingServiceAccessInput {
        "Marker" marker: String, optional, [page::MARKER_LENGTH, page::MARKER_PATTERN];
        "Arn" arn: String, required, [policy_arn::LENGTH];
        "ServiceNamespaces" namespaces: Vec<String>, required, [Rule::Length(1, 200), Rule::Each(&NAMESPACE)];
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Granting {
    policy_name: String,
    policy_type: &'static str,
    policy_arn: Option<String>,
    entity_type: Option<String>,
    entity_name: Option<String>,
}

impl Granting {
    fn of(sourced: &Sourced) -> Self {
        match &sourced.origin {
            Origin::Inline(kind, name) => Self {
                policy_name: sourced.name.clone(),
                policy_type: "INLINE",
                policy_arn: None,
                entity_type: Some(kind.as_str().to_ascii_uppercase()),
                entity_name: Some(name.clone()),
            },
            _ => Self {
                policy_name: AttachedPolicy::of(&sourced.name).map(|known| known.policy_name).unwrap_or_default(),
                policy_type: "MANAGED",
                policy_arn: Some(sourced.name.clone()),
                entity_type: None,
                entity_name: None,
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Entry {
    service_namespace: String,
    policies: Vec<Granting>,
}

impl Item for Entry {
    const LIST: &'static str = "PoliciesGrantingServiceAccess";
}

pub(crate) struct ListPoliciesGrantingServiceAccess;

impl ResourceOperation for ListPoliciesGrantingServiceAccess {
    type On = PolicySource;
    const NAME: &'static str = "ListPoliciesGrantingServiceAccess";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListPoliciesGrantingServiceAccessInput;
    type Output = Page<Entry>;

    fn key(input: &Self::Input) -> &str {
        &input.arn
    }

    async fn run(input: Self::Input, source: &Permit<PolicySource>, _: &Call<'_, Iam>) -> Result<Self::Output> {
        let entry = |service_namespace: String| {
            let granting = source.identity.iter().filter(|sourced| sourced.policy.may_allow(&service_namespace));
            Entry { policies: granting.map(Granting::of).collect(), service_namespace }
        };
        Ok(page::window(input.marker, None).by_count(input.namespaces)?.map(entry).into())
    }
}
