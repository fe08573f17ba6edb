//! Inputs as the audit trail shows them: lower camel-case names, no secrets.

use serde::ser::{Serialize, Serializer};

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

impl<T: AuditValue> AuditValue for Vec<T> {
    fn audit_value<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.iter().map(Audited))
    }
}

/// Serialises a value as the audit trail shows it: lower camel-case names, no secrets.
pub struct Audited<'a, T>(pub &'a T);

impl<T: AuditValue> Serialize for Audited<'_, T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.0.audit_value(out)
    }
}

/// The bytes of a name whose first letter is made small.
#[must_use]
pub const fn lower_first<const N: usize>(name: &str) -> [u8; N] {
    let mut lower = [0; N];
    lower.copy_from_slice(name.as_bytes());
    if let Some(first) = lower.first_mut() {
        first.make_ascii_lowercase();
    }
    lower
}
