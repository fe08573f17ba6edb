//! awsJson 1.0 and 1.1: a JSON object in, a JSON object out, the operation in `X-Amz-Target`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Fault;

/// Splits `X-Amz-Target` into its prefix and operation: `TrentService.Encrypt`.
#[must_use]
pub fn parse_target(target: &str) -> Option<(&str, &str)> {
    target.rsplit_once('.').filter(|(prefix, operation)| !prefix.is_empty() && !operation.is_empty())
}

/// Decodes a body. An empty one counts as `{}`.
///
/// # Errors
/// `SerializationException`.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|_| Fault::sender("SerializationException", ""))
}

pub(crate) fn encode_output<T: Serialize>(output: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(output)
}

pub(crate) fn encode_fault(fault: &Fault) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "__type")]
        code: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        message: &'a str,
    }
    serde_json::to_vec(&Body { code: fault.code, message: &fault.message }).unwrap_or_default()
}
