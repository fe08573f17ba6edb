//! A serde deserializer over parameters: a node is all those whose names begin alike.

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::QueryError;
use super::form::Parameter;

/// The parameters at and under one place in the input.
#[derive(Clone, Copy)]
pub(super) struct Node<'p> {
    /// Sorted by the parts of their names, so that those of a child are neighbours. Never empty but at the root.
    parameters: &'p [Parameter<'p>],
    /// How much of each name leads here, its last dot included. The name of a leaf is one byte shorter.
    start: usize,
}

impl<'p> Node<'p> {
    pub(super) const fn root(parameters: &'p [Parameter<'p>]) -> Self {
        Self { parameters, start: 0 }
    }

    /// The value, if this is a leaf.
    fn value(self) -> Option<&'p str> {
        match self.parameters {
            [leaf] if leaf.name.len() < self.start => Some(&leaf.value),
            _ => None,
        }
    }

    fn expected(self, expected: &'static str) -> QueryError {
        let name = self.parameters.first().map(|parameter| &*parameter.name).unwrap_or_default();
        let name = name.get(..self.start.saturating_sub(1)).unwrap_or(name);
        QueryError::Value { expected, name: crate::shape::quote(name).to_owned() }
    }

    fn text(self, expected: &'static str) -> Result<&'p str, QueryError> {
        self.value().ok_or_else(|| self.expected(expected))
    }

    /// The nodes one part further down, by that part. An empty leaf, which stands for an empty list or structure,
    /// has none.
    fn children(self, expected: &'static str) -> Result<Children<'p>, QueryError> {
        match self.value() {
            Some("") => Ok(Children { rest: &[], start: self.start }),
            Some(_) => Err(self.expected(expected)),
            None => Ok(Children { rest: self.parameters, start: self.start }),
        }
    }

    /// The only child, when it has this name: `member` in `Tags.member.1`.
    fn wrapper(self, name: &str, expected: &'static str) -> Result<Option<Self>, QueryError> {
        let mut children = self.children(expected)?;
        match (children.next(), children.next()) {
            (Some((part, child)), None) if part == name => Ok(Some(child)),
            _ => Ok(None),
        }
    }

    /// The numbered children in the order of their numbers. Gaps close: a number is an order, not a place.
    fn numbered(self, expected: &'static str) -> Result<std::vec::IntoIter<(u32, Self)>, QueryError> {
        let mut elements = Vec::with_capacity(self.parameters.len());
        for (part, child) in self.children(expected)? {
            let number = number(part).ok_or_else(|| self.expected(expected))?;
            elements.push((number, child));
        }
        elements.sort_unstable_by_key(|(number, _)| *number);
        Ok(elements.into_iter())
    }
}

/// A list's number: from 1, in digits without leading zeros.
fn number(part: &str) -> Option<u32> {
    let digits = part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit()) && !part.starts_with('0');
    if digits { part.parse().ok() } else { None }
}

struct Children<'p> {
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

macro_rules! parsed {
    ($($method:ident: $visit:ident, $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
            let value = self.text($expected)?.parse().map_err(|_| self.expected($expected))?;
            visitor.$visit(value)
        }
    )*};
}

macro_rules! unsupported {
    ($($method:ident($($argument:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, QueryError> {
            Err(self.expected("nothing"))
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = QueryError;

    parsed! {
        deserialize_i8: visit_i8, "an Integer";
        deserialize_i16: visit_i16, "an Integer";
        deserialize_i32: visit_i32, "an Integer";
        deserialize_i64: visit_i64, "a Long";
        deserialize_u8: visit_u8, "an Integer";
        deserialize_u16: visit_u16, "an Integer";
        deserialize_u32: visit_u32, "an Integer";
        deserialize_u64: visit_u64, "a Long";
        deserialize_f32: visit_f32, "a Double";
        deserialize_f64: visit_f64, "a Double";
    }

    unsupported! {
        deserialize_unit_struct(&'static str);
        deserialize_tuple(usize);
        deserialize_tuple_struct(&'static str, usize);
        deserialize_unit();
    }

    /// What is not told its type is a leaf: a timestamp.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let expected = "a Timestamp";
        visitor.visit_str(self.text(expected)?).map_err(|_: QueryError| self.expected(expected))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let expected = "a Boolean";
        match self.text(expected)? {
            text if text.eq_ignore_ascii_case("true") => visitor.visit_bool(true),
            text if text.eq_ignore_ascii_case("false") => visitor.visit_bool(false),
            _ => Err(self.expected(expected)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        self.deserialize_string(visitor)
    }

    /// What borrows its text decodes it: only blobs do.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let expected = "base64";
        visitor.visit_str(self.text(expected)?).map_err(|_: QueryError| self.expected(expected))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_str(self.text("a String")?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_newtype_struct(self)
    }

    /// `Tags.member.1`, or flattened `Tags.1`.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let expected = "a list";
        let list = self.wrapper("member", expected)?.unwrap_or(self);
        visitor.visit_seq(Elements(list.numbered(expected)?))
    }

    /// `Attributes.entry.1.key` and `.value`, or flattened `Attributes.1.key` and `.value`.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        let expected = "a map";
        let map = self.wrapper("entry", expected)?.unwrap_or(self);
        visitor.visit_map(Entries { rest: map.numbered(expected)?, value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        visitor.visit_map(Members { rest: self.children("a structure")?, value: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        visitor.visit_enum(self.text("a String")?.into_deserializer())
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_unit()
    }
}

struct Elements<'p>(std::vec::IntoIter<(u32, Node<'p>)>);

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = QueryError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, QueryError> {
        self.0.next().map(|(_, element)| seed.deserialize(element)).transpose()
    }
}

struct Members<'p> {
    rest: Children<'p>,
    value: Option<Node<'p>>,
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = QueryError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, QueryError> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, QueryError> {
        seed.deserialize(self.value.take().ok_or_else(out_of_turn)?)
    }
}

struct Entries<'p> {
    rest: std::vec::IntoIter<(u32, Node<'p>)>,
    value: Option<Node<'p>>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = QueryError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, QueryError> {
        let Some((_, entry)) = self.rest.next() else { return Ok(None) };
        let expected = "a key and a value";
        let (mut key, mut value) = (None, None);
        for (part, child) in entry.children(expected)? {
            match part {
                "key" => key = Some(child),
                "value" => value = Some(child),
                _ => {}
            }
        }
        self.value = value;
        match (key, value) {
            (Some(key), Some(_)) => seed.deserialize(key).map(Some),
            _ => Err(entry.expected(expected)),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, QueryError> {
        seed.deserialize(self.value.take().ok_or_else(out_of_turn)?)
    }
}

/// serde asks for a value only after its key.
fn out_of_turn() -> QueryError {
    QueryError::Other("a value was read before its key".to_owned())
}
