//! awsJson 1.0 and 1.1: a JSON object in, a JSON object out, the operation in `X-Amz-Target`.
//!
//! Source: Smithy, "AWS JSON 1.1 protocol".

use serde::Serialize;

use super::{Claim, Head};
use crate::Fault;

/// awsJson for one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json {
    /// `1.0` or `1.1`, echoed in the content type.
    pub version: &'static str,
    /// The prefix of the operation's name in `X-Amz-Target`, without the dot.
    pub prefix: &'static str,
}

impl Json {
    pub(super) fn claims<'a>(self, head: &Head<'a>) -> Option<Claim<'a>> {
        let (prefix, operation) = head.target()??;
        (prefix == self.prefix && !head.is_cbor()).then_some(Claim::Operation(operation))
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self.version.as_bytes() {
            b"1.0" => "application/x-amz-json-1.0",
            _ => "application/x-amz-json-1.1",
        }
    }
}

pub(super) fn fault(fault: &Fault) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "__type")]
        code: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        message: &'a str,
    }
    // Texts under fixed names cannot fail to be written.
    serde_json::to_vec(&Body { code: fault.code, message: &fault.message }).unwrap_or_default()
}
