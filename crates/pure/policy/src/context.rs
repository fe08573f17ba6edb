//! The request context: condition keys and their values, in layers.
//!
//! The meaning of a key, and who may set it, is up to whoever fills the context.

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use wire::{Arn, Timestamp};

/// Condition keys and their values. Names are compared without regard to ASCII case.
///
/// A context is cheap to build: nothing is hashed and borrowed text is not copied. One that holds for a whole request
/// can be the parent of several that each describe one permission the request needs.
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    entries: Vec<Entry<'a>>,
    /// Borrowed entries; the own ones hide those of the same name.
    kept: &'a [Entry<'a>],
    parent: Option<&'a Context<'a>>,
}

/// A condition key and what it holds.
pub type Entry<'a> = (Cow<'a, str>, Values<'a>);

/// A value of a condition key. Each operator converts from text what it compares.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text, such as a tag's value or an ARN.
    Text(Cow<'a, str>),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A point in time.
    Time(Timestamp),
    /// An IP address.
    Address(IpAddr),
    /// Bytes, which policies write in base64.
    Bytes(Cow<'a, [u8]>),
}

/// Values of a key.
///
/// The distinction matters to policy variables, which only a single-valued key can fill.
#[derive(Clone, Debug, PartialEq)]
pub enum Values<'a> {
    /// A single-valued key.
    One(Value<'a>),
    /// A multi-valued key, with as many values as the request has. Without any it counts as absent.
    Many(Vec<Value<'a>>),
    /// Several names that are one key without regard to case, such as the tags `Team` and `team`: see [`push_named`].
    Ambiguous,
}

impl<'a> Values<'a> {
    /// The values in the order they were given.
    #[must_use]
    pub fn as_slice(&self) -> &[Value<'a>] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
            Self::Ambiguous => &[],
        }
    }
}

impl Value<'_> {
    /// The value as text: dates in ISO 8601, bytes in base64.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Time(time) => Cow::Owned(time.iso8601()),
            Self::Address(address) => Cow::Owned(address.to_string()),
            Self::Bytes(bytes) => Cow::Owned(STANDARD.encode(bytes)),
        }
    }
}

impl<'a> Context<'a> {
    /// An empty context.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new(), kept: &[], parent: None }
    }

    /// An empty context on top of `parent`: its own keys hide the parent's of the same name.
    #[must_use]
    pub const fn over(parent: &'a Context<'a>) -> Self {
        Self { entries: Vec::new(), kept: &[], parent: Some(parent) }
    }

    /// An empty context on top of `parent`, with room for so many keys.
    #[must_use]
    pub fn with_room(keys: usize, parent: &'a Context<'a>) -> Self {
        Self { entries: Vec::with_capacity(keys), kept: &[], parent: Some(parent) }
    }

    /// Borrowed entries on top of `parent`: they hide the parent's of the same name. Copies nothing.
    #[must_use]
    pub const fn layer(kept: &'a [Entry<'a>], parent: &'a Context<'a>) -> Self {
        Self { entries: Vec::new(), kept, parent: Some(parent) }
    }

    /// Sets a single-valued key. The last value set for a name is the one that counts.
    pub fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) {
        self.entries.push((key.into(), Values::One(value.into())));
    }

    /// Sets a multi-valued key. The last values set for a name are the ones that count.
    pub fn insert_many<V: Into<Value<'a>>>(
        &mut self,
        key: impl Into<Cow<'a, str>>,
        values: impl IntoIterator<Item = V>,
    ) {
        self.entries.push((key.into(), Values::Many(values.into_iter().map(Into::into).collect())));
    }

    /// Sets single-valued keys whose names end in what others chose, as [`push_named`] does.
    pub fn insert_named<N: AsRef<str>, V: Into<Value<'a>>>(
        &mut self,
        prefix: &str,
        named: impl IntoIterator<Item = (N, V)>,
    ) {
        push_named(&mut self.entries, prefix, named);
    }

    /// Sets a key to `values`.
    pub fn insert_values(&mut self, key: impl Into<Cow<'a, str>>, values: Values<'a>) {
        self.entries.push((key.into(), values));
    }

    /// The values of a key, looked for in this layer and then in its parents. A key without values is absent, and so is
    /// an ambiguous one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Values<'a>> {
        self.find(key).filter(|values| !values.as_slice().is_empty())
    }

    fn find(&self, key: &str) -> Option<&Values<'a>> {
        let mut layer = Some(self);
        while let Some(context) = layer {
            let mut latest_first = context.entries.iter().rev().chain(context.kept.iter().rev());
            let found = latest_first.find(|(name, _)| name.eq_ignore_ascii_case(key));
            if let Some((_, values)) = found {
                return Some(values);
            }
            layer = context.parent;
        }
        None
    }

    /// Whether a key is [`Values::Ambiguous`].
    pub(crate) fn is_ambiguous(&self, key: &str) -> bool {
        self.find(key) == Some(&Values::Ambiguous)
    }

    /// Whether any key might be ambiguous, so that requests without one pay for no more than this.
    pub(crate) fn has_ambiguous(&self) -> bool {
        let mut layer = Some(self);
        while let Some(context) = layer {
            if context.entries.iter().chain(context.kept).any(|(_, values)| *values == Values::Ambiguous) {
                return true;
            }
            layer = context.parent;
        }
        false
    }

    /// Every key that is present, each once, with the values that count: this layer's first.
    #[must_use]
    pub fn keys(&self) -> Vec<(&str, &Values<'a>)> {
        let mut keys: Vec<(&str, &Values<'a>)> = Vec::new();
        let mut layer = Some(self);
        while let Some(context) = layer {
            for (name, _) in context.entries.iter().chain(context.kept) {
                let seen = keys.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
                if let Some(values) = self.get(name).filter(|_| !seen) {
                    keys.push((name, values));
                }
            }
            layer = context.parent;
        }
        keys
    }
}

/// Adds single-valued keys whose names end in what others chose: tags, or the pairs of an encryption context.
///
/// Such names are case-sensitive, condition keys are not. If the last one counted, whoever may not change the tag
/// `Team` would add `team` and so choose the value of `aws:ResourceTag/Team`. So none of them counts: the key is
/// [`Values::Ambiguous`]. Every condition on it, and every element with a variable that it would fill, lets a statement
/// that allows not apply and one that denies apply, whatever the operator (`…IfExists` and `Null` too). An absent key
/// would not do: `StringNotEquals` in an allow holds for it, and `StringEquals` in a deny does not.
pub fn push_named<'a, N: AsRef<str>, V: Into<Value<'a>>>(
    entries: &mut Vec<Entry<'a>>,
    prefix: &str,
    named: impl IntoIterator<Item = (N, V)>,
) {
    let start = entries.len();
    let named = named.into_iter();
    entries
        .extend(named.map(|(name, value)| (Cow::Owned([prefix, name.as_ref()].concat()), Values::One(value.into()))));
    let Some(added @ [_, _, ..]) = entries.get_mut(start..) else { return };
    added.sort_by(|(one, _), (other, _)| lower(one).cmp(lower(other)));
    for same in added.chunk_by_mut(|(one, _), (other, _)| one.eq_ignore_ascii_case(other)) {
        if same.len() > 1 {
            same.iter_mut().for_each(|(_, values)| *values = Values::Ambiguous);
        }
    }
}

fn lower(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Arn> for Value<'a> {
    fn from(arn: &'a Arn) -> Self {
        Self::Text(Cow::Borrowed(arn.as_str()))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<OffsetDateTime> for Value<'_> {
    fn from(time: OffsetDateTime) -> Self {
        Self::Time(time.into())
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<IpAddr> for Value<'_> {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}

#[cfg(test)]
mod tests;
