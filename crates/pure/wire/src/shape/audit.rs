//! Inputs as the audit trail shows them: lower camel-case names, no secrets.

use serde::ser::{Serialize, SerializeMap, Serializer};

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

pub(super) fn audit_entry<T: Serialize, M: SerializeMap>(
    name: &'static str,
    value: &T,
    out: &mut M,
) -> Result<(), M::Error> {
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
