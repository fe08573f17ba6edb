//! What is wrong with an input, collected and worded as AWS does.

/// The violations found in one input so far.
#[derive(Debug, Default)]
pub struct Violations(Vec<String>);

impl Violations {
    /// Records that `path`'s value (absent for secrets) breaks `rule`.
    pub fn add(&mut self, value: Option<&str>, path: &Path<'_>, rule: &str) {
        let value = value.map(|value| format!(" '{value}'")).unwrap_or_default();
        self.0.push(format!("Value{value} at '{path}' failed to satisfy constraint: {rule}"));
    }

    /// Records that a required member is missing.
    pub fn missing(&mut self, path: &Path<'_>) {
        self.0.push(format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"));
    }

    /// The whole message, or `None` when nothing was violated.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let noun = match self.0.len() {
            0 => return None,
            1 => "error",
            _ => "errors",
        };
        Some(format!("{} validation {noun} detected: {}", self.0.len(), self.0.join("; ")))
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

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
