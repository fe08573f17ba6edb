//! Input shapes: what a member is called, whether it must be there, and what its value must satisfy.
//!
//! [`shape!`] declares a struct once and yields three things: its decoder (for any serde format), its constraint
//! check, which collects every violation and words it as AWS does, and its members as data, which the tests compare
//! with botocore's models and the audit trail uses to leave secrets out.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{Blob, SecretBlob, Timestamp};

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

/// One rule of a member.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// The length of a text in characters, of a blob in bytes, of a list or map in entries.
    Length(usize, usize),
    /// The value of a number.
    Range(i64, i64),
    /// A regular expression that the whole text matches, as AWS prints it.
    Pattern(&'static str),
    /// A rule for every element of a list.
    Each(&'static [Rule]),
}

/// A type that a member can have.
pub trait Member: Sized {
    /// What serde decodes; kept apart so that constraints can be collected rather than fail one by one.
    type Wire: DeserializeOwned;

    /// Whether values are kept out of messages and the audit trail.
    const SECRET: bool = false;

    /// Turns the decoded value into the type, recording violations; `None` if one of them left no value.
    fn check(wire: Self::Wire, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self>;

    /// Writes the value as the audit trail shows it. Secrets write nothing.
    fn audit<M: SerializeMap>(&self, name: &'static str, out: &mut M) -> Result<(), M::Error>;
}

/// A structure that [`shape!`] declared.
pub trait Shape: Member {
    /// Its members in declared order.
    const MEMBERS: &'static [MemberInfo];

    /// Checks a decoded input.
    ///
    /// # Errors
    /// The message for `ValidationException`, every violation in it.
    fn accept(wire: Self::Wire) -> Result<Self, String> {
        let mut violations = Violations::default();
        let value = Self::check(wire, &Path::Root, &[], &mut violations);
        match (value, violations.message()) {
            (Some(value), None) => Ok(value),
            (_, message) => Err(message.unwrap_or_default()),
        }
    }
}

/// A member as data.
#[derive(Clone, Copy, Debug)]
pub struct MemberInfo {
    /// The wire name.
    pub name: &'static str,
    /// Whether the input is refused without it.
    pub required: bool,
    /// Whether its value must not be shown.
    pub secret: bool,
}

fn check_length(length: usize, value: Option<&str>, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) {
    for rule in rules {
        if let Rule::Length(min, max) = rule {
            if length < *min {
                violations.add(value, path, &format!("Member must have length greater than or equal to {min}"));
            } else if length > *max {
                violations.add(value, path, &format!("Member must have length less than or equal to {max}"));
            }
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

impl Member for String {
    type Wire = String;

    fn check(wire: String, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_length(wire.chars().count(), Some(quote(&wire)), path, rules, violations);
        for rule in rules {
            if let Rule::Pattern(pattern) = rule
                && !pattern_matches(pattern, &wire)
            {
                let rule = format!("Member must satisfy regular expression pattern: {pattern}");
                violations.add(Some(quote(&wire)), path, &rule);
            }
        }
        Some(wire)
    }

    fn audit<M: SerializeMap>(&self, name: &'static str, out: &mut M) -> Result<(), M::Error> {
        audit_entry(name, self, out)
    }
}

/// Whether the whole of `text` matches; each pattern is compiled once.
fn pattern_matches(pattern: &'static str, text: &str) -> bool {
    use std::sync::{Mutex, PoisonError};
    static COMPILED: Mutex<BTreeMap<&'static str, regex_lite::Regex>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if !compiled.contains_key(pattern) {
        let Ok(regex) = regex_lite::Regex::new(&format!("^(?:{pattern})$")) else { return false };
        compiled.insert(pattern, regex);
    }
    compiled.get(pattern).is_some_and(|regex| regex.is_match(text))
}

macro_rules! number_member {
    ($($number:ty),*) => {$(
        impl Member for $number {
            type Wire = $number;

            fn check(wire: $number, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
                for rule in rules {
                    if let Rule::Range(min, max) = rule {
                        let number = i64::from(wire);
                        if number < *min {
                            let rule = format!("Member must have value greater than or equal to {min}");
                            violations.add(Some(&number.to_string()), path, &rule);
                        } else if number > *max {
                            let rule = format!("Member must have value less than or equal to {max}");
                            violations.add(Some(&number.to_string()), path, &rule);
                        }
                    }
                }
                Some(wire)
            }

            fn audit<M: SerializeMap>(&self, name: &'static str, out: &mut M) -> Result<(), M::Error> {
                audit_entry(name, self, out)
            }
        }
    )*};
}
number_member!(i32, i64, u32);

impl Member for bool {
    type Wire = bool;

    fn check(wire: bool, _: &Path<'_>, _: &[Rule], _: &mut Violations) -> Option<Self> {
        Some(wire)
    }

    fn audit<M: SerializeMap>(&self, name: &'static str, out: &mut M) -> Result<(), M::Error> {
        audit_entry(name, self, out)
    }
}

impl Member for Timestamp {
    type Wire = Self;

    fn check(wire: Self, _: &Path<'_>, _: &[Rule], _: &mut Violations) -> Option<Self> {
        Some(wire)
    }

    fn audit<M: SerializeMap>(&self, name: &'static str, out: &mut M) -> Result<(), M::Error> {
        audit_entry(name, &self.iso8601(), out)
    }
}

impl Member for Blob {
    type Wire = Self;
    // Not secret, but large and of no use to a reader of the trail.
    const SECRET: bool = true;

    fn check(wire: Self, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_length(wire.0.len(), None, path, rules, violations);
        Some(wire)
    }

    fn audit<M: SerializeMap>(&self, _: &'static str, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }
}

impl Member for SecretBlob {
    type Wire = Self;
    const SECRET: bool = true;

    fn check(wire: Self, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_length(wire.0.len(), None, path, rules, violations);
        Some(wire)
    }

    fn audit<M: SerializeMap>(&self, _: &'static str, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }
}

impl<T: Member + AuditValue> Member for Vec<T> {
    type Wire = Vec<T::Wire>;
    const SECRET: bool = T::SECRET;

    fn check(wire: Self::Wire, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_length(wire.len(), None, path, rules, violations);
        let each = rules.iter().find_map(|rule| if let Rule::Each(each) = rule { Some(*each) } else { None });
        let mut values = Self::with_capacity(wire.len());
        let mut whole = true;
        for (index, element) in wire.into_iter().enumerate() {
            match T::check(element, &Path::Element(path, index + 1), each.unwrap_or_default(), violations) {
                Some(value) => values.push(value),
                None => whole = false,
            }
        }
        whole.then_some(values)
    }

    fn audit<M: SerializeMap>(&self, name: &'static str, out: &mut M) -> Result<(), M::Error> {
        if T::SECRET { Ok(()) } else { audit_entry(name, &self.iter().map(Audited).collect::<Vec<_>>(), out) }
    }
}

impl Member for BTreeMap<String, String> {
    type Wire = Self;

    fn check(wire: Self, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_length(wire.len(), None, path, rules, violations);
        Some(wire)
    }

    fn audit<M: SerializeMap>(&self, name: &'static str, out: &mut M) -> Result<(), M::Error> {
        audit_entry(name, self, out)
    }
}

/// A value as it stands alone in the audit trail, such as a list's element.
pub trait AuditValue {
    /// Writes the value without its secrets.
    ///
    /// # Errors
    /// The serializer's.
    fn audit_value<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error>;
}

impl AuditValue for String {
    fn audit_value<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self)
    }
}

/// Serialises a value as the audit trail shows it: lower camel-case names, no secrets.
pub struct Audited<'a, T>(pub &'a T);

impl<T: AuditValue> Serialize for Audited<'_, T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.0.audit_value(out)
    }
}

fn audit_entry<T: Serialize, M: SerializeMap>(name: &'static str, value: &T, out: &mut M) -> Result<(), M::Error> {
    let mut letters = [0_u8; 64];
    match letters.get_mut(..name.len()) {
        Some(lower) => {
            lower.copy_from_slice(name.as_bytes());
            if let Some(first) = lower.first_mut() {
                first.make_ascii_lowercase();
            }
            out.serialize_entry(std::str::from_utf8(lower).unwrap_or(name), value)
        }
        None => out.serialize_entry(name, value),
    }
}

/// Declares an input structure.
///
/// ```
/// wire::shape! {
///     /// The input of `Encrypt`.
///     pub struct EncryptInput {
///         "KeyId" key_id: String, required, [wire::shape::Rule::Length(1, 2048)];
///         "GrantTokens" grant_tokens: Vec<String>, default, [wire::shape::Rule::Length(0, 10)];
///         "DryRun" dry_run: bool, optional, [];
///     }
/// }
/// ```
///
/// `required` members are refused when missing; `default` ones become the type's default; `optional` ones are `Option`.
#[macro_export]
macro_rules! shape {
    ($(#[$doc:meta])* $vis:vis struct $name:ident {
        $($wire:literal $field:ident : $kind:ty, $presence:ident, [$($rule:expr),* $(,)?];)*
    }) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "the members are AWS's own and documented there")]
        $vis struct $name {
            $(pub $field: $crate::shape!(@type $presence $kind),)*
        }

        const _: () = {
            #[derive(::serde::Deserialize)]
            #[allow(unreachable_pub, reason = "it is public only as an associated type")]
            pub struct Wire {
                $(#[serde(rename = $wire, default = "none")]
                $field: Option<<$kind as $crate::shape::Member>::Wire>,)*
            }

            #[allow(dead_code, reason = "unused by a shape without members")]
            fn none<T>() -> Option<T> {
                None
            }

            impl $crate::shape::Member for $name {
                type Wire = Wire;

                #[allow(unused_variables, unused_mut, reason = "unused by a shape without members")]
                fn check(
                    wire: Wire,
                    path: &$crate::shape::Path<'_>,
                    _: &[$crate::shape::Rule],
                    violations: &mut $crate::shape::Violations,
                ) -> Option<Self> {
                    $(let $field = {
                        let path = $crate::shape::Path::Member(path, $wire);
                        let value = wire.$field.map(|value| {
                            <$kind as $crate::shape::Member>::check(value, &path, &[$($rule),*], violations)
                        });
                        $crate::shape!(@take $presence value, path, violations)
                    };)*
                    Some(Self { $($field: $field?,)* })
                }

                fn audit<M: ::serde::ser::SerializeMap>(
                    &self,
                    name: &'static str,
                    out: &mut M,
                ) -> Result<(), M::Error> {
                    out.serialize_entry(name, &$crate::shape::Audited(self))
                }
            }

            impl $crate::shape::AuditValue for $name {
                #[allow(unused_mut, reason = "unused by a shape without members")]
                fn audit_value<S: ::serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                    use ::serde::ser::SerializeMap as _;
                    let mut map = out.serialize_map(None)?;
                    $($crate::shape!(@audit $presence self.$field, $wire, &mut map);)*
                    map.end()
                }
            }

            impl $crate::shape::Shape for $name {
                const MEMBERS: &'static [$crate::shape::MemberInfo] = &[
                    $($crate::shape::MemberInfo {
                        name: $wire,
                        required: $crate::shape!(@required $presence),
                        secret: <$kind as $crate::shape::Member>::SECRET,
                    },)*
                ];
            }
        };
    };
    (@type required $kind:ty) => { $kind };
    (@type default $kind:ty) => { $kind };
    (@type optional $kind:ty) => { Option<$kind> };
    // Each yields Some(the field's value), or None when the whole input has to be refused.
    (@take required $value:ident, $path:ident, $violations:ident) => {
        match $value {
            Some(value) => value,
            None => { $violations.missing(&$path); None }
        }
    };
    (@take default $value:ident, $path:ident, $violations:ident) => {
        match $value {
            Some(value) => value,
            None => Some(Default::default()),
        }
    };
    (@take optional $value:ident, $path:ident, $violations:ident) => {
        match $value {
            Some(Some(value)) => Some(Some(value)),
            Some(None) => None,
            None => Some(None),
        }
    };
    (@audit required $value:expr, $name:literal, $out:expr) => {
        $crate::shape::Member::audit(&$value, $name, $out)?
    };
    (@audit default $value:expr, $name:literal, $out:expr) => {
        $crate::shape::Member::audit(&$value, $name, $out)?
    };
    (@audit optional $value:expr, $name:literal, $out:expr) => {
        if let Some(value) = &$value {
            $crate::shape::Member::audit(value, $name, $out)?;
        }
    };
    (@required required) => { true };
    (@required default) => { false };
    (@required optional) => { false };
}

/// Declares an enumeration whose values are texts on the wire, usable as a member of a [`shape!`].
///
/// ```
/// wire::text_enum! {
///     /// What a key may be used for.
///     pub enum KeyUsage { EncryptDecrypt = "ENCRYPT_DECRYPT", SignVerify = "SIGN_VERIFY" }
/// }
/// ```
#[macro_export]
macro_rules! text_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[allow(missing_docs, reason = "the values are AWS's own and documented there")]
        $vis enum $name { $(#[serde(rename = $text)] $variant,)* }

        #[allow(dead_code, reason = "an enumeration that is only read back needs no text of its own")]
        impl $name {
            /// Every value's text, in declared order.
            $vis const TEXTS: &'static [&'static str] = &[$($text),*];

            /// The text on the wire.
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of a text.
            #[must_use]
            $vis fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, out: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl $crate::shape::Member for $name {
            type Wire = String;

            fn check(
                wire: String,
                path: &$crate::shape::Path<'_>,
                _: &[$crate::shape::Rule],
                violations: &mut $crate::shape::Violations,
            ) -> Option<Self> {
                let value = Self::from_text(&wire);
                if value.is_none() {
                    let rule = format!("Member must satisfy enum value set: [{}]", Self::TEXTS.join(", "));
                    violations.add(Some($crate::shape::quote(&wire)), path, &rule);
                }
                value
            }

            fn audit<M: ::serde::ser::SerializeMap>(&self, name: &'static str, out: &mut M) -> Result<(), M::Error> {
                $crate::shape::Member::audit(&self.as_str().to_owned(), name, out)
            }
        }

        impl $crate::shape::AuditValue for $name {
            fn audit_value<S: ::serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(self.as_str())
            }
        }
    };
}

#[cfg(test)]
mod tests;
