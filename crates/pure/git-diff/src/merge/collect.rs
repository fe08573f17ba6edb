//! The walk through three trees at once.
//!
//! Owns which paths have to be decided, and leaves folders alone that one side has changed, as long as no file of the other
//! side can have been moved into them.

use std::collections::BTreeMap;

use git_object::{Kind, Mode, ObjectId, Tree};

use super::{BASE, Entry, Merge, OURS, THEIRS, mask};
use crate::renames::Relevance;
use crate::tree_diff::DEPTH_MAX;
use crate::{DiffError, Item, Source};

/// A folder that is taken from one side if that side's renames need not be known.
struct Deferred {
    path: Vec<u8>,
    items: [Option<Item>; 3],
    matches: u8,
    depth: usize,
    added_to: u8,
}

/// A folder to look into.
struct Folder {
    path: Vec<u8>,
    trees: [Option<ObjectId>; 3],
    depth: usize,
    /// The side that still has a folder around here which the other has removed; all sides, if something was added to it.
    added_to: u8,
}

/// A folder that is looked into.
struct Open {
    path: Vec<u8>,
    depth: usize,
    added_to: u8,
    entries: std::vec::IntoIter<(Vec<u8>, [Option<Item>; 3])>,
}

/// In a folder that one side has removed and the other has added something to.
const ADDED_TO: u8 = 7;

/// The comparison of a name's items.
struct Compared {
    matches: u8,
    files: u8,
    folders: u8,
}

impl Compared {
    fn of(items: &[Option<Item>; 3]) -> Self {
        let [base, ours, theirs] = items;
        let same = |a: &Option<Item>, b: &Option<Item>| a.is_some() && a == b;
        let matches = match (same(base, ours), same(base, theirs)) {
            (true, true) => 7,
            (true, false) => 3,
            (false, true) => 5,
            (false, false) if same(ours, theirs) => 6,
            (false, false) => 0,
        };
        let folders = mask(&items.map(|item| item.filter(|item| item.mode == Mode::Tree)));
        Self { matches, folders, files: mask(items) & !folders }
    }

    /// The side that alone can have moved files into the folder; 0 if both can.
    const fn side(&self) -> usize {
        match (self.matches, self.files, self.folders) {
            (3, ..) => THEIRS,
            (5, ..) => OURS,
            (_, 0, 2) => OURS,
            (_, 0, 4) => THEIRS,
            _ => BASE,
        }
    }
}

fn trees_of(items: &[Option<Item>; 3]) -> [Option<ObjectId>; 3] {
    items.map(|item| item.filter(|item| item.mode == Mode::Tree).map(|item| item.id))
}

fn files_of(items: &[Option<Item>; 3]) -> [Option<Item>; 3] {
    items.map(|item| item.filter(|item| item.mode != Mode::Tree))
}

impl<S: Source> Merge<'_, '_, S> {
    pub(super) fn collect(&mut self, trees: [Option<ObjectId>; 3]) -> Result<(), DiffError<S::Error>> {
        let mut deferred: [Vec<Deferred>; 3] = Default::default();
        let mut may_defer = [false, true, true];
        self.walk(Folder { path: Vec::new(), trees, depth: 0, added_to: 0 }, &mut deferred, may_defer)?;
        for side in [OURS, THEIRS] {
            let matters = self.focus.get(side).is_some_and(|focus| !focus.is_empty());
            let folders = deferred.get_mut(side).map(std::mem::take).unwrap_or_default();
            if !matters {
                folders.into_iter().for_each(|folder| self.take_whole(folder, side));
                continue;
            }
            may_defer.iter_mut().skip(side).take(1).for_each(|may| *may = false);
            for Deferred { path, items, matches, depth, added_to } in folders {
                let compared = Compared::of(&items);
                self.add_entry(path.clone(), &items, &compared, matches & compared.files);
                let folder = Folder { path, trees: trees_of(&items), depth: depth + 1, added_to };
                self.walk(folder, &mut deferred, may_defer)?;
            }
        }
        // What was deferred while folders of the other side were walked.
        for side in [OURS, THEIRS] {
            let folders = deferred.get_mut(side).map(std::mem::take).unwrap_or_default();
            folders.into_iter().for_each(|folder| self.take_whole(folder, side));
        }
        Ok(())
    }

    /// Meets all that is in a folder, in the order of trees: of renames that are equally likely the first is taken.
    fn walk(
        &mut self,
        folder: Folder,
        deferred: &mut [Vec<Deferred>; 3],
        may_defer: [bool; 3],
    ) -> Result<(), DiffError<S::Error>> {
        let mut open = vec![self.open(folder)?];
        while let Some(folder) = open.last_mut() {
            let Some((name, items)) = folder.entries.next() else {
                open.pop();
                continue;
            };
            let path = if folder.path.is_empty() { name } else { [folder.path.as_slice(), b"/", &name].concat() };
            let (outer, depth, added_to) = (folder.path.clone(), folder.depth, folder.added_to);
            if let Some(found) = self.meet(path, items, (&outer, depth, added_to), deferred, may_defer)? {
                open.push(self.open(found)?);
            }
        }
        Ok(())
    }

    fn open(&self, folder: Folder) -> Result<Open, DiffError<S::Error>> {
        if folder.depth >= DEPTH_MAX {
            return Err(DiffError::Deep);
        }
        let mut entries: Vec<_> = self.read_folder(&folder.trees)?.into_iter().collect();
        // A folder comes where its name with a slash does.
        entries.sort_by_cached_key(|(name, items)| {
            let is_folder = Compared::of(items).files == 0;
            if is_folder { [name.as_slice(), b"/"].concat() } else { name.clone() }
        });
        let mut added_to = folder.added_to;
        if matches!(added_to, 2 | 4) && entries.iter().any(|(_, items)| Compared::of(items).files == added_to) {
            added_to = ADDED_TO;
        }
        Ok(Open { path: folder.path, depth: folder.depth, added_to, entries: entries.into_iter() })
    }

    /// The entries of up to three trees by name.
    #[expect(clippy::type_complexity, reason = "names and what the three have")]
    fn read_folder(
        &self,
        trees: &[Option<ObjectId>; 3],
    ) -> Result<BTreeMap<Vec<u8>, [Option<Item>; 3]>, DiffError<S::Error>> {
        let mut names: BTreeMap<Vec<u8>, [Option<Item>; 3]> = BTreeMap::new();
        for (side, tree) in trees.iter().enumerate() {
            let Some(tree) = tree else { continue };
            let content = self.overlay.read(tree, Kind::Tree).map_err(DiffError::Source)?;
            for entry in Tree::new(tree.format(), content.as_ref()) {
                let entry = entry?;
                let place = names.entry(entry.name.to_vec()).or_default().get_mut(side);
                place.into_iter().for_each(|place| *place = Some(Item { mode: entry.mode, id: entry.id }));
            }
        }
        Ok(names)
    }

    /// Settles a path, notes it, or returns the folder there to look into.
    fn meet(
        &mut self,
        path: Vec<u8>,
        items: [Option<Item>; 3],
        (outer, depth, mut added_to): (&[u8], usize, u8),
        deferred: &mut [Vec<Deferred>; 3],
        may_defer: [bool; 3],
    ) -> Result<Option<Folder>, DiffError<S::Error>> {
        if self.paths.len() >= self.options.entries_max {
            return Err(DiffError::Large);
        }
        self.paths.insert(path.clone());
        let compared = Compared::of(&items);
        let [base, ours, theirs] = items;
        let settled = match (compared.matches, compared.files) {
            (7, _) => base,
            (6, 7) => ours,
            (3, 7) => theirs,
            (5, 7) => ours,
            _ => None,
        };
        if let Some(item) = settled {
            self.results.insert(path, item);
            return Ok(None);
        }
        if added_to != ADDED_TO && matches!(compared.folders, 3 | 5) {
            added_to = compared.folders & !1;
        }
        if self.options.renames.is_some() {
            self.note_folder(&path, outer, &compared, added_to);
            self.note_moves(&path, &items, &compared, added_to);
        }
        if compared.folders == 0 {
            self.add_entry(path, &items, &compared, compared.matches);
            return Ok(None);
        }
        self.folders.insert(path.clone(), compared.folders);
        let side = compared.side();
        if added_to != ADDED_TO && may_defer.get(side) == Some(&true) {
            let is_new = compared.files == 0 && matches!(compared.folders, 2 | 4);
            let matches = if is_new { 7 - compared.folders } else { compared.matches };
            deferred.get_mut(side).into_iter().for_each(|list| {
                list.push(Deferred { path: path.clone(), items, matches, depth, added_to });
            });
            return Ok(None);
        }
        self.add_entry(path.clone(), &items, &compared, compared.matches & compared.files);
        Ok(Some(Folder { path, trees: trees_of(&items), depth: depth + 1, added_to }))
    }

    /// Notes which side has removed a folder, and whether it has to be known where that has gone.
    fn note_folder(&mut self, path: &[u8], outer: &[u8], compared: &Compared, added_to: u8) {
        if matches!(compared.folders, 1 | 3 | 5) {
            let relevance = if added_to == ADDED_TO { Relevance::Outer } else { Relevance::None };
            for side in [OURS, THEIRS] {
                if compared.folders & 1 << side == 0
                    && let Some(focus) = self.focus.get_mut(side)
                {
                    focus.removed.insert(path.to_vec(), relevance);
                }
            }
        }
        if added_to == ADDED_TO && matches!(compared.files, 2 | 4) {
            let other = if compared.files == 2 { THEIRS } else { OURS };
            if let Some(focus) = self.focus.get_mut(other) {
                focus.removed.insert(outer.to_vec(), Relevance::Itself);
            }
        }
    }

    /// Notes an entry; folders alone need none.
    fn add_entry(&mut self, path: Vec<u8>, items: &[Option<Item>; 3], compared: &Compared, matches: u8) {
        if compared.files == 0 {
            return;
        }
        let entry = Entry {
            stages: files_of(items),
            folders: compared.folders,
            matches,
            path_conflict: None,
            names: [None, None, None],
            gone: false,
        };
        self.entries.insert(path, entry);
    }

    /// Notes which side has deleted or added a file here.
    fn note_moves(&mut self, path: &[u8], items: &[Option<Item>; 3], compared: &Compared, added_to: u8) {
        if matches!(compared.files, 0 | 7) {
            return;
        }
        let files = files_of(items);
        let base = files.first().copied().flatten();
        for side in [OURS, THEIRS] {
            let (Some(moves), Some(focus)) = (self.moves.get_mut(side), self.focus.get_mut(side)) else { continue };
            match (base, files.get(side).copied().flatten()) {
                (Some(item), None) => {
                    if compared.matches & compared.files == 0 {
                        focus.content.insert(path.to_vec());
                    } else if added_to == ADDED_TO {
                        focus.location.insert(path.to_vec());
                    }
                    moves.deleted.push((path.to_vec(), item));
                }
                (None, Some(item)) => moves.added.push((path.to_vec(), item)),
                _ => {}
            }
        }
    }

    /// Takes what one side has made of a folder that the other has left alone.
    fn take_whole(&mut self, folder: Deferred, side: usize) {
        let Some(item) = folder.items.get(side).copied().flatten() else {
            return;
        };
        if item.mode == Mode::Tree {
            self.results.insert(folder.path, item);
            return;
        }
        // A file, where the other two have the same folder.
        let mut items = [None; 3];
        items.iter_mut().skip(side).take(1).for_each(|place| *place = Some(item));
        let compared = Compared::of(&items);
        self.add_entry(folder.path, &items, &compared, 0);
    }
}
