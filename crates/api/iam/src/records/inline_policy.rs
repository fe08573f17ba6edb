//! Inline policies as they are stored.

use serde::{Deserialize, Serialize};
use store::Record;

/// An inline policy, under the unique id of what it belongs to and its own name.
#[derive(Serialize, Deserialize)]
pub(crate) struct InlinePolicy {
    pub(crate) name: String,
    pub(crate) document: String,
}

impl Record for InlinePolicy {
    const COLLECTION: &'static str = "iam.inline-policy";
}
