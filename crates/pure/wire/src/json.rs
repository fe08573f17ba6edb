//! awsJson 1.0 and 1.1: a JSON object in, a JSON object out, the operation in `X-Amz-Target`.
//!
//! Source: Smithy, "AWS JSON 1.1 protocol".

mod checked;
mod write;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::checked::{Budget, Checked};
use self::write::Writer;
pub use self::write::is_plain;
use crate::Fault;
use crate::buffer::Buffer;

/// Splits `X-Amz-Target` into its prefix and operation: `TrentService.Encrypt`.
#[must_use]
pub fn parse_target(target: &str) -> Option<(&str, &str)> {
    target.rsplit_once('.').filter(|(prefix, operation)| !prefix.is_empty() && !operation.is_empty())
}

/// The protocol's version by the content type of a request; `None` if that is not awsJson.
#[must_use]
pub fn version(content_type: &str) -> Option<&'static str> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/x-amz-json-1.1") {
        Some("1.1")
    } else if media_type.eq_ignore_ascii_case("application/x-amz-json-1.0") {
        Some("1.0")
    } else {
        None
    }
}

/// Decodes a body. An empty one counts as `{}`; members that are not known are ignored.
///
/// # Errors
/// `SerializationException`: without a message when the body is not JSON or nests more than 128 levels, otherwise
/// naming what stands where something else was expected, as AWS words it.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    let body = if body.is_empty() { b"{}" } else { body };
    // Once for the whole body, not once for each text in it.
    let body = std::str::from_utf8(body).map_err(|_| Fault::sender("SerializationException", ""))?;
    let mut parser = serde_json::Deserializer::from_str(body);
    let budget = Budget::new();
    let value = T::deserialize(Checked(&mut parser, &budget)).and_then(|value| parser.end().map(|()| value));
    value.map_err(|error| Fault::sender("SerializationException", message(&error)))
}

fn message(error: &serde_json::Error) -> String {
    if !error.is_data() {
        return String::new();
    }
    let mut message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if message.ends_with(&place) {
        message.truncate(message.len() - place.len());
    }
    message
}

/// Writes a value as JSON, its blobs in base64. Growing leaves no copy behind.
///
/// # Errors
/// When it has a form that awsJson does not, such as a number for a name.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut buffer = Buffer::new();
    value.serialize(Writer(&mut buffer))?;
    Ok(buffer.into_bytes())
}

/// Writes an output; the one that is `()` has an empty body.
pub(crate) fn encode_output<T: Serialize>(output: &T) -> Result<Vec<u8>, serde_json::Error> {
    let bytes = encode(output)?;
    Ok(if bytes == b"null" { Vec::new() } else { bytes })
}

pub(crate) fn encode_fault(fault: &Fault) -> Vec<u8> {
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

#[cfg(test)]
mod tests;
