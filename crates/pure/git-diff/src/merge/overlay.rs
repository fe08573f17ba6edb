//! Objects that a merge has made, in front of those that are stored.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use git_object::{Kind, Mode, ObjectId, Tree, hash_object};

use super::{Conflict, Merged};
use crate::{DiffError, Source};

/// A source that can be written to.
pub(super) struct Overlay<'s, S: Source> {
    source: &'s S,
    made: RefCell<HashMap<ObjectId, Made>>,
}

/// An object that was made.
type Made = (Kind, Rc<[u8]>);

/// The content of an object of either.
pub(super) enum Bytes<B> {
    Made(Rc<[u8]>),
    Stored(B),
}

impl<B: AsRef<[u8]>> AsRef<[u8]> for Bytes<B> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Made(content) => content,
            Self::Stored(content) => content.as_ref(),
        }
    }
}

impl<'s, S: Source> Overlay<'s, S> {
    pub(super) fn new(source: &'s S) -> Self {
        Self { source, made: RefCell::new(HashMap::new()) }
    }

    /// Keeps an object that was made.
    pub(super) fn add(&self, like: &ObjectId, kind: Kind, content: Vec<u8>) -> Result<ObjectId, DiffError<S::Error>> {
        let id = hash_object(like.format(), kind, &content)?;
        self.made.borrow_mut().insert(id, (kind, content.into()));
        Ok(id)
    }

    fn made(&self, id: &ObjectId) -> Option<Made> {
        self.made.borrow().get(id).cloned()
    }

    /// The result, with what was made for it alone.
    pub(super) fn finish(&self, tree: ObjectId, conflicts: Vec<Conflict>) -> Result<Merged, DiffError<S::Error>> {
        let (mut objects, mut left) = (Vec::new(), vec![tree]);
        left.extend(conflicts.iter().flat_map(|conflict| conflict.stages).flatten().map(|item| item.id));
        let mut made = self.made.borrow_mut();
        while let Some(id) = left.pop() {
            let Some((kind, content)) = made.remove(&id) else { continue };
            if kind == Kind::Tree {
                for entry in Tree::new(id.format(), &content) {
                    let entry = entry?;
                    if entry.mode != Mode::Submodule {
                        left.push(entry.id);
                    }
                }
            }
            objects.push((id, kind, content.to_vec()));
        }
        Ok(Merged { tree, objects, conflicts })
    }
}

impl<S: Source> Source for Overlay<'_, S> {
    type Error = S::Error;
    type Bytes = Bytes<S::Bytes>;

    fn read(&self, id: &ObjectId, kind: Kind) -> Result<Self::Bytes, S::Error> {
        match self.made(id) {
            Some((_, content)) => Ok(Bytes::Made(content)),
            None => self.source.read(id, kind).map(Bytes::Stored),
        }
    }

    fn size(&self, id: &ObjectId) -> Result<u64, S::Error> {
        match self.made(id) {
            Some((_, content)) => Ok(content.len() as u64),
            None => self.source.size(id),
        }
    }
}
