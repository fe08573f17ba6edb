//! Reads all of a repository again: whether each object is what its id says, and whether all is there that objects and
//! references lead to. Changes nothing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use git_object::{Hasher, Kind, ObjectId};

use crate::links::{broken, links};
use crate::objects::Objects;
use crate::repository::blocking;
use crate::{GitError, Repository};

/// Larger objects are not taken whole into memory, unless they are made of deltas.
const WHOLE_BYTES: u64 = 4 << 20;

/// How many objects a thread remembers as being there.
const KNOWN_MAX: usize = 1 << 20;

/// How many faults are reported.
const FAULTS_MAX: usize = 1000;

/// Result of a verification.
#[derive(Debug, Default)]
pub struct Verified {
    /// How many packs there are.
    pub packs: u64,
    /// How many objects they have, those counted twice that two have.
    pub objects: u64,
    /// How many references there are.
    pub references: u64,
    /// The faults, at most a thousand.
    pub faults: Vec<Fault>,
}

/// Something that is wrong with a repository.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A pack cannot be read at all.
    #[error("pack {number}: {cause}")]
    Pack {
        /// Its number, the newest being 0.
        number: usize,
        /// Why.
        cause: GitError,
    },
    /// An object cannot be read, or is not what its id says.
    #[error("object {id}: {cause}")]
    Object {
        /// The object.
        id: ObjectId,
        /// Why.
        cause: GitError,
    },
    /// An object leads to one that is not there.
    #[error("object {from} leads to {to}, which is missing")]
    Link {
        /// The object.
        from: ObjectId,
        /// The missing one.
        to: ObjectId,
    },
    /// A reference names an object that is not there.
    #[error("{name} leads to {id}, which is missing")]
    Reference {
        /// Its name.
        name: String,
        /// The object.
        id: ObjectId,
    },
}

/// The shared state.
struct Verification<'a> {
    objects: &'a Objects,
    faults: Mutex<Vec<Fault>>,
    done: AtomicU64,
    of: u64,
    progress: &'a (dyn Fn(u64, u64) -> bool + Sync),
    stopped: AtomicBool,
    key: RandomState,
}

impl Repository {
    /// Reads all of the repository again. `progress` learns how many objects of how many were read, on several threads,
    /// and ends the work with `false`.
    ///
    /// # Errors
    /// [`GitError::Interrupted`]; faults are no errors.
    pub async fn verify(
        &self,
        progress: impl Fn(u64, u64) -> bool + Send + Sync + 'static,
    ) -> Result<Verified, GitError> {
        let repository = self.clone();
        blocking(move || verify(&repository, &progress)).await
    }
}

fn verify(repository: &Repository, progress: &(dyn Fn(u64, u64) -> bool + Sync)) -> Result<Verified, GitError> {
    let objects = repository.objects();
    let of = objects.count();
    let verification = Verification {
        objects: &objects,
        faults: Mutex::default(),
        done: AtomicU64::new(0),
        of,
        progress,
        stopped: AtomicBool::new(false),
        key: RandomState::new(),
    };
    let threads = repository.0.git.0.settings.threads.max(1);
    for number in 0..objects.packs() {
        match objects.pack(number) {
            Err(cause) => verification.note(Fault::Pack { number, cause }),
            Ok(pack) => {
                let step = pack.objects().div_ceil(u32::try_from(threads).unwrap_or(1)).max(1);
                std::thread::scope(|scope| {
                    for start in (0..pack.objects()).step_by(step as usize) {
                        let (end, verification) = (pack.objects().min(start.saturating_add(step)), &verification);
                        scope.spawn(move || verification.places(number, start..end));
                    }
                });
            }
        }
    }
    if verification.stopped.load(Ordering::Relaxed) {
        return Err(GitError::Interrupted);
    }
    for reference in repository.references().iter() {
        if !matches!(objects.exists(&reference.id), Ok(true)) {
            verification.note(Fault::Reference { name: reference.name.to_owned(), id: reference.id });
        }
    }
    Ok(Verified {
        packs: objects.packs() as u64,
        objects: of,
        references: repository.references().len() as u64,
        faults: verification.faults.into_inner().unwrap_or_else(PoisonError::into_inner),
    })
}

impl Verification<'_> {
    fn note(&self, fault: Fault) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() < FAULTS_MAX {
            faults.push(fault);
        }
    }

    fn places(&self, number: usize, places: std::ops::Range<u32>) {
        let mut known = HashSet::new();
        for place in places {
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            let read = self.objects.pack(number).and_then(|pack| pack.id(pack.row(place)?));
            match read {
                Err(cause) => self.note(Fault::Pack { number, cause }),
                Ok(id) => {
                    if let Err(cause) = self.object(number, place, &id, &mut known) {
                        self.note(Fault::Object { id, cause });
                    }
                }
            }
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            if done.is_multiple_of(1024) || done == self.of {
                self.stopped.fetch_or(!(self.progress)(done, self.of), Ordering::Relaxed);
            }
        }
    }

    /// Compares an object with its id, and looks for what it leads to.
    fn object(&self, number: usize, place: u32, id: &ObjectId, known: &mut HashSet<u64>) -> Result<(), GitError> {
        let pack = self.objects.pack(number)?;
        let (kind, bytes) = (pack.kind(place)?, self.objects.bytes_at(pack, place)?);
        let mut hasher = Hasher::object(id.format(), kind, bytes);
        let mut whole = None;
        if kind == Kind::Blob && bytes > WHOLE_BYTES {
            self.objects.stream_place(pack, place, &mut |piece| {
                hasher.update(piece);
                Ok(())
            })?;
        } else {
            let object = self.objects.read_place(pack, place)?;
            if object.kind != kind || object.len() as u64 != bytes {
                return Err(GitError::damaged("an object has another kind or length than is noted"));
            }
            hasher.update(&object);
            whole = Some(object);
        }
        if hasher.finish().ok() != Some(*id) {
            return Err(GitError::damaged("an object is not what its id says"));
        }
        let Some(object) = whole else { return Ok(()) };
        let mut missing = Vec::new();
        let mut failed = None;
        let read = links(id.format(), kind, &object, |to, kind| {
            let hash = self.key.hash_one((to, kind));
            if known.contains(&hash) || failed.is_some() {
                return;
            }
            match self.objects.kind(&to) {
                Ok(Some(found)) if found == kind => {
                    if known.len() < KNOWN_MAX {
                        known.insert(hash);
                    }
                }
                Ok(_) => missing.push(to),
                Err(error) => failed = Some(error),
            }
        });
        read.map_err(broken)?;
        missing.into_iter().for_each(|to| self.note(Fault::Link { from: *id, to }));
        failed.map_or(Ok(()), Err)
    }
}
