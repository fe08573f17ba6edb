//! Ordered indexes: entries in the order of their keys, in trees of sealed pages that change with the store's
//! transactions.
//!
//! Owns the trees' form and their pages' cache. Refuses to know what keys and values mean.

use std::marker::PhantomData;
use std::ops::Bound;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::node::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use self::pages::{Place, Tree, TreeMut, row_id};
use self::tree::Walk;
use crate::engine::{Blind, Read};
use crate::vault::Vault;
use crate::{StoreError, Tx};

mod header;
mod node;
mod pages;
mod tree;

pub use node::Node;
pub(crate) use pages::{Cache, Working, Written};

/// The collection of the trees' headers, and their name in the changes feed. No record's collection is called so.
pub(crate) const COLLECTION: &str = "index";

/// How many rows are read at once when all are examined.
const BATCH: usize = 1000;

/// The value that an index has for a key. Its JSON form is what lasts, and has at most 900 bytes.
pub trait Indexed: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind of index: a constant of the program. Trees of different kinds are apart, whatever their names.
    const NAME: &'static str;
}

/// Some entries of an index, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range<R> {
    /// Keys with their values.
    pub items: Vec<(Vec<u8>, R)>,
    /// Whether there are more: after the last key of `items`.
    pub more: bool,
}

fn place(vault: &Vault, kind: &str, name: &str) -> Place {
    (vault.parent(COLLECTION, kind), vault.id(COLLECTION, kind, name))
}

/// An index as one snapshot or one transaction sees it.
pub struct Index<'a, R> {
    tree: Tree<'a>,
    vault: &'a Vault,
    name: String,
    of: PhantomData<fn() -> R>,
}

impl<'a, R: Indexed> Index<'a, R> {
    pub(crate) fn open(db: &'a dyn Read, vault: &'a Arc<Vault>, name: &str) -> Result<Self, StoreError> {
        let tree = Tree::open(db, vault, R::NAME, place(vault, R::NAME, name))?;
        Ok(Self { tree, vault, name: name.to_owned(), of: PhantomData })
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// Those of reading; [`StoreError::NotAuthentic`], [`StoreError::Unreadable`].
    pub fn get(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.tree.get(key)?.map(|value| decode(&value)).transpose()
    }

    /// At most `limit` entries whose keys begin with `prefix`, in order, from `after` on.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub fn range(&self, prefix: &[u8], after: Bound<&[u8]>, limit: usize) -> Result<Range<R>, StoreError> {
        let mut entries = self.iter(prefix)?;
        match after {
            Bound::Included(key) => entries.seek(key)?,
            Bound::Excluded(key) => entries.seek(&[key, &[0]].concat())?,
            Bound::Unbounded => {}
        }
        let mut items = Vec::new();
        while items.len() < limit {
            let Some(item) = entries.next()? else { return Ok(Range { items, more: false }) };
            items.push(item);
        }
        Ok(Range { items, more: entries.next_with(|_| Ok(()))?.is_some() })
    }

    /// Every entry whose key begins with `prefix`, in order.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub fn iter(&self, prefix: &[u8]) -> Result<Entries<'_, R>, StoreError> {
        let walk = Walk::at(&self.tree, prefix)?;
        Ok(Entries { tree: &self.tree, walk, prefix: prefix.to_vec(), of: PhantomData })
    }

    /// The place after `key` in the listing `listing` of this index, as an opaque text for a caller to carry. `listing`
    /// is what the listing was asked for with, such as prefix and delimiter.
    #[must_use]
    pub fn token(&self, listing: &[u8], key: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.vault.seal_token(&self.listing(listing), key))
    }

    /// The key of a [`token`](Self::token).
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] when the token was not given out for this listing.
    pub fn open_token(&self, listing: &[u8], token: &str) -> Result<Vec<u8>, StoreError> {
        let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| StoreError::BadCursor)?;
        Ok(self.vault.open_token(&self.listing(listing), &sealed)?.expose().to_vec())
    }

    fn listing(&self, listing: &[u8]) -> Vec<u8> {
        let (kind, name) = (R::NAME.as_bytes(), self.name.as_bytes());
        let length = |text: &[u8]| (text.len() as u64).to_be_bytes();
        [&length(kind)[..], kind, &length(name), name, listing].concat()
    }
}

/// Entries of an index, in the order of their keys.
pub struct Entries<'a, R> {
    tree: &'a Tree<'a>,
    walk: Walk,
    prefix: Vec<u8>,
    of: PhantomData<fn() -> R>,
}

impl<R: Indexed> Entries<'_, R> {
    /// Goes on at the first entry whose key is `key` or larger: behind a common prefix, for a listing with a delimiter.
    /// Never goes to where keys do not begin with the prefix.
    ///
    /// # Errors
    /// As for [`Index::get`].
    pub fn seek(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.walk = Walk::at(self.tree, key.max(&self.prefix))?;
        Ok(())
    }

    /// The next entry.
    ///
    /// # Errors
    /// As for [`Index::get`].
    #[expect(clippy::should_implement_trait, reason = "an iterator's item could not be seeked past an error")]
    pub fn next(&mut self) -> Result<Option<(Vec<u8>, R)>, StoreError> {
        self.next_with(decode)
    }

    /// The next entry, with what `read` makes of its value.
    fn next_with<T>(
        &mut self,
        read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
    ) -> Result<Option<(Vec<u8>, T)>, StoreError> {
        if !self.walk.advance(self.tree)? {
            return Ok(None);
        }
        let (key, value) = self.walk.entry()?;
        if !key.starts_with(&self.prefix) {
            return Ok(None);
        }
        Ok(Some((key, read(value)?)))
    }
}

/// An index that a transaction changes.
pub struct IndexMut<'t, 'a, R> {
    tx: &'t mut Tx<'a>,
    name: String,
    place: Place,
    of: PhantomData<fn() -> R>,
}

impl<'t, 'a, R: Indexed> IndexMut<'t, 'a, R> {
    pub(crate) fn new(tx: &'t mut Tx<'a>, name: &str) -> Self {
        let place = place(tx.vault(), R::NAME, name);
        Self { tx, name: name.to_owned(), place, of: PhantomData }
    }

    /// Writes the value of `key`, whether or not it has one.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`]; those of encoding and writing.
    pub fn put(&mut self, key: &[u8], value: &R) -> Result<(), StoreError> {
        let value = encode(key, value)?;
        self.change(|tree| tree.put(key, &value, true).map(|_| true)).map(|_| ())
    }

    /// Writes the value of `key`, which must have none.
    ///
    /// # Errors
    /// [`StoreError::Exists`]; as for [`put`](Self::put).
    pub fn insert(&mut self, key: &[u8], value: &R) -> Result<(), StoreError> {
        let value = encode(key, value)?;
        match self.change(|tree| tree.put(key, &value, false).map(|found| !found))? {
            true => Ok(()),
            false => Err(StoreError::Exists { collection: R::NAME }),
        }
    }

    /// Removes `key` and its value. Returns whether it was there.
    ///
    /// # Errors
    /// Those of writing.
    pub fn remove(&mut self, key: &[u8]) -> Result<bool, StoreError> {
        self.change(|tree| tree.remove(key))
    }

    /// The value of `key`, with the transaction's own changes.
    ///
    /// # Errors
    /// As for [`Index::get`].
    pub fn get(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.tx.index::<R>(&self.name)?.get(key)
    }

    /// `change` returns whether it changed anything.
    fn change(&mut self, change: impl FnOnce(&TreeMut<'_>) -> Result<bool, StoreError>) -> Result<bool, StoreError> {
        let (name, place, space) = (&self.name, self.place, self.tx.space());
        let changed =
            self.tx.noting_index(|db, vault| change(&TreeMut::open(db, space, vault, R::NAME, name, place)?))?;
        if changed {
            self.tx.touch_index(R::NAME, name);
        }
        Ok(changed)
    }
}

fn encode<R: Indexed>(key: &[u8], value: &R) -> Result<Vec<u8>, StoreError> {
    let value = serde_json::to_vec(value).map_err(|_| StoreError::Unwritable { collection: R::NAME })?;
    let checked = [("key", key.len(), KEY_BYTES_MAX), ("value", value.len(), VALUE_BYTES_MAX)];
    match checked.into_iter().find(|(_, bytes, max)| bytes > max) {
        Some((what, bytes, max)) => Err(StoreError::TooLarge { collection: R::NAME, what, bytes, max }),
        None => Ok(value),
    }
}

fn decode<R: Indexed>(value: &[u8]) -> Result<R, StoreError> {
    // The parser's message may quote the value, so only the place is passed on.
    serde_json::from_slice(value).map_err(|error| StoreError::Unreadable {
        collection: R::NAME,
        line: error.line(),
        column: error.column(),
    })
}

/// Counts of an examination that found all trees in order.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) trees: u64,
    pub(crate) entries: u64,
}

/// Examines every tree, and that no other pages are there than theirs.
pub(crate) fn check(db: &dyn Read, vault: &Arc<Vault>) -> Result<Found, StoreError> {
    let (mut found, mut pages) = (Found::default(), 0);
    let mut after: Option<(Blind, Blind)> = None;
    loop {
        let rows = db.scan(COLLECTION, after.as_ref().map(|(parent, id)| (parent, id)), BATCH)?;
        let Some(last) = rows.last() else { break };
        after = Some((last.parent, last.id));
        for place in rows.iter().map(|row| (row.parent, row.id)).filter(|place| !pages::is_numbers(place)) {
            let tree = Tree::open(db, vault, COLLECTION, place)?;
            let number = tree.header().map_or(0, |header| header.number);
            let examined = tree.examine()?;
            let mut expected = examined.rows.iter().map(|page| row_id(number, *page));
            let mut last = row_id(number, 0).saturating_sub(1);
            // The rows of this tree are those that it needs, and no other.
            'rows: loop {
                let stored = db.index_pages(last, BATCH)?;
                for id in &stored {
                    if *id >= row_id(number + 1, 0) {
                        break 'rows;
                    }
                    if expected.next() != Some(*id) {
                        return Err(StoreError::DamagedIndex { detail: "a page has no row, or a row no page" });
                    }
                    (last, pages) = (*id, pages + 1);
                }
                if stored.is_empty() {
                    break;
                }
            }
            if expected.next().is_some() {
                return Err(StoreError::DamagedIndex { detail: "a page has no row, or a row no page" });
            }
            (found.trees, found.entries) = (found.trees + 1, found.entries + examined.entries);
        }
    }
    let mut last = 0;
    loop {
        let stored = db.index_pages(last, BATCH)?;
        let Some(id) = stored.last() else { break };
        (last, pages) = (*id, pages - stored.len() as i64);
    }
    match pages {
        0 => Ok(found),
        _ => Err(StoreError::DamagedIndex { detail: "pages are left of a tree that is not there" }),
    }
}
