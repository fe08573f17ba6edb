//! Aliases as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;
use wire::Timestamp;

/// An alias, stored under its account and region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AliasRecord {
    pub(crate) name: String,
    pub(crate) key_id: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

impl Record for AliasRecord {
    const COLLECTION: &'static str = "kms-alias";
}

impl AliasRecord {
    /// A new alias.
    pub(crate) fn new(name: &str, key_id: &str, created: Timestamp) -> Self {
        Self { name: name.to_owned(), key_id: key_id.to_owned(), created, updated: created }
    }
}
