//! The query protocol's output: XML.

use serde::Serialize;

use crate::Fault;

pub(crate) fn encode_output<T: Serialize>(
    _namespace: &str,
    _operation: &str,
    _request_id: &str,
    output: &T,
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(output)
}

pub(crate) fn encode_fault(_namespace: &str, _request_id: &str, _fault: &Fault) -> Vec<u8> {
    Vec::new()
}
