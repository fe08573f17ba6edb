//! The types that a member can have, and how each is held to its rules.

use std::collections::BTreeMap;

use serde::ser::SerializeStruct;

use super::{AuditValue, Audited, Member, MemberInfo, Path, Rule, Violations, quote};
use crate::{Blob, SecretBlob, SecretText, Timestamp};

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

/// Holds `text` to its rules; violations quote `shown`.
fn check_text(text: &str, shown: Option<&str>, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) {
    check_length(text.chars().count(), shown, path, rules, violations);
    for rule in rules {
        if let Rule::Pattern(pattern) = rule
            && !pattern_matches(pattern, text)
        {
            let rule = format!("Member must satisfy regular expression pattern: {pattern}");
            violations.add(shown, path, &rule);
        }
    }
}

impl Member for String {
    type Wire = String;

    fn check(wire: String, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_text(&wire, Some(quote(&wire)), path, rules, violations);
        Some(wire)
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, self)
    }
}

/// The pattern as one that the whole of a text has to match.
pub(super) fn whole(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    regex_lite::Regex::new(&format!("^(?:{pattern})$"))
}

/// Whether the whole of `text` matches; each pattern is compiled once.
fn pattern_matches(pattern: &'static str, text: &str) -> bool {
    use std::sync::{Mutex, PoisonError};
    static COMPILED: Mutex<BTreeMap<&'static str, regex_lite::Regex>> = Mutex::new(BTreeMap::new());
    let regex = {
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = compiled.get(pattern) {
            regex.clone()
        } else {
            let Ok(regex) = whole(pattern) else {
                debug_assert!(false, "no regular expression: {pattern}");
                return false;
            };
            compiled.insert(pattern, regex.clone());
            regex
        }
    };
    // Outside the lock: a long text holds up nobody else.
    regex.is_match(text)
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
    type Wire = Vec<T::Wire>;
    const SECRET: bool = T::SECRET;
    const INNER: &'static [MemberInfo] = T::INNER;

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

    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        if T::SECRET { Ok(()) } else { out.serialize_field(name, &Audited(self)) }
    }
}

impl Member for BTreeMap<String, String> {
    type Wire = Self;

    fn check(wire: Self, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_length(wire.len(), None, path, rules, violations);
        Some(wire)
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, self)
    }
}
