//! The differences between two trees.
//!
//! Owns the walk through both at once, which reads no subtree that both have. Refuses to know contents and renames.

use std::cmp::Ordering;

use git_object::{Entry, Kind, Mode, ObjectFormat, ObjectId, Tree, entry_order};

use crate::{DiffError, Item, Source, item_at};

/// Folders in each other that are looked into, as git's `core.maxTreeDepth`.
pub(crate) const DEPTH_MAX: usize = 2048;

/// A file, link or submodule that is not the same in both trees. Folders are never listed themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path from the root, with slashes.
    pub path: Vec<u8>,
    /// The old item, unless it is added.
    pub before: Option<Item>,
    /// The new item, unless it was deleted. If a folder replaces a file, the file is deleted and its content added.
    pub after: Option<Item>,
}

/// The changes from one tree to another, in the order of `git diff`. Ends after the first error.
///
/// Trees can name more files than can ever be listed (one subtree many times, and so on): whoever iterates counts.
pub struct TreeDiff<'s, S: Source> {
    source: &'s S,
    folders: Vec<Folder<S>>,
    /// The path of the innermost folder, with a slash at its end unless it is the root.
    path: Vec<u8>,
    /// A change to list first, when the paths to compare are files.
    first: Option<Change>,
}

struct Folder<S: Source> {
    /// The length of `path` outside of it.
    outer_path: usize,
    before: Side<S>,
    after: Side<S>,
}

/// One tree of a pair; the other may not be there.
struct Side<S: Source> {
    format: ObjectFormat,
    content: Option<S::Bytes>,
    at: usize,
}

impl<S: Source> Side<S> {
    fn open(source: &S, id: Option<&ObjectId>) -> Result<Self, DiffError<S::Error>> {
        let content = id.map(|id| source.read(id, Kind::Tree)).transpose().map_err(DiffError::Source)?;
        Ok(Self { format: id.map_or(ObjectFormat::Sha1, ObjectId::format), content, at: 0 })
    }

    /// The next entry, and where the one behind it begins.
    fn peek(&self) -> Result<Option<(Entry<'_>, usize)>, DiffError<S::Error>> {
        let Some(content) = &self.content else { return Ok(None) };
        let content = content.as_ref();
        let mut tree = Tree::new(self.format, content.get(self.at..).unwrap_or_default());
        let Some(entry) = tree.next().transpose()? else { return Ok(None) };
        Ok(Some((entry, content.len() - tree.rest().len())))
    }
}

impl<'s, S: Source> TreeDiff<'s, S> {
    /// Compares two trees; `None` is an empty one.
    ///
    /// # Errors
    /// [`DiffError::Source`].
    pub fn new(
        source: &'s S,
        before: Option<&ObjectId>,
        after: Option<&ObjectId>,
    ) -> Result<Self, DiffError<S::Error>> {
        let mut diff = Self { source, folders: Vec::new(), path: Vec::new(), first: None };
        if before != after {
            diff.enter(b"", before, after)?;
        }
        Ok(diff)
    }

    /// Compares what lies at two paths of two trees: folders, or a file each. What is not there is empty.
    ///
    /// Changes are named by where they are below `after_path`, or below `before_path` when `after` is not given.
    ///
    /// # Errors
    /// [`DiffError::Source`] and [`DiffError::Form`].
    pub fn at_paths(
        source: &'s S,
        (before, before_path): (Option<&ObjectId>, &[u8]),
        (after, after_path): (Option<&ObjectId>, &[u8]),
    ) -> Result<Self, DiffError<S::Error>> {
        let find = |root: Option<&ObjectId>, path| match root {
            Some(root) => item_at(source, root, path),
            None => Ok(None),
        };
        let (old, new) = (find(before, before_path)?, find(after, after_path)?);
        let path = if after.is_some() { after_path } else { before_path };
        let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
        let path = parts.join(&b'/');
        let mut diff = Self { source, folders: Vec::new(), path: path.clone(), first: None };
        if old == new {
            return Ok(diff);
        }
        let file = |item: Option<Item>| item.filter(|item| item.mode != Mode::Tree);
        let folder = |item: Option<Item>| item.filter(|item| item.mode == Mode::Tree).map(|item| item.id);
        if file(old).is_some() || file(new).is_some() {
            diff.first = Some(Change { path: path.clone(), before: file(old), after: file(new) });
        }
        if !diff.path.is_empty() {
            diff.path.push(b'/');
        }
        if folder(old).is_some() || folder(new).is_some() {
            diff.enter(b"", folder(old).as_ref(), folder(new).as_ref())?;
        }
        Ok(diff)
    }

    fn enter(
        &mut self,
        name: &[u8],
        before: Option<&ObjectId>,
        after: Option<&ObjectId>,
    ) -> Result<(), DiffError<S::Error>> {
        if self.folders.len() >= DEPTH_MAX {
            return Err(DiffError::Deep);
        }
        let outer_path = self.path.len();
        let (before, after) = (Side::open(self.source, before)?, Side::open(self.source, after)?);
        self.folders.push(Folder { outer_path, before, after });
        if !name.is_empty() {
            self.path.extend_from_slice(name);
            self.path.push(b'/');
        }
        Ok(())
    }

    /// Goes on by one entry, or by one in each tree.
    fn step(&mut self) -> Result<Step, DiffError<S::Error>> {
        let Some(folder) = self.folders.last_mut() else { return Ok(Step::End) };
        let (before, after) = (folder.before.peek()?, folder.after.peek()?);
        let order = match (&before, &after) {
            (None, None) => {
                let outer_path = folder.outer_path;
                self.folders.pop();
                self.path.truncate(outer_path);
                return Ok(Step::Nothing);
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((a, _)), Some((b, _))) => entry_order((a.name, a.mode), (b.name, b.mode)),
        };
        let before = before.filter(|_| order.is_le());
        let after = after.filter(|_| order.is_ge());
        let item = |entry: &Option<(Entry<'_>, usize)>| {
            entry.as_ref().map(|(entry, _)| Item { mode: entry.mode, id: entry.id })
        };
        let (old, new) = (item(&before), item(&after));
        let name = before.as_ref().or(after.as_ref()).map(|(entry, _)| entry.name.to_vec()).unwrap_or_default();
        let (before_end, after_end) = (before.map(|(_, end)| end), after.map(|(_, end)| end));
        if let Some(end) = before_end {
            folder.before.at = end;
        }
        if let Some(end) = after_end {
            folder.after.at = end;
        }
        if old == new {
            return Ok(Step::Nothing);
        }
        if old.or(new).is_some_and(|item| item.mode == Mode::Tree) {
            self.enter(&name, old.map(|item| item.id).as_ref(), new.map(|item| item.id).as_ref())?;
            return Ok(Step::Nothing);
        }
        let path = [self.path.as_slice(), &name].concat();
        Ok(Step::Change(Change { path, before: old, after: new }))
    }
}

enum Step {
    Change(Change),
    Nothing,
    End,
}

impl<S: Source> Iterator for TreeDiff<'_, S> {
    type Item = Result<Change, DiffError<S::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(change) = self.first.take() {
            return Some(Ok(change));
        }
        loop {
            match self.step() {
                Ok(Step::Change(change)) => return Some(Ok(change)),
                Ok(Step::Nothing) => {}
                Ok(Step::End) => return None,
                Err(error) => {
                    self.folders.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}
