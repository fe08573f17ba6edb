//! The references of a repository, in memory and in the order of their names. Knows no store.

use crypto::SecretBytes;
use git_object::{ObjectFormat, ObjectId};

use crate::GitError;
use crate::record::{RefRecord, parse_id};

/// A reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// Its full name, such as `refs/heads/main`.
    pub name: &'a str,
    /// The object that it names.
    pub id: ObjectId,
    /// For a tag object: what it leads to in the end.
    pub peeled: Option<ObjectId>,
}

/// All references of a repository at one time.
#[derive(Default)]
pub struct References {
    /// All names, one behind the other, zeroised in the end.
    names: Names,
    rows: Vec<Row>,
}

struct Names(SecretBytes);

impl Default for Names {
    fn default() -> Self {
        Self(SecretBytes::with_capacity(0))
    }
}

#[derive(Clone, Copy)]
struct Row {
    start: usize,
    end: usize,
    id: ObjectId,
    peeled: Option<ObjectId>,
}

impl References {
    /// Adds a reference whose name is behind all others.
    pub(crate) fn push(&mut self, format: ObjectFormat, name: &[u8], record: &RefRecord) -> Result<(), GitError> {
        let damaged = || GitError::damaged("a reference names no object");
        let id = parse_id(format, &record.id).ok_or_else(damaged)?;
        let peeled = record.peeled.as_deref().map(|text| parse_id(format, text).ok_or_else(damaged)).transpose()?;
        str::from_utf8(name).map_err(|_| GitError::damaged("a reference's name is not UTF-8"))?;
        let start = self.names.0.len();
        self.names.0.extend(name);
        self.rows.push(Row { start, end: self.names.0.len(), id, peeled });
        Ok(())
    }

    /// How much memory they take, about, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.names.0.len() + self.rows.len() * size_of::<Row>()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = Reference<'_>> {
        self.rows.iter().map(|row| self.show(row))
    }

    /// Those whose names begin with `prefix`, in order.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Reference<'a>> {
        let first = self.rows.partition_point(|row| self.name(row) < prefix);
        let rows = self.rows.get(first..).unwrap_or_default();
        rows.iter().map(|row| self.show(row)).take_while(move |found| found.name.starts_with(prefix))
    }

    /// The reference of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Reference<'_>> {
        let place = self.rows.binary_search_by(|row| self.name(row).cmp(name)).ok()?;
        self.rows.get(place).map(|row| self.show(row))
    }

    fn name(&self, row: &Row) -> &str {
        // `push` takes UTF-8 only.
        self.names.0.expose().get(row.start..row.end).and_then(|name| str::from_utf8(name).ok()).unwrap_or_default()
    }

    fn show<'a>(&'a self, row: &Row) -> Reference<'a> {
        Reference { name: self.name(row), id: row.id, peeled: row.peeled }
    }
}
