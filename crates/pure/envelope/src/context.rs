//! The encryption context: names and values that are authenticated with a message but not hidden in it.

use std::collections::BTreeMap;
use std::collections::btree_map::{self, Entry};

use crate::Error;
use crate::cursor::Cursor;

/// Names with this prefix are the format's own.
pub(crate) const RESERVED_PREFIX: &str = "aws-crypto-";

/// The name under which signed messages carry their public key.
pub(crate) const PUBLIC_KEY: &str = "aws-crypto-public-key";

/// The longest serialisation that a header takes, in bytes.
const LENGTH_MAX: usize = 65_535;

/// Names and values that are authenticated with a message but not hidden in it.
///
/// ```
/// use envelope::EncryptionContext;
///
/// let context = EncryptionContext::from([("department", "payroll"), ("year", "2026")]);
/// assert_eq!(context.get("year"), Some("2026"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EncryptionContext(BTreeMap<String, String>);

impl EncryptionContext {
    /// A context without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds an entry, or replaces the value of the one with that name.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is an entry with this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, by the bytes of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The entries without those of the format itself, such as the public key of a signed message.
    #[must_use]
    pub fn without_reserved(&self) -> Self {
        self.filtered(|name| !name.starts_with(RESERVED_PREFIX))
    }

    pub(crate) fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| keep(name)).map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The serialisation that headers carry and keyrings authenticate: a count, then names and values with their
    /// lengths, by the bytes of the names. Nothing at all for an empty context.
    ///
    /// Source: AWS Encryption SDK Specification, Structures, "Serialization".
    ///
    /// # Errors
    /// [`Error::ContextTooLong`].
    pub fn serialize(&self) -> Result<Vec<u8>, Error> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let length = 2 + self.0.iter().map(|(name, value)| 4 + name.len() + value.len()).sum::<usize>();
        let too_long = || Error::ContextTooLong { bytes: length };
        if length > LENGTH_MAX {
            return Err(too_long());
        }
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(&u16::try_from(self.0.len()).map_err(|_| too_long())?.to_be_bytes());
        for part in self.0.iter().flat_map(|(name, value)| [name, value]) {
            out.extend_from_slice(&u16::try_from(part.len()).map_err(|_| too_long())?.to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        Ok(out)
    }

    /// Reads a serialisation. Entries may come in any order, but each name once.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Ok(Self::new());
        }
        let malformed = |reason| Error::Malformed { field: "encryption context", reason };
        let mut cursor = Cursor::new(bytes);
        let part = |cursor: &mut Cursor<'_>| {
            let bytes = cursor.counted().ok_or(malformed("an entry is cut short"))?;
            String::from_utf8(bytes.to_vec()).map_err(|_| malformed("an entry is not UTF-8"))
        };
        let count = cursor.u16().ok_or(malformed("the count is cut short"))?;
        if count == 0 {
            return Err(malformed("it has a length and no entries"));
        }
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let (name, value) = (part(&mut cursor)?, part(&mut cursor)?);
            match entries.entry(name) {
                Entry::Vacant(place) => place.insert(value),
                Entry::Occupied(_) => return Err(malformed("a name occurs twice")),
            };
        }
        if !cursor.rest().is_empty() {
            return Err(malformed("bytes follow its last entry"));
        }
        Ok(Self(entries))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for EncryptionContext {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for EncryptionContext {
    fn from(entries: [(K, V); N]) -> Self {
        Self::from_iter(entries)
    }
}

impl IntoIterator for EncryptionContext {
    type Item = (String, String);
    type IntoIter = btree_map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialisation_is_sorted_by_bytes_and_reads_back() {
        let context = EncryptionContext::from([("é", "2"), ("b", "1"), ("a", "")]);
        let bytes = context.serialize().unwrap();
        assert_eq!(bytes, b"\0\x03\0\x01a\0\0\0\x01b\0\x011\0\x02\xc3\xa9\0\x012");
        assert_eq!(EncryptionContext::parse(&bytes).unwrap(), context);
        assert_eq!(EncryptionContext::new().serialize().unwrap(), b"");
        assert!(EncryptionContext::parse(b"").unwrap().is_empty());
    }

    #[test]
    fn contexts_that_do_not_fit_are_refused() {
        let context = |length: usize| EncryptionContext::from([("a", "x".repeat(length))]);
        assert_eq!(context(65_528).serialize().unwrap().len(), 65_535);
        assert!(matches!(context(65_529).serialize(), Err(Error::ContextTooLong { bytes: 65_536 })));
        assert!(matches!(context(70_000).serialize(), Err(Error::ContextTooLong { .. })));
    }

    #[test]
    fn malformed_contexts_are_refused_with_the_reason() {
        let cases: [(&[u8], &str); 7] = [
            (b"\0", "the count is cut short"),
            (b"\0\0", "it has a length and no entries"),
            (b"\0\x01\0", "an entry is cut short"),
            (b"\0\x01\0\x01a\0\x02b", "an entry is cut short"),
            (b"\0\x01\0\x01\xff\0\0", "an entry is not UTF-8"),
            (b"\0\x02\0\x01a\0\0\0\x01a\0\0", "a name occurs twice"),
            (b"\0\x01\0\x01a\0\0!", "bytes follow its last entry"),
        ];
        for (bytes, expected) in cases {
            let refused = EncryptionContext::parse(bytes);
            assert!(matches!(refused, Err(Error::Malformed { reason, .. }) if reason == expected), "{refused:?}");
        }
    }
}
