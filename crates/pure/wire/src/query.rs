//! The query protocol's requests: form parameters whose dotted names spell out structures, lists and maps.
//!
//! Source: Smithy, "AWS Query protocol".

mod form;
mod node;

use std::borrow::Cow;
use std::fmt::Display;

use serde::de::DeserializeOwned;

use self::form::Form;
use self::node::Node;
use crate::Fault;

/// The most parameters that a request may have.
pub const PARAMETERS_MAX: usize = 3000;

/// The most parts that the name of a parameter may have.
pub const DEPTH_MAX: usize = 32;

/// What is wrong with the parameters of a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum QueryError {
    #[error("The request has more than {PARAMETERS_MAX} parameters")]
    Count,
    #[error("The name of a parameter has more than {DEPTH_MAX} parts")]
    Depth,
    #[error("The request is not UTF-8")]
    Encoding,
    #[error("A parameter is given more than once: {0}")]
    Repeated(String),
    #[error("Expected {expected} in {name}")]
    Value { expected: &'static str, name: String },
    #[error("{0}")]
    Other(String),
}

impl serde::de::Error for QueryError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
}

/// Which operation a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Action<'a> {
    /// The operation, such as `CreateUser`.
    pub name: Cow<'a, str>,
    /// The version of the API, such as `2010-05-08`; empty if it is not given.
    pub version: Cow<'a, str>,
}

/// Finds the operation that a form body or query string asks for; `None` if it names none or none that is text.
#[must_use]
pub fn action(form: &[u8]) -> Option<Action<'_>> {
    let (mut name, mut version) = (None, Cow::Borrowed(""));
    for (key, value) in form::pairs(form).take(PARAMETERS_MAX) {
        match key {
            b"Action" if name.is_none() => name = Some(form::decode(value)?),
            b"Version" if version.is_empty() => version = form::decode(value)?,
            _ => {}
        }
    }
    name.filter(|name| !name.is_empty()).map(|name| Action { name, version })
}

/// Decodes a form body or a query string. Parameters that are not known are ignored.
///
/// # Errors
/// `MalformedInput`.
pub fn decode<T: DeserializeOwned>(form: &[u8]) -> Result<T, Fault> {
    Form::parse(form)
        .and_then(|form| T::deserialize(Node::root(form.parameters())))
        .map_err(|error| Fault::sender("MalformedInput", error.to_string()))
}

#[cfg(test)]
mod tests;
