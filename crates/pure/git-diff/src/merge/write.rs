//! The trees of the result.

use std::collections::BTreeMap;

use git_object::{Entry, Kind, Mode, ObjectId, write_tree};

use super::Merge;
use crate::{DiffError, Item, Source};

/// Folders of one depth by their paths, and the names and items in them.
type Level = BTreeMap<Vec<u8>, Vec<(Vec<u8>, Item)>>;

impl<S: Source> Merge<'_, '_, S> {
    /// Writes all folders, the innermost first; returns the root.
    pub(super) fn write(&mut self) -> Result<ObjectId, DiffError<S::Error>> {
        // By depth: folders, and what is in them.
        let mut levels: Vec<Level> = vec![BTreeMap::new()];
        for (path, item) in std::mem::take(&mut self.results) {
            let depth = path.iter().filter(|byte| **byte == b'/').count();
            put(&mut levels, depth, &path, item);
        }
        let like = ObjectId::null(self.format);
        while let Some(level) = levels.pop() {
            let depth = levels.len();
            for (folder, items) in level {
                let mut entries: Vec<Entry<'_>> =
                    items.iter().map(|(name, item)| Entry { mode: item.mode, name, id: item.id }).collect();
                let content = write_tree(&mut entries).map_err(|_| DiffError::Names)?;
                let id = self.overlay.add(&like, Kind::Tree, content)?;
                let Some(outer) = depth.checked_sub(1) else { return Ok(id) };
                put(&mut levels, outer, &folder, Item { mode: Mode::Tree, id });
            }
        }
        // Nothing is left.
        self.overlay.add(&like, Kind::Tree, Vec::new())
    }
}

/// Puts an item into its folder, which lies below `depth` others.
fn put(levels: &mut Vec<Level>, depth: usize, path: &[u8], item: Item) {
    while levels.len() <= depth {
        levels.push(BTreeMap::new());
    }
    let (folder, name) = match path.iter().rposition(|byte| *byte == b'/').and_then(|at| path.split_at_checked(at)) {
        Some((folder, name)) => (folder, name.strip_prefix(b"/").unwrap_or(name)),
        None => (&[][..], path),
    };
    if let Some(level) = levels.get_mut(depth) {
        level.entry(folder.to_vec()).or_default().push((name.to_vec(), item));
    }
}
