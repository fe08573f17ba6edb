//! Files that one side has moved, brought together with what the other side has made of them.

use super::{BASE, ConflictKind, Merge, OURS, THEIRS, same_type};
use crate::{DiffError, Source, renames};

/// A file that was moved by one side.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    pub(super) side: usize,
    pub(super) from: Vec<u8>,
    pub(super) to: Vec<u8>,
}

impl<S: Source> Merge<'_, '_, S> {
    pub(super) fn follow_renames(&mut self) -> Result<(), DiffError<S::Error>> {
        let Some(options) = self.options.renames else { return Ok(()) };
        let mut found: [Vec<Moved>; 3] = Default::default();
        for side in [OURS, THEIRS] {
            let (Some(moves), Some(focus), Some(found)) =
                (self.moves.get(side), self.focus.get(side), found.get_mut(side))
            else {
                continue;
            };
            if focus.is_empty() {
                continue;
            }
            for pair in renames::detect(self.overlay, &moves.deleted, &moves.added, Some(focus), &options)? {
                if let (Some((from, _)), Some((to, _))) = (moves.deleted.get(pair.from), moves.added.get(pair.to)) {
                    found.push(Moved { side, from: from.clone(), to: to.clone() });
                }
            }
        }
        if self.depth == 0 && self.options.follow_folders {
            self.follow_folders(&mut found);
        }
        let mut all = found.concat();
        all.sort_by(|a, b| a.from.cmp(&b.from));
        let mut moves = all.iter().peekable();
        while let Some(moved) = moves.next() {
            if moved.from == moved.to || self.entries.get(&moved.from).is_none_or(|entry| entry.gone) {
                continue;
            }
            match moves.next_if(|next| next.from == moved.from) {
                Some(next) if next.to == moved.to => self.moved_alike(moved),
                Some(next) => self.moved_apart(moved, next)?,
                None => self.moved_by_one(moved)?,
            }
        }
        Ok(())
    }

    /// Both sides have moved it to the same place.
    fn moved_alike(&mut self, moved: &Moved) {
        let base = self.leave(&moved.from);
        if let Some(entry) = self.entries.get_mut(&moved.to) {
            entry.stages[BASE] = base;
        }
    }

    /// Marks what was at a path as gone, and returns what the base had there.
    fn leave(&mut self, path: &[u8]) -> Option<crate::Item> {
        let entry = self.entries.get_mut(path)?;
        entry.gone = true;
        entry.stages[BASE]
    }

    /// Each side has moved it to a place of its own. Both get the merged content.
    fn moved_apart(&mut self, ours: &Moved, theirs: &Moved) -> Result<(), DiffError<S::Error>> {
        let stage = |path: &[u8], side: usize| {
            self.entries.get(path).and_then(|entry| entry.stages.get(side).copied().flatten())
        };
        let base = stage(&ours.from, BASE);
        let (Some(one), Some(other)) = (stage(&ours.to, OURS), stage(&theirs.to, THEIRS)) else { return Ok(()) };
        let names = [ours.from.as_slice(), &ours.to, &theirs.to];
        let merged = self.merge_content(names, base, one, other, 1 + 2 * self.depth)?;
        // What cannot be merged stays at each place as its side has it.
        let unmerged = merged.conflict.is_some() && merged.item == one;
        for (path, side, item) in
            [(&ours.to, OURS, merged.item), (&theirs.to, THEIRS, if unmerged { other } else { merged.item })]
        {
            if let Some(entry) = self.entries.get_mut(path) {
                entry.stages.iter_mut().skip(side).take(1).for_each(|stage| *stage = Some(item));
                entry.path_conflict = Some(ConflictKind::Rename);
            }
        }
        if let Some(entry) = self.entries.get_mut(&ours.from) {
            entry.path_conflict = Some(ConflictKind::Rename);
        }
        Ok(())
    }

    /// One side has moved it; the other has changed, deleted or left it, and may have something else in the new place.
    fn moved_by_one(&mut self, moved: &Moved) -> Result<(), DiffError<S::Error>> {
        let other = OURS + THEIRS - moved.side;
        let (Some(old), Some(new)) = (self.entries.get(&moved.from), self.entries.get(&moved.to)) else {
            return Ok(());
        };
        let at = |stages: &[Option<crate::Item>; 3], side: usize| stages.get(side).copied().flatten();
        let (base, left_there) = (old.stages[BASE], at(&old.stages, other));
        let deleted = old.files() == 1;
        let Some(here) = at(&new.stages, moved.side) else { return Ok(()) };
        let type_changed = !deleted && left_there.is_some_and(|item| item.mode.is_file() != here.mode.is_file());
        // If the type has changed, what is in the new place is the other half of a rename by both.
        let collides = at(&new.stages, other).is_some() && !type_changed;
        if collides && !deleted {
            let Some(left_there) = left_there else { return Ok(()) };
            let mut names = [moved.from.as_slice(); 3];
            names.iter_mut().skip(moved.side).take(1).for_each(|name| *name = &moved.to);
            let (ours, theirs) = if moved.side == OURS { (here, left_there) } else { (left_there, here) };
            let item = if same_type(ours.mode, theirs.mode) {
                self.merge_content(names, base, ours, theirs, 1 + 2 * self.depth)?.item
            } else {
                here
            };
            if let Some(entry) = self.entries.get_mut(&moved.to) {
                entry.stages.iter_mut().skip(moved.side).take(1).for_each(|stage| *stage = Some(item));
            }
        } else if let Some(entry) = self.entries.get_mut(&moved.to) {
            if collides {
                entry.path_conflict = Some(ConflictKind::Rename);
            } else {
                entry.stages[BASE] = base;
                entry.names[BASE] = Some(moved.from.clone());
                if deleted {
                    entry.path_conflict = Some(ConflictKind::Rename);
                } else if !type_changed {
                    entry.stages.iter_mut().skip(other).take(1).for_each(|stage| *stage = left_there);
                    entry.names.iter_mut().skip(other).take(1).for_each(|name| *name = Some(moved.from.clone()));
                }
            }
        }
        if let Some(entry) = self.entries.get_mut(&moved.from) {
            if type_changed {
                // Only what the other side has put there stays.
                entry.stages[BASE] = None;
            } else {
                entry.gone = true;
            }
        }
        Ok(())
    }
}
