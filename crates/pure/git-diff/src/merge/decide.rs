//! The outcome of each path.

use std::ops::Bound;

use super::{BASE, Conflict, ConflictKind, Entry, Merge, OURS, Resolution, THEIRS, same_type};
use crate::{DiffError, Item, Source};

/// A path's outcome, and why it is in conflict.
struct Outcome {
    item: Option<Item>,
    conflict: Option<ConflictKind>,
}

impl<S: Source> Merge<'_, '_, S> {
    pub(super) fn decide_all(&mut self) -> Result<(), DiffError<S::Error>> {
        // What is in a folder before the folder: it may turn out empty, and make room for a file.
        while let Some((path, entry)) = self.entries.pop_last() {
            if !entry.gone {
                self.decide(path, entry)?;
            }
        }
        Ok(())
    }

    fn decide(&mut self, path: Vec<u8>, mut entry: Entry) -> Result<(), DiffError<S::Error>> {
        let mut place = path.clone();
        let mut in_the_way = None;
        if self.has_folder(&path) {
            if entry.files() == 1 {
                return Ok(());
            }
            // Renames can bring a file to the side that has the folder, so the folder tells whose the file is. A folder
            // that nobody had there came with files that were moved.
            let side = match (entry.folders, entry.files()) {
                (0, files) if files & 1 << OURS == 0 => THEIRS,
                (0, _) => OURS,
                (folders, _) if folders & 1 << OURS != 0 => THEIRS,
                _ => OURS,
            };
            in_the_way = Some(side);
            place = self.unique_path(&path, side);
        }
        entry.matches &= !entry.folders;
        entry.folders = 0;
        let files = entry.files();
        let conflict_anyway = entry.path_conflict.or(in_the_way.map(|_| ConflictKind::FileFolder));
        let [base, ours, theirs] = entry.stages;
        let outcome = match (entry.matches, files, ours, theirs) {
            (6, ..) => Outcome { item: ours, conflict: conflict_anyway },
            (3 | 5, ..) => {
                let item = if entry.matches == 3 { theirs } else { ours };
                Outcome { item, conflict: conflict_anyway.filter(|_| item.is_some()) }
            }
            (_, 6 | 7, Some(ours), Some(theirs)) if !same_type(ours.mode, theirs.mode) => {
                if self.depth == 0 {
                    return self.part(path, place, &entry);
                }
                Outcome { item: base, conflict: Some(ConflictKind::Types) }
            }
            (_, 6 | 7, Some(ours), Some(theirs)) => {
                let [base_name, our_name, their_name] = &entry.names;
                let name = |name: &Option<Vec<u8>>| name.clone().unwrap_or_else(|| path.clone());
                let (base_name, our_name, their_name) = (name(base_name), name(our_name), name(their_name));
                let names = [base_name.as_slice(), &our_name, &their_name];
                let merged = self.merge_content(names, base, ours, theirs, 2 * self.depth)?;
                Outcome { item: Some(merged.item), conflict: merged.conflict.or(conflict_anyway) }
            }
            (_, 3 | 5, ..) => {
                let item = if self.depth > 0 { base } else { ours.or(theirs) };
                Outcome { item, conflict: Some(entry.path_conflict.unwrap_or(ConflictKind::ModifyDelete)) }
            }
            (_, 2 | 4, ..) => Outcome { item: ours.or(theirs), conflict: conflict_anyway },
            _ => Outcome { item: None, conflict: entry.path_conflict },
        };
        self.record(path, place, &entry, outcome, in_the_way);
        Ok(())
    }

    fn record(
        &mut self,
        path: Vec<u8>,
        place: Vec<u8>,
        entry: &Entry,
        mut outcome: Outcome,
        in_the_way: Option<usize>,
    ) {
        let side = match self.resolution() {
            Resolution::None => None,
            Resolution::Ours => Some(OURS),
            Resolution::Theirs => Some(THEIRS),
        };
        // What content could not settle is settled by taking the side's file, or its absence. A file whose place is taken
        // by a folder of the other side stays in conflict.
        if let (Some(side), Some(_)) = (side, outcome.conflict)
            && in_the_way != Some(side)
        {
            let item = entry.stages.get(side).copied().flatten();
            outcome = Outcome { item: item.filter(|_| in_the_way.is_none()), conflict: None };
        }
        if let Some(item) = outcome.item {
            self.results.insert(place.clone(), item);
        }
        if let Some(kind) = outcome.conflict {
            let kind = if in_the_way.is_some() { ConflictKind::FileFolder } else { kind };
            let name = |at: usize| entry.names.get(at).and_then(Clone::clone).unwrap_or_else(|| path.clone());
            let paths = [name(BASE), name(OURS), name(THEIRS)];
            self.conflicts.push(Conflict { path: place, kind, stages: entry.stages, paths });
        }
    }

    /// Puts two things that cannot be merged side by side: a file beside a link or submodule, or both elsewhere.
    fn part(&mut self, path: Vec<u8>, place: Vec<u8>, entry: &Entry) -> Result<(), DiffError<S::Error>> {
        let [base, ours, theirs] = entry.stages;
        let is_file = |item: Option<Item>| item.is_some_and(|item| item.mode.is_file());
        let (move_ours, move_theirs) = if is_file(ours) {
            (true, false)
        } else if is_file(theirs) {
            (false, true)
        } else {
            (true, true)
        };
        let settles = self.resolution();
        let our_place =
            if move_ours && settles == Resolution::None { self.unique_path(&place, OURS) } else { place.clone() };
        let their_place =
            if move_theirs && settles == Resolution::None { self.unique_path(&place, THEIRS) } else { place };
        for (side, item, place) in [(OURS, ours, our_place), (THEIRS, theirs, their_place)] {
            let skip = match settles {
                Resolution::None => false,
                Resolution::Ours => side != OURS,
                Resolution::Theirs => side != THEIRS,
            };
            if skip {
                continue;
            }
            let mut part = entry.clone();
            part.stages = [base.filter(|base| item.is_some_and(|item| same_type(item.mode, base.mode))), None, None];
            part.stages.iter_mut().skip(side).take(1).for_each(|stage| *stage = item);
            self.record(path.clone(), place, &part, Outcome { item, conflict: Some(ConflictKind::Types) }, None);
        }
        Ok(())
    }

    /// Whether anything is left in a folder.
    fn has_folder(&self, path: &[u8]) -> bool {
        if self.results.contains_key(path) {
            return true;
        }
        let below = [path, b"/"].concat();
        let first = self.results.range((Bound::Excluded(below.clone()), Bound::Unbounded)).next();
        first.is_some_and(|(path, _)| path.starts_with(&below))
    }

    /// A path that nothing has, named after the side.
    fn unique_path(&mut self, path: &[u8], side: usize) -> Vec<u8> {
        let label = self.labels.get(side).cloned().unwrap_or_default();
        let label: Vec<u8> = label.into_iter().map(|byte| if byte == b'/' { b'_' } else { byte }).collect();
        let wanted = [path, b"~", &label].concat();
        let numbered = (0..).map(|number| [wanted.as_slice(), format!("_{number}").as_bytes()].concat());
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|path| !self.paths.contains(path));
        let free = free.unwrap_or(wanted);
        self.paths.insert(free.clone());
        free
    }
}
