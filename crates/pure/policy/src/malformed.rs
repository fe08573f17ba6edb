//! Why a document is not a policy, and where.

use std::fmt;

/// A document that is not a policy: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Description of the error.
    pub message: String,
    /// Where: a path such as `Statement[2].Condition.StringEquals`; empty when it is the document as a whole.
    pub at: String,
}

impl Malformed {
    pub(crate) fn new(at: &At<'_>, message: impl Into<String>) -> Self {
        Self { message: message.into(), at: at.to_string() }
    }
}

impl fmt::Display for Malformed {
    /// `Statement[2].Condition.StringEquals: what is wrong`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(out, "{}: ", self.at)?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for Malformed {}

/// A place in a document, as a path from its root. Nothing is written until something is wrong.
#[derive(Clone, Copy)]
pub(crate) enum At<'a> {
    /// The document.
    Root,
    /// A member of an object.
    Member(&'a At<'a>, &'a str),
    /// An element of an array, counted from 0.
    Element(&'a At<'a>, usize),
}

impl<'a> At<'a> {
    pub(crate) const fn member(&'a self, name: &'a str) -> Self {
        Self::Member(self, name)
    }

    pub(crate) const fn element(&'a self, index: usize) -> Self {
        Self::Element(self, index)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Element(parent, index) => write!(out, "{parent}[{index}]"),
            Self::Member(parent, name) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                let dot = if matches!(parent, Self::Root) { "" } else { "." };
                write!(out, "{parent}{dot}{}", excerpt(name))
            }
            Self::Member(parent, name) => write!(out, "{parent}[{:?}]", excerpt(name)),
        }
    }
}

/// At most this much of a document is quoted back, in bytes.
const EXCERPT_BYTES_MAX: usize = 256;

/// As much of the document's text as a message may quote.
pub(crate) fn excerpt(text: &str) -> &str {
    let mut end = text.len().min(EXCERPT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
