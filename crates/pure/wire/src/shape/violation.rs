//! Violated constraints of an input, collected and worded as AWS does.

use std::fmt::{self, Write as _};

/// The most violations reported for one input.
pub const VIOLATIONS_MAX: usize = 10;

/// A message this long gets no more violations.
const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// The violations found in one input so far.
#[derive(Debug, Default)]
pub struct Violations {
    text: String,
    count: usize,
    first: Option<Breach>,
}

/// The first violation of an input as data, for services that have an error for each member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The member, by its wire name: the innermost structure's.
    pub member: &'static str,
    /// How it is wrong.
    pub wrong: Wrong,
}

/// The ways in which a member is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is required and missing.
    Missing,
    /// It is a list or map with too few or too many elements.
    Count,
    /// Its value, or that of an element, breaks a constraint.
    Value,
}

/// Why an input is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The message for `ValidationException`, with the first [`VIOLATIONS_MAX`] violations.
    pub message: String,
    /// The first of them.
    pub first: Option<Breach>,
}

impl Violations {
    /// Records that `path`'s value (absent for secrets) breaks `rule`, unless there are enough already.
    pub fn add(&mut self, value: Option<&str>, path: &Path<'_>, rule: impl fmt::Display) {
        self.note(path, Wrong::Value);
        match value.map(quote) {
            Some(value) => self.push(format_args!(" '{value}'"), path, format_args!("{rule}")),
            None => self.push(format_args!(""), path, format_args!("{rule}")),
        }
    }

    /// Records that a required member is missing.
    pub fn missing(&mut self, path: &Path<'_>) {
        self.note(path, Wrong::Missing);
        self.push(format_args!(" null"), path, format_args!("Member must not be null"));
    }

    /// Whether there are enough: what is found from here on is not recorded and need not be looked for.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.count >= VIOLATIONS_MAX || self.text.len() >= MESSAGE_BYTES_MAX
    }

    /// Notes what is wrong at `path`, if nothing was before.
    pub(super) fn note(&mut self, path: &Path<'_>, wrong: Wrong) {
        if self.first.is_none() {
            self.first = path.member().map(|member| Breach { member, wrong });
        }
    }

    fn push(&mut self, value: fmt::Arguments<'_>, path: &Path<'_>, rule: fmt::Arguments<'_>) {
        if self.is_full() {
            return;
        }
        let before = if self.count == 0 { "" } else { "; " };
        self.count += 1;
        // Writing to a text does not fail.
        let _ = write!(self.text, "{before}Value{value} at '{path}' failed to satisfy constraint: {rule}");
    }

    /// The violations, or `None` without any.
    #[must_use]
    pub fn refusal(&self) -> Option<Refused> {
        self.message().map(|message| Refused { message, first: self.first })
    }

    /// The whole message, or `None` when nothing was violated.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let noun = match self.count {
            0 => return None,
            1 => "error",
            _ => "errors",
        };
        Some(format!("{} validation {noun} detected: {}", self.count, self.text))
    }
}

/// Where in the input a value stands, written `tags.1.member.tagKey` as AWS writes it.
#[derive(Clone, Copy)]
pub enum Path<'a> {
    /// The input itself.
    Root,
    /// A member of a structure, by its wire name.
    Member(&'a Path<'a>, &'static str),
    /// An element of a list, counted from 1.
    Element(&'a Path<'a>, usize),
}

impl Path<'_> {
    /// The innermost member on the way.
    fn member(&self) -> Option<&'static str> {
        match self {
            Self::Root => None,
            Self::Member(_, name) => Some(name),
            Self::Element(parent, _) => parent.member(),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => {
                if !matches!(parent, Path::Root) {
                    write!(out, "{parent}.")?;
                }
                let mut letters = name.chars();
                letters.next().map_or(Ok(()), |first| write!(out, "{}{}", first.to_ascii_lowercase(), letters.as_str()))
            }
            Self::Element(parent, index) => write!(out, "{parent}.{index}.member"),
        }
    }
}

/// At most this much of a caller's value is quoted back in a violation, in bytes.
const QUOTED_MAX: usize = 1024;

/// As much of a caller's value as a message may quote.
#[must_use]
pub fn quote(text: &str) -> &str {
    let mut end = text.len().min(QUOTED_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
