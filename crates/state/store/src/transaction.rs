//! A transaction of the store: changes rows, and follows in the ledger, the changes feed and the outbox what its closures
//! change. Several closures share one, and each is undone alone.
//!
//! Knows no SQL and no records.

use std::cell::RefCell;

use crate::StoreError;
use crate::engine::{Blind, Read, Row, RowKey, Rows};
use crate::feed::{COMMITS_KEPT, COMMITS_SLACK, Names};
use crate::index::{Working, Written};
use crate::ledger::{Entry, Ledger, Standing, refused};
use crate::overlay::Overlay;
use crate::space::Space;

/// A transaction of an engine, and what its closures changed so far.
pub(crate) struct Transaction<'a> {
    rows: &'a dyn Rows,
    ledger: Option<&'a Ledger>,
    state: RefCell<State>,
    overlay: RefCell<Overlay>,
    indexes: RefCell<Working>,
}

#[derive(Default)]
struct State {
    entry: Entry,
    changed: bool,
    events: Vec<Vec<u8>>,
    names: Names,
}

/// A place in a transaction to go back to.
pub(crate) struct Mark {
    standing: Standing,
    changed: bool,
    events: usize,
    names: usize,
}

/// The outcome of a transaction that was closed.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Where the database stands; `None` if nothing was changed.
    pub(crate) standing: Option<Standing>,
    /// The events that were recorded; the last has the number [`Standing::recorded`].
    pub(crate) events: Vec<Vec<u8>>,
    /// The pages of indexes that were written.
    pub(crate) pages: Written,
}

impl<'a> Transaction<'a> {
    /// Follows changes from where the database stands. Without a ledger, as before there are keys, it follows nothing.
    pub(crate) fn begin(rows: &'a dyn Rows, ledger: Option<&'a Ledger>) -> Result<Self, StoreError> {
        let entry = ledger.map(|ledger| ledger.read(rows)).transpose()?.flatten().unwrap_or_default();
        let state = RefCell::new(State { entry, ..State::default() });
        Ok(Self { rows, ledger, state, overlay: RefCell::default(), indexes: RefCell::default() })
    }

    /// The place where a closure begins.
    pub(crate) fn mark(&self) -> Mark {
        self.indexes.borrow_mut().begin_closure();
        self.overlay.borrow_mut().begin();
        let State { entry, changed, events, names } = &*self.state.borrow();
        Mark { standing: entry.standing.clone(), changed: *changed, events: events.len(), names: names.len() }
    }

    /// Writes what a closure changed. The next one may begin.
    ///
    /// # Errors
    /// Those of the engine, after which the whole transaction has to be abandoned.
    pub(crate) fn accept(&self) -> Result<(), StoreError> {
        self.overlay.borrow_mut().apply(self.rows)
    }

    /// Forgets what was changed since `mark`.
    pub(crate) fn undo(&self, mark: Mark) {
        self.indexes.borrow_mut().undo_closure();
        self.overlay.borrow_mut().undo();
        let mut state = self.state.borrow_mut();
        state.events.truncate(mark.events);
        state.names.truncate(mark.names);
        (state.entry.standing, state.changed) = (mark.standing, mark.changed);
    }

    /// Writes the changed pages of indexes, the events, the changes feed, and the ledger if anything was changed. `witness`
    /// is what the receiver of events attests of itself now.
    pub(crate) fn close(self, witness: impl FnOnce() -> Option<Vec<u8>>) -> Result<Outcome, StoreError> {
        let version = self.state.borrow().entry.standing.version.saturating_add(1);
        let mut indexes = self.indexes.take();
        let pages = indexes.flush(&self, version)?;
        let State { mut entry, changed, events, names } = self.state.take();
        let Some(ledger) = self.ledger.filter(|_| changed) else { return Ok(Outcome { pages, ..Outcome::default() }) };
        let Entry { standing, versions } = &mut entry;
        standing.version = version;
        for (last, batch) in ledger.seal_events(standing.recorded.saturating_add(1), &events) {
            self.rows.append_events(last, &batch)?;
        }
        standing.recorded = standing.recorded.saturating_add(events.len() as u64);
        for (space, names) in names.by_space() {
            let version = versions.of(space).saturating_add(1);
            versions.set(space, version);
            self.rows.put_feed(space, version, &ledger.feed.seal(space, version, &names))?;
            if version.is_multiple_of(COMMITS_SLACK) {
                self.rows.trim_feed(space, version.saturating_sub(COMMITS_KEPT))?;
            }
        }
        if let Some(witness) = witness() {
            standing.witness = witness;
        }
        ledger.write(self.rows, &entry)?;
        Ok(Outcome { standing: Some(entry.standing), events, pages })
    }

    /// Writes a row, whether or not it is there. Returns the value that it had.
    pub(crate) fn put(&self, key: RowKey<'_>, value: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let old = self.get(key)?;
        self.change(key, old.as_deref(), Some(value))?;
        Ok(old)
    }

    /// Writes a row that is not there. Returns whether it was so.
    pub(crate) fn insert(&self, key: RowKey<'_>, value: &[u8]) -> Result<bool, StoreError> {
        let absent = self.get(key)?.is_none();
        if absent {
            self.change(key, None, Some(value))?;
        }
        Ok(absent)
    }

    /// Removes a row. Returns whether it was there.
    pub(crate) fn delete(&self, key: RowKey<'_>) -> Result<bool, StoreError> {
        let old = self.get(key)?;
        if old.is_some() {
            self.change(key, old.as_deref(), None)?;
        }
        Ok(old.is_some())
    }

    /// Reads rows that will be asked for, all at once.
    pub(crate) fn prefetch(&self, keys: &[RowKey<'_>]) -> Result<(), StoreError> {
        let unknown: Vec<_> = keys.iter().copied().filter(|key| self.overlay.borrow().get(*key).is_none()).collect();
        for (key, value) in unknown.iter().zip(self.rows.get_many(&unknown)?) {
            self.overlay.borrow_mut().learn(*key, value);
        }
        Ok(())
    }

    /// Names a changed record, by collection, parent and id, in the changes feed of a space.
    pub(crate) fn touch(&self, space: Space, names: [&str; 3]) {
        self.state.borrow_mut().names.push(space, names);
    }

    /// Writes a value about the database itself.
    pub(crate) fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut overlay = self.overlay.borrow_mut();
        if !overlay.is_open() {
            return self.rows.set_meta(name, value);
        }
        overlay.set_meta(name, value);
        Ok(())
    }

    /// Writes a sealed page of an index, of the commit `version`.
    pub(crate) fn put_index_page(&self, id: u64, version: u64, value: &[u8]) -> Result<(), StoreError> {
        self.rows.put_index_page(id, version, value)
    }

    /// Removes a page of an index, if it is there.
    pub(crate) fn delete_index_page(&self, id: u64) -> Result<(), StoreError> {
        self.rows.delete_index_page(id)
    }

    /// Records the transaction's change in the outbox, under the next number.
    pub(crate) fn record(&self, event: &[u8]) -> Result<(), StoreError> {
        if self.ledger.is_none() {
            return Err(refused());
        }
        let mut state = self.state.borrow_mut();
        state.events.push(event.to_vec());
        state.changed = true;
        Ok(())
    }

    /// Removes the events up to a number from the outbox.
    pub(crate) fn drop_events(&self, up_to: u64) {
        self.overlay.borrow_mut().drop_events(up_to);
    }

    /// Makes the ledger go on from `standing`, whose digest is that of the rows.
    pub(crate) fn replace_standing(&self, standing: Standing) {
        let mut state = self.state.borrow_mut();
        (state.entry.standing, state.changed) = (standing, true);
    }

    /// The engine's transaction, past the ledger, as whoever has the disk changes it.
    #[cfg(test)]
    pub(crate) const fn rows(&self) -> &dyn Rows {
        self.rows
    }

    /// Changes a row, which has the value `old`.
    fn change(&self, key: RowKey<'_>, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<(), StoreError> {
        let mut overlay = self.overlay.borrow_mut();
        if overlay.is_open() {
            overlay.change(key, new.map(<[u8]>::to_vec));
        } else {
            match new {
                Some(value) => self.rows.put(key, value)?,
                None => self.rows.delete(key)?,
            }
            overlay.learn(key, new.map(<[u8]>::to_vec));
        }
        self.follow(key, old, new);
        Ok(())
    }

    /// Follows the row at `key`, which has the value `new` from now on.
    fn follow(&self, key: RowKey<'_>, old: Option<&[u8]>, new: Option<&[u8]>) {
        let Some(ledger) = self.ledger else { return };
        let State { entry, changed, .. } = &mut *self.state.borrow_mut();
        *changed = true;
        if let Some(old) = old {
            entry.standing.digest.subtract(ledger.row(key, old));
        }
        if let Some(new) = new {
            entry.standing.digest.add(ledger.row(key, new));
        }
    }
}

impl Read for Transaction<'_> {
    fn get(&self, key: RowKey<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(known) = self.overlay.borrow().get(key) {
            return Ok(known);
        }
        let value = self.rows.get(key)?;
        self.overlay.borrow_mut().learn(key, value.clone());
        Ok(value)
    }

    fn get_many(&self, keys: &[RowKey<'_>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.prefetch(keys)?;
        keys.iter().map(|key| self.get(*key)).collect()
    }

    fn page(
        &self,
        collection: &str,
        parent: &Blind,
        after: Option<&Blind>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = |limit| self.rows.page(collection, parent, after, limit);
        self.overlay.borrow().page(collection, parent, after, limit, rows)
    }

    fn scan(&self, collection: &str, after: Option<(&Blind, &Blind)>, limit: usize) -> Result<Vec<Row>, StoreError> {
        let rows = |limit| self.rows.scan(collection, after, limit);
        self.overlay.borrow().scan(collection, after, limit, rows)
    }

    fn collections(&self) -> Result<Vec<String>, StoreError> {
        let mut names = self.rows.collections()?;
        let overlay = self.overlay.borrow();
        let new: Vec<_> = overlay.collections().filter(|name| !names.iter().any(|known| known == name)).collect();
        names.extend(new.into_iter().map(str::to_owned));
        Ok(names)
    }

    fn feed(&self, space: Space, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.rows.feed(space, after, limit)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(changed) = self.overlay.borrow().meta(name) {
            return Ok(Some(changed));
        }
        self.rows.meta(name)
    }

    fn events(&self, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.rows.events(after, limit)
    }

    fn index_page(&self, id: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.rows.index_page(id)
    }

    fn index_pages(&self, after: u64, limit: usize) -> Result<Vec<u64>, StoreError> {
        self.rows.index_pages(after, limit)
    }

    fn working(&self) -> Option<&RefCell<Working>> {
        // Without a ledger nothing would protect the header of an index.
        self.ledger.map(|_| &self.indexes)
    }
}
