//! Chooses deltas for a pack that is made anew: which objects become deltas of which others.
//!
//! As git's own choice: objects of one kind are ordered by path and size, and each is compared with the few before it.
//! Deltas that old packs have already are used again. Refuses to know where objects are read from and what is written.

mod chains;
mod window;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use git_object::Kind;

use crate::{DeltaIndex, PackError, ReadError, create};
use chains::Chains;
use window::Window;

/// Entries under this size are never deltas: the delta would not be smaller.
const BYTES_MIN: u64 = 50;

/// Objects that a thread takes at once, at least: it ends between two paths.
const SEGMENT: usize = 1000;

/// An object of the new pack. Its number is its place in the list of all.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its kind.
    pub kind: Kind,
    /// Its size in bytes.
    pub size: u64,
    /// [`path_hash`] of a path that it has; 0 for commits, tags and what has none.
    pub path: u32,
    /// The number of its base, if an old pack has it as a delta of another object of the new one.
    pub reusable: Option<u32>,
    /// Whether it belongs to objects that are often sent without the others: its base is one of them.
    pub island: bool,
}

/// Reads objects.
pub trait Objects: Sync {
    /// The content of the object of that number.
    ///
    /// # Errors
    /// Those of where it is read from.
    fn read(&self, candidate: u32) -> Result<Vec<u8>, ReadError>;
}

/// How hard deltas are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Objects that each is compared with.
    pub window: usize,
    /// The longest chain of deltas.
    pub depth: u32,
    /// Threads.
    pub threads: usize,
    /// Bytes of objects and their indexes in memory, about. Objects over a quarter of a thread's share are left whole.
    pub memory_bytes: usize,
    /// Bytes of compressed deltas that are retained for the writer. Those beyond it are to be made again.
    pub kept_bytes: usize,
}

impl Default for Search {
    fn default() -> Self {
        // Window and depth as git's.
        Self { window: 10, depth: 50, threads: 1, memory_bytes: 96 << 20, kept_bytes: 32 << 20 }
    }
}

/// How an object is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// As it is.
    Whole,
    /// As the delta that an old pack has.
    Reused {
        /// The number of its base.
        base: u32,
    },
    /// As a new delta.
    Delta {
        /// The number of its base.
        base: u32,
        /// The delta's size before compression.
        bytes: u64,
        /// The compressed delta; `None` when it is to be made again, with [`delta_again`].
        stream: Option<Vec<u8>>,
    },
}

impl Choice {
    /// The number of the base.
    #[must_use]
    pub fn base(&self) -> Option<u32> {
        match self {
            Self::Whole => None,
            Self::Reused { base } | Self::Delta { base, .. } => Some(*base),
        }
    }
}

/// A number for a path. Paths with the same end have numbers that are near each other: a file that was moved, and files of
/// the same name extension.
#[must_use]
pub fn path_hash(path: &[u8]) -> u32 {
    let characters = path.iter().rev().filter(|character| !character.is_ascii_whitespace());
    // Each character counts a quarter of the one behind it.
    characters
        .take(16)
        .enumerate()
        .fold(0, |hash: u32, (at, character)| hash.wrapping_add(u32::from(*character) << 24 >> (2 * at)))
}

/// Chooses how each object is written. `progress` is called with numbers of objects that are done, by several threads;
/// `false` ends the search.
///
/// # Errors
/// [`PackError::Read`]: those of `objects`; and when `progress` ended it.
pub fn choose<O: Objects + ?Sized>(
    candidates: &[Candidate],
    objects: &O,
    search: &Search,
    progress: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Vec<Choice>, PackError> {
    let chains = Chains::new(candidates, search.depth);
    let threads = search.threads.max(1);
    let share = search.memory_bytes / threads;
    let mut order: Vec<u32> = (0..candidates.len() as u32).collect();
    let candidate = |number: &u32| candidates.get(*number as usize);
    order.retain(|number| {
        let size = candidate(number).map_or(0, |candidate| candidate.size);
        chains.base(*number).is_none() && size >= BYTES_MIN && size <= share as u64 / 4
    });
    // The newest first among equals, as the list has them.
    order.sort_unstable_by_key(|number| {
        // An island first: its objects are bases for the others, which are none for them.
        candidate(number).map(|it| (it.kind, it.path, !it.island, u64::MAX - it.size, *number))
    });
    let segments = segments(&order, |number| candidate(number).map(|candidate| (candidate.kind, candidate.path)));
    let (next, kept, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let found = Mutex::new((Vec::new(), None));
    let work = || {
        let mut window = Window::new(candidates, objects, search, share, &chains, &kept);
        let mut failure = None;
        while let Some(segment) = segments.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let result = window.segment(segment, &|done| !stop.load(Ordering::Relaxed) && progress(done));
            if let Err(error) = result {
                stop.store(true, Ordering::Relaxed);
                failure = Some(error);
            }
        }
        let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.0.append(&mut window.found);
        if found.1.is_none() {
            found.1 = failure;
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let (found, failure) = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = failure {
        return Err(PackError::Read(error));
    }
    let numbers = 0..candidates.len() as u32;
    let mut choices: Vec<Choice> =
        numbers.map(|number| chains.base(number).map_or(Choice::Whole, |base| Choice::Reused { base })).collect();
    for (number, choice) in found {
        if let Some(place) = choices.get_mut(number as usize) {
            *place = choice;
        }
    }
    Ok(choices)
}

/// The numbers of all objects in the order in which they are written: that of the list, but each base before its deltas.
#[must_use]
pub fn writing_order(choices: &[Choice]) -> Vec<u32> {
    let (mut order, mut written, mut chain) =
        (Vec::with_capacity(choices.len()), vec![false; choices.len()], Vec::new());
    for number in 0..choices.len() as u32 {
        let mut at = Some(number);
        while let Some(number) = at
            && let Some(written) = written.get_mut(number as usize).filter(|written| !**written)
        {
            *written = true;
            chain.push(number);
            at = choices.get(number as usize).and_then(Choice::base);
        }
        order.extend(chain.drain(..).rev());
    }
    order
}

/// A delta that was chosen and not kept, made again.
///
/// # Errors
/// [`PackError::Read`].
pub fn delta_again<O: Objects + ?Sized>(objects: &O, number: u32, base: u32) -> Result<Vec<u8>, PackError> {
    let (base, target) = (objects.read(base).map_err(PackError::Read)?, objects.read(number).map_err(PackError::Read)?);
    create(&DeltaIndex::new(&base), &base, &target, usize::MAX)
        .ok_or(PackError::Read("a delta within all memory has no limit".into()))
}

/// Cuts the list into parts for the threads, between objects of different keys.
fn segments<K: PartialEq>(order: &[u32], key: impl Fn(&u32) -> K) -> Vec<&[u32]> {
    let (mut segments, mut rest) = (Vec::new(), order);
    while rest.len() > SEGMENT {
        let mut pairs = rest.windows(2).enumerate().skip(SEGMENT - 1);
        let end = pairs.find(|(_, pair)| pair.first().map(&key) != pair.last().map(&key));
        // One path can have more than a thread should do alone.
        let end = end.map_or(rest.len(), |(at, _)| at + 1).min(4 * SEGMENT).min(rest.len());
        let (segment, after) = rest.split_at(end);
        segments.push(segment);
        rest = after;
    }
    if !rest.is_empty() {
        segments.push(rest);
    }
    segments
}
