//! Folders that one side has moved, and what the other side has put into them since.
//!
//! Source: git's Documentation/technical/directory-rename-detection.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::renamed::Moved;
use super::{Conflict, ConflictKind, Entry, Merge, OURS, THEIRS};
use crate::Source;
use crate::renames::{Focus, FolderCounts, Relevance, folder};

/// Where folders have gone.
type Folders = BTreeMap<Vec<u8>, Vec<u8>>;

/// By a new path: what would come to lie there.
type Arrivals = BTreeMap<Vec<u8>, Arrival>;

#[derive(Default)]
struct Arrival {
    from: BTreeSet<Vec<u8>>,
    reported: bool,
}

impl<S: Source> Merge<'_, '_, S> {
    /// Lets what one side has added to folders follow them to where the other side has moved them.
    pub(super) fn follow_folders(&mut self, found: &mut [Vec<Moved>; 3]) {
        let [_, by_us, by_them] = found;
        let mut our_folders = self.moved_folders(OURS, by_us);
        let mut their_folders = self.moved_folders(THEIRS, by_them);
        // What both have moved each has moved by itself.
        let both: Vec<Vec<u8>> =
            our_folders.keys().filter(|folder| their_folders.contains_key(*folder)).cloned().collect();
        for folder in both {
            our_folders.remove(&folder);
            their_folders.remove(&folder);
        }
        if our_folders.is_empty() && their_folders.is_empty() {
            return;
        }
        let mut our_arrivals = self.arrivals(OURS, &their_folders);
        let mut their_arrivals = self.arrivals(THEIRS, &our_folders);
        self.move_side(OURS, by_us, &their_folders, &our_folders, &mut our_arrivals, &their_arrivals);
        self.move_side(THEIRS, by_them, &our_folders, &their_folders, &mut their_arrivals, &our_arrivals);
    }

    /// Where most of the files of each folder have gone that a side has removed.
    fn moved_folders(&mut self, side: usize, found: &[Moved]) -> Folders {
        let mut folders = Folders::new();
        let Some(focus) = self.focus.get(side) else { return folders };
        let mut counts = FolderCounts::new();
        found.iter().for_each(|moved| focus.count(&mut counts, &moved.from, &moved.to));
        let mut unclear = Vec::new();
        for (folder, counts) in counts {
            if !is_relevant(focus, &folder) {
                continue;
            }
            let most = counts.values().copied().max().unwrap_or(0);
            let mut best = counts.into_iter().filter(|(_, count)| *count == most);
            match (best.next(), best.next()) {
                (Some((to, _)), None) => drop(folders.insert(folder, to)),
                (Some(_), Some(_)) => unclear.push(folder),
                (None, _) => {}
            }
        }
        unclear.into_iter().for_each(|folder| self.report_folder(folder));
        folders
    }

    fn report_folder(&mut self, path: Vec<u8>) {
        let paths = [path.clone(), path.clone(), path.clone()];
        self.conflicts.push(Conflict { path, kind: ConflictKind::Folder, stages: [None; 3], paths });
    }

    /// Paths added or moved by a side into folders that the other side has moved.
    fn arrivals(&self, side: usize, folders: &Folders) -> Arrivals {
        let mut arrivals = Arrivals::new();
        for (path, _) in self.moves.get(side).map(|moves| moves.added.as_slice()).unwrap_or_default() {
            if let Some((folder, to)) = around(path, folders) {
                arrivals.entry(follow(path, folder, to)).or_default().from.insert(path.clone());
            }
        }
        arrivals
    }

    fn move_side(
        &mut self,
        side: usize,
        found: &mut [Moved],
        folders: &Folders,
        own: &Folders,
        arrivals: &mut Arrivals,
        others: &Arrivals,
    ) {
        if folders.is_empty() {
            return;
        }
        let added: Vec<Vec<u8>> = self
            .moves
            .get(side)
            .map(|moves| moves.added.iter().map(|(path, _)| path.clone()).collect())
            .unwrap_or_default();
        let mut seen = HashSet::new();
        for path in added.into_iter().filter(|path| seen.insert(path.clone())) {
            let Some((folder, to)) = around(&path, folders) else { continue };
            // Not where this side has itself moved something away from, nor where the other side's files come to lie.
            if others.contains_key(&path) || own.contains_key(to) {
                continue;
            }
            let new_path = follow(&path, folder, to);
            let moved = found.iter_mut().find(|moved| moved.to == path);
            let from = moved.as_ref().map_or(&path, |moved| &moved.from).clone();
            let Some(arrival) = arrivals.get_mut(&new_path) else { continue };
            if arrival.reported {
                continue;
            }
            if self.is_in_the_way(&new_path, side, &from) || arrival.from.len() > 1 {
                arrival.reported = true;
                self.report_folder(new_path);
                continue;
            }
            if self.move_entry(&path, &new_path, side)
                && let Some(moved) = moved
            {
                moved.to = new_path;
            }
        }
    }

    /// Whether something is at a path already that what comes there cannot be merged with.
    fn is_in_the_way(&self, path: &[u8], side: usize, from: &[u8]) -> bool {
        // A file around it, or a folder that is taken whole.
        let mut around = path;
        while !around.is_empty() {
            if self.results.contains_key(around) {
                return true;
            }
            around = folder(around);
        }
        let folders = self.folders.get(path).copied().unwrap_or(0);
        let files = self.entries.get(path).map_or(0, Entry::files);
        (files | folders) & 1 << side != 0 || files & 1 != 0 && from != path
    }

    /// Moves what a side has added. Returns whether it was there.
    fn move_entry(&mut self, path: &[u8], new_path: &[u8], side: usize) -> bool {
        let Some(entry) = self.entries.get_mut(path) else { return false };
        if entry.files() != 1 << side {
            return false;
        }
        let item = entry.stages.get(side).copied().flatten();
        self.entries.remove(path);
        self.paths.insert(new_path.to_vec());
        let folders = self.folders.get(new_path).copied().unwrap_or(0);
        let names = || [Some(path.to_vec()), Some(path.to_vec()), Some(path.to_vec())];
        let fresh = !self.entries.contains_key(new_path);
        let entry = self.entries.entry(new_path.to_vec()).or_insert_with(|| Entry {
            stages: [None; 3],
            folders,
            matches: 0,
            path_conflict: None,
            names: if folders == 0 { names() } else { [None, None, None] },
            gone: false,
        });
        entry.stages.iter_mut().skip(side).take(1).for_each(|stage| *stage = item);
        if !fresh || folders != 0 {
            entry.names.iter_mut().skip(side).take(1).for_each(|name| *name = Some(path.to_vec()));
        }
        entry.path_conflict = Some(ConflictKind::Location);
        true
    }
}

fn is_relevant(focus: &Focus, folder: &[u8]) -> bool {
    !matches!(focus.removed.get(folder), None | Some(Relevance::None))
}

/// The innermost folder around a path that has moved, and where it has gone.
fn around<'a>(path: &[u8], folders: &'a Folders) -> Option<(&'a Vec<u8>, &'a Vec<u8>)> {
    let slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    slashes.filter_map(|(at, _)| path.get(..at)).find_map(|folder| folders.get_key_value(folder))
}

/// The path, in the folder's new place.
fn follow(path: &[u8], folder: &[u8], to: &[u8]) -> Vec<u8> {
    let rest = path.get(folder.len()..).unwrap_or_default();
    let rest = if to.is_empty() { rest.strip_prefix(b"/").unwrap_or(rest) } else { rest };
    [to, rest].concat()
}
