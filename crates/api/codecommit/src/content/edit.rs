//! Changes of a tree by paths, and the objects that they make.

use std::collections::BTreeMap;

use git_object::{Entry, Kind, Mode, ObjectFormat, ObjectId, hash_object, write_tree};

use super::{Made, Reader};
use crate::error::{CodeCommitError, Refusal};

/// How deep folders lie in each other at most.
const DEPTH_MAX: usize = 20;

/// The longest path in bytes.
const PATH_BYTES_MAX: usize = 4096;

/// The file that keeps a folder that has nothing else.
pub(crate) const KEEP: &str = ".gitkeep";

/// A tree that is being changed. Folders are read when they are needed.
pub(crate) struct Edit<'r> {
    reader: &'r Reader,
    format: ObjectFormat,
    root: Folder,
    made: Made,
}

#[derive(Default)]
struct Folder {
    entries: BTreeMap<Vec<u8>, Node>,
}

enum Node {
    Stored(Mode, ObjectId),
    Open(Folder),
}

/// The parts of a path, checked: nothing empty, no `.` or `..`, nothing that Git has for itself.
///
/// # Errors
/// [`Refusal::InvalidPath`].
pub(crate) fn parts(path: &str) -> Result<Vec<&str>, CodeCommitError> {
    let invalid = || Refusal::InvalidPath { path: path.to_owned() };
    let inner = path.strip_prefix('/').unwrap_or(path);
    let parts: Vec<&str> = inner.split('/').collect();
    let bad = |part: &&str| part.is_empty() || matches!(*part, "." | "..") || part.contains('\0');
    let own = |part: &&str| part.eq_ignore_ascii_case(".git");
    if path.len() > PATH_BYTES_MAX || parts.len() > DEPTH_MAX + 1 || parts.iter().any(|part| bad(part) || own(part)) {
        return Err(invalid().into());
    }
    Ok(parts)
}

impl<'r> Edit<'r> {
    /// Begins with a tree; `None` is an empty one.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn new(
        reader: &'r Reader,
        format: ObjectFormat,
        tree: Option<&ObjectId>,
    ) -> Result<Self, CodeCommitError> {
        let root = tree.map(|tree| Folder::read(reader, tree)).transpose()?.unwrap_or_default();
        Ok(Self { reader, format, root, made: Vec::new() })
    }

    /// Adds a content to what is made.
    ///
    /// # Errors
    /// [`CodeCommitError::Damaged`] for a content that collides with another's hash.
    pub(crate) fn make_blob(&mut self, content: &[u8]) -> Result<ObjectId, CodeCommitError> {
        self.make(Kind::Blob, content.to_vec())
    }

    fn make(&mut self, kind: Kind, content: Vec<u8>) -> Result<ObjectId, CodeCommitError> {
        let id =
            hash_object(self.format, kind, &content).map_err(|error| CodeCommitError::Damaged(error.to_string()))?;
        self.made.push((kind, content));
        Ok(id)
    }

    /// The entry at a path now.
    ///
    /// # Errors
    /// [`Refusal::InvalidPath`]; those of reading.
    pub(crate) fn get(&mut self, path: &str) -> Result<Option<(Mode, ObjectId)>, CodeCommitError> {
        let parts = parts(path)?;
        let Some((name, folders)) = parts.split_last() else { return Ok(None) };
        let mut folder = &mut self.root;
        for part in folders {
            match folder.entries.get(part.as_bytes()) {
                Some(Node::Open(_) | Node::Stored(Mode::Tree, _)) => {}
                _ => return Ok(None),
            }
            folder = folder.enter(self.reader, part)?;
        }
        Ok(match folder.entries.get(name.as_bytes()) {
            Some(Node::Stored(mode, id)) => Some((*mode, *id)),
            _ => None,
        })
    }

    /// Puts a file at a path.
    ///
    /// # Errors
    /// [`Refusal::FileNameConflictsWithDirectoryName`], [`Refusal::DirectoryNameConflictsWithFileName`],
    /// [`Refusal::FilePathConflictsWithSubmodulePath`], [`Refusal::InvalidPath`]; those of reading.
    pub(crate) fn put(&mut self, path: &str, mode: Mode, id: ObjectId) -> Result<(), CodeCommitError> {
        let parts = parts(path)?;
        let Some((name, folders)) = parts.split_last() else {
            return Err(Refusal::InvalidPath { path: path.to_owned() }.into());
        };
        let mut folder = &mut self.root;
        for part in folders {
            match folder.entries.get(part.as_bytes()) {
                None | Some(Node::Open(_) | Node::Stored(Mode::Tree, _)) => {}
                Some(Node::Stored(Mode::Submodule, _)) => {
                    return Err(Refusal::FilePathConflictsWithSubmodulePath { path: path.to_owned() }.into());
                }
                Some(Node::Stored(..)) => {
                    return Err(Refusal::DirectoryNameConflictsWithFileName { path: path.to_owned() }.into());
                }
            }
            folder = folder.enter(self.reader, part)?;
        }
        match folder.entries.get(name.as_bytes()) {
            Some(Node::Open(_) | Node::Stored(Mode::Tree, _)) => {
                return Err(Refusal::FileNameConflictsWithDirectoryName { path: path.to_owned() }.into());
            }
            Some(Node::Stored(Mode::Submodule, _)) => {
                return Err(Refusal::FilePathConflictsWithSubmodulePath { path: path.to_owned() }.into());
            }
            _ => {}
        }
        folder.entries.insert(name.as_bytes().to_vec(), Node::Stored(mode, id));
        Ok(())
    }

    /// Removes a file. A folder that is empty then goes with it, or is retained by a file of its own.
    ///
    /// # Errors
    /// [`Refusal::FileDoesNotExist`], [`Refusal::InvalidPath`]; those of reading.
    pub(crate) fn remove(&mut self, path: &str, keep_folders: bool) -> Result<(Mode, ObjectId), CodeCommitError> {
        let missing = || Refusal::FileDoesNotExist { path: path.to_owned() };
        let found = self.get(path)?.filter(|(mode, _)| *mode != Mode::Tree).ok_or_else(missing)?;
        let parts = parts(path)?;
        let kept = if keep_folders && parts.len() > 1 { Some(self.make_blob(b"")?) } else { None };
        self.root.remove(self.reader, &parts, kept)?;
        if let Some(kept) = kept
            && !self.root.has(&parts, kept)
        {
            // The folder has other files.
            self.made.pop();
        }
        Ok(found)
    }

    /// The id of the changed tree, and all objects that were made.
    ///
    /// # Errors
    /// [`CodeCommitError::Damaged`].
    pub(crate) fn finish(mut self) -> Result<(ObjectId, Made), CodeCommitError> {
        let root = std::mem::take(&mut self.root);
        let tree = self.write(root)?;
        Ok((tree, self.made))
    }

    fn write(&mut self, folder: Folder) -> Result<ObjectId, CodeCommitError> {
        let mut entries = Vec::with_capacity(folder.entries.len());
        for (name, node) in folder.entries {
            match node {
                Node::Stored(mode, id) => entries.push((name, mode, id)),
                Node::Open(inner) if inner.entries.is_empty() => {}
                Node::Open(inner) => entries.push((name, Mode::Tree, self.write(inner)?)),
            }
        }
        let mut entries: Vec<_> = entries.iter().map(|(name, mode, id)| Entry { mode: *mode, name, id: *id }).collect();
        let content = write_tree(&mut entries).map_err(|error| CodeCommitError::Damaged(error.to_string()))?;
        self.make(Kind::Tree, content)
    }
}

impl Folder {
    fn read(reader: &Reader, tree: &ObjectId) -> Result<Self, CodeCommitError> {
        let entries = reader.entries(tree)?.into_iter().map(|(name, mode, id)| (name, Node::Stored(mode, id)));
        Ok(Self { entries: entries.collect() })
    }

    /// The folder of a name, read or made.
    fn enter(&mut self, reader: &Reader, name: &str) -> Result<&mut Self, CodeCommitError> {
        let node = self.entries.entry(name.as_bytes().to_vec()).or_insert_with(|| Node::Open(Self::default()));
        if let Node::Stored(_, id) = node {
            *node = Node::Open(Self::read(reader, id)?);
        }
        match node {
            Node::Open(folder) => Ok(folder),
            Node::Stored(..) => Err(CodeCommitError::Damaged("a folder was not opened".to_owned())),
        }
    }

    fn remove(&mut self, reader: &Reader, parts: &[&str], kept: Option<ObjectId>) -> Result<(), CodeCommitError> {
        match parts {
            [] => {}
            [name] => {
                self.entries.remove(name.as_bytes());
            }
            [folder, rest @ ..] => {
                let inner = self.enter(reader, folder)?;
                inner.remove(reader, rest, kept)?;
                if inner.entries.is_empty() {
                    match kept {
                        Some(id) => {
                            inner.entries.insert(KEEP.as_bytes().to_vec(), Node::Stored(Mode::Regular, id));
                        }
                        None => {
                            self.entries.remove(folder.as_bytes());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the folder of a removed file is retained by the file `kept`.
    fn has(&self, parts: &[&str], kept: ObjectId) -> bool {
        match parts {
            [] | [_] => matches!(self.entries.get(KEEP.as_bytes()), Some(Node::Stored(_, id)) if *id == kept),
            [folder, rest @ ..] => match self.entries.get(folder.as_bytes()) {
                Some(Node::Open(inner)) => inner.has(rest, kept),
                _ => false,
            },
        }
    }
}
