//! Merges that were made, by what they merged.

use serde::{Deserialize, Serialize};
use store::Record;

/// The commit of a merge, stored under its repository by the commits that it merged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MergeRecord {
    /// The commits that it merged: what it is stored by.
    pub(crate) name: String,
    pub(crate) commit: String,
}

impl Record for MergeRecord {
    const COLLECTION: &'static str = "codecommit-merge";
}
