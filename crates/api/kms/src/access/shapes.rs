//! Inputs and outputs that several operations on keys share.

use serde::Serialize;

use crate::rules::{EACH_GRANT_TOKEN, GRANT_TOKENS, KEY_ID, LIMIT, MARKER_LENGTH, MARKER_PATTERN};

wire::shape! {
    /// A key.
    pub(crate) struct KeyIdInput {
        "KeyId" key_id: String, required, [KEY_ID];
    }
}

wire::shape! {
    /// A key that a grant may allow to be used.
    pub(crate) struct GrantedKeyInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "GrantTokens" grant_tokens: Vec<String>, default, [GRANT_TOKENS, EACH_GRANT_TOKEN];
    }
}

wire::shape! {
    /// A key, and a page of a list that belongs to it.
    pub(crate) struct KeyPageInput {
        "KeyId" key_id: String, required, [KEY_ID];
        "Limit" limit: i32, optional, [LIMIT];
        "Marker" marker: String, optional, [MARKER_LENGTH, MARKER_PATTERN];
    }
}

/// A key.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyIdOutput {
    pub(crate) key_id: String,
}

/// A key and a version of it, for a key that can have several.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyMaterialOutput {
    pub(crate) key_id: String,
    pub(crate) key_material_id: Option<String>,
}
