//! Merges that were made, by what they merged.

use serde::{Deserialize, Serialize};
use store::Record;

use super::Sides;

/// The commit of a merge, stored under its repository by the commits that it merged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MergeRecord {
    pub(super) commit: String,
}

impl Record for MergeRecord {
    const COLLECTION: &'static str = "codecommit-merge";
}

impl MergeRecord {
    /// The name of the record of a merge.
    pub(super) fn name(sides: &Sides) -> String {
        format!("{}..{}", sides.destination, sides.source)
    }
}
