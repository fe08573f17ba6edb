//! AWS-managed policies: the ones that every account finds ready made.
//!
//! The documents are in `aws_managed.json`, written from the documented permissions for what this system serves and
//! what its tools call. They change with the program only.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use policy::{Kind as Grammar, Policy};
use serde::Deserialize;
use serde_json::value::RawValue;
use wire::{Arn, Timestamp};

use crate::values::kind::Kind;
use crate::values::{name, policy_arn, unique_id};

/// When the catalogue was written.
const CREATED: Timestamp = Timestamp::from_millis(1_795_392_000_000);

/// The version under which every document is listed.
pub(crate) const VERSION: u32 = 1;

/// The policy of administrators: everything is allowed.
pub(crate) const ADMINISTRATOR_ACCESS: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// An AWS-managed policy.
pub(crate) struct AwsManaged {
    pub(crate) arn: Arn,
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) description: &'static str,
    pub(crate) created: Timestamp,
    /// The document's text.
    pub(crate) text: &'static str,
    /// The document, parsed.
    pub(crate) policy: Arc<Policy>,
}

#[derive(Deserialize)]
struct Entry {
    name: &'static str,
    path: &'static str,
    description: &'static str,
    #[serde(borrow)]
    document: &'static RawValue,
}

struct Catalogue {
    /// In the order of their names.
    policies: Vec<AwsManaged>,
    by_arn: HashMap<String, usize>,
}

#[expect(clippy::expect_used, reason = "the catalogue is part of the program and a test reads all of it")]
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let entries: Vec<Entry> = serde_json::from_str(include_str!("aws_managed.json")).expect("the catalogue is JSON");
    let policies: Vec<AwsManaged> = entries
        .into_iter()
        .map(|Entry { name, path, description, document }| {
            let arn = name::arn(Kind::Policy, policy_arn::AWS, path, name);
            AwsManaged {
                id: unique_id::of_catalogue(arn.as_str()),
                arn,
                name,
                path,
                description,
                created: CREATED,
                text: document.get(),
                policy: Policy::parse(document.get(), Grammar::Identity)
                    .map(Arc::new)
                    .expect("the catalogue's documents are policies"),
            }
        })
        .collect();
    let by_arn = policies.iter().enumerate().map(|(index, policy)| (policy.arn.to_string(), index)).collect();
    Catalogue { policies, by_arn }
});

/// All of them, in the order of their names.
pub(crate) fn all() -> &'static [AwsManaged] {
    &CATALOGUE.policies
}

/// The one with this ARN.
pub(crate) fn find(arn: &str) -> Option<&'static AwsManaged> {
    let index = *CATALOGUE.by_arn.get(arn)?;
    CATALOGUE.policies.get(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_of_the_catalogue_is_a_policy_under_its_own_arn() {
        for policy in all() {
            assert_eq!(find(policy.arn.as_str()).map(|found| found.name), Some(policy.name));
            assert!(!policy.policy.statements().is_empty(), "{}", policy.name);
            assert!(policy.description.len() <= 1000 && policy.id.len() == 21, "{}", policy.name);
        }
        assert!(find("arn:aws:iam::aws:policy/None").is_none());
    }

    #[test]
    fn the_policies_that_people_reach_for_are_there() {
        for arn in [
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws:iam::aws:policy/IAMFullAccess",
            "arn:aws:iam::aws:policy/IAMReadOnlyAccess",
            "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser",
            "arn:aws:iam::aws:policy/AWSCodeCommitFullAccess",
            "arn:aws:iam::aws:policy/AWSCodeCommitPowerUser",
            "arn:aws:iam::aws:policy/AWSCodeCommitReadOnly",
            "arn:aws:iam::aws:policy/AWSCodeDeployFullAccess",
            "arn:aws:iam::aws:policy/AWSCodeDeployDeployerAccess",
            "arn:aws:iam::aws:policy/AWSCodeDeployReadOnlyAccess",
            "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRole",
            "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda",
            "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS",
            "arn:aws:iam::aws:policy/AmazonS3FullAccess",
            "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
            "arn:aws:iam::aws:policy/SecurityAudit",
            "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        ] {
            assert!(find(arn).is_some(), "{arn}");
        }
    }
}
