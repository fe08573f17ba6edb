//! The types that a member can have, and how each is held to its rules.

use std::collections::BTreeMap;

use serde::de::Deserializer;
use serde::ser::SerializeStruct;

use super::{AuditValue, Audited, COUNT_MAX, Counted, Kind, Member, MemberInfo, Path, Rule, Violations, pattern};
use crate::{Blob, SecretBlob, SecretText, Timestamp};

/// Texts longer than this are matched against a pattern only if their length is allowed: matching takes long.
const MATCHED_BYTES_MAX: usize = 4096;

/// Whether a length satisfies the rules.
fn check_length(
    length: usize,
    value: Option<&str>,
    path: &Path<'_>,
    rules: &[Rule],
    violations: &mut Violations,
) -> bool {
    let mut satisfied = true;
    for rule in rules {
        if let Rule::Length(min, max) = rule {
            if length < *min {
                let rule = format_args!("Member must have length greater than or equal to {min}");
                violations.add(value, path, rule);
                satisfied = false;
            } else if length > *max {
                violations.add(value, path, format_args!("Member must have length less than or equal to {max}"));
                satisfied = false;
            }
        }
    }
    satisfied
}

/// Holds `text` to its rules; violations quote `shown`.
fn check_text(text: &str, shown: Option<&str>, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) {
    if violations.is_full() {
        return;
    }
    let fits = check_length(text.chars().count(), shown, path, rules, violations);
    if !fits && text.len() > MATCHED_BYTES_MAX {
        return;
    }
    for rule in rules {
        if let Rule::Pattern(pattern) = rule
            && !pattern::matches(pattern, text)
        {
            violations.add(shown, path, format_args!("Member must satisfy regular expression pattern: {pattern}"));
        }
    }
}

/// Whether a list or map of `count` elements satisfies the rules and all its elements, `kept`, were decoded.
fn check_count(count: usize, kept: usize, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> bool {
    if !check_length(count, None, path, rules, violations) {
        return false;
    }
    if count > kept {
        violations.add(None, path, format_args!("Member must have length less than or equal to {COUNT_MAX}"));
    }
    count <= kept
}

impl Member for String {
    type Wire = String;

    fn check(wire: String, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_text(&wire, Some(&wire), path, rules, violations);
        Some(wire)
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, self)
    }
}

macro_rules! number_member {
    ($($number:ty),*) => {$(
        impl Member for $number {
            type Wire = $number;
            const KIND: Kind = Kind::Number;

            fn check(wire: $number, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
                for rule in rules {
                    if let Rule::Range(min, max) = rule {
                        let number = i64::from(wire);
                        if number < *min {
                            let rule = format_args!("Member must have value greater than or equal to {min}");
                            violations.add(Some(&number.to_string()), path, rule);
                        } else if number > *max {
                            let rule = format_args!("Member must have value less than or equal to {max}");
                            violations.add(Some(&number.to_string()), path, rule);
                        }
                    }
                }
                Some(wire)
            }

            fn is_default(&self) -> bool {
                *self == 0
            }

            fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
                out.serialize_field(name, self)
            }
        }
    )*};
}
number_member!(i32, i64, u32);

impl Member for bool {
    type Wire = bool;
    const KIND: Kind = Kind::Number;

    fn check(wire: bool, _: &Path<'_>, _: &[Rule], _: &mut Violations) -> Option<Self> {
        Some(wire)
    }

    fn is_default(&self) -> bool {
        !self
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, self)
    }
}

impl Member for Timestamp {
    type Wire = Self;
    const KIND: Kind = Kind::Number;

    fn check(wire: Self, _: &Path<'_>, _: &[Rule], _: &mut Violations) -> Option<Self> {
        Some(wire)
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, &self.iso8601())
    }
}

macro_rules! bytes_member {
    ($($bytes:ty),*) => {$(
        impl Member for $bytes {
            type Wire = Self;
            // What is not secret is large, and of no use to a reader of the trail.
            const SECRET: bool = true;
            const KIND: Kind = Kind::Bytes;

            fn check(wire: Self, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
                check_length(wire.0.len(), None, path, rules, violations);
                Some(wire)
            }

            fn audit<S: SerializeStruct>(&self, _: &'static str, _: &mut S) -> Result<(), S::Error> {
                Ok(())
            }
        }
    )*};
}
bytes_member!(Blob, SecretBlob);

impl Member for SecretText {
    type Wire = Self;
    const SECRET: bool = true;

    fn check(wire: Self, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_text(&wire.0, None, path, rules, violations);
        Some(wire)
    }

    fn audit<S: SerializeStruct>(&self, _: &'static str, _: &mut S) -> Result<(), S::Error> {
        Ok(())
    }
}

impl<T: Member + AuditValue> Member for Vec<T> {
    type Wire = Counted<Vec<T::Wire>>;
    const SECRET: bool = T::SECRET;
    const INNER: &'static [MemberInfo] = T::INNER;
    const KIND: Kind = Kind::List(&T::KIND);

    fn decode<'de, D: Deserializer<'de>>(from: D, count_max: usize) -> Result<Self::Wire, D::Error> {
        Counted::list(from, count_max)
    }

    fn check(wire: Self::Wire, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        // Before the elements: however many there are, the answer says no more than that.
        if !check_count(wire.count, wire.kept.len(), path, rules, violations) {
            return None;
        }
        let each = rules.iter().find_map(|rule| if let Rule::Each(each) = rule { Some(*each) } else { None });
        let mut values = Self::with_capacity(wire.kept.len());
        let mut whole = true;
        for (index, element) in wire.kept.into_iter().enumerate() {
            if violations.is_full() {
                return None;
            }
            match T::check(element, &Path::Element(path, index + 1), each.unwrap_or_default(), violations) {
                Some(value) => values.push(value),
                None => whole = false,
            }
        }
        whole.then_some(values)
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        if T::SECRET { Ok(()) } else { out.serialize_field(name, &Audited(self)) }
    }
}

impl Member for BTreeMap<String, String> {
    type Wire = Counted<Self>;
    const KIND: Kind = Kind::Map;

    fn decode<'de, D: Deserializer<'de>>(from: D, count_max: usize) -> Result<Self::Wire, D::Error> {
        Counted::map(from, count_max)
    }

    fn check(wire: Self::Wire, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_count(wire.count, wire.kept.len(), path, rules, violations).then_some(wire.kept)
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, self)
    }
}
