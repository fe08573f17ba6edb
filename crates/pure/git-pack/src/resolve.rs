//! Makes objects of a pack's deltas, on several threads, and names them. Holds a bounded part of them at a time.
//!
//! Each whole object that is a base is the root of a tree of deltas. A thread walks such a tree downwards, and gives parts of
//! it to threads that have nothing to do. Refuses to know what objects mean: a visitor looks at each.

mod plan;
mod walk;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use git_object::{Kind, ObjectId};

use crate::{Failure, Limits, PackError, ReadAt, ReadError, Table};
use plan::Plan;
use walk::{Task, Walker};

/// Objects outside of a pack, of which a thin pack has deltas.
pub trait Bases: Sync {
    /// The object of that id, if there is one.
    ///
    /// # Errors
    /// Those of where objects are read from; and an object over `bytes_max` bytes.
    fn base(&self, id: &ObjectId, bytes_max: u64) -> Result<Option<(Kind, Vec<u8>)>, ReadError>;
}

/// No object: for packs that have to be complete.
pub struct NoBases;

impl Bases for NoBases {
    fn base(&self, _id: &ObjectId, _bytes_max: u64) -> Result<Option<(Kind, Vec<u8>)>, ReadError> {
        Ok(None)
    }
}

/// Looks at the objects that deltas make, each once, in no order, on several threads.
pub trait Visitor: Sync {
    /// Why an object is refused.
    type Error: Send;

    /// An object that was made by a delta, and the number of its entry.
    ///
    /// # Errors
    /// The object is refused, and the pack with it.
    fn object(&self, entry: u32, id: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// How much of the machine resolving takes.
#[derive(Clone, Copy, Debug)]
pub struct Effort<'a> {
    /// Threads.
    pub threads: usize,
    /// Bytes of objects in memory at a time, about. A pack with objects that are larger than a thread's share takes more:
    /// one of them at a time, with its base and its delta.
    pub memory_bytes: usize,
    /// Locked by the thread that exceeds its share: for packs that are resolved at the same time, so that one thread of all
    /// does.
    pub exceeding: Option<&'a Mutex<()>>,
}

/// The shared state.
struct Shared<'a, R: ?Sized, B: ?Sized, V: Visitor + ?Sized> {
    plan: Plan<'a>,
    source: &'a R,
    bases: &'a B,
    visitor: &'a V,
    limits: Limits,
    /// A thread's share of the memory.
    share: usize,
    threads: usize,
    /// Groups of reference deltas whose base is looked for outside; before that, whole entries of the pack are the roots.
    outside: Option<Vec<u32>>,
    next_root: AtomicU32,
    /// Bases that were found outside.
    found: Mutex<Vec<(ObjectId, Kind)>>,
    /// Held by the one thread that may exceed its share.
    exceeding: &'a Mutex<()>,
    queue: Mutex<Queue<V::Error>>,
    wake: Condvar,
    /// Threads that have nothing to do, less the tasks that wait for one.
    hungry: AtomicUsize,
    stop: AtomicBool,
}

struct Queue<E> {
    tasks: Vec<Task>,
    idle: usize,
    failure: Option<Failure<E>>,
}

/// Roots that a thread takes at once: the fewer, the better the last ones are spread.
const ROOTS: u32 = 16;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked takes the others with it when the scope ends.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resolves all deltas of a pack that was scanned: ids and kinds are noted in the table, and `visitor` sees each object.
/// Returns the bases that were found outside, in the order of their ids. A pack that is stored needs them: append them, and
/// note them with [`Table::append`].
///
/// # Errors
/// [`Failure::Object`] as the visitor refused; [`PackError::Unresolved`], [`PackError::Delta`], [`PackError::TooLarge`],
/// [`PackError::Collision`], [`PackError::Read`].
pub fn resolve<R, B, V>(
    table: &mut Table,
    source: &R,
    bases: &B,
    visitor: &V,
    limits: Limits,
    effort: Effort<'_>,
) -> Result<Vec<(ObjectId, Kind)>, Failure<V::Error>>
where
    R: ReadAt + ?Sized,
    B: Bases + ?Sized,
    V: Visitor + ?Sized,
{
    table.references.sort_unstable();
    let table = &*table;
    let (threads, own) = (effort.threads.max(1), Mutex::new(()));
    let mut shared = Shared {
        plan: Plan::new(table),
        source,
        bases,
        visitor,
        limits,
        share: effort.memory_bytes / threads,
        threads,
        outside: None,
        next_root: AtomicU32::new(0),
        found: Mutex::new(Vec::new()),
        exceeding: effort.exceeding.unwrap_or(&own),
        queue: Mutex::new(Queue { tasks: Vec::new(), idle: 0, failure: None }),
        wake: Condvar::new(),
        hungry: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    };
    if shared.plan.has_deltas() {
        shared.run()?;
    }
    let groups = shared.plan.unclaimed();
    if !groups.is_empty() {
        shared.outside = Some(groups);
        shared.next_root = AtomicU32::new(0);
        shared.run()?;
    }
    if let Some(base) = shared.plan.missing() {
        let count = (0..table.len()).filter(|entry| table.kind(*entry).is_none()).count() as u64;
        return Err(PackError::Unresolved { count, base }.into());
    }
    let found = std::mem::take(&mut *lock(&shared.found));
    needed(table, found).map_err(Failure::Pack)
}

/// Of the bases that were found outside, those that the pack does not have itself.
///
/// It may have some: as deltas of other bases outside, so that nobody knew at first.
fn needed(table: &Table, mut found: Vec<(ObjectId, Kind)>) -> Result<Vec<(ObjectId, Kind)>, PackError> {
    if found.is_empty() {
        return Ok(found);
    }
    let outside: HashSet<ObjectId> = found.iter().map(|(id, _)| *id).collect();
    let ids = (0..table.len()).filter_map(|entry| table.id(entry).map(|id| (id, entry)));
    let inside: HashMap<ObjectId, u32> = ids.filter(|(id, _)| outside.contains(id)).collect();
    let entries: Vec<Option<u32>> = found.iter().map(|(id, _)| inside.get(id).copied()).collect();
    // Without the bases outside that it has itself, does it still have bases for all?
    for (entry, (id, _)) in entries.iter().zip(&found) {
        let (mut at, mut steps) = (*entry, 0);
        while let Some(entry) = at {
            let base = table.base(entry);
            at = base.and_then(|base| match base.checked_sub(table.len()) {
                Some(outside) => entries.get(outside as usize).copied().flatten(),
                None => Some(base),
            });
            steps += 1;
            if steps > table.len() {
                return Err(PackError::Unresolved { count: 1, base: *id });
            }
        }
    }
    found.retain(|(id, _)| !inside.contains_key(id));
    found.sort_unstable();
    Ok(found)
}

impl<R, B, V> Shared<'_, R, B, V>
where
    R: ReadAt + ?Sized,
    B: Bases + ?Sized,
    V: Visitor + ?Sized,
{
    /// Walks from all roots.
    fn run(&mut self) -> Result<(), Failure<V::Error>> {
        lock(&self.queue).idle = 0;
        self.hungry = AtomicUsize::new(0);
        let shared = &*self;
        std::thread::scope(|scope| {
            for _ in 1..shared.threads {
                scope.spawn(|| shared.work());
            }
            shared.work();
        });
        lock(&self.queue).failure.take().map_or(Ok(()), Err)
    }

    /// One thread's work.
    fn work(&self) {
        let mut walker = Walker::new(self);
        while let Some(roots) = self.next() {
            let result = match roots {
                Work::Task(task) => walker.walk(task),
                Work::Roots(roots) => roots.into_iter().try_for_each(|root| walker.root(root)),
            };
            if let Err(failure) = result {
                let mut queue = lock(&self.queue);
                queue.failure.get_or_insert(failure);
                self.stop.store(true, Ordering::Relaxed);
                self.wake.notify_all();
                return;
            }
        }
    }

    /// A thread's next work; `None` when all is done.
    fn next(&self) -> Option<Work> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(task) = self.change(|queue| queue.tasks.pop()) {
                return Some(Work::Task(task));
            }
            let roots = self.outside.as_ref().map_or(self.plan.table.len(), |groups| groups.len() as u32);
            let from = self.next_root.fetch_add(ROOTS, Ordering::Relaxed);
            if from < roots {
                return Some(Work::Roots((from..roots.min(from + ROOTS)).collect()));
            }
            // Not further: it would begin anew some day.
            self.next_root.store(roots, Ordering::Relaxed);
            self.change(|queue| queue.idle += 1);
            let mut queue = lock(&self.queue);
            while queue.tasks.is_empty() {
                if queue.idle == self.threads || self.stop.load(Ordering::Relaxed) {
                    // Nobody is left who could give anything.
                    self.wake.notify_all();
                    return None;
                }
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            drop(queue);
            // Another thread may have taken the task since: then this one looks again.
            self.change(|queue| queue.idle -= 1);
        }
    }

    /// Gives a task to a thread that has none.
    fn give(&self, task: Task) {
        self.change(|queue| queue.tasks.push(task));
        self.wake.notify_one();
    }

    fn change<T>(&self, change: impl FnOnce(&mut Queue<V::Error>) -> T) -> T {
        let mut queue = lock(&self.queue);
        let result = change(&mut queue);
        self.hungry.store(queue.idle.saturating_sub(queue.tasks.len()), Ordering::Relaxed);
        result
    }
}

enum Work {
    Task(Task),
    Roots(Vec<u32>),
}
