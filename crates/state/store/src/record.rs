//! Typed transactions: records in and out of one snapshot or one atomic change.

use std::sync::Arc;

use crypto::SecretBytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;
use crate::changes::Touched;
use crate::cursor::{Cursor, Listing};
use crate::engine::{self, Blind, Row, RowKey};
use crate::index::{self, Index, IndexMut, Indexed};
use crate::space::{Space, Spaces, check_named};
use crate::transaction::Transaction;
use crate::vault::Vault;

/// How many rows are read at once when all are wanted.
const BATCH: usize = 1000;

/// Something that is stored. Its JSON form is what lasts: a field added later needs a serde default.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The collection's name: a constant of the program, readable in the database.
    const COLLECTION: &'static str;

    /// The level of the form. It is raised together with adding a field that must not be lost: builds of a lower level
    /// read the record without the field, and refuse to write it.
    const LEVEL: u32 = 1;
}

/// Some of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<R> {
    /// The records, in no order that means anything, but always the same one.
    pub items: Vec<R>,
    /// Where the rest begins, if there is any.
    pub next: Option<Cursor>,
}

/// One snapshot of the store.
pub struct ReadTx<'a> {
    db: &'a dyn engine::Read,
    vault: &'a Arc<Vault>,
}

impl<'a> ReadTx<'a> {
    pub(crate) fn new(db: &'a dyn engine::Read, vault: &'a Arc<Vault>) -> Self {
        Self { db, vault }
    }

    /// The record `id` of `parent`.
    ///
    /// # Errors
    /// Those of reading and opening a record.
    pub fn get<R: Record>(&self, parent: &str, id: &str) -> Result<Option<R>, StoreError> {
        let (parent, id) = self.blind::<R>(parent, id);
        let key = RowKey { collection: R::COLLECTION, parent: &parent, id: &id };
        self.db.get(key)?.map(|value| self.vault.open(key, &value)).transpose()
    }

    /// The bytes `id` of `parent`, which [`Tx::put_bytes`] wrote. No cache has them.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`].
    pub fn get_bytes(&self, collection: &str, parent: &str, id: &str) -> Result<Option<SecretBytes>, StoreError> {
        let (parent, id) = self.blind_in(collection, parent, id);
        let key = RowKey { collection, parent: &parent, id: &id };
        self.db.get(key)?.map(|value| self.vault.open_bytes(key, &value)).transpose()
    }

    /// At most `limit` records of `parent`, from `after` on.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] for a cursor of another listing; those of reading and opening records.
    pub fn page<R: Record>(&self, parent: &str, after: Option<&Cursor>, limit: usize) -> Result<Page<R>, StoreError> {
        let parent = self.vault.parent(R::COLLECTION, parent);
        let after = after.map(|cursor| cursor.verify(self.vault, Listing::Page, R::COLLECTION)).transpose()?;
        if after.is_some_and(|(of, _)| *of != parent) {
            return Err(StoreError::BadCursor);
        }
        let rows = self.db.page(R::COLLECTION, &parent, after.map(|(_, id)| id), limit.saturating_add(1))?;
        self.open_page(Listing::Page, rows, limit)
    }

    /// At most `limit` records of every parent, from `after` on. For background jobs.
    ///
    /// # Errors
    /// As for [`page`](Self::page).
    pub fn scan_collection<R: Record>(&self, after: Option<&Cursor>, limit: usize) -> Result<Page<R>, StoreError> {
        let after = after.map(|cursor| cursor.verify(self.vault, Listing::Scan, R::COLLECTION)).transpose()?;
        let rows = self.db.scan(R::COLLECTION, after, limit.saturating_add(1))?;
        self.open_page(Listing::Scan, rows, limit)
    }

    /// Every record of `parent`.
    ///
    /// # Errors
    /// Those of reading and opening records.
    pub fn all<R: Record>(&self, parent: &str) -> Result<Vec<R>, StoreError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(parent, after.as_ref(), BATCH)?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// The cursor that goes on after the record `id` of `parent`, for a page that was cut short.
    #[must_use]
    pub fn cursor_after<R: Record>(&self, parent: &str, id: &str) -> Cursor {
        let (parent, id) = self.blind::<R>(parent, id);
        Cursor::new(self.vault, Listing::Page, R::COLLECTION, parent, id)
    }

    /// The ordered index of `R` called `name`. An index without entries is as good as none.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`].
    pub fn index<R: Indexed>(&self, name: &str) -> Result<Index<'_, R>, StoreError> {
        Index::open(self.db, self.vault, name)
    }

    fn open_page<R: Record>(&self, listing: Listing, rows: Vec<Row>, limit: usize) -> Result<Page<R>, StoreError> {
        let more = rows.len() > limit;
        let mut items = Vec::with_capacity(rows.len().min(limit));
        let mut last = None;
        for Row { parent, id, value } in rows.into_iter().take(limit) {
            items.push(self.vault.open(RowKey { collection: R::COLLECTION, parent: &parent, id: &id }, &value)?);
            last = Some((parent, id));
        }
        let last = last.filter(|_| more);
        let next = last.map(|(parent, id)| Cursor::new(self.vault, listing, R::COLLECTION, parent, id));
        Ok(Page { items, next })
    }

    fn blind<R: Record>(&self, parent: &str, id: &str) -> (Blind, Blind) {
        self.blind_in(R::COLLECTION, parent, id)
    }

    fn blind_in(&self, collection: &str, parent: &str, id: &str) -> (Blind, Blind) {
        (self.vault.parent(collection, parent), self.vault.id(collection, parent, id))
    }
}

/// A transaction that changes the store. It reads its own changes, and those of closures that went before it.
pub struct Tx<'a> {
    read: ReadTx<'a>,
    db: &'a Transaction<'a>,
    spaces: Spaces,
    space: Space,
    touched: Vec<Touched>,
    /// The indexes that were changed, each once.
    indexes: Vec<Touched>,
    /// Whether bytes were written or removed, which touch no cache.
    changed_bytes: bool,
    /// The first failure of the engine. It undoes the transaction even if the closure goes on regardless.
    failed: Option<StoreError>,
}

impl<'a> std::ops::Deref for Tx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &ReadTx<'a> {
        &self.read
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(db: &'a Transaction<'a>, vault: &'a Arc<Vault>, spaces: Spaces) -> Self {
        let (touched, indexes) = (Vec::new(), Vec::new());
        let (read, space) = (ReadTx::new(db, vault), spaces.first());
        Self { read, db, spaces, space, touched, indexes, changed_bytes: false, failed: None }
    }

    /// Goes on in `space`: what is changed from here on belongs to it. A transaction begins in the first space that it
    /// names.
    ///
    /// # Errors
    /// [`StoreError::SpaceNotNamed`] unless the transaction was begun with it.
    pub fn enter(&mut self, space: Space) -> Result<(), StoreError> {
        check_named(self.spaces, space)?;
        self.space = space;
        Ok(())
    }

    /// The space that the transaction is in.
    pub(crate) const fn space(&self) -> Space {
        self.space
    }

    /// Writes the record `id` of `parent`, whether or not it is there.
    ///
    /// # Errors
    /// [`StoreError::NewerRecord`] when a build of a higher [`Record::LEVEL`] wrote the record that is there; those of
    /// encoding and writing a record.
    pub fn put<R: Record>(&mut self, parent: &str, id: &str, record: &R) -> Result<(), StoreError> {
        let (blind_parent, blind_id) = self.blind::<R>(parent, id);
        let key = RowKey { collection: R::COLLECTION, parent: &blind_parent, id: &blind_id };
        let value = self.vault.seal(key, record)?;
        let vault = Arc::clone(self.read.vault);
        self.noting(|db| match db.put(key, &value)? {
            Some(replaced) => vault.check_level::<R>(key, &replaced),
            None => Ok(()),
        })?;
        self.touch::<R>(parent, id);
        Ok(())
    }

    /// Writes the record `id` of `parent`, which must not be there.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; those of encoding and writing a record.
    pub fn insert<R: Record>(&mut self, parent: &str, id: &str, record: &R) -> Result<(), StoreError> {
        let (blind_parent, blind_id) = self.blind::<R>(parent, id);
        let key = RowKey { collection: R::COLLECTION, parent: &blind_parent, id: &blind_id };
        let value = self.vault.seal(key, record)?;
        if !self.noting(|db| db.insert(key, &value))? {
            return Err(StoreError::Exists { collection: R::COLLECTION });
        }
        self.touch::<R>(parent, id);
        Ok(())
    }

    /// Removes the record `id` of `parent`. Returns whether it was there.
    ///
    /// # Errors
    /// Those of writing.
    pub fn delete<R: Record>(&mut self, parent: &str, id: &str) -> Result<bool, StoreError> {
        let (blind_parent, blind_id) = self.blind::<R>(parent, id);
        let key = RowKey { collection: R::COLLECTION, parent: &blind_parent, id: &blind_id };
        let deleted = self.noting(|db| db.delete(key))?;
        if deleted {
            self.touch::<R>(parent, id);
        }
        Ok(deleted)
    }

    /// Writes the bytes `id` of `parent`, whether or not they are there: for contents, which are no JSON and which no cache
    /// retains. Sealed, and in the ledger's digest, as records are; absent from the changes feed. A collection has either
    /// records or bytes.
    ///
    /// # Errors
    /// Those of writing.
    pub fn put_bytes(&mut self, collection: &str, parent: &str, id: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (parent, id) = self.blind_in(collection, parent, id);
        let key = RowKey { collection, parent: &parent, id: &id };
        let value = self.read.vault.seal_bytes(key, bytes);
        self.changed_bytes = true;
        self.noting(|db| db.put(key, &value).map(|_| ()))
    }

    /// Removes the bytes `id` of `parent`. Returns whether they were there.
    ///
    /// # Errors
    /// Those of writing.
    pub fn remove_bytes(&mut self, collection: &str, parent: &str, id: &str) -> Result<bool, StoreError> {
        let (parent, id) = self.blind_in(collection, parent, id);
        let removed = self.noting(|db| db.delete(RowKey { collection, parent: &parent, id: &id }))?;
        self.changed_bytes |= removed;
        Ok(removed)
    }

    /// Reads records that the transaction is about to get or to replace, each named by parent and id, all at once: before a
    /// loop, so that an engine elsewhere is asked once and not once a record.
    ///
    /// # Errors
    /// Those of reading.
    pub fn prefetch<R: Record>(&mut self, names: &[(&str, &str)]) -> Result<(), StoreError> {
        let blinded: Vec<_> = names.iter().map(|(parent, id)| self.blind::<R>(parent, id)).collect();
        let key = |(parent, id)| RowKey { collection: R::COLLECTION, parent, id };
        let keys: Vec<_> = blinded.iter().map(|(parent, id)| key((parent, id))).collect();
        self.noting(|db| db.prefetch(&keys))
    }

    /// The ordered index of `R` called `name`, to be changed.
    pub fn index_mut<R: Indexed>(&mut self, name: &str) -> IndexMut<'_, 'a, R> {
        IndexMut::new(self, name)
    }

    /// Whether anything was written so far.
    #[must_use]
    pub fn writes(&self) -> bool {
        !self.touched.is_empty() || !self.indexes.is_empty() || self.changed_bytes
    }

    /// Records the transaction's change for the audit trail: the event is durable with the change, or neither is.
    ///
    /// # Errors
    /// Those of writing.
    pub fn record(&mut self, event: &[u8]) -> Result<(), StoreError> {
        self.noting(|db| db.record(event))
    }

    /// The transaction's changes, or why it must be undone.
    pub(crate) fn finish(mut self) -> Result<Vec<Touched>, StoreError> {
        self.touched.append(&mut self.indexes);
        self.failed.map_or(Ok(self.touched), Err)
    }

    fn touch<R: Record>(&mut self, parent: &str, id: &str) {
        self.db.touch(self.space, [R::COLLECTION, parent, id]);
        self.touched.push(Touched::new(R::COLLECTION, parent, id));
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.read.vault
    }

    pub(crate) fn noting_index<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Arc<Vault>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let vault = self.read.vault;
        self.noting(|db| work(db, vault))
    }

    /// The index's entry in the feed is written once for the whole commit.
    pub(crate) fn touch_index(&mut self, kind: &str, name: &str) {
        let touched = Touched::new(index::COLLECTION, kind, name);
        if !self.indexes.contains(&touched) {
            self.indexes.push(touched);
        }
    }

    fn noting<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(self.db).inspect_err(|error| {
            self.failed.get_or_insert_with(|| error.clone());
        })
    }
}
