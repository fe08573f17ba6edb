//! JSON as policies need it: members in order with their duplicates, text borrowed, and statements with their place.
//!
//! Nesting is bounded by the parser (128 levels), and what is read takes memory in proportion to the text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::malformed::{At, Malformed, excerpt};

/// A JSON value that keeps what a map would lose: the order of members and their duplicates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// A number, in its shortest decimal form.
    Number(String),
    Text(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Members<'a, Json<'a>>),
}

/// The members of an object, in order.
pub(crate) type Members<'a, V> = Vec<(Cow<'a, str>, V)>;

/// Where something begins or ends in a document: lines and columns counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// From where to where something stands in a document; the end is the position just after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Its first character.
    pub start: Position,
    /// Just after its last character.
    pub end: Position,
}

impl<'a> Json<'a> {
    /// Reads a whole text.
    pub(crate) fn read(text: &'a str, at: &At<'_>) -> Result<Self, Malformed> {
        serde_json::from_str(text).map_err(|error| invalid(at, &error))
    }

    /// Type of the value, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads the document's own members; their values stay text, so that their place in it is known.
pub(crate) fn document(text: &str) -> Result<Members<'_, &RawValue>, Malformed> {
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return Err(Malformed::new(&At::Root, "a policy must be a JSON object"));
    }
    let Document(members) = serde_json::from_str(text).map_err(|error| invalid(&At::Root, &error))?;
    Ok(members)
}

/// Reads the elements of an array as text.
pub(crate) fn elements<'a>(array: &'a str, at: &At<'_>) -> Result<Vec<&'a RawValue>, Malformed> {
    serde_json::from_str(array).map_err(|error| invalid(at, &error))
}

fn invalid(at: &At<'_>, error: &serde_json::Error) -> Malformed {
    Malformed::new(at, format!("not valid JSON: {}", excerpt(&error.to_string())))
}

/// Refuses members of the same name; `same_case` says whether names that differ in case alone are different names.
pub(crate) fn refuse_duplicates<V>(members: &Members<'_, V>, same_case: bool, at: &At<'_>) -> Result<(), Malformed> {
    let mut names: Vec<Cow<'_, str>> = members
        .iter()
        .map(|(name, _)| if same_case { Cow::Borrowed(&**name) } else { Cow::Owned(name.to_ascii_lowercase()) })
        .collect();
    names.sort_unstable();
    let mut neighbours = names.iter().zip(names.iter().skip(1));
    match neighbours.find(|(one, other)| one == other) {
        Some((name, _)) => Err(Malformed::new(at, format!("{:?} appears more than once", excerpt(name)))),
        None => Ok(()),
    }
}

/// Finds the lines and columns of parts of `text`, in the order in which they stand there.
pub(crate) struct Surveyor<'a> {
    text: &'a str,
    /// How far the text has been walked, in bytes, and where that is.
    offset: usize,
    position: Position,
}

impl<'a> Surveyor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, offset: 0, position: Position { line: 1, column: 1 } }
    }

    /// The place of `part`, which must be a slice of the text and stand after the ones asked for before.
    pub(crate) fn span(&mut self, part: &str) -> Span {
        let offset = part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let start = self.walk_to(offset);
        let end = self.walk_to(offset.saturating_add(part.len()));
        Span { start, end }
    }

    fn walk_to(&mut self, offset: usize) -> Position {
        for letter in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            if letter == '\n' {
                self.position = Position { line: self.position.line.saturating_add(1), column: 1 };
            } else {
                self.position.column = self.position.column.saturating_add(1);
            }
        }
        self.offset = self.offset.max(offset);
        self.position
    }
}

/// A document's members.
struct Document<'a>(Members<'a, &'a RawValue>);

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Document<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Document(members))
            }
        }

        from.deserialize_map(Reader)
    }
}

/// A string, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        from.deserialize_str(Reader)
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Json<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Json<'de>, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
                Ok(Json::Bool(value))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
                Ok(Json::Number(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
                Ok(Json::Number(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
                Ok(Json::Number(number.to_string()))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
                Ok(Json::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
                Ok(Json::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Json<'de>, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = array.next_element()? {
                    elements.push(element);
                }
                Ok(Json::Array(elements))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Json::Object(members))
            }
        }

        from.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests;
