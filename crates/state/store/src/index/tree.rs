//! The tree: looked up, walked in order, changed and examined. Knows pages by their numbers alone.

use std::ops::Deref as _;
use std::sync::Arc;

use super::header::{NONE, TABLE};
use super::node::{Node, PAGE_BYTES};
use super::pages::{Content, Tree, TreeMut};
use crate::StoreError;

/// A node with fewer bytes than this is merged with a neighbour.
const SPARSE_BYTES: usize = PAGE_BYTES / 4;

/// Two neighbours are merged up to this, so that the next few entries do not split them again.
const MERGED_BYTES_MAX: usize = PAGE_BYTES / 4 * 3;

const fn damaged(detail: &'static str) -> StoreError {
    StoreError::DamagedIndex { detail }
}

/// A page on the way down, with the entry below which the way goes on.
struct Step {
    page: u32,
    at: usize,
}

/// A node that is shared with the cache.
#[derive(Clone)]
struct Shared(Arc<Content>);

impl Shared {
    fn node(&self) -> Result<&Node, StoreError> {
        match &*self.0 {
            Content::Node(node) => Ok(node),
            Content::Table(_) => Err(damaged("a table stands among the nodes")),
        }
    }
}

impl Tree<'_> {
    fn shared(&self, page: u32) -> Result<Shared, StoreError> {
        self.node(page).map(Shared)
    }

    /// The child of `node` below the entry `at`.
    fn below(&self, node: &Node, at: usize) -> Result<(u32, Shared), StoreError> {
        let page = node.child(at).ok_or(damaged("an inner node has no child"))?;
        let child = self.shared(page)?;
        // Levels fall with each step, so that no circle of pages is followed.
        if child.node()?.level().checked_add(1) != Some(node.level()) {
            return Err(damaged("a child does not stand one level below its parent"));
        }
        Ok((page, child))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(header) = self.header() else { return Ok(None) };
        let mut shared = self.shared(header.root)?;
        while shared.node()?.level() > 0 {
            let node = shared.node()?;
            shared = self.below(node, node.descend(key))?.1;
        }
        let leaf = shared.node()?;
        Ok(leaf.search(key).ok().map(|at| leaf.value(at).to_vec()))
    }

    /// The way to the leaf where the key belongs, and that leaf.
    fn path(&self, key: &[u8]) -> Result<(Vec<Step>, u32, Shared), StoreError> {
        let header = self.header().ok_or(damaged("the tree has no header"))?;
        let (mut steps, mut page, mut shared) = (Vec::new(), header.root, self.shared(header.root)?);
        while shared.node()?.level() > 0 {
            let at = shared.node()?.descend(key);
            steps.push(Step { page, at });
            (page, shared) = self.below(shared.node()?, at)?;
        }
        Ok((steps, page, shared))
    }
}

/// A place between the entries of a tree, which goes on in order.
pub(crate) struct Walk {
    /// Nodes from the root down, with the entry that is next in each.
    steps: Vec<(Shared, usize)>,
}

impl Walk {
    /// The place before the first entry whose key is `key` or larger.
    pub(crate) fn at(tree: &Tree<'_>, key: &[u8]) -> Result<Self, StoreError> {
        let mut steps = Vec::new();
        if let Some(header) = tree.header() {
            let mut shared = tree.shared(header.root)?;
            while shared.node()?.level() > 0 {
                let node = shared.node()?;
                let at = node.descend(key);
                let child = tree.below(node, at)?.1;
                steps.push((shared, at + 1));
                shared = child;
            }
            let at = shared.node()?.search(key).unwrap_or_else(|at| at);
            steps.push((shared, at));
        }
        Ok(Self { steps })
    }

    /// Goes on to the next entry. Returns whether there is one.
    pub(crate) fn advance(&mut self, tree: &Tree<'_>) -> Result<bool, StoreError> {
        while let Some((shared, at)) = self.steps.last_mut() {
            let node = shared.node()?;
            if *at >= node.len() {
                self.steps.pop();
                continue;
            }
            let now = *at;
            *at += 1;
            if node.level() == 0 {
                return Ok(true);
            }
            let child = tree.below(node, now)?.1;
            self.steps.push((child, 0));
        }
        Ok(false)
    }

    /// The entry that [`advance`](Self::advance) has come to.
    pub(crate) fn entry(&self) -> Result<(Vec<u8>, &[u8]), StoreError> {
        let (shared, next) = self.steps.last().ok_or(damaged("a listing has no entry"))?;
        let (node, at) = (shared.node()?, next.saturating_sub(1));
        Ok((node.key(at), node.value(at)))
    }
}

impl TreeMut<'_> {
    /// Writes an entry. Returns whether the key was there; if it was, `replace` says whether its value is replaced.
    pub(crate) fn put(&self, key: &[u8], value: &[u8], replace: bool) -> Result<bool, StoreError> {
        if self.header().is_none() {
            self.create()?;
        }
        let (mut steps, mut page, leaf) = self.path(key)?;
        let found = leaf.node()?.search(key);
        if found.is_ok() && !replace {
            return Ok(true);
        }
        // Behind every other key: the next one is likely to come behind this one.
        let mut at_end = found == Err(leaf.node()?.len()) && self.is_last(&steps)?;
        drop(leaf);
        let mut bytes = self.edit_node(page, |node| {
            match found {
                Ok(at) => node.replace(at, value),
                Err(at) => node.insert(at, key, value),
            }
            node.bytes()
        })?;
        while bytes > PAGE_BYTES {
            let split = self.edit_node(page, |node| {
                let (left, separator, right) = node.split(at_end)?;
                *node = left;
                Some((separator, right))
            })?;
            let (separator, right) = split.ok_or(damaged("a page cannot be split"))?;
            let level = right.level();
            let right = self.allocate(right)?;
            let Some(Step { page: parent, at }) = steps.pop() else {
                // A new root, whose first key is a hint alone.
                let mut root = Node::empty(level + 1);
                root.insert(0, &[], &page.to_be_bytes());
                root.insert(1, &separator, &right.to_be_bytes());
                let root = self.allocate(root)?;
                self.set_root(root)?;
                break;
            };
            bytes = self.edit_node(parent, |node| {
                node.insert_child(at, &separator, right);
                at_end &= at + 2 == node.len();
                node.bytes()
            })?;
            page = parent;
        }
        Ok(found.is_ok())
    }

    /// Whether the way down took the last entry everywhere.
    fn is_last(&self, steps: &[Step]) -> Result<bool, StoreError> {
        for Step { page, at } in steps {
            if at + 1 < self.deref().shared(*page)?.node()?.len() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes an entry. Returns whether it was there.
    pub(crate) fn remove(&self, key: &[u8]) -> Result<bool, StoreError> {
        if self.header().is_none() {
            return Ok(false);
        }
        let (mut steps, mut page, leaf) = self.path(key)?;
        let Ok(at) = leaf.node()?.search(key) else { return Ok(false) };
        drop(leaf);
        let (mut bytes, mut left) = self.edit_node(page, |node| {
            node.remove(at);
            (node.bytes(), node.len())
        })?;
        // Each turn takes a child from its parent, which may be sparse then as well.
        while let Some(Step { page: parent, at }) = steps.pop() {
            if left == 0 {
                self.free(page)?;
                self.edit_node(parent, |node| node.remove(at))?;
            } else if bytes >= SPARSE_BYTES || !self.merge(parent, at)? {
                return Ok(true);
            }
            let parent_node = self.deref().shared(parent)?;
            (bytes, left, page) = (parent_node.node()?.bytes(), parent_node.node()?.len(), parent);
        }
        self.lower_root()?;
        Ok(true)
    }

    /// Merges the child at `at` with a neighbour, if both fit a page. Returns whether it did.
    fn merge(&self, parent: u32, at: usize) -> Result<bool, StoreError> {
        let node = self.deref().shared(parent)?;
        for right in [at, at + 1] {
            let count = node.node()?.len();
            let Some(left) = right.checked_sub(1).filter(|_| right < count) else { continue };
            let ((left_page, left), (right_page, second)) =
                (self.below(node.node()?, left)?, self.below(node.node()?, right)?);
            let merged = left.node()?.merged(&node.node()?.key(right), second.node()?);
            if merged.bytes() <= MERGED_BYTES_MAX {
                drop((left, second, node));
                self.edit_node(left_page, |node| *node = merged)?;
                self.free(right_page)?;
                self.edit_node(parent, |node| node.remove(right))?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes roots away that have one child, or none.
    fn lower_root(&self) -> Result<(), StoreError> {
        loop {
            let root = self.header().ok_or(damaged("the tree has no header"))?.root;
            let shared = self.deref().shared(root)?;
            let node = shared.node()?;
            if node.level() == 0 || node.len() > 1 {
                return Ok(());
            }
            if node.is_empty() {
                // The last leaf went with its last entry: the root is the empty leaf now.
                return self.edit_node(root, |node| *node = Node::empty(0));
            }
            let (child, _) = self.below(node, 0)?;
            self.set_root(child)?;
            self.free(root)?;
        }
    }
}

/// A tree's pages, as an examination found them.
pub(crate) struct Examined {
    /// How many entries the tree has.
    pub(crate) entries: u64,
    /// The pages that must have rows, in order.
    pub(crate) rows: Vec<u32>,
}

impl Tree<'_> {
    /// Walks the whole tree and its free pages: order, levels, versions, and that each page is met exactly once.
    pub(crate) fn examine(&self) -> Result<Examined, StoreError> {
        let header = self.header().ok_or(damaged("the tree has no header"))?;
        let mut met = vec![false; usize::try_from(header.next).unwrap_or_default()];
        let mut meet = |page: u32| match usize::try_from(page).ok().and_then(|page| met.get_mut(page)) {
            Some(met) if !*met => {
                *met = true;
                Ok(())
            }
            _ => Err(damaged("a page is used twice or is none of the tree's")),
        };
        let mut rows = Vec::new();
        let mut entries = 0;
        // Nodes to examine, with the keys between which theirs must be.
        let root = self.shared(header.root)?;
        let mut waiting = vec![(header.root, root, Vec::new(), None::<Vec<u8>>)];
        while let Some((page, shared, low, high)) = waiting.pop() {
            meet(page)?;
            rows.push(page);
            let node = shared.node()?;
            let ends = node.len().checked_sub(1).map(|last| (node.key(usize::from(node.level() > 0)), node.key(last)));
            if let Some((first, last)) = ends {
                // The first key of an inner node is a hint.
                let hint_alone = node.level() > 0 && node.len() == 1;
                if !hint_alone && (first < low || high.as_ref().is_some_and(|high| last >= *high)) {
                    return Err(damaged("a key stands outside of its page's range"));
                }
            } else {
                return Err(damaged("an empty page is left"));
            }
            if node.level() == 0 {
                entries += node.len() as u64;
                continue;
            }
            for at in 0..node.len() {
                let (page, child) = self.below(node, at)?;
                let low = if at == 0 { low.clone() } else { node.key(at) };
                let high = if at + 1 < node.len() { Some(node.key(at + 1)) } else { high.clone() };
                waiting.push((page, child, low, high));
            }
        }
        let mut free = header.free;
        while free != NONE {
            meet(free)?;
            free = self.slot(free)?;
        }
        if met.contains(&false) {
            return Err(damaged("a page is neither in use nor free"));
        }
        rows.sort_unstable();
        rows.extend((0..).zip(&header.tables).map(|(table, _)| TABLE | table));
        Ok(Examined { entries, rows })
    }
}
