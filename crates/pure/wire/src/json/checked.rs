//! A deserializer around serde_json's that says as AWS does what stands where something else was expected, and that,
//! unlike serde, takes no list for a structure.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The most texts, numbers and lists that are decoded of one body. What is ignored does not count.
const VALUES_MAX: usize = 3000;

/// How many values may still be decoded.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(Cell::new(VALUES_MAX))
    }

    fn spend<E: Error>(&self) -> Result<(), E> {
        let left = self.0.get().checked_sub(1);
        self.0.set(left.ok_or_else(|| E::custom(format_args!("The request has more than {VALUES_MAX} values")))?);
        Ok(())
    }
}

/// A value that is checked against what is asked for.
pub(super) struct Checked<'b, D>(pub(super) D, pub(super) &'b Budget);

/// What the type being decoded asked for.
#[derive(Clone, Copy)]
enum Wanted {
    Text,
    Blob,
    Boolean,
    Integer,
    Long,
    Double,
    List,
    Map,
    Structure,
    /// Whatever there is: a timestamp, which is a number or a text.
    Any,
}

impl Wanted {
    /// The error for a scalar where this was wanted. `token` is AWS's name of the scalar.
    fn refuse<E: Error>(self, token: &str) -> E {
        let kind = match self {
            Self::Blob => return E::custom("only base-64-encoded strings are convertible to bytes"),
            Self::List => return E::custom("Expected list or null"),
            Self::Map | Self::Structure => return E::custom("Expected null"),
            Self::Text => "a String",
            Self::Boolean => "a Boolean",
            Self::Integer => "an Integer",
            Self::Long => "a Long",
            Self::Double => "a Double",
            Self::Any => "a Timestamp",
        };
        E::custom(format_args!("{token} can not be converted to {kind}"))
    }
}

macro_rules! wanted {
    ($($method:ident: $wanted:ident),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.1.spend()?;
            self.0.deserialize_any(Checking { visitor, wanted: Wanted::$wanted, budget: self.1 })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Checked<'_, D> {
    type Error = D::Error;

    wanted! {
        deserialize_any: Any,
        deserialize_bool: Boolean,
        deserialize_i8: Integer,
        deserialize_i16: Integer,
        deserialize_i32: Integer,
        deserialize_i64: Long,
        deserialize_u8: Integer,
        deserialize_u16: Integer,
        deserialize_u32: Integer,
        deserialize_u64: Long,
        deserialize_f32: Double,
        deserialize_f64: Double,
        deserialize_char: Text,
        deserialize_string: Text,
        // What borrows its text decodes it: only blobs do.
        deserialize_str: Blob,
        deserialize_bytes: Blob,
        deserialize_byte_buf: Blob,
        deserialize_unit: Any,
        deserialize_seq: List,
        deserialize_map: Map,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Checking { visitor, wanted: Wanted::Any, budget: self.1 })
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Checking { visitor, wanted: Wanted::Structure, budget: self.1 })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_identifier(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }
}

/// A visitor that hands on only what was wanted.
struct Checking<'b, V> {
    visitor: V,
    wanted: Wanted,
    budget: &'b Budget,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Checking<'_, V> {
    type Value = V::Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(out)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Boolean => self.visitor.visit_bool(value),
            wanted => Err(wanted.refuse(if value { "TRUE_VALUE" } else { "FALSE_VALUE" })),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        match self.wanted {
            wanted @ (Wanted::Integer | Wanted::Long | Wanted::Double | Wanted::Any) => {
                self.visitor.visit_i64(value).map_err(|_: E| wanted.refuse("NUMBER_VALUE"))
            }
            wanted => Err(wanted.refuse("NUMBER_VALUE")),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        match self.wanted {
            wanted @ (Wanted::Integer | Wanted::Long | Wanted::Double | Wanted::Any) => {
                self.visitor.visit_u64(value).map_err(|_: E| wanted.refuse("NUMBER_VALUE"))
            }
            wanted => Err(wanted.refuse("NUMBER_VALUE")),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        match self.wanted {
            wanted @ (Wanted::Double | Wanted::Any) => {
                self.visitor.visit_f64(value).map_err(|_: E| wanted.refuse("DECIMAL_VALUE"))
            }
            wanted => Err(wanted.refuse("DECIMAL_VALUE")),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        match self.wanted {
            wanted @ (Wanted::Text | Wanted::Blob | Wanted::Any) => {
                self.visitor.visit_str(value).map_err(|_: E| wanted.refuse("STRING_VALUE"))
            }
            wanted => Err(wanted.refuse("STRING_VALUE")),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Any => self.visitor.visit_unit(),
            wanted => Err(wanted.refuse("NULL_VALUE")),
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Checked(value, self.budget))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        match self.wanted {
            Wanted::List | Wanted::Any => self.visitor.visit_seq(Elements(elements, self.budget)),
            _ => Err(A::Error::custom("Start of list found where not expected")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        match self.wanted {
            Wanted::Map | Wanted::Structure | Wanted::Any => self.visitor.visit_map(Entries(entries, self.budget)),
            _ => Err(A::Error::custom("Start of structure or map found where not expected.")),
        }
    }
}

/// A seed whose value is checked.
struct Seed<'b, S>(S, &'b Budget);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Checked(from, self.1))
    }
}

struct Elements<'b, A>(A, &'b Budget);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Seed(seed, self.1))
    }
}

struct Entries<'b, A>(A, &'b Budget);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Seed(seed, self.1))
    }
}
