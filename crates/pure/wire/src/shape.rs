//! Input shapes: what a member is called, whether it must be there, and what its value must satisfy.
//!
//! [`shape!`](crate::shape!) declares a struct once and yields three things: its decoder (for any protocol), its
//! constraint check, which collects violations and words them as AWS does, and its members as data, which the tests
//! compare with botocore's models and the audit trail uses to leave secrets out.

mod audit;
mod chosen;
mod counted;
mod document;
mod extent;
mod member;
mod output;
mod pattern;
mod place;
mod violation;

use serde::ser::SerializeStruct;

pub use audit::{AuditValue, Audited, lower_first};
pub use chosen::{Chosen, FromText};
pub use counted::Counted;
pub use extent::{BODY_BYTES_LEAST, Kind, body_bytes_max};
pub use output::Output;
pub use place::{At, Binding, Place};
pub use violation::{Breach, Path, Refused, VIOLATIONS_MAX, Violations, Wrong, quote};

use crate::reader::{Malformed, Reader};

/// The most elements of a list, or entries of a map, that has no rule for its length.
pub const COUNT_MAX: usize = 1000;

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
    /// The most bytes of content that the elements of a list have together. Only the length of the whole body is held to
    /// it; the operation does the rest.
    Together(usize),
}

/// A type as data: the form of its values on the wire.
pub trait Described {
    /// The members of the structure that it is, or that a list of it holds.
    const INNER: &'static [MemberInfo] = &[];

    /// Its form on the wire.
    const KIND: Kind = Kind::Text;

    /// Whether it is what a `default` member is when it is missing.
    fn is_default(&self) -> bool {
        false
    }
}

impl<T: Described> Described for Option<T> {
    const INNER: &'static [MemberInfo] = T::INNER;
    const KIND: Kind = T::KIND;
}

/// A type that a member can have.
pub trait Member: Described + Sized {
    /// The decoded value; kept apart so that constraints can be collected rather than fail one by one.
    type Wire;

    /// Whether values are kept out of messages and the audit trail.
    const SECRET: bool = false;

    /// Reads a value. Of a list or map no more than `count_max` elements take memory; the others are counted.
    ///
    /// # Errors
    /// The bytes are malformed, or hold a value of another type.
    fn read(reader: &mut Reader<'_>, count_max: usize) -> Result<Self::Wire, Malformed>;

    /// Reads a value, or one element more of a list whose elements stand among the structure's members.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn fill(slot: &mut Option<Self::Wire>, reader: &mut Reader<'_>, count_max: usize) -> Result<(), Malformed> {
        *slot = Some(Self::read(reader, count_max)?);
        Ok(())
    }

    /// Turns the decoded value into the type, recording violations; `None` if one of them left no value.
    fn check(wire: Self::Wire, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self>;

    /// Writes the value as the audit trail shows it. Secrets write nothing.
    ///
    /// # Errors
    /// The serializer's.
    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error>;
}

/// The most elements that these rules allow in a list or map.
#[must_use]
pub const fn count_max(rules: &[Rule]) -> usize {
    let mut rest = rules;
    while let [rule, others @ ..] = rest {
        if let Rule::Length(_, max) = rule {
            return *max;
        }
        rest = others;
    }
    COUNT_MAX
}

/// A structure that [`shape!`](crate::shape!) declared.
pub trait Shape: Member {
    /// Its members in declared order.
    const MEMBERS: &'static [MemberInfo];

    /// Checks a decoded input.
    ///
    /// # Errors
    /// [`Refused`], with the first [`VIOLATIONS_MAX`] violations.
    fn accept(wire: Self::Wire) -> Result<Self, Refused> {
        let mut violations = Violations::default();
        let value = Self::check(wire, &Path::Root, &[], &mut violations);
        match (value, violations.refusal()) {
            (Some(value), None) => Ok(value),
            (_, refusal) => Err(refusal.unwrap_or_default()),
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
    /// The constraints of its value.
    pub rules: &'static [Rule],
    /// Its form on the wire.
    pub kind: Kind,
    /// The members of the structures in it.
    pub inner: &'static [MemberInfo],
    /// Where it travels in restXml.
    pub place: Place,
}

/// The first pattern among the rules of these members, at any depth, that is not a regular expression we can read.
/// Such a pattern would refuse every value: the tests look for one in every service's shapes.
#[must_use]
pub fn unreadable_pattern(members: &[MemberInfo]) -> Option<&'static str> {
    fn among(rules: &[Rule]) -> Option<&'static str> {
        rules.iter().find_map(|rule| match rule {
            Rule::Pattern(pattern) => pattern::whole(pattern).is_err().then_some(*pattern),
            Rule::Each(rules) => among(rules),
            Rule::Length(..) | Rule::Range(..) | Rule::Together(_) => None,
        })
    }
    members.iter().find_map(|member| among(member.rules).or_else(|| unreadable_pattern(member.inner)))
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
/// A second list of [`Binding`]s says where a member travels in restXml.
#[macro_export]
macro_rules! shape {
    ($(#[$doc:meta])* $vis:vis struct $name:ident {
        $($wire:literal $field:ident : $kind:ty, $presence:ident, [$($rule:expr),* $(,)?]
            $(, [$($binding:expr),* $(,)?])?;)*
    }) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "the members are AWS's own and documented there")]
        $vis struct $name {
            $(pub $field: $crate::shape!(@type $presence $kind),)*
        }

        const _: () = {
            #[allow(unreachable_pub, reason = "it is public only as an associated type")]
            pub struct Wire {
                $($field: Option<<$kind as $crate::shape::Member>::Wire>,)*
            }

            #[allow(non_camel_case_types, dead_code, reason = "named after the members, to number them")]
            enum Index { $($field,)* }

            impl $crate::shape::Described for $name {
                const INNER: &'static [$crate::shape::MemberInfo] = <Self as $crate::shape::Shape>::MEMBERS;
                const KIND: $crate::shape::Kind = $crate::shape::Kind::Structure;
            }

            impl $crate::shape::Member for $name {
                type Wire = Wire;

                #[allow(unused_mut, unused_variables, reason = "unused by a shape without members")]
                fn read(reader: &mut $crate::Reader<'_>, _: usize) -> Result<Wire, $crate::Malformed> {
                    let mut wire = Wire { $($field: None,)* };
                    let mut open = reader.open_structure()?;
                    while let Some(index) = reader.next_member(&mut open, <Self as $crate::shape::Shape>::MEMBERS)? {
                        $(if index == Index::$field as usize {
                            const COUNT_MAX: usize = $crate::shape::count_max(&[$($rule),*]);
                            <$kind as $crate::shape::Member>::fill(&mut wire.$field, reader, COUNT_MAX)?;
                            continue;
                        })*
                    }
                    Ok(wire)
                }

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

                fn audit<S: ::serde::ser::SerializeStruct>(
                    &self,
                    name: &'static str,
                    out: &mut S,
                ) -> Result<(), S::Error> {
                    out.serialize_field(name, &$crate::shape::Audited(self))
                }
            }

            impl $crate::shape::AuditValue for $name {
                #[allow(unused_mut, reason = "unused by a shape without members")]
                fn audit_value<S: ::serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                    use ::serde::ser::SerializeStruct as _;
                    let length = <Self as $crate::shape::Shape>::MEMBERS.len();
                    let mut members = out.serialize_struct(stringify!($name), length)?;
                    $($crate::shape!(@audit $presence self.$field, $wire, &mut members);)*
                    members.end()
                }
            }

            impl $crate::shape::Shape for $name {
                const MEMBERS: &'static [$crate::shape::MemberInfo] = &[
                    $($crate::shape::MemberInfo {
                        name: $wire,
                        required: $crate::shape!(@required $presence),
                        secret: <$kind as $crate::shape::Member>::SECRET,
                        rules: &[$($rule),*],
                        kind: <$kind as $crate::shape::Described>::KIND,
                        inner: <$kind as $crate::shape::Described>::INNER,
                        place: $crate::shape::Place::of(&[$($($binding),*)?]),
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
    (@audit optional $value:expr, $name:literal, $out:expr) => {
        if let Some(value) = &$value {
            $crate::shape::Member::audit(value, $crate::shape!(@audited $name), $out)?;
        }
    };
    // As in CloudTrail, which shows what was sent.
    (@audit default $value:expr, $name:literal, $out:expr) => {
        if !$crate::shape::Described::is_default(&$value) {
            $crate::shape!(@audit required $value, $name, $out);
        }
    };
    (@audit $presence:ident $value:expr, $name:literal, $out:expr) => {
        $crate::shape::Member::audit(&$value, $crate::shape!(@audited $name), $out)?
    };
    (@audited $name:literal) => {{
        const LOWER: [u8; $name.len()] = $crate::shape::lower_first($name);
        const {
            match ::std::str::from_utf8(&LOWER) {
                Ok(lower) => lower,
                Err(_) => $name,
            }
        }
    }};
    (@required required) => { true };
    (@required default) => { false };
    (@required optional) => { false };
}

/// Declares an enumeration whose values are texts on the wire, usable as a member of a [`shape!`](crate::shape!).
///
/// ```
/// wire::text_enum! {
///     /// The use of a key.
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

        impl $crate::shape::Described for $name {
            const KIND: $crate::shape::Kind = $crate::shape::Kind::Choice;
        }

        impl $crate::shape::Member for $name {
            type Wire = $crate::shape::Chosen<Self>;

            fn read(reader: &mut $crate::Reader<'_>, _: usize) -> Result<Self::Wire, $crate::Malformed> {
                $crate::shape::Chosen::read(reader)
            }

            fn check(
                wire: Self::Wire,
                path: &$crate::shape::Path<'_>,
                _: &[$crate::shape::Rule],
                violations: &mut $crate::shape::Violations,
            ) -> Option<Self> {
                wire.check(Self::TEXTS, path, violations)
            }

            fn audit<S: ::serde::ser::SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
                out.serialize_field(name, self.as_str())
            }
        }

        impl $crate::shape::FromText for $name {
            fn from_text(text: &str) -> Option<Self> {
                Self::from_text(text)
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
