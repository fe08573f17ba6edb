//! The query protocol's input: form parameters with dotted names.

use serde::de::DeserializeOwned;

use crate::Fault;

/// Decodes a form body or a query string.
///
/// # Errors
/// `MalformedInput`.
pub fn decode<T: DeserializeOwned>(_form: &[u8]) -> Result<T, Fault> {
    Err(Fault::sender("MalformedInput", ""))
}
