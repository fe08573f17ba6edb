//! Where objects come from.
//!
//! Owns the seam to whatever stores objects, and the way down a path. Refuses to know how they are stored.

use git_object::{Kind, Mode, ObjectId, Tree};

use crate::DiffError;

/// A store of objects.
pub trait Source {
    /// Why an object cannot be read: it is not there, it is too large, or the store has failed.
    type Error;
    /// An object's content.
    type Bytes: AsRef<[u8]>;

    /// Reads the object of that id and kind.
    ///
    /// # Errors
    /// The source's own.
    fn read(&self, id: &ObjectId, kind: Kind) -> Result<Self::Bytes, Self::Error>;

    /// The bytes that a blob has, without reading it.
    ///
    /// # Errors
    /// The source's own.
    fn size(&self, id: &ObjectId) -> Result<u64, Self::Error>;
}

/// An entry of a tree without its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// Its mode.
    pub mode: Mode,
    /// The id of its object.
    pub id: ObjectId,
}

/// The item at `path` below the tree `root`, or the tree itself for an empty path. Empty parts of the path are skipped.
///
/// # Errors
/// [`DiffError::Source`] and [`DiffError::Form`].
pub fn item_at<S: Source>(source: &S, root: &ObjectId, path: &[u8]) -> Result<Option<Item>, DiffError<S::Error>> {
    let mut item = Item { mode: Mode::Tree, id: *root };
    for part in path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
        if item.mode != Mode::Tree {
            return Ok(None);
        }
        let tree = source.read(&item.id, Kind::Tree).map_err(DiffError::Source)?;
        let mut found = None;
        for entry in Tree::new(root.format(), tree.as_ref()) {
            let entry = entry?;
            if entry.name == part {
                found = Some(Item { mode: entry.mode, id: entry.id });
                break;
            }
        }
        let Some(next) = found else { return Ok(None) };
        item = next;
    }
    Ok(Some(item))
}
