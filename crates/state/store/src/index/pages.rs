//! Pages in and out of storage: sealed, checked against the versions in the tree's header, cached, and
//! collected while a group of closures changes them.
//!
//! INVARIANT: nothing enters the cache that is not committed. A committed page never changes under its tree, number and
//! version, so an entry is right for every snapshot whose tables name that version.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crypto::{Key256, sealed};

use super::COLLECTION;
use super::header::{Header, NONE, TABLE, Table, VERSIONS, table_of};
use super::node::Node;
use crate::StoreError;
use crate::engine::{Blind, Read, RowKey};
use crate::space::Space;
use crate::transaction::Transaction;
use crate::vault::Vault;

/// How many bytes of decoded pages are cached at most.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// About what an entry of the cache takes beside its page, in bytes.
const ENTRY_BYTES: usize = 160;

/// The tree number that is used next: a value under a name that no tree has.
const NUMBERS: (Blind, Blind) = ([0; 16], [0; 16]);

/// A decoded page.
#[derive(Clone)]
pub(crate) enum Content {
    Node(Node),
    Table(Table),
}

impl Content {
    fn memory(&self) -> usize {
        ENTRY_BYTES
            + match self {
                Self::Node(node) => node.memory(),
                Self::Table(_) => 4 * VERSIONS as usize,
            }
    }
}

/// The tree's id, the page's number, its version.
type CacheKey = ([u8; 16], u32, u32);

#[derive(Clone)]
struct Weigh;

impl quick_cache::Weighter<CacheKey, Arc<Content>> for Weigh {
    fn weight(&self, _: &CacheKey, content: &Arc<Content>) -> u64 {
        content.memory() as u64
    }
}

/// Committed pages, decoded, for every reader and the writer.
pub(crate) struct Cache(quick_cache::sync::Cache<CacheKey, Arc<Content>, Weigh>);

impl Cache {
    pub(crate) fn new() -> Self {
        Self(quick_cache::sync::Cache::with_weighter(16_384, CACHE_BYTES, Weigh))
    }
}

/// Where a tree's header stands among the records.
pub(crate) type Place = (Blind, Blind);

/// A committed header with the key of the tree's pages.
type Stored = (Arc<Header>, Arc<Key256>);

/// A tree as one transaction sees it.
pub(crate) struct Tree<'a> {
    db: &'a dyn Read,
    vault: Arc<Vault>,
    pub(crate) kind: &'static str,
    place: Place,
    /// Of the snapshot; `None` if it has no such tree.
    stored: Option<Stored>,
}

pub(crate) fn not_authentic(kind: &str) -> StoreError {
    StoreError::NotAuthentic { collection: kind.to_owned() }
}

/// The key of a header's row.
pub(crate) fn row(place: &Place) -> RowKey<'_> {
    RowKey { collection: COLLECTION, parent: &place.0, id: &place.1 }
}

/// The row of a page.
pub(crate) fn row_id(number: u32, page: u32) -> u64 {
    u64::from(number) << 32 | u64::from(page)
}

/// Binds a page to its tree, its place and the commit that wrote it.
fn associated(header: &Header, page: u32, version: u64) -> Vec<u8> {
    [b"index page 1\0", &header.id[..], &u64::from(page).to_be_bytes(), &version.to_be_bytes()].concat()
}

/// The part of a version that tables have.
const fn low(version: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
    let low = version as u32;
    low
}

impl<'a> Tree<'a> {
    /// The tree at `place`, as the snapshot or the transaction has it.
    pub(crate) fn open(
        db: &'a dyn Read,
        vault: &Arc<Vault>,
        kind: &'static str,
        place: Place,
    ) -> Result<Self, StoreError> {
        let in_work =
            db.working().and_then(|working| working.borrow().trees.get(&place).map(|tree| tree.stored.clone()));
        let stored = match in_work {
            Some(stored) => stored,
            None => stored_header(db, vault, kind, &place)?,
        };
        Ok(Self { db, vault: Arc::clone(vault), kind, place, stored })
    }

    /// The header now; `None` if there is no tree.
    pub(crate) fn header(&self) -> Option<Arc<Header>> {
        let changed = self.db.working().and_then(|working| {
            let working = working.borrow();
            working.trees.get(&self.place).map(|tree| tree.header.clone())
        });
        changed.unwrap_or_else(|| self.stored.as_ref().map(|(header, _)| Arc::clone(header)))
    }

    /// A page of the tree's nodes.
    pub(crate) fn node(&self, page: u32) -> Result<Arc<Content>, StoreError> {
        match self.content(page)? {
            content if matches!(*content, Content::Node(_)) => Ok(content),
            _ => Err(not_authentic(self.kind)),
        }
    }

    fn content(&self, page: u32) -> Result<Arc<Content>, StoreError> {
        let changed = self.db.working().and_then(|working| {
            let working = working.borrow();
            working.trees.get(&self.place)?.pages.get(&page).map(|dirty| dirty.content.clone())
        });
        match changed {
            Some(content) => content.ok_or_else(|| not_authentic(self.kind)),
            None => self.stored_content(page),
        }
    }

    /// The content of the place of a page's version.
    pub(crate) fn slot(&self, page: u32) -> Result<u32, StoreError> {
        let (table, slot) = table_of(page);
        match &*self.content(table)? {
            Content::Table(table) => table.at(slot).ok_or_else(|| not_authentic(self.kind)),
            Content::Node(_) => Err(not_authentic(self.kind)),
        }
    }

    fn stored_content(&self, page: u32) -> Result<Arc<Content>, StoreError> {
        let refused = || not_authentic(self.kind);
        let (header, key) = self.stored.as_ref().ok_or_else(refused)?;
        let expected = if page & TABLE == 0 {
            self.slot(page)?
        } else {
            let table = usize::try_from(page & !TABLE).ok().and_then(|table| header.tables.get(table));
            *table.ok_or_else(refused)?
        };
        let cache_key = (header.id, page, expected);
        if let Some(content) = self.vault.pages.0.get(&cache_key) {
            return Ok(content);
        }
        let (version, value) = self.db.index_page(row_id(header.number, page))?.ok_or_else(refused)?;
        // A page that was put back opens, but it is not the one that was last written.
        if low(version) != expected {
            return Err(refused());
        }
        let plaintext = sealed::open(key, &associated(header, page, version), &value).map_err(|_| refused())?;
        let content = if page & TABLE == 0 {
            Node::parse(plaintext.expose()).map(Content::Node)
        } else {
            Table::parse(plaintext.expose()).map(Content::Table)
        };
        let content = Arc::new(content.ok_or_else(refused)?);
        self.vault.pages.0.insert(cache_key, Arc::clone(&content));
        Ok(content)
    }
}

fn stored_header(db: &dyn Read, vault: &Vault, kind: &str, place: &Place) -> Result<Option<Stored>, StoreError> {
    let Some(value) = db.get(row(place))? else { return Ok(None) };
    let header = vault.open_bytes(row(place), &value)?;
    let header = Header::parse(header.expose()).ok_or_else(|| not_authentic(kind))?;
    let key = Arc::new(vault.page_key(&header.id));
    Ok(Some((Arc::new(header), key)))
}

/// A page that a group of closures has changed.
#[derive(Clone)]
struct Dirty {
    /// `None` when it was freed.
    content: Option<Arc<Content>>,
    /// The closure that changed it last.
    closure: u64,
}

/// A tree that a group of closures works on.
struct TreeInWork {
    vault: Arc<Vault>,
    kind: &'static str,
    /// The index's name, for the changes feed of its space.
    name: String,
    space: Space,
    stored: Option<Stored>,
    header: Option<Arc<Header>>,
    pages: HashMap<u32, Dirty>,
}

/// How one change is undone.
enum Undo {
    Header(Place, Option<Arc<Header>>),
    Page(Place, u32, Option<Dirty>),
}

/// The trees that a group of closures works on, with the way back to before the current closure.
#[derive(Default)]
pub(crate) struct Working {
    trees: HashMap<Place, TreeInWork>,
    undo: Vec<Undo>,
    closure: u64,
}

/// Pages that were written in a transaction, for the cache once it is committed.
#[derive(Default)]
pub(crate) struct Written(Vec<(Arc<Vault>, CacheKey, Arc<Content>)>);

impl Written {
    /// The transaction is committed.
    pub(crate) fn publish(self) {
        for (vault, key, content) in self.0 {
            vault.pages.0.insert(key, content);
        }
    }
}

impl Working {
    /// Another closure begins.
    pub(crate) fn begin_closure(&mut self) {
        self.closure = self.closure.wrapping_add(1);
        self.undo.clear();
    }

    /// Undoes what the current closure did.
    pub(crate) fn undo_closure(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Header(place, header) => {
                    if let Some(tree) = self.trees.get_mut(&place) {
                        tree.header = header;
                    }
                }
                Undo::Page(place, page, before) => {
                    let Some(tree) = self.trees.get_mut(&place) else { continue };
                    match before {
                        Some(before) => tree.pages.insert(page, before),
                        None => tree.pages.remove(&page),
                    };
                }
            }
        }
    }

    /// Writes what was changed, as of the commit `version`.
    pub(crate) fn flush(&mut self, db: &Transaction<'_>, version: u64) -> Result<Written, StoreError> {
        let mut written = Written::default();
        for (place, tree) in &mut self.trees {
            if tree.flush(place, db, version, &mut written)? {
                db.touch(tree.space, [COLLECTION, tree.kind, &tree.name]);
            }
        }
        self.trees.clear();
        Ok(written)
    }
}

impl TreeInWork {
    /// Writes the tree's changed pages and its header. Returns whether there was anything to write.
    fn flush(
        &mut self,
        place: &Place,
        db: &Transaction<'_>,
        version: u64,
        written: &mut Written,
    ) -> Result<bool, StoreError> {
        let refused = || not_authentic(self.kind);
        let mut numbers: Vec<u32> = self.pages.keys().copied().collect();
        // Nodes before the tables that have their versions.
        numbers.sort_unstable();
        let Some(header) = self.header.as_ref().filter(|_| !self.pages.is_empty()) else { return Ok(false) };
        let root = self.pages.get(&header.root).and_then(|dirty| dirty.content.as_deref());
        if matches!(root, Some(Content::Node(root)) if root.is_empty()) {
            // A tree without entries leaves nothing behind.
            if let Some((stored, _)) = &self.stored {
                let tables = (0..).zip(&stored.tables).map(|(table, _)| TABLE | table);
                for page in tables.chain(numbers) {
                    db.delete_index_page(row_id(header.number, page))?;
                }
                db.delete(row(place))?;
            }
            return Ok(self.stored.is_some());
        }
        let mut header = Header::clone(header);
        if header.number == 0 {
            header.number = next_number(&self.vault, db)?;
        }
        let key = self.vault.page_key(&header.id);
        for page in numbers {
            let content = self.pages.get(&page).and_then(|dirty| dirty.content.clone());
            let id = row_id(header.number, page);
            let Some(content) = content else {
                db.delete_index_page(id)?;
                continue;
            };
            let plaintext = match &*content {
                Content::Node(node) => {
                    let (table, slot) = table_of(page);
                    let table = self.pages.get_mut(&table).and_then(|dirty| dirty.content.as_mut());
                    let Some(Content::Table(table)) = table.map(Arc::make_mut) else { return Err(refused()) };
                    table.set(slot, low(version));
                    node.to_bytes().ok_or_else(refused)?
                }
                Content::Table(table) => {
                    let place = usize::try_from(page & !TABLE).ok().and_then(|table| header.tables.get_mut(table));
                    *place.ok_or_else(refused)? = low(version);
                    table.to_bytes()
                }
            };
            db.put_index_page(id, version, &sealed::seal(&key, &associated(&header, page, version), &plaintext))?;
            written.0.push((Arc::clone(&self.vault), (header.id, page, low(version)), content));
        }
        db.put(row(place), &self.vault.seal_bytes(row(place), &header.to_bytes()))?;
        Ok(true)
    }
}

/// A number that no tree has had.
fn next_number(vault: &Vault, db: &Transaction<'_>) -> Result<u32, StoreError> {
    let refused = || not_authentic(COLLECTION);
    let last = match db.get(row(&NUMBERS))? {
        Some(value) => {
            let last = vault.open_bytes(row(&NUMBERS), &value)?;
            u32::from_be_bytes(last.expose().try_into().map_err(|_| refused())?)
        }
        None => 0,
    };
    let next = last.checked_add(1).filter(|next| *next < TABLE).ok_or_else(refused)?;
    db.put(row(&NUMBERS), &vault.seal_bytes(row(&NUMBERS), &next.to_be_bytes()))?;
    Ok(next)
}

/// Whether this row is not a tree's header but the last tree's number.
pub(crate) fn is_numbers(place: &Place) -> bool {
    *place == NUMBERS
}

/// A tree as a closure changes it.
pub(crate) struct TreeMut<'a> {
    tree: Tree<'a>,
    working: &'a RefCell<Working>,
}

impl<'a> std::ops::Deref for TreeMut<'a> {
    type Target = Tree<'a>;

    fn deref(&self) -> &Tree<'a> {
        &self.tree
    }
}

impl<'a> TreeMut<'a> {
    /// The tree `name` at `place`, to be made by its first entry if it is not there.
    pub(crate) fn open(
        db: &'a Transaction<'_>,
        space: Space,
        vault: &Arc<Vault>,
        kind: &'static str,
        name: &str,
        place: Place,
    ) -> Result<Self, StoreError> {
        let working = db.working().ok_or_else(|| not_authentic(kind))?;
        let tree = Tree::open(db, vault, kind, place)?;
        working.borrow_mut().trees.entry(place).or_insert_with(|| TreeInWork {
            vault: Arc::clone(vault),
            kind,
            name: name.to_owned(),
            space,
            stored: tree.stored.clone(),
            header: tree.stored.as_ref().map(|(header, _)| Arc::clone(header)),
            pages: HashMap::new(),
        });
        Ok(Self { tree, working })
    }

    fn with<T>(&self, change: impl FnOnce(&mut TreeInWork, &mut Vec<Undo>, u64) -> T) -> Result<T, StoreError> {
        let Working { trees, undo, closure } = &mut *self.working.borrow_mut();
        let tree = trees.get_mut(&self.place).ok_or_else(|| not_authentic(self.kind))?;
        Ok(change(tree, undo, *closure))
    }

    /// Changes the header.
    fn set_header(&self, header: Header) -> Result<(), StoreError> {
        self.with(|tree, undo, _| {
            undo.push(Undo::Header(self.place, tree.header.replace(Arc::new(header))));
        })
    }

    fn set_page(&self, page: u32, content: Option<Arc<Content>>) -> Result<(), StoreError> {
        self.with(|tree, undo, closure| {
            let before = tree.pages.insert(page, Dirty { content, closure });
            undo.push(Undo::Page(self.place, page, before));
        })
    }

    /// Changes a page. Only the first change of a closure copies it.
    fn edit<T>(&self, page: u32, change: impl FnOnce(&mut Content) -> T) -> Result<T, StoreError> {
        let ready =
            self.with(|tree, _, closure| tree.pages.get(&page).is_some_and(|dirty| dirty.closure == closure))?;
        if !ready {
            let content = self.content(page)?;
            self.set_page(page, Some(content))?;
        }
        let changed = self.with(|tree, _, _| {
            let content = tree.pages.get_mut(&page)?.content.as_mut()?;
            Some(change(Arc::make_mut(content)))
        })?;
        changed.ok_or_else(|| not_authentic(self.kind))
    }

    fn edit_table<T>(&self, table: u32, change: impl FnOnce(&mut Table) -> T) -> Result<T, StoreError> {
        let changed = self.edit(table, |content| match content {
            Content::Table(table) => Some(change(table)),
            Content::Node(_) => None,
        })?;
        changed.ok_or_else(|| not_authentic(self.kind))
    }

    /// Has the table of a page written as well, whose version the commit sets.
    fn touch_table(&self, page: u32) -> Result<(), StoreError> {
        let (table, _) = table_of(page);
        if self.with(|tree, _, _| tree.pages.contains_key(&table))? {
            return Ok(());
        }
        let content = self.content(table)?;
        self.set_page(table, Some(content))
    }

    /// Changes a node.
    pub(crate) fn edit_node<T>(&self, page: u32, change: impl FnOnce(&mut Node) -> T) -> Result<T, StoreError> {
        self.touch_table(page)?;
        let changed = self.edit(page, |content| match content {
            Content::Node(node) => Some(change(node)),
            Content::Table(_) => None,
        })?;
        changed.ok_or_else(|| not_authentic(self.kind))
    }

    /// Has the tree begin at another page.
    pub(crate) fn set_root(&self, root: u32) -> Result<(), StoreError> {
        let header = self.header().ok_or_else(|| not_authentic(self.kind))?;
        self.set_header(Header { root, ..Header::clone(&header) })
    }

    /// Makes the tree, with one empty leaf.
    pub(crate) fn create(&self) -> Result<(), StoreError> {
        let mut id = [0; 16];
        crypto::random_bytes(&mut id);
        self.set_header(Header { number: 0, id, root: 0, next: 1, free: NONE, tables: vec![0] })?;
        self.set_page(TABLE, Some(Arc::new(Content::Table(Table::empty()))))?;
        self.set_page(0, Some(Arc::new(Content::Node(Node::empty(0)))))
    }

    /// Puts a node on a page that is not in use.
    pub(crate) fn allocate(&self, node: Node) -> Result<u32, StoreError> {
        let mut header = self.header().map(|header| Header::clone(&header)).ok_or_else(|| not_authentic(self.kind))?;
        let page = if header.free == NONE {
            let page = header.next;
            header.next += 1;
            let (table, slot) = table_of(page);
            if slot == 0 {
                header.tables.push(0);
                self.set_page(table, Some(Arc::new(Content::Table(Table::empty()))))?;
            }
            page
        } else {
            let page = header.free;
            header.free = self.slot(page)?;
            page
        };
        self.set_header(header)?;
        self.touch_table(page)?;
        self.set_page(page, Some(Arc::new(Content::Node(node))))?;
        Ok(page)
    }

    /// Gives a page back.
    pub(crate) fn free(&self, page: u32) -> Result<(), StoreError> {
        let mut header = self.header().map(|header| Header::clone(&header)).ok_or_else(|| not_authentic(self.kind))?;
        let (table, slot) = table_of(page);
        self.edit_table(table, |table| table.set(slot, header.free))?;
        header.free = page;
        self.set_header(header)?;
        self.set_page(page, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_keeps_within_its_bytes_and_uses_them() {
        let cache = Cache::new();
        // Shared, so that the test itself takes little; each counts in full.
        let content = Arc::new(Content::Table(Table::empty()));
        (0..40_000).for_each(|page| cache.0.insert(([0; 16], page, 1), Arc::clone(&content)));
        let weight = cache.0.weight();
        assert!((CACHE_BYTES / 2..=CACHE_BYTES).contains(&weight), "{weight}");
    }

    #[test]
    fn a_page_opens_under_its_own_tree_place_and_version_alone() {
        let header = |id| Header { number: 1, id: [id; 16], root: 0, next: 1, free: NONE, tables: vec![0] };
        let here = associated(&header(1), 2, 3);
        for other in [associated(&header(2), 2, 3), associated(&header(1), 3, 3), associated(&header(1), 2, 4)] {
            assert_ne!(here, other);
        }
        assert_eq!((low(u64::MAX), low(1 << 32 | 7)), (u32::MAX, 7));
    }
}
