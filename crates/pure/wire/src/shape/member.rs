//! The types that a member can have, and how each is held to its rules.

use std::collections::BTreeMap;

use serde::ser::SerializeStruct;

use zeroize::Zeroizing;

use super::{
    AuditValue, Audited, COUNT_MAX, Counted, Described, Kind, Member, MemberInfo, Path, Rule, Violations, Wrong,
    pattern,
};
use crate::reader::{Malformed, Reader};
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
    let allowed = |rule: &Rule| !matches!(rule, Rule::Length(min, max) if count < *min || count > *max);
    if count > kept || !rules.iter().all(allowed) {
        violations.note(path, Wrong::Count);
    }
    if !check_length(count, None, path, rules, violations) {
        return false;
    }
    if count > kept {
        violations.add(None, path, format_args!("Member must have length less than or equal to {COUNT_MAX}"));
    }
    count <= kept
}

impl Described for String {
    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Member for String {
    type Wire = String;

    fn read(reader: &mut Reader<'_>, _: usize) -> Result<String, Malformed> {
        reader.text().map(std::borrow::Cow::into_owned)
    }

    fn check(wire: String, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_text(&wire, Some(&wire), path, rules, violations);
        Some(wire)
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, self)
    }
}

macro_rules! number_member {
    ($($number:ty: $read:expr),* $(,)?) => {$(
        impl Described for $number {
            const KIND: Kind = Kind::Number;

            fn is_default(&self) -> bool {
                *self == 0
            }
        }

        impl Member for $number {
            type Wire = $number;

            fn read(reader: &mut Reader<'_>, _: usize) -> Result<$number, Malformed> {
                $read(reader)
            }

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

            fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
                out.serialize_field(name, self)
            }
        }
    )*};
}
/// A number between two that a type holds, which therefore holds the number.
fn integer<T: TryFrom<i64> + Default>(reader: &mut Reader<'_>, min: i64, max: i64) -> Result<T, Malformed> {
    reader.integer(min, max).map(|number| T::try_from(number).unwrap_or_default())
}

number_member!(
    i32: |reader| integer(reader, i32::MIN.into(), i32::MAX.into()),
    u32: |reader| integer(reader, 0, u32::MAX.into()),
    i64: Reader::long,
);

impl Described for bool {
    const KIND: Kind = Kind::Number;

    fn is_default(&self) -> bool {
        !self
    }
}

impl Member for bool {
    type Wire = bool;

    fn read(reader: &mut Reader<'_>, _: usize) -> Result<bool, Malformed> {
        reader.boolean()
    }

    fn check(wire: bool, _: &Path<'_>, _: &[Rule], _: &mut Violations) -> Option<Self> {
        Some(wire)
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, self)
    }
}

impl Described for Timestamp {
    const KIND: Kind = Kind::Time;
}

impl Member for Timestamp {
    type Wire = Self;

    fn read(reader: &mut Reader<'_>, _: usize) -> Result<Self, Malformed> {
        reader.timestamp()
    }

    fn check(wire: Self, _: &Path<'_>, _: &[Rule], _: &mut Violations) -> Option<Self> {
        Some(wire)
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, &self.iso8601())
    }
}

macro_rules! bytes_member {
    ($($bytes:ty: $from:expr),* $(,)?) => {$(
        impl Described for $bytes {
            const KIND: Kind = Kind::Bytes;
        }

        impl Member for $bytes {
            type Wire = Self;
            // Bytes that are not secret are large, and of no use to a reader of the trail.
            const SECRET: bool = true;

            fn read(reader: &mut Reader<'_>, _: usize) -> Result<Self, Malformed> {
                reader.bytes().map($from)
            }

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
bytes_member!(Blob: |mut bytes| Self(std::mem::take(&mut *bytes)), SecretBlob: Self);

impl Described for SecretText {}

impl Member for SecretText {
    type Wire = Self;
    const SECRET: bool = true;

    fn read(reader: &mut Reader<'_>, _: usize) -> Result<Self, Malformed> {
        reader.text().map(|text| Self(Zeroizing::new(text.into_owned())))
    }

    fn check(wire: Self, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_text(&wire.0, None, path, rules, violations);
        Some(wire)
    }

    fn audit<S: SerializeStruct>(&self, _: &'static str, _: &mut S) -> Result<(), S::Error> {
        Ok(())
    }
}

impl<T: Described> Described for Vec<T> {
    const INNER: &'static [MemberInfo] = T::INNER;
    const KIND: Kind = Kind::List(&T::KIND);

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Member + AuditValue> Member for Vec<T> {
    type Wire = Counted<Vec<T::Wire>>;
    const SECRET: bool = T::SECRET;

    fn read(reader: &mut Reader<'_>, count_max: usize) -> Result<Self::Wire, Malformed> {
        let mut open = reader.open_list()?;
        let mut list = Counted::new();
        while reader.next_element(&mut open)? {
            list.push::<T>(reader, count_max)?;
        }
        Ok(list)
    }

    fn fill(slot: &mut Option<Self::Wire>, reader: &mut Reader<'_>, count_max: usize) -> Result<(), Malformed> {
        if reader.is_flat_element() {
            return slot.get_or_insert_with(Counted::new).push::<T>(reader, count_max);
        }
        *slot = Some(Self::read(reader, count_max)?);
        Ok(())
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

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        if T::SECRET { Ok(()) } else { out.serialize_field(name, &Audited(self)) }
    }
}

impl<V> Described for BTreeMap<String, V> {
    const KIND: Kind = Kind::Map;

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Member for BTreeMap<String, String> {
    type Wire = Counted<Self>;

    fn read(reader: &mut Reader<'_>, count_max: usize) -> Result<Self::Wire, Malformed> {
        Counted::read(reader, count_max)
    }

    fn check(wire: Self::Wire, path: &Path<'_>, rules: &[Rule], violations: &mut Violations) -> Option<Self> {
        check_count(wire.count, wire.kept.len(), path, rules, violations).then_some(wire.kept)
    }

    fn audit<S: SerializeStruct>(&self, name: &'static str, out: &mut S) -> Result<(), S::Error> {
        out.serialize_field(name, self)
    }
}
