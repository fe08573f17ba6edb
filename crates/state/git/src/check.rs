//! The checks of objects before they are taken: the rules of fsck, no second content for an id, and that all that they
//! lead to is there. Sees each object once, on several threads. Writes nothing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use git_object::{Kind, ObjectFormat, ObjectId, fsck};
use git_pack::{Sink, Table, Visitor};

use crate::GitError;
use crate::links::links;
use crate::objects::Objects;

/// Up to so many objects, what is led to is remembered by its id. Beyond, by a hash under a key that nobody knows: a
/// quarter of the memory.
const NAMED_MAX: usize = 100_000;

/// Checks the objects of a pack.
pub(crate) struct Check {
    format: ObjectFormat,
    options: fsck::Options,
    /// The objects that were there before.
    before: Objects,
    led_to: Mutex<LedTo>,
    /// Files with rules of their own.
    special: Mutex<fsck::Findings>,
}

/// Objects that others lead to, with the kind that they have to have.
enum LedTo {
    Named { ids: HashSet<(ObjectId, Kind)>, max: usize },
    Hashed { hashes: HashSet<u64>, key: RandomState, max: usize },
}

impl LedTo {
    fn insert(&mut self, id: ObjectId, kind: Kind) -> Result<(), GitError> {
        let full = match self {
            Self::Named { ids, max } => {
                ids.insert((id, kind));
                if ids.len() > NAMED_MAX {
                    let key = RandomState::new();
                    let hashes = ids.drain().map(|object| key.hash_one(object)).collect();
                    *self = Self::Hashed { hashes, key, max: *max };
                    return Ok(());
                }
                ids.len() > *max
            }
            Self::Hashed { hashes, key, max } => {
                hashes.insert(key.hash_one((id, kind)));
                hashes.len() > *max
            }
        };
        // There are more than the pack and the repository have objects.
        if full { Err(GitError::MissingObject { id }) } else { Ok(()) }
    }

    fn remove(&mut self, id: ObjectId, kind: Kind) -> bool {
        match self {
            Self::Named { ids, .. } => ids.remove(&(id, kind)),
            Self::Hashed { hashes, key, .. } => hashes.remove(&key.hash_one((id, kind))),
        }
    }
}

/// How the objects of a pack hang together.
pub(crate) struct Ties {
    /// Objects that no other leads to.
    pub(crate) roots: Vec<ObjectId>,
    /// Objects outside of the pack that some lead to. `None` if they are known by their hashes only.
    pub(crate) needs: Option<Vec<ObjectId>>,
}

impl Check {
    /// A check of objects that come to those that are there `before`.
    pub(crate) fn new(format: ObjectFormat, options: fsck::Options, before: Objects) -> Self {
        let led_to = Mutex::new(LedTo::Named { ids: HashSet::new(), max: usize::MAX });
        Self { format, options, before, led_to, special: Mutex::default() }
    }

    /// Says how many objects the pack has.
    pub(crate) fn expect(&self, objects: u32) {
        let known = self.before.count() + u64::from(objects);
        // An object may be led to as of another kind than it is, which is found out in the end.
        let most = usize::try_from(known.saturating_mul(2)).unwrap_or(usize::MAX);
        match &mut *self.led_to.lock().unwrap_or_else(PoisonError::into_inner) {
            LedTo::Named { max, .. } | LedTo::Hashed { max, .. } => *max = most,
        }
    }

    fn object(&self, id: &ObjectId, kind: Kind, content: &[u8]) -> Result<(), GitError> {
        self.compare(id, kind, content.len() as u64, Some(content))?;
        if kind == Kind::Blob {
            return Ok(());
        }
        let refused = |error: fsck::FsckError| GitError::Fsck { id: *id, rule: error.id(), detail: error.detail };
        let found = fsck::check(kind, id, content, &self.options).map_err(refused)?;
        if !found.gitmodules.is_empty() || !found.gitattributes.is_empty() {
            let mut special = self.special.lock().unwrap_or_else(PoisonError::into_inner);
            special.gitmodules.extend(found.gitmodules);
            special.gitattributes.extend(found.gitattributes);
        }
        let mut led_to = self.led_to.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failed = None;
        let read = links(self.format, kind, content, |id, kind| {
            if failed.is_none() {
                failed = led_to.insert(id, kind).err();
            }
        });
        read.map_err(|error| GitError::BadPack { reason: format!("object {id}: {error}") })?;
        failed.map_or(Ok(()), Err)
    }

    /// Refuses other content than there is under the same id.
    fn compare(&self, id: &ObjectId, kind: Kind, bytes: u64, content: Option<&[u8]>) -> Result<(), GitError> {
        if self.format != ObjectFormat::Sha1 || !self.before.exists(id)? {
            return Ok(());
        }
        let same = match content {
            Some(content) => {
                let known = self.before.read(id, u64::MAX)?;
                known.is_none_or(|known| known.kind == kind && **known == *content)
            }
            // Too large to be compared: an attack would have been found by its traces.
            None => self.before.header(id)?.is_none_or(|known| known == (kind, bytes)),
        };
        if same { Ok(()) } else { Err(GitError::Collision { id: *id }) }
    }

    /// Looks at all together, once each object was seen. Those from `borrowed` on were added to the pack.
    pub(crate) fn ties(&self, table: &Table, borrowed: u32) -> Result<Ties, GitError> {
        let mut led_to = self.led_to.lock().unwrap_or_else(PoisonError::into_inner);
        let mut roots = Vec::new();
        for entry in 0..table.len() {
            let (Some(id), Some(kind)) = (table.id(entry), table.kind(entry)) else {
                return Err(GitError::damaged("an entry was not resolved"));
            };
            if !led_to.remove(id, kind) && entry < borrowed && roots.len() <= crate::summary::IDS_MAX {
                roots.push(id);
            }
        }
        let needs = match &mut *led_to {
            LedTo::Hashed { hashes, .. } if hashes.is_empty() => Some(Vec::new()),
            LedTo::Hashed { .. } => None,
            LedTo::Named { ids, .. } => {
                let mut needs: Vec<_> = ids.drain().collect();
                needs.sort_unstable();
                for (id, kind) in &needs {
                    if self.before.kind(id)? != Some(*kind) {
                        return Err(GitError::MissingObject { id: *id });
                    }
                }
                Some(needs.into_iter().map(|(id, _)| id).collect())
            }
        };
        Ok(Ties { roots, needs })
    }

    /// Looks at what waits for all objects to be there: files with rules of their own, and with `links` what each leads to.
    pub(crate) fn finish(&self, all: &Objects, with_links: bool) -> Result<(), GitError> {
        let special = std::mem::take(&mut *self.special.lock().unwrap_or_else(PoisonError::into_inner));
        for (ids, modules) in [(special.gitmodules, true), (special.gitattributes, false)] {
            for id in ids.into_iter().collect::<HashSet<_>>() {
                let object = match all.read(&id, 100 << 20) {
                    Err(GitError::TooLarge { .. }) => None,
                    read => Some(read?),
                };
                let named = match &object {
                    None => fsck::Named::Large,
                    Some(None) => fsck::Named::Missing,
                    Some(Some(object)) if object.kind != Kind::Blob => fsck::Named::Other,
                    Some(Some(object)) => fsck::Named::Blob(object),
                };
                let check = if modules { fsck::check_gitmodules } else { fsck::check_gitattributes };
                let refused = |error: fsck::FsckError| GitError::Fsck { id, rule: error.id(), detail: error.detail };
                check(&id, named, &self.options).map_err(refused)?;
            }
        }
        if !with_links {
            return Ok(());
        }
        let pack = all.pack(0)?;
        for place in 0..pack.objects() {
            if pack.kind(place)? == Kind::Blob {
                continue;
            }
            let object = all.read_place(pack, place)?;
            let mut led_to = Vec::new();
            let read = links(self.format, object.kind, &object, |id, kind| led_to.push((id, kind)));
            read.map_err(crate::links::broken)?;
            for (id, kind) in led_to {
                if all.kind(&id)? != Some(kind) {
                    return Err(GitError::MissingObject { id });
                }
            }
        }
        Ok(())
    }
}

impl Sink for &Check {
    type Error = GitError;

    fn object(&mut self, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), GitError> {
        Check::object(self, id, kind, bytes)
    }

    fn blob(&mut self, id: &ObjectId, size: u64, bytes: Option<&[u8]>) -> Result<(), GitError> {
        self.compare(id, Kind::Blob, size, bytes)
    }
}

impl Visitor for Check {
    type Error = GitError;

    fn object(&self, _: u32, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), GitError> {
        Self::object(self, id, kind, bytes)
    }
}
