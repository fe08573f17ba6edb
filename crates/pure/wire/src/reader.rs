//! The one reader that shapes decode from, whichever protocol the bytes are in.
//!
//! Not generic: a shape's decoder is compiled once, and a branch finds the protocol. Knows syntax and members' names;
//! constraints are checked afterwards, by [`Member::check`](crate::shape::Member::check).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::shape::MemberInfo;
use crate::{Timestamp, cbor, json, query, rest};

/// The most texts, numbers and lists that are decoded of one body. Ignored members do not count.
const VALUES_MAX: usize = 3000;

/// The same for restXml, where completing an upload lists 10,000 parts of a number, a tag and a checksum each.
const REST_VALUES_MAX: usize = 100_000;

/// Why a request cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes are not of the protocol's syntax. AWS gives no message.
    Syntax,
    /// A value has another type than the member; the message is AWS's.
    Form(String),
}

impl Malformed {
    /// A value of the wrong type, in these words.
    pub(crate) fn form(message: impl Into<String>) -> Self {
        Self::Form(message.into())
    }

    /// The message for the caller, empty where AWS gives none.
    #[must_use]
    pub fn into_message(self) -> String {
        match self {
            Self::Syntax => String::new(),
            Self::Form(message) => message,
        }
    }
}

/// The type that a member asks for, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Text,
    Blob,
    Boolean,
    Integer,
    Long,
    Timestamp,
    List,
    Map,
    Structure,
}

impl Wanted {
    /// The error for a scalar where this was wanted. `token` is AWS's name of the scalar.
    pub(crate) fn refuse(self, token: &str) -> Malformed {
        let kind = match self {
            Self::Blob => return Malformed::form("only base-64-encoded strings are convertible to bytes"),
            Self::List => return Malformed::form("Expected list or null"),
            Self::Map | Self::Structure => return Malformed::form("Expected null"),
            Self::Text => "a String",
            Self::Boolean => "a Boolean",
            Self::Integer => "an Integer",
            Self::Long => "a Long",
            Self::Timestamp => "a Timestamp",
        };
        Malformed::Form(format!("{token} can not be converted to {kind}"))
    }
}

/// Reads one request's input, value by value.
pub struct Reader<'a> {
    source: Source<'a>,
    values_left: usize,
    values_max: usize,
}

/// The syntax being read.
pub(crate) enum Source<'a> {
    Json(json::Reader<'a>),
    Cbor(cbor::Reader<'a>),
    Query(query::Reader<'a>),
    /// Boxed, because it is ten times as large as the others.
    Rest(Box<rest::Reader<'a>>),
}

/// A structure, list or map that is being read.
pub struct Open<'a> {
    level: Level<'a>,
    /// The members that were there already, by their place in the shape.
    seen: u128,
}

/// Progress in a structure, list or map.
pub(crate) enum Level<'a> {
    /// Whether the next part is the first.
    Json {
        first: bool,
    },
    /// Parts that are left, `None` until a break.
    Cbor {
        left: Option<u64>,
    },
    Query(query::Level<'a>),
    Rest(rest::Level<'a>),
}

/// A member or an element was asked of a level of another protocol: an error in this crate.
const OTHER_PROTOCOL: Malformed = Malformed::Syntax;

impl<'a> Reader<'a> {
    pub(crate) const fn new(source: Source<'a>) -> Self {
        let values_max = match source {
            Source::Json(_) | Source::Cbor(_) => VALUES_MAX,
            Source::Rest(_) => REST_VALUES_MAX,
            // Parameters are counted when the form is parsed.
            Source::Query(_) => usize::MAX,
        };
        Self { source, values_left: values_max, values_max }
    }

    /// Checks that nothing follows the input.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        match self.source {
            Source::Json(json) => json.finish(),
            Source::Cbor(cbor) => cbor.finish(),
            Source::Query(_) => Ok(()),
            Source::Rest(rest) => rest.finish(),
        }
    }

    fn spend(&mut self) -> Result<(), Malformed> {
        match self.values_left.checked_sub(1) {
            Some(left) => self.values_left = left,
            None => return Err(Malformed::Form(format!("The request has more than {} values", self.values_max))),
        }
        Ok(())
    }

    /// Reads a text.
    ///
    /// # Errors
    /// The value is not one.
    pub fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.spend()?;
        match &mut self.source {
            Source::Json(json) => json.text(Wanted::Text),
            Source::Cbor(cbor) => cbor.text(Wanted::Text),
            Source::Query(query) => query.text("a String").map(Cow::Borrowed),
            Source::Rest(rest) => rest.text(),
        }
    }

    /// Reads bytes: base64, or a byte string in CBOR.
    ///
    /// # Errors
    /// The value is neither.
    pub fn bytes(&mut self) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        self.spend()?;
        match &mut self.source {
            Source::Json(json) => {
                let text = json.text(Wanted::Blob)?;
                decode_base64(&text).ok_or_else(|| Wanted::Blob.refuse("STRING_VALUE"))
            }
            Source::Cbor(cbor) => cbor.bytes(),
            Source::Query(query) => {
                let expected = "base64";
                decode_base64(query.text(expected)?).ok_or_else(|| query.expected(expected))
            }
            Source::Rest(rest) => rest.bytes(),
        }
    }

    /// Reads a truth value.
    ///
    /// # Errors
    /// The value is not one.
    pub fn boolean(&mut self) -> Result<bool, Malformed> {
        self.spend()?;
        match &mut self.source {
            Source::Json(json) => json.boolean(),
            Source::Cbor(cbor) => cbor.boolean(),
            Source::Query(query) => query.boolean(),
            Source::Rest(rest) => rest.boolean(),
        }
    }

    /// Reads a whole number of up to 32 bits, between `min` and `max`.
    ///
    /// # Errors
    /// The value is not one.
    pub fn integer(&mut self, min: i64, max: i64) -> Result<i64, Malformed> {
        self.number(Wanted::Integer, min, max)
    }

    /// Reads a whole number of up to 64 bits.
    ///
    /// # Errors
    /// The value is not one.
    pub fn long(&mut self) -> Result<i64, Malformed> {
        self.number(Wanted::Long, i64::MIN, i64::MAX)
    }

    fn number(&mut self, wanted: Wanted, min: i64, max: i64) -> Result<i64, Malformed> {
        self.spend()?;
        match &mut self.source {
            Source::Json(json) => json.number(wanted, min, max),
            Source::Cbor(cbor) => cbor.number(wanted, min, max),
            Source::Query(query) => query.number(wanted, min, max),
            Source::Rest(rest) => rest.number(min, max),
        }
    }

    /// Reads a point in time, in the protocol's own form.
    ///
    /// # Errors
    /// The value is not one.
    pub fn timestamp(&mut self) -> Result<Timestamp, Malformed> {
        self.spend()?;
        match &mut self.source {
            Source::Json(json) => json.timestamp(),
            Source::Cbor(cbor) => cbor.timestamp(),
            Source::Query(query) => query.timestamp(),
            Source::Rest(rest) => rest.timestamp(),
        }
    }

    /// Begins a structure.
    ///
    /// # Errors
    /// The value is not one.
    pub fn open_structure(&mut self) -> Result<Open<'a>, Malformed> {
        let level = match &mut self.source {
            Source::Json(json) => json.open(Wanted::Structure)?,
            Source::Cbor(cbor) => cbor.open(Wanted::Structure)?,
            Source::Query(query) => Level::Query(query.open_structure()?),
            Source::Rest(rest) => Level::Rest(rest.open_structure()?),
        };
        Ok(Open { level, seen: 0 })
    }

    /// Goes to the next member that is among `members` and has a value; `None` at the structure's end. What is read
    /// next is the value.
    ///
    /// # Errors
    /// The structure is malformed, or a member is there twice.
    pub fn next_member(
        &mut self,
        open: &mut Open<'a>,
        members: &'static [MemberInfo],
    ) -> Result<Option<usize>, Malformed> {
        loop {
            let name: Cow<'a, str> = match (&mut self.source, &mut open.level) {
                (Source::Json(json), Level::Json { first }) => match json.next_name(first)? {
                    Some(name) => name,
                    None => return Ok(None),
                },
                (Source::Cbor(cbor), Level::Cbor { left }) => match cbor.next_name(left)? {
                    Some(name) => name,
                    None => return Ok(None),
                },
                (Source::Query(query), Level::Query(level)) => match query.next_name(level) {
                    Some(name) => Cow::Borrowed(name),
                    None => return Ok(None),
                },
                // Where a member travels is not found by its name.
                (Source::Rest(rest), Level::Rest(level)) => return rest.next_member(level, members, &mut open.seen),
                _ => return Err(OTHER_PROTOCOL),
            };
            let Some(index) = members.iter().position(|member| member.name == name) else {
                self.skip_member()?;
                continue;
            };
            note(&mut open.seen, index, &name)?;
            let null = match &mut self.source {
                Source::Json(json) => json.null_member()?,
                Source::Cbor(cbor) => cbor.null()?,
                Source::Query(_) | Source::Rest(_) => false,
            };
            if !null {
                return Ok(Some(index));
            }
        }
    }

    fn skip_member(&mut self) -> Result<(), Malformed> {
        if let Source::Json(json) = &mut self.source {
            json.colon()?;
        }
        self.skip()
    }

    /// Skips a value. What is in it has to be of the protocol's syntax, no more.
    ///
    /// # Errors
    /// It is not.
    pub fn skip(&mut self) -> Result<(), Malformed> {
        match &mut self.source {
            Source::Json(json) => json.skip(),
            Source::Cbor(cbor) => cbor.skip(),
            Source::Query(_) => Ok(()),
            Source::Rest(rest) => rest.skip(),
        }
    }

    /// Begins a list.
    ///
    /// # Errors
    /// The value is not one.
    pub fn open_list(&mut self) -> Result<Open<'a>, Malformed> {
        self.spend()?;
        let level = match &mut self.source {
            Source::Json(json) => json.open(Wanted::List)?,
            Source::Cbor(cbor) => cbor.open(Wanted::List)?,
            Source::Query(query) => Level::Query(query.open_list()?),
            Source::Rest(rest) => Level::Rest(rest.open_list()?),
        };
        Ok(Open { level, seen: 0 })
    }

    /// Goes to the next element of a list; `false` at its end.
    ///
    /// # Errors
    /// The list is malformed.
    pub fn next_element(&mut self, open: &mut Open<'a>) -> Result<bool, Malformed> {
        match (&mut self.source, &mut open.level) {
            (Source::Json(json), Level::Json { first }) => json.next_element(first),
            (Source::Cbor(cbor), Level::Cbor { left }) => cbor.next_element(left),
            (Source::Query(query), Level::Query(level)) => Ok(query.next_element(level)),
            (Source::Rest(rest), Level::Rest(level)) => rest.next_element(level),
            _ => Err(OTHER_PROTOCOL),
        }
    }

    /// Whether the value is one element of a list whose elements stand among the structure's members.
    #[must_use]
    pub fn is_flat_element(&self) -> bool {
        match &self.source {
            Source::Rest(rest) => rest.is_flat_element(),
            Source::Json(_) | Source::Cbor(_) | Source::Query(_) => false,
        }
    }

    /// Begins a map from texts.
    ///
    /// # Errors
    /// The value is not one.
    pub fn open_map(&mut self) -> Result<Open<'a>, Malformed> {
        self.spend()?;
        let level = match &mut self.source {
            Source::Json(json) => json.open(Wanted::Map)?,
            Source::Cbor(cbor) => cbor.open(Wanted::Map)?,
            Source::Query(query) => Level::Query(query.open_map()?),
            Source::Rest(rest) => Level::Rest(rest.open_map()?),
        };
        Ok(Open { level, seen: 0 })
    }

    /// Goes to the next entry of a map, whose value is read next; `None` at its end.
    ///
    /// # Errors
    /// The map is malformed.
    pub fn next_key(&mut self, open: &mut Open<'a>) -> Result<Option<Cow<'a, str>>, Malformed> {
        match (&mut self.source, &mut open.level) {
            (Source::Json(json), Level::Json { first }) => {
                let key = json.next_name(first)?;
                if key.is_some() {
                    json.colon()?;
                }
                Ok(key)
            }
            (Source::Cbor(cbor), Level::Cbor { left }) => cbor.next_name(left),
            (Source::Query(query), Level::Query(level)) => query.next_key(level),
            (Source::Rest(rest), Level::Rest(level)) => rest.next_key(level),
            _ => Err(OTHER_PROTOCOL),
        }
    }
}

/// Notes that a member is there, and refuses the second of the same name.
pub(crate) fn note(seen: &mut u128, index: usize, name: &str) -> Result<(), Malformed> {
    let bit = u32::try_from(index).ok().and_then(|index| 1_u128.checked_shl(index)).unwrap_or_default();
    if *seen & bit != 0 {
        return Err(Malformed::Form(format!("duplicate field `{name}`")));
    }
    *seen |= bit;
    Ok(())
}

/// Decodes base64 in place, so that what was decoded before an error is wiped too.
pub(crate) fn decode_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}
