//! Makes few packs of many, with deltas among all of their objects, and lets go of what no reference leads to. Readers
//! are not hindered, and go on with the packs that they know.
//!
//! Owns what is merged and when objects go. What a process leaves that is killed is blobs that nothing refers to.

mod due;
mod order;
mod pack;
mod swap;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, PoisonError};

use git_object::{Kind, ObjectId};
use tokio::runtime::Handle;

use crate::git::Git;
use crate::links::{broken, links};
use crate::objects::Objects;
use crate::record::{Origin, PackRecord};
use crate::repository::blocking;
use crate::select::select_reachable;
use crate::{GitError, Repository};
pub(crate) use due::Due;
use order::Order;
pub use swap::{Maintained, Swapped};

/// How a repository is maintained.
#[derive(Clone, Debug)]
pub struct Maintenance {
    /// Up to so many packs are left as they are.
    pub packs_max: usize,
    /// Whether all packs become one, however large they are.
    pub all: bool,
    /// How long objects stay that no reference leads to, in seconds.
    pub unreachable_seconds: i64,
    /// How long packs stay that were replaced, for those that read them, in seconds.
    pub replaced_seconds: i64,
    /// How much memory the search for deltas takes, about, in bytes.
    pub memory_bytes: usize,
    /// How many threads it takes.
    pub threads: usize,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            packs_max: 12,
            all: false,
            // As git's `gc.pruneExpire`.
            unreachable_seconds: 14 * 24 * 60 * 60,
            replaced_seconds: 60 * 60,
            memory_bytes: 40 << 20,
            threads: 1,
        }
    }
}

/// How far maintenance has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaintenanceProgress {
    /// So many objects were found.
    Counting {
        /// How many.
        objects: u64,
    },
    /// Deltas are looked for.
    Compressing {
        /// For how many objects it was done.
        done: u64,
    },
    /// The pack is written.
    Writing {
        /// How many objects were written.
        done: u64,
        /// How many there are.
        of: u64,
    },
}

/// The work to do.
struct Plan {
    /// Packs that are merged. None: there are few enough.
    merged: Vec<Arc<PackRecord>>,
    /// Whether all packs are merged, so that what no reference leads to can be told from the rest.
    all: bool,
    /// Packs of objects that no reference has led to for long enough.
    expired: Vec<Arc<PackRecord>>,
}

impl Plan {
    fn new(packs: &[Arc<PackRecord>], maintenance: &Maintenance, now: i64) -> Self {
        let (unreachable, mut packs): (Vec<_>, Vec<_>) =
            packs.iter().cloned().partition(|pack| pack.origin == Origin::Unreachable);
        let old = |pack: &Arc<PackRecord>| pack.at.saturating_add(maintenance.unreachable_seconds) <= now;
        let expired: Vec<_> = unreachable.into_iter().filter(old).collect();
        packs.sort_by_key(|pack| pack.objects);
        let many = packs.len() > maintenance.packs_max;
        // The smallest ones, and each further one that is not twice as large as all of them together: so that an object
        // is written again only a logarithm of the number of pushes times.
        let (mut count, mut objects) = (0, 0_u64);
        for (number, pack) in packs.iter().enumerate() {
            if u64::from(pack.objects) < objects.saturating_mul(2) {
                count = number + 1;
            }
            objects += u64::from(pack.objects);
        }
        let merged = match (maintenance.all, many) {
            (true, _) => packs.clone(),
            // Of packs that each are twice as large as those before, the smallest ones become one.
            (_, true) => packs.get(..count.max(packs.len() - maintenance.packs_max + 1)).unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        Self { all: merged.len() == packs.len() && !merged.is_empty(), merged, expired }
    }
}

impl Repository {
    /// Whether there is something to maintain.
    #[must_use]
    pub fn needs_maintenance(&self, maintenance: &Maintenance, now: i64) -> bool {
        let plan = Plan::new(&self.0.snapshot.packs, maintenance, now);
        !plan.merged.is_empty() || !plan.expired.is_empty()
    }

    /// Makes the packs that are to replace others, and makes them durable. Nothing changes before
    /// [`Maintained::publish`]. `now` is the time in seconds since 1970. `progress` is called on several threads, and ends the
    /// work with `false`. `None`: there is nothing to do, or it is being done.
    ///
    /// # Errors
    /// [`GitError::Interrupted`]; those of reading and writing.
    pub async fn maintain(
        &self,
        maintenance: Maintenance,
        now: i64,
        progress: impl Fn(MaintenanceProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Maintained>, GitError> {
        if self.format().is_none() {
            return Ok(None);
        }
        let Some(turn) = Turn::take(self) else { return Ok(None) };
        let (repository, runtime) = (self.clone(), Handle::current());
        blocking(move || {
            let _turn = turn;
            let work = Work { repository, maintenance, now, runtime, progress: &progress };
            work.maintain()
        })
        .await
    }
}

/// One at a time maintains a repository.
struct Turn {
    git: Git,
    id: Box<str>,
}

impl Turn {
    fn take(repository: &Repository) -> Option<Self> {
        let (git, id) = (repository.0.git.clone(), repository.0.id.clone());
        let mut busy = git.0.maintained.lock().unwrap_or_else(PoisonError::into_inner);
        let free = busy.insert(id.clone());
        drop(busy);
        free.then(|| Self { git, id })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.git.0.maintained.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// One maintenance of one repository.
struct Work<'a> {
    repository: Repository,
    maintenance: Maintenance,
    now: i64,
    runtime: Handle,
    progress: &'a (dyn Fn(MaintenanceProgress) -> bool + Sync),
}

impl Work<'_> {
    fn maintain(self) -> Result<Option<Maintained>, GitError> {
        let packs = &self.repository.0.snapshot.packs;
        let mut plan = Plan::new(packs, &self.maintenance, self.now);
        if !plan.expired.is_empty() && !plan.all && !self.is_complete_without(&plan.expired)? {
            // A reference was made that leads to an object in one of them: it goes where it belongs.
            let maintenance = Maintenance { all: true, ..self.maintenance.clone() };
            plan = Plan::new(packs, &maintenance, self.now);
        }
        if !plan.expired.is_empty() && self.is_needed(&plan.expired)? {
            plan.expired.clear();
        }
        // One pack of maintenance that everything is in already.
        if let [pack] = &plan.merged[..]
            && pack.origin == Origin::Maintenance
            && plan.expired.is_empty()
            && self.is_whole(pack)?
        {
            plan.merged.clear();
        }
        if plan.merged.is_empty() && plan.expired.is_empty() {
            return Ok(None);
        }
        let mut written = Vec::new();
        if !plan.merged.is_empty() {
            let objects = self.repository.objects();
            let sources = self.sources(&objects, &plan)?;
            let order = if plan.all {
                let head = self.repository.reference(self.repository.head());
                Order::reachable(&objects, sources, self.repository.references(), head, self.progress)?
            } else {
                Order::all_of(&objects, sources, self.progress)?
            };
            let Order { kept, unreachable, .. } = &order;
            if kept.len() > 0 {
                written.push(self.pack(&objects, &order, kept, Origin::Maintenance)?);
            }
            if unreachable.len() > 0 {
                written.push(self.pack(&objects, &order, unreachable, Origin::Unreachable)?);
            }
        }
        Ok(Some(Maintained::new(
            &self.repository,
            plan.merged,
            plan.expired,
            written,
            self.maintenance.replaced_seconds,
        )))
    }

    /// The numbers of the packs that objects are taken from, and for each whether it is to be replaced.
    fn sources(&self, objects: &Objects, plan: &Plan) -> Result<Vec<(usize, bool)>, GitError> {
        let merged: HashSet<&[String]> = plan.merged.iter().map(|pack| &pack.blobs[..]).collect();
        let mut sources = Vec::new();
        for number in 0..objects.packs() {
            let replaced = merged.contains(&objects.pack(number)?.record.blobs[..]);
            if replaced || plan.all {
                sources.push((number, replaced));
            }
        }
        Ok(sources)
    }

    /// Whether references lead to nothing that only these packs have.
    fn is_complete_without(&self, packs: &[Arc<PackRecord>]) -> Result<bool, GitError> {
        let objects = self.repository.objects_without(packs);
        match select_reachable(&objects, self.repository.references()) {
            Ok(_) => Ok(true),
            Err(GitError::MissingObject { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether an object that stays leads to one that only these packs have, though no reference leads to either. It
    /// could be named again, and a push that does that is not walked: what is there has to be complete.
    fn is_needed(&self, packs: &[Arc<PackRecord>]) -> Result<bool, GitError> {
        let (all, rest) = (self.repository.objects(), self.repository.objects_without(packs));
        let reachable = select_reachable(&all, self.repository.references())?;
        for number in 0..rest.packs() {
            let pack = rest.pack(number)?;
            for place in 0..pack.objects() {
                if pack.kind(place)? == Kind::Blob || reachable.contains(&all, &pack.id(pack.row(place)?)?)? {
                    continue;
                }
                let object = rest.read_place(pack, place)?;
                let mut led_to = Vec::new();
                links(rest.format(), object.kind, &object, |id, _| led_to.push(id)).map_err(broken)?;
                for id in led_to {
                    if !rest.exists(&id)? && !reachable.contains(&all, &id)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Whether a pack is all that references lead to, and nothing else.
    fn is_whole(&self, pack: &Arc<PackRecord>) -> Result<bool, GitError> {
        let objects = self.repository.objects();
        let selection = select_reachable(&objects, self.repository.references())?;
        let mut whole = false;
        for (number, places) in selection.packs() {
            let found = objects.pack(number)?;
            let all = found.record.blobs == pack.blobs && places.count() == pack.objects;
            if places.count() > 0 && !all {
                return Ok(false);
            }
            whole |= all;
        }
        Ok(whole)
    }

    fn go_on(&self, progress: MaintenanceProgress) -> Result<(), GitError> {
        if (self.progress)(progress) { Ok(()) } else { Err(GitError::Interrupted) }
    }
}

/// An object that goes into a new pack.
#[derive(Clone, Copy)]
struct Item {
    /// The number of its pack among the sources, and its place there.
    source: u32,
    place: u32,
    kind: Kind,
    /// [`git_pack::path_hash`].
    path: u32,
    /// Whether another object of the new pack leads to it.
    led_to: bool,
    /// Whether it belongs to the commit that `HEAD` stands for, which is what shallow clones get.
    island: bool,
}

/// The objects of a new pack in the order in which it has them, and what they lead to elsewhere.
struct Items {
    list: Vec<Item>,
    /// `None`: there are too many, or nobody looked.
    needs: Option<HashSet<ObjectId>>,
    /// Those that are there as bases of deltas only. `None`: nobody knows which.
    borrowed: Option<BTreeSet<ObjectId>>,
}

impl Items {
    fn len(&self) -> usize {
        self.list.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(objects: u32, origin: Origin, at: i64) -> Arc<PackRecord> {
        Arc::new(PackRecord {
            blobs: vec![format!("{objects}-{at}")],
            objects,
            entries_bytes: 0,
            index_bytes: 0,
            summary_bytes: 0,
            hash: String::new(),
            origin,
            at,
        })
    }

    #[test]
    fn small_packs_are_merged_and_large_ones_are_left() {
        let maintenance = Maintenance { packs_max: 4, ..Maintenance::default() };
        let merged = |sizes: &[u32], all: bool| {
            let packs: Vec<_> = sizes.iter().map(|size| pack(*size, Origin::Push, 1)).collect();
            let plan = Plan::new(&packs, &Maintenance { all, ..maintenance.clone() }, 5);
            (plan.merged.iter().map(|pack| pack.objects).collect::<Vec<_>>(), plan.all)
        };
        assert_eq!(merged(&[], true), (vec![], false));
        assert_eq!(merged(&[1, 2, 3, 4], false), (vec![], false));
        assert_eq!(merged(&[1000, 1, 2, 3, 4], false), (vec![1, 2, 3, 4], false));
        assert_eq!(merged(&[1000, 1, 2, 3, 4], true), (vec![1, 2, 3, 4, 1000], true));
        assert_eq!(merged(&[15, 1, 2, 3, 4], false), (vec![1, 2, 3, 4, 15], true));
        // Each is far larger than those before.
        assert_eq!(merged(&[1, 10, 100, 1000, 10_000], false), (vec![1, 10], false));
    }

    #[test]
    fn what_nothing_leads_to_expires_after_its_time() {
        let maintenance = Maintenance { unreachable_seconds: 100, ..Maintenance::default() };
        let packs = [pack(5, Origin::Push, 1), pack(6, Origin::Unreachable, 1), pack(7, Origin::Unreachable, 50)];
        for (now, expired) in [(100, 0), (101, 1), (149, 1), (150, 2)] {
            let plan = Plan::new(&packs, &maintenance, now);
            assert_eq!(plan.expired.len(), expired, "{now}");
            assert!(plan.merged.is_empty());
        }
    }

    #[test]
    fn a_number_of_pushes_is_rewritten_few_times() {
        let maintenance = Maintenance::default();
        let (mut packs, mut written) = (vec![pack(100_000, Origin::Maintenance, 0)], 0_u64);
        for push in 1..=3000 {
            packs.push(pack(3, Origin::Push, push));
            let plan = Plan::new(&packs, &maintenance, push);
            if !plan.merged.is_empty() {
                let objects: u32 = plan.merged.iter().map(|pack| pack.objects).sum();
                written += u64::from(objects);
                packs.retain(|pack| !plan.merged.iter().any(|merged| merged.blobs == pack.blobs));
                packs.push(pack(objects, Origin::Maintenance, push));
            }
            assert!(packs.len() <= maintenance.packs_max);
        }
        assert!(written < 9000 * 12, "{written} objects were written for 9000 that came");
    }
}
