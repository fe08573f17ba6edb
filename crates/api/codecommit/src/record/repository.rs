//! Repositories as they are stored, and their names.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use store::Record;
use wire::{Arn, Blob, Timestamp};

use super::domain;

/// A repository, stored under its account and Region by its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RepositoryRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) tags: BTreeMap<String, String>,
    /// The data key, sealed under the KMS key.
    pub(crate) data_key: Blob,
    /// The ARN of the KMS key.
    pub(crate) key_arn: String,
    /// The ids of the approval-rule templates that are associated.
    #[serde(default)]
    pub(crate) templates: BTreeSet<String>,
}

impl Record for RepositoryRecord {
    const COLLECTION: &'static str = "codecommit-repository";
}

impl RepositoryRecord {
    /// The domain that it is stored under.
    pub(crate) fn domain(&self) -> String {
        domain(&self.account, &self.region)
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        arn(&self.region, &self.account, &self.name)
    }
}

/// The ARN of a repository of that name.
pub(crate) fn arn(region: &str, account: &str, name: &str) -> String {
    Arn::new("codecommit", region, account, name).as_str().to_owned()
}

/// The id of the repository that has a name, stored under account and Region by the name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NameRecord {
    pub(crate) name: String,
    pub(crate) id: String,
}

impl Record for NameRecord {
    const COLLECTION: &'static str = "codecommit-name";
}
