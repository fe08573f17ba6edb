//! A managed policy by its ARN, the account's own or an AWS-managed one.

use service::{Call, Need, Resource};
use wire::shape::Rule;

use crate::Iam;
use crate::records::managed_policy::{self, AnyPolicy};
use crate::values::error::{IamError, Result};
use crate::values::{policy_arn, tag};

/// The ids of versions, as AWS prints the rule.
const VERSION_ID: Rule = Rule::Pattern(r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?");

wire::shape! {
    /// The input of an operation on a managed policy.
    pub struct PolicyArnInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
    }
}

wire::shape! {
    /// The input of an operation on a version of a managed policy.
    pub struct VersionInput {
        "PolicyArn" policy_arn: String, required, [policy_arn::LENGTH];
        "VersionId" version_id: String, required, [VERSION_ID];
    }
}

/// A managed policy's ARN, and the version that an operation is about.
#[derive(Clone, Copy)]
pub(crate) struct PolicyKey<'a> {
    pub(crate) arn: &'a str,
    pub(crate) version: Option<&'a str>,
}

impl<'a> From<&'a str> for PolicyKey<'a> {
    fn from(arn: &'a str) -> Self {
        Self { arn, version: None }
    }
}

impl VersionInput {
    pub(crate) fn key(&self) -> PolicyKey<'_> {
        PolicyKey { arn: &self.policy_arn, version: Some(&self.version_id) }
    }
}

fn need(action: &'static str, arn: &str) -> Need<'static> {
    Need::identity(action, arn.to_owned()).shown_as(format!("policy {arn}"))
}

impl Resource for AnyPolicy {
    type Service = Iam;
    type Key<'a> = PolicyKey<'a>;

    /// As in AWS, a missing policy is reported as a missing version where one is named.
    async fn find<'a>(key: PolicyKey<'a>, call: &'a Call<'_, Iam>) -> Result<Self> {
        policy_arn::check(key.arn)?;
        let (account, arn) = (call.account().to_owned(), key.arn.to_owned());
        let found = call.service.store.read(move |tx| managed_policy::find(tx, &account, &arn)).await?;
        found.ok_or_else(|| match key.version {
            Some(version) => IamError::NoSuchVersion { arn: key.arn.to_owned(), version: version.to_owned() },
            None => IamError::NoSuchPolicy { arn: key.arn.to_owned() },
        })
    }

    fn need<'n>(&'n self, key: PolicyKey<'n>, action: &'static str, _: &'n Call<'_, Iam>) -> Need<'n> {
        tag::on_resource(need(action, key.arn), self.tags())
    }

    fn need_of_missing<'n>(key: PolicyKey<'n>, action: &'static str, _: &'n Call<'_, Iam>) -> Option<Need<'n>> {
        Some(need(action, key.arn))
    }
}
