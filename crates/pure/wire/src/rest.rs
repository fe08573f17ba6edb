//! restXml requests: members from the path, the query, the headers and an XML body.
//!
//! Knows where members travel; which request is for which operation is the route's.
//!
//! Source: Smithy, "AWS restXml protocol".

mod xml;

use std::borrow::Cow;

use http::HeaderMap;
use zeroize::Zeroizing;

use self::xml::Cursor;
use crate::Timestamp;
use crate::reader::{Malformed, decode_base64, note};
use crate::shape::{At, Kind, MemberInfo, Place};

/// A name and a value.
pub(crate) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The parts of a request that members travel in.
pub(crate) struct Parts<'a> {
    /// Labels of the path by name, decoded.
    pub(crate) labels: &'a [(&'static str, String)],
    /// Parameters of the query, decoded.
    pub(crate) query: &'a [Pair<'a>],
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// A value outside an XML body.
enum Value<'a> {
    Text(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
    Entries(Vec<Pair<'a>>),
    Raw(&'a [u8]),
}

/// A request, read member by member.
pub(crate) struct Reader<'a> {
    parts: Parts<'a>,
    /// Whether the input itself was begun: what is opened next is in the body.
    begun: bool,
    xml: Option<Cursor<'a>>,
    /// The value that is read next, if it is not the element passed last.
    value: Option<Value<'a>>,
    /// The place of the member that was found last.
    place: &'static Place,
}

/// Progress in a structure, list or map.
pub(crate) enum Level<'a> {
    /// The input itself: the member that is looked for next, and whether the body's elements are reached.
    Input { next: usize, body: bool },
    /// An element with members. Attributes are looked for first, from this member on.
    Elements { attribute: usize },
    /// An element with elements of this name.
    Items(&'static str),
    /// An element with entries; whether one is open.
    Entries(bool),
    /// Texts outside a body.
    Texts(std::vec::IntoIter<Cow<'a, str>>),
    /// Headers by the rest of their names.
    Headers(std::vec::IntoIter<Pair<'a>>),
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(parts: Parts<'a>) -> Self {
        Self { parts, begun: false, xml: None, value: None, place: &Place::BODY }
    }

    /// Checks that nothing follows the body's root element.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        self.xml.map_or(Ok(()), Cursor::finish)
    }

    fn xml(&mut self) -> Result<&mut Cursor<'a>, Malformed> {
        self.xml.as_mut().ok_or(Malformed::Syntax)
    }

    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        match self.value.take() {
            None => self.xml()?.text(),
            Some(Value::Text(text)) => Ok(text),
            Some(Value::List(list)) => single(list),
            Some(Value::Raw(body)) => std::str::from_utf8(body).map(Cow::Borrowed).map_err(|_| Malformed::Syntax),
            Some(Value::Entries(_)) => Err(Malformed::Syntax),
        }
    }

    /// Reads a scalar. In a body a wrong one is one fault with wrong syntax; elsewhere the message says what was expected.
    fn scalar<T>(&mut self, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Malformed> {
        let body = self.value.is_none();
        let text = self.text()?;
        parse(text.trim_ascii()).ok_or_else(|| match body {
            true => Malformed::Syntax,
            false => Malformed::Form(format!("Expected {expected}")),
        })
    }

    pub(crate) fn bytes(&mut self) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        if let Some(Value::Raw(body)) = self.value {
            self.value = None;
            return Ok(Zeroizing::new(body.to_vec()));
        }
        self.scalar("base64", decode_base64)
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, Malformed> {
        self.scalar("a Boolean", |text| match text {
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    pub(crate) fn number(&mut self, min: i64, max: i64) -> Result<i64, Malformed> {
        self.scalar("a whole number", |text| text.parse().ok().filter(|number| (min..=max).contains(number)))
    }

    pub(crate) fn timestamp(&mut self) -> Result<Timestamp, Malformed> {
        self.scalar("a date", |text| Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_http_date(text)))
    }

    pub(crate) fn open_structure(&mut self) -> Result<Level<'a>, Malformed> {
        if !std::mem::replace(&mut self.begun, true) {
            return Ok(Level::Input { next: 0, body: false });
        }
        match self.value {
            None => Ok(Level::Elements { attribute: 0 }),
            Some(_) => Err(Malformed::Syntax),
        }
    }

    pub(crate) fn next_member(
        &mut self,
        level: &mut Level<'a>,
        members: &'static [MemberInfo],
        seen: &mut u128,
    ) -> Result<Option<usize>, Malformed> {
        match level {
            Level::Input { next, body: false } => {
                while let Some(member) = members.get(*next) {
                    let index = *next;
                    *next += 1;
                    if self.find(member)? {
                        self.place = &member.place;
                        return Ok(Some(index));
                    }
                }
                let elements = members.iter().any(|member| member.place.at == At::Body);
                if !elements || self.parts.body.is_empty() {
                    return Ok(None);
                }
                self.xml = Some(Cursor::new(self.parts.body)?);
                *level = Level::Input { next: 0, body: true };
                self.next_element_member(members, seen)
            }
            Level::Input { body: true, .. } => self.next_element_member(members, seen),
            Level::Elements { attribute } => {
                while let Some(member) = members.get(*attribute) {
                    let index = *attribute;
                    *attribute += 1;
                    if member.place.attribute
                        && let Some(value) = self.xml()?.attribute(member.place.name.unwrap_or(member.name))?
                    {
                        self.value = Some(Value::Text(value.into()));
                        self.place = &member.place;
                        return Ok(Some(index));
                    }
                }
                self.next_element_member(members, seen)
            }
            _ => Err(Malformed::Syntax),
        }
    }

    /// Goes to the next element that is a member.
    fn next_element_member(
        &mut self,
        members: &'static [MemberInfo],
        seen: &mut u128,
    ) -> Result<Option<usize>, Malformed> {
        loop {
            let xml = self.xml()?;
            if !xml.next_child()? {
                return Ok(None);
            }
            let found = members.iter().enumerate().find(|(_, member)| {
                let place = &member.place;
                place.at == At::Body && !place.attribute && xml.is_named(place.name.unwrap_or(member.name))
            });
            let Some((index, member)) = found else {
                xml.skip()?;
                continue;
            };
            if !member.place.flat {
                note(seen, index, member.name).map_err(|_| Malformed::Syntax)?;
            }
            self.place = &member.place;
            return Ok(Some(index));
        }
    }

    /// Finds a member outside the elements of a body; `false` if the request does not have it.
    fn find(&mut self, member: &'static MemberInfo) -> Result<bool, Malformed> {
        let list = matches!(member.kind, Kind::List(_));
        self.value = Some(match member.place.at {
            At::Body | At::Status => return Ok(false),
            At::Label => match self.parts.labels.iter().find(|(name, _)| *name == member.name) {
                Some((_, value)) => Value::Text(Cow::Borrowed(value)),
                None => return Ok(false),
            },
            At::Query(name) => {
                let mut values = self.parts.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
                match (values.next(), list) {
                    (None, _) => return Ok(false),
                    (Some(value), false) => Value::Text(value),
                    (Some(value), true) => Value::List(std::iter::once(value).chain(values).collect()),
                }
            }
            At::Header(name) => {
                let mut values = Vec::new();
                for value in self.parts.headers.get_all(name) {
                    let value = std::str::from_utf8(value.as_bytes());
                    values.push(Cow::Borrowed(value.map_err(|_| Malformed::Form(format!("{name} is not UTF-8")))?));
                }
                match (values.len(), list) {
                    (0, _) => return Ok(false),
                    (1, false) => single(values).map(Value::Text)?,
                    (_, false) => return Err(Malformed::Form(format!("{name} is given more than once"))),
                    (_, true) => Value::List(values.iter().flat_map(|value| elements(value)).collect()),
                }
            }
            At::PrefixHeaders(prefix) => {
                let mut entries: Vec<Pair<'a>> = Vec::new();
                for name in self.parts.headers.keys() {
                    let Some(rest) = name.as_str().strip_prefix(prefix) else { continue };
                    let values: Result<Vec<_>, _> = self
                        .parts
                        .headers
                        .get_all(name)
                        .iter()
                        .map(|value| std::str::from_utf8(value.as_bytes()))
                        .collect();
                    let values = values.map_err(|_| Malformed::Form(format!("{name} is not UTF-8")))?;
                    entries.push((rest.into(), values.join(",").into()));
                }
                if entries.is_empty() {
                    return Ok(false);
                }
                Value::Entries(entries)
            }
            At::Payload if self.parts.body.is_empty() => return Ok(false),
            At::Payload if matches!(member.kind, Kind::Structure) => {
                let xml = Cursor::new(self.parts.body)?;
                if !xml.is_named(member.place.name.unwrap_or(member.name)) {
                    return Err(Malformed::Syntax);
                }
                self.xml = Some(xml);
                self.value = None;
                return Ok(true);
            }
            At::Payload => Value::Raw(self.parts.body),
        });
        Ok(true)
    }

    pub(crate) fn open_list(&mut self) -> Result<Level<'a>, Malformed> {
        match self.value.take() {
            None => Ok(Level::Items(self.place.item)),
            Some(Value::List(texts)) => Ok(Level::Texts(texts.into_iter())),
            Some(Value::Text(text)) => Ok(Level::Texts(vec![text].into_iter())),
            Some(_) => Err(Malformed::Syntax),
        }
    }

    pub(crate) fn next_element(&mut self, level: &mut Level<'a>) -> Result<bool, Malformed> {
        match level {
            Level::Items(item) => {
                let xml = self.xml()?;
                while xml.next_child()? {
                    if xml.is_named(item) {
                        return Ok(true);
                    }
                    xml.skip()?;
                }
                Ok(false)
            }
            Level::Texts(texts) => {
                self.value = texts.next().map(Value::Text);
                Ok(self.value.is_some())
            }
            _ => Err(Malformed::Syntax),
        }
    }

    pub(crate) const fn is_flat_element(&self) -> bool {
        self.place.flat && self.value.is_none()
    }

    pub(crate) fn open_map(&mut self) -> Result<Level<'a>, Malformed> {
        match self.value.take() {
            None => Ok(Level::Entries(false)),
            Some(Value::Entries(entries)) => Ok(Level::Headers(entries.into_iter())),
            Some(_) => Err(Malformed::Syntax),
        }
    }

    pub(crate) fn next_key(&mut self, level: &mut Level<'a>) -> Result<Option<Cow<'a, str>>, Malformed> {
        match level {
            Level::Headers(entries) => {
                let Some((name, value)) = entries.next() else { return Ok(None) };
                self.value = Some(Value::Text(value));
                Ok(Some(name))
            }
            Level::Entries(open) => {
                let xml = self.xml()?;
                if *open && xml.next_child()? {
                    return Err(Malformed::Syntax);
                }
                *open = xml.next_child()?;
                if !*open {
                    return Ok(None);
                }
                let mut part = |name| match xml.next_child()? && xml.is_named(name) {
                    true => Ok(()),
                    false => Err(Malformed::Syntax),
                };
                part("key")?;
                let key = self.xml()?.text()?;
                let xml = self.xml()?;
                if !(xml.next_child()? && xml.is_named("value")) {
                    return Err(Malformed::Syntax);
                }
                Ok(Some(key))
            }
            _ => Err(Malformed::Syntax),
        }
    }

    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        match self.value.take() {
            None => self.xml()?.skip(),
            Some(_) => Ok(()),
        }
    }
}

/// The only text of a list.
fn single(list: Vec<Cow<'_, str>>) -> Result<Cow<'_, str>, Malformed> {
    list.into_iter().next().ok_or(Malformed::Syntax)
}

/// The elements of a list in a header.
fn elements<'a>(value: &Cow<'a, str>) -> Vec<Cow<'a, str>> {
    let trim = |text: &str| Cow::Owned(text.trim_ascii().to_owned());
    value.split(',').map(trim).filter(|text: &Cow<'a, str>| !text.is_empty()).collect()
}
