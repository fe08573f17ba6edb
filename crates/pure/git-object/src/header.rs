//! The header lines of commits and tags.
//!
//! Owns lines, their continuation and where the message begins. Refuses to know what a line means.

use std::borrow::Cow;

/// The rest of the header of a commit or tag.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a>(&'a [u8]);

/// A header that neither a commit nor a tag has a place of its own for, or a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The word before the first space.
    pub name: &'a [u8],
    /// The value, continued lines as they are written: each begins with a space.
    pub folded: &'a [u8],
}

impl<'a> Lines<'a> {
    pub(crate) const fn new(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// The rest of the next line, without its newline, if the line begins so.
    pub(crate) fn after(&mut self, prefix: &[u8]) -> Option<&'a [u8]> {
        let (line, rest) = split_line(self.0.strip_prefix(prefix)?);
        self.0 = rest;
        Some(line)
    }

    /// All that is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The headers that are left, and the message behind the empty line.
    pub(crate) fn split(self) -> (&'a [u8], &'a [u8]) {
        if let Some(message) = self.0.strip_prefix(b"\n") {
            return (&[], message);
        }
        match self.0.windows(2).position(|pair| pair == b"\n\n").and_then(|at| self.0.split_at_checked(at + 1)) {
            Some((headers, rest)) => (headers, rest.strip_prefix(b"\n").unwrap_or(rest)),
            None => (self.0, &[]),
        }
    }
}

/// The first line without its newline, and what follows it.
pub(crate) fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n').and_then(|at| bytes.split_at_checked(at)) {
        Some((line, rest)) => (line, rest.strip_prefix(b"\n").unwrap_or(rest)),
        None => (bytes, &[]),
    }
}

/// The headers in lines of which one that begins with a space continues the one before.
pub(crate) fn headers(mut lines: &[u8]) -> impl Iterator<Item = Header<'_>> {
    std::iter::from_fn(move || {
        if lines.is_empty() {
            return None;
        }
        let (first, mut rest) = split_line(lines);
        while rest.first() == Some(&b' ') {
            rest = split_line(rest).1;
        }
        let whole = lines.len() - rest.len();
        let header = lines.get(..whole).unwrap_or(lines);
        let name = first.split(|byte| *byte == b' ').next().unwrap_or(first);
        let folded = header.get(name.len()..).unwrap_or_default();
        let folded = folded.strip_prefix(b" ").unwrap_or(folded);
        lines = rest;
        Some(Header { name, folded: folded.strip_suffix(b"\n").unwrap_or(folded) })
    })
}

impl<'a> Header<'a> {
    /// The value, its lines without the space that continues them.
    #[must_use]
    pub fn value(&self) -> Cow<'a, [u8]> {
        if !self.folded.contains(&b'\n') {
            return Cow::Borrowed(self.folded);
        }
        let mut lines = self.folded.split(|byte| *byte == b'\n');
        let mut value = lines.next().unwrap_or_default().to_vec();
        for line in lines {
            value.push(b'\n');
            value.extend_from_slice(line.strip_prefix(b" ").unwrap_or(line));
        }
        Cow::Owned(value)
    }
}

/// Writes a header, each further line of `value` behind a space.
pub(crate) fn write(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    for line in value.strip_suffix(b"\n").unwrap_or(value).split(|byte| *byte == b'\n') {
        out.push(b' ');
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}
