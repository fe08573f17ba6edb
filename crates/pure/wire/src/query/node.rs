//! Reads parameters value by value: a node is all those whose names begin alike.

use super::form::Parameter;
use crate::Timestamp;
use crate::reader::{Malformed, Wanted};

/// The parameters at and under one place in the input.
#[derive(Clone, Copy)]
pub(crate) struct Node<'p> {
    /// Sorted by the parts of their names, so that those of a child are neighbours. Never empty but at the root.
    parameters: &'p [Parameter<'p>],
    /// How much of each name leads here, its last dot included. The name of a leaf is one byte shorter.
    start: usize,
}

impl<'p> Node<'p> {
    /// The value, if this is a leaf.
    fn value(self) -> Option<&'p str> {
        match self.parameters {
            [leaf] if leaf.name.len() < self.start => Some(&leaf.value),
            _ => None,
        }
    }

    fn expected(self, expected: &str) -> Malformed {
        let name = self.parameters.first().map(|parameter| &*parameter.name).unwrap_or_default();
        let name = name.get(..self.start.saturating_sub(1)).unwrap_or(name);
        Malformed::Form(format!("Expected {expected} in {}", crate::shape::quote(name)))
    }

    /// The nodes one part further down, by that part. An empty leaf, which stands for an empty list or structure,
    /// has none.
    fn children(self, expected: &str) -> Result<Children<'p>, Malformed> {
        match self.value() {
            Some("") => Ok(Children { rest: &[], start: self.start }),
            Some(_) => Err(self.expected(expected)),
            None => Ok(Children { rest: self.parameters, start: self.start }),
        }
    }

    /// The only child, when it has this name: `member` in `Tags.member.1`.
    fn wrapper(self, name: &str, expected: &str) -> Result<Option<Self>, Malformed> {
        let mut children = self.children(expected)?;
        match (children.next(), children.next()) {
            (Some((part, child)), None) if part == name => Ok(Some(child)),
            _ => Ok(None),
        }
    }

    /// The numbered children in the order of their numbers. Gaps close: a number is an order, not a place.
    fn numbered(self, expected: &str) -> Result<Numbered<'p>, Malformed> {
        let mut elements = Vec::with_capacity(self.parameters.len());
        for (part, child) in self.children(expected)? {
            let number = number(part).ok_or_else(|| self.expected(expected))?;
            elements.push((number, child));
        }
        elements.sort_unstable_by_key(|(number, _)| *number);
        Ok(Numbered(elements.into_iter()))
    }
}

/// A list's number: from 1, in digits without leading zeros.
fn number(part: &str) -> Option<u32> {
    let digits = part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit()) && !part.starts_with('0');
    if digits { part.parse().ok() } else { None }
}

/// The nodes under a node.
pub(crate) struct Children<'p> {
    rest: &'p [Parameter<'p>],
    start: usize,
}

impl<'p> Iterator for Children<'p> {
    type Item = (&'p str, Node<'p>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (first, others) = self.rest.split_first()?;
            // A value here as well as below is of no use to a structure; whoever wants the value finds it is no leaf.
            let Some(tail) = first.name.get(self.start..) else {
                self.rest = others;
                continue;
            };
            let part = tail.split('.').next().unwrap_or_default();
            let same = |parameter: &Parameter<'_>| {
                parameter.name.get(self.start..).and_then(|tail| tail.split('.').next()) == Some(part)
            };
            let count = self.rest.iter().take_while(|parameter| same(parameter)).count();
            let (parameters, rest) = self.rest.split_at_checked(count)?;
            self.rest = rest;
            return Some((part, Node { parameters, start: self.start + part.len() + 1 }));
        }
    }
}

/// The numbered nodes under a node.
pub(crate) struct Numbered<'p>(std::vec::IntoIter<(u32, Node<'p>)>);

/// Progress in a structure, or in a list or map.
pub(crate) enum Level<'p> {
    Structure(Children<'p>),
    Numbered(Numbered<'p>),
}

/// A form, read from the node that is the current value.
pub(crate) struct Reader<'p> {
    node: Node<'p>,
}

impl<'p> Reader<'p> {
    pub(super) const fn new(parameters: &'p [Parameter<'p>]) -> Self {
        Self { node: Node { parameters, start: 0 } }
    }

    pub(crate) fn expected(&self, expected: &str) -> Malformed {
        self.node.expected(expected)
    }

    pub(crate) fn text(&self, expected: &str) -> Result<&'p str, Malformed> {
        self.node.value().ok_or_else(|| self.expected(expected))
    }

    pub(crate) fn boolean(&self) -> Result<bool, Malformed> {
        let expected = "a Boolean";
        match self.text(expected)? {
            text if text.eq_ignore_ascii_case("true") => Ok(true),
            text if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(self.expected(expected)),
        }
    }

    pub(crate) fn number(&self, wanted: Wanted, min: i64, max: i64) -> Result<i64, Malformed> {
        let expected = if wanted == Wanted::Integer { "an Integer" } else { "a Long" };
        let number = self.text(expected)?.parse().ok().filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| self.expected(expected))
    }

    pub(crate) fn timestamp(&self) -> Result<Timestamp, Malformed> {
        let expected = "a Timestamp";
        Timestamp::parse_rfc3339(self.text(expected)?).ok_or_else(|| self.expected(expected))
    }

    pub(crate) fn open_structure(&self) -> Result<Level<'p>, Malformed> {
        self.node.children("a structure").map(Level::Structure)
    }

    /// Goes to the next node of a structure.
    pub(crate) fn next_name(&mut self, level: &mut Level<'p>) -> Option<&'p str> {
        let Level::Structure(children) = level else { return None };
        let (part, node) = children.next()?;
        self.node = node;
        Some(part)
    }

    /// `Tags.member.1`, or flattened `Tags.1`.
    pub(crate) fn open_list(&self) -> Result<Level<'p>, Malformed> {
        let expected = "a list";
        let list = self.node.wrapper("member", expected)?.unwrap_or(self.node);
        list.numbered(expected).map(Level::Numbered)
    }

    pub(crate) fn next_element(&mut self, level: &mut Level<'p>) -> bool {
        let Level::Numbered(numbered) = level else { return false };
        let next = numbered.0.next();
        self.node = next.map_or(self.node, |(_, node)| node);
        next.is_some()
    }

    /// `Attributes.entry.1.key` and `.value`, or flattened `Attributes.1.key` and `.value`.
    pub(crate) fn open_map(&self) -> Result<Level<'p>, Malformed> {
        let expected = "a map";
        let map = self.node.wrapper("entry", expected)?.unwrap_or(self.node);
        map.numbered(expected).map(Level::Numbered)
    }

    pub(crate) fn next_key(&mut self, level: &mut Level<'p>) -> Result<Option<std::borrow::Cow<'p, str>>, Malformed> {
        if !self.next_element(level) {
            return Ok(None);
        }
        let (entry, expected) = (self.node, "a key and a value");
        let (mut key, mut value) = (None, None);
        for (part, child) in entry.children(expected)? {
            match part {
                "key" => key = Some(child),
                "value" => value = Some(child),
                _ => {}
            }
        }
        let (Some(key), Some(value)) = (key, value) else { return Err(entry.expected(expected)) };
        self.node = value;
        key.value().map(|key| Some(key.into())).ok_or_else(|| key.expected("a String"))
    }
}
