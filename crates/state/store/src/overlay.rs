//! The rows that a closure changes, above those of the engine: undone by dropping them, written when the closure succeeded.
//!
//! So an engine needs no savepoints, and a row that was read or changed once is not asked for again. Knows no ledger and no
//! records.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use crate::StoreError;
use crate::engine::{Blind, Row, RowKey, Rows};

/// Bytes of rows of the engine that are remembered in one transaction at most.
const KNOWN_BYTES_MAX: usize = 4 << 20;

/// Parent and id of a row.
type Place = (Blind, Blind);

/// Rows of one collection; `None` where there is none.
type Collection = BTreeMap<Place, Option<Vec<u8>>>;

/// The changes of one closure, and the known rows below.
#[derive(Default)]
pub(crate) struct Overlay {
    /// Whether a closure runs.
    open: bool,
    changed: HashMap<Box<str>, Collection>,
    meta: BTreeMap<String, Vec<u8>>,
    events_dropped: u64,
    known: HashMap<Box<str>, Collection>,
    known_bytes: usize,
}

impl Overlay {
    /// Begins a closure.
    pub(crate) const fn begin(&mut self) {
        self.open = true;
    }

    /// Whether a closure runs. What is written without one, as at the end of a transaction, is the engine's at once.
    pub(crate) const fn is_open(&self) -> bool {
        self.open
    }

    /// Forgets what the closure changed.
    pub(crate) fn undo(&mut self) {
        self.open = false;
        self.changed.clear();
        self.meta.clear();
        self.events_dropped = 0;
    }

    /// Writes what the closure changed.
    ///
    /// # Errors
    /// Those of the engine, whose transaction has to be abandoned then.
    pub(crate) fn apply(&mut self, rows: &dyn Rows) -> Result<(), StoreError> {
        self.open = false;
        for (collection, changed) in std::mem::take(&mut self.changed) {
            for ((parent, id), value) in changed {
                let key = RowKey { collection: &collection, parent: &parent, id: &id };
                match &value {
                    Some(value) => rows.put(key, value)?,
                    None => rows.delete(key)?,
                }
                self.learn(key, value);
            }
        }
        for (name, value) in std::mem::take(&mut self.meta) {
            rows.set_meta(&name, &value)?;
        }
        match std::mem::take(&mut self.events_dropped) {
            0 => Ok(()),
            up_to => rows.drop_events(up_to),
        }
    }

    /// A row as far as it is known here: `Some(None)` when there is none.
    pub(crate) fn get(&self, key: RowKey<'_>) -> Option<Option<Vec<u8>>> {
        let place = (*key.parent, *key.id);
        let found = |rows: &HashMap<Box<str>, Collection>| rows.get(key.collection)?.get(&place).cloned();
        found(&self.changed).or_else(|| found(&self.known))
    }

    /// Remembers a row of the engine, if there is room.
    pub(crate) fn learn(&mut self, key: RowKey<'_>, value: Option<Vec<u8>>) {
        let place = (*key.parent, *key.id);
        // Counted as they come, never taken off: the transaction is short.
        self.known_bytes += size_of::<Place>() + value.as_ref().map_or(0, Vec::len);
        if self.known_bytes <= KNOWN_BYTES_MAX {
            collection(&mut self.known, key.collection).insert(place, value);
        } else if let Some(rows) = self.known.get_mut(key.collection) {
            rows.remove(&place);
        }
    }

    /// Changes a row; `None` removes it.
    pub(crate) fn change(&mut self, key: RowKey<'_>, value: Option<Vec<u8>>) {
        collection(&mut self.changed, key.collection).insert((*key.parent, *key.id), value);
    }

    /// A value about the database itself, if the closure changed it.
    pub(crate) fn meta(&self, name: &str) -> Option<Vec<u8>> {
        self.meta.get(name).cloned()
    }

    /// Changes a value about the database itself.
    pub(crate) fn set_meta(&mut self, name: &str, value: &[u8]) {
        self.meta.insert(name.to_owned(), value.to_vec());
    }

    /// Removes the events up to a number from the outbox.
    pub(crate) fn drop_events(&mut self, up_to: u64) {
        self.events_dropped = self.events_dropped.max(up_to);
    }

    /// The names of the collections that have changed rows.
    pub(crate) fn collections(&self) -> impl Iterator<Item = &str> {
        self.changed.keys().map(|name| &**name)
    }

    /// The first `limit` rows of a parent, behind the id `after` if there is one. `below` yields the first rows there of
    /// the engine, as many as it is asked for or all that there are.
    pub(crate) fn page(
        &self,
        collection: &str,
        parent: &Blind,
        after: Option<&Blind>,
        limit: usize,
        below: impl FnOnce(usize) -> Result<Vec<Row>, StoreError>,
    ) -> Result<Vec<Row>, StoreError> {
        let begin = match after {
            Some(id) => Bound::Excluded((*parent, *id)),
            None => Bound::Included((*parent, [0; 16])),
        };
        self.merged(collection, (begin, Bound::Included((*parent, [0xff; 16]))), limit, below)
    }

    /// The first `limit` rows of a collection, behind `after` if there is one, as [`page`](Self::page) yields them.
    pub(crate) fn scan(
        &self,
        collection: &str,
        after: Option<(&Blind, &Blind)>,
        limit: usize,
        below: impl FnOnce(usize) -> Result<Vec<Row>, StoreError>,
    ) -> Result<Vec<Row>, StoreError> {
        let begin = after.map_or(Bound::Unbounded, |(parent, id)| Bound::Excluded((*parent, *id)));
        self.merged(collection, (begin, Bound::Unbounded), limit, below)
    }

    fn merged(
        &self,
        collection: &str,
        range: (Bound<Place>, Bound<Place>),
        limit: usize,
        below: impl FnOnce(usize) -> Result<Vec<Row>, StoreError>,
    ) -> Result<Vec<Row>, StoreError> {
        let changed: Vec<_> = self.changed.get(collection).map(|rows| rows.range(range).collect()).unwrap_or_default();
        if changed.is_empty() {
            return below(limit);
        }
        // Each change hides one row at most, so that enough are left.
        let rows = below(limit.saturating_add(changed.len()))?;
        let mut merged: BTreeMap<Place, Vec<u8>> =
            rows.into_iter().map(|Row { parent, id, value }| ((parent, id), value)).collect();
        for (place, value) in changed {
            match value {
                Some(value) => merged.insert(*place, value.clone()),
                None => merged.remove(place),
            };
        }
        Ok(merged.into_iter().take(limit).map(|((parent, id), value)| Row { parent, id, value }).collect())
    }
}

/// The rows of a collection.
fn collection<'a>(rows: &'a mut HashMap<Box<str>, Collection>, name: &str) -> &'a mut Collection {
    rows.entry(name.into()).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &Blind) -> RowKey<'_> {
        RowKey { collection: "c", parent: &[1; 16], id }
    }

    #[test]
    fn a_row_that_is_known_stays_known_when_a_closure_is_undone() {
        let mut overlay = Overlay::default();
        overlay.begin();
        assert_eq!(overlay.get(key(&[1; 16])), None, "the engine has to be asked");
        overlay.learn(key(&[1; 16]), Some(vec![1]));
        overlay.learn(key(&[2; 16]), None);
        overlay.change(key(&[1; 16]), Some(vec![2]));
        overlay.set_meta("name", &[3]);
        assert_eq!(overlay.get(key(&[1; 16])), Some(Some(vec![2])));
        overlay.undo();
        assert_eq!(overlay.get(key(&[1; 16])), Some(Some(vec![1])));
        assert_eq!(overlay.get(key(&[2; 16])), Some(None), "that there is none is known as well");
        assert_eq!(overlay.meta("name"), None);
    }

    #[test]
    fn rows_are_remembered_up_to_a_bound_and_never_wrongly() {
        let mut overlay = Overlay::default();
        overlay.learn(key(&[0; 16]), Some(vec![1]));
        for id in 1..=8_u8 {
            overlay.learn(key(&[id; 16]), Some(vec![id; KNOWN_BYTES_MAX / 4]));
        }
        let known = (1..=8_u8).filter(|id| overlay.get(key(&[*id; 16])).is_some()).count();
        assert_eq!(known, 3, "with what else is counted, the fourth has no room");
        overlay.learn(key(&[0; 16]), Some(vec![2]));
        assert_eq!(overlay.get(key(&[0; 16])), None, "what cannot be remembered anew is forgotten");
    }
}
