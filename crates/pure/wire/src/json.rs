//! JSON as awsJson has it: read value by value, written by the one serializer of outputs.

mod read;
mod write;

use serde::Serialize;

pub(crate) use self::read::Reader;
pub use self::write::is_plain;
pub(crate) use self::write::text as write_text;
use crate::encode::{EncodeError, Form, Sink};

/// Writes a value as JSON, its blobs in base64. Growing leaves no copy behind.
///
/// # Errors
/// It has a form that awsJson does not, such as a number for a name.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut sink = Sink::new(Form::Json);
    sink.value("", value)?;
    Ok(sink.buffer.into_bytes())
}

#[cfg(test)]
mod tests;
