//! The query protocol's requests: form parameters whose dotted names spell out structures, lists and maps.
//!
//! Source: Smithy, "AWS Query protocol".

mod form;
mod node;

use std::borrow::Cow;

pub(crate) use self::form::{Form, decode, pairs};
pub(crate) use self::node::{Level, Reader};

/// The most parameters that a request may have.
pub const PARAMETERS_MAX: usize = 3000;

/// The most parts that the name of a parameter may have.
pub const DEPTH_MAX: usize = 32;

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

#[cfg(test)]
mod tests;
