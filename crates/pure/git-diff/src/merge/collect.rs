//! The walk through three trees at once.
//!
//! Owns which paths have to be decided, and leaves folders alone that one side has changed, as long as no file of the other
//! side can have been moved into them.

use std::collections::BTreeMap;

use git_object::{Kind, Mode, ObjectId, Tree};

use super::{BASE, Entry, Merge, OURS, THEIRS, mask};
use crate::tree_diff::DEPTH_MAX;
use crate::{DiffError, Item, Source};

/// A folder that is taken from one side if that side's renames need not be known.
struct Deferred {
    path: Vec<u8>,
    items: [Option<Item>; 3],
    matches: u8,
    depth: usize,
}

/// A folder to look into.
struct Folder {
    /// With a slash at its end, unless it is the root.
    path: Vec<u8>,
    trees: [Option<ObjectId>; 3],
    depth: usize,
}

/// What the three have under one name.
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
        let mut left = vec![Folder { path: Vec::new(), trees, depth: 0 }];
        let may_defer = [false, true, true];
        self.walk(&mut left, &mut deferred, may_defer)?;
        for side in [OURS, THEIRS] {
            let matters =
                self.options.renames.is_some() && self.moves.matter.get(side).is_some_and(|set| !set.is_empty());
            let folders = deferred.get_mut(side).map(std::mem::take).unwrap_or_default();
            if !matters {
                folders.into_iter().for_each(|folder| self.take_whole(folder, side));
                continue;
            }
            for folder in folders {
                let compared = Compared::of(&folder.items);
                let matches = folder.matches & compared.files;
                self.add_entry(folder.path.clone(), &folder.items, &compared, matches);
                let path = [folder.path.as_slice(), b"/"].concat();
                left.push(Folder { path, trees: trees_of(&folder.items), depth: folder.depth + 1 });
            }
            let mut may_defer = may_defer;
            may_defer.iter_mut().skip(side).take(1).for_each(|may| *may = false);
            self.walk(&mut left, &mut deferred, may_defer)?;
        }
        // What was deferred while the other side's folders were walked.
        for side in [OURS, THEIRS] {
            let folders = deferred.get_mut(side).map(std::mem::take).unwrap_or_default();
            folders.into_iter().for_each(|folder| self.take_whole(folder, side));
        }
        Ok(())
    }

    fn walk(
        &mut self,
        left: &mut Vec<Folder>,
        deferred: &mut [Vec<Deferred>; 3],
        may_defer: [bool; 3],
    ) -> Result<(), DiffError<S::Error>> {
        while let Some(folder) = left.pop() {
            if folder.depth >= DEPTH_MAX {
                return Err(DiffError::Deep);
            }
            let mut below = Vec::new();
            for (name, items) in self.read_folder(&folder.trees)? {
                let path = [folder.path.as_slice(), &name].concat();
                self.meet(path, items, folder.depth, &mut below, deferred, may_defer)?;
            }
            // In the order of the names.
            left.extend(below.into_iter().rev());
        }
        Ok(())
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

    fn meet(
        &mut self,
        path: Vec<u8>,
        items: [Option<Item>; 3],
        depth: usize,
        below: &mut Vec<Folder>,
        deferred: &mut [Vec<Deferred>; 3],
        may_defer: [bool; 3],
    ) -> Result<(), DiffError<S::Error>> {
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
            return Ok(());
        }
        self.note_moves(&path, &items, &compared);
        if compared.folders == 0 {
            self.add_entry(path, &items, &compared, compared.matches);
            return Ok(());
        }
        let side = compared.side();
        if may_defer.get(side) == Some(&true) {
            let matches = if compared.files == 0 && matches!(compared.folders, 2 | 4) {
                7 - compared.folders
            } else {
                compared.matches
            };
            deferred.get_mut(side).into_iter().for_each(|list| {
                list.push(Deferred { path: path.clone(), items, matches, depth });
            });
            return Ok(());
        }
        let trees = trees_of(&items);
        self.add_entry(path.clone(), &items, &compared, compared.matches & compared.files);
        below.push(Folder { path: [path.as_slice(), b"/"].concat(), trees, depth: depth + 1 });
        Ok(())
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
    fn note_moves(&mut self, path: &[u8], items: &[Option<Item>; 3], compared: &Compared) {
        if matches!(compared.files, 0 | 7) || self.options.renames.is_none() {
            return;
        }
        let files = files_of(items);
        let base = files.first().copied().flatten();
        for side in [OURS, THEIRS] {
            let here = files.get(side).copied().flatten();
            match (base, here) {
                (Some(item), None) => {
                    if compared.matches & compared.files == 0 {
                        self.moves.matter.get_mut(side).into_iter().for_each(|set| set.extend([path.to_vec()]));
                    }
                    self.moves.deleted.get_mut(side).into_iter().for_each(|list| list.push((path.to_vec(), item)));
                }
                (None, Some(item)) => {
                    self.moves.added.get_mut(side).into_iter().for_each(|list| list.push((path.to_vec(), item)));
                }
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
