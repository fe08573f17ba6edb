//! Which commits are ancestors of which.
//!
//! Owns best common ancestors and the question whether one commit is in another's history. Refuses to know trees.
//!
//! Source: git-merge-base, "Discussion".

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

use git_object::{Commit, Kind, ObjectFormat, ObjectId};

use crate::{DiffError, Source};

/// The known parents and times of commits.
///
/// Reads each commit once, and at most `commits_max` of them.
pub struct Ancestors<'s, S: Source> {
    source: &'s S,
    commits_max: usize,
    known: HashMap<ObjectId, Known>,
}

#[derive(Clone)]
struct Known {
    seconds: i64,
    parents: Vec<ObjectId>,
}

/// In the history of the first commit, of the second, behind a common ancestor, and a common ancestor itself.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
const BEHIND: u8 = 4;
const FOUND: u8 = 8;

impl<'s, S: Source> Ancestors<'s, S> {
    /// Reads commits from `source`, `commits_max` of them at most.
    #[must_use]
    pub fn new(source: &'s S, commits_max: usize) -> Self {
        Self { source, commits_max, known: HashMap::new() }
    }

    fn known(&mut self, id: &ObjectId) -> Result<Known, DiffError<S::Error>> {
        let count = self.known.len();
        match self.known.entry(*id) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(_) if count >= self.commits_max => Err(DiffError::Large),
            Entry::Vacant(place) => {
                let content = self.source.read(id, Kind::Commit).map_err(DiffError::Source)?;
                let commit = Commit::parse(id.format(), content.as_ref())?;
                let known = Known { seconds: commit.committer().seconds, parents: commit.parents().collect() };
                Ok(place.insert(known).clone())
            }
        }
    }

    /// A commit that is in no repository and stands for several ancestors.
    pub(crate) fn add_virtual(&mut self, format: ObjectFormat, parents: Vec<ObjectId>) -> ObjectId {
        let mut bytes = vec![0; format.id_bytes()];
        for (byte, number) in bytes.iter_mut().rev().zip((self.known.len() as u64 + 1).to_le_bytes()) {
            *byte = number;
        }
        let id = ObjectId::from_bytes(format, &bytes).unwrap_or(ObjectId::null(format));
        self.known.insert(id, Known { seconds: 0, parents });
        id
    }

    /// Whether `ancestor` is `commit` or in its history.
    ///
    /// # Errors
    /// [`DiffError`].
    pub fn contains(&mut self, commit: &ObjectId, ancestor: &ObjectId) -> Result<bool, DiffError<S::Error>> {
        let (mut seen, mut left) = (HashSet::from([*commit]), vec![*commit]);
        while let Some(id) = left.pop() {
            if id == *ancestor {
                return Ok(true);
            }
            left.extend(self.known(&id)?.parents.into_iter().filter(|parent| seen.insert(*parent)));
        }
        Ok(false)
    }

    /// The common ancestors of two commits that are in no other common ancestor's history: the newest first, as `git
    /// merge-base --all` prints them. There is none if their histories have nothing in common.
    ///
    /// # Errors
    /// [`DiffError`].
    pub fn best_common(&mut self, one: &ObjectId, other: &ObjectId) -> Result<Vec<ObjectId>, DiffError<S::Error>> {
        if one == other {
            return Ok(vec![*one]);
        }
        let found = self.paint(one, other)?;
        let mut best = Vec::new();
        for candidate in &found {
            let mut is_best = true;
            for another in found.iter().filter(|another| *another != candidate) {
                is_best = is_best && !self.contains(another, candidate)?;
            }
            if is_best {
                best.push(*candidate);
            }
        }
        let mut dated = Vec::with_capacity(best.len());
        for id in best {
            dated.push((self.known(&id)?.seconds, id));
        }
        dated.sort_by_key(|(seconds, _)| std::cmp::Reverse(*seconds));
        Ok(dated.into_iter().map(|(_, id)| id).collect())
    }

    /// Follows both histories from the newest commit to older ones until only what is behind common ancestors is left.
    /// Where clocks were wrong there may be too many.
    fn paint(&mut self, one: &ObjectId, other: &ObjectId) -> Result<Vec<ObjectId>, DiffError<S::Error>> {
        let mut seen: HashMap<ObjectId, Seen> = HashMap::new();
        // The newest first, and of those of one second the one that was met first.
        let (mut queue, mut met) = (BinaryHeap::new(), i64::MAX);
        // Entries of the queue that are not behind a common ancestor.
        let mut fresh = 0_usize;
        for (id, mark) in [(one, FIRST), (other, SECOND)] {
            seen.insert(*id, Seen { mark, waiting: 1 });
            queue.push((self.known(id)?.seconds, met, *id));
            (met, fresh) = (met - 1, fresh + 1);
        }
        let mut found = Vec::new();
        while fresh > 0 {
            let Some((_, _, id)) = queue.pop() else { break };
            let Some(commit) = seen.get_mut(&id) else { continue };
            commit.waiting -= 1;
            if commit.mark & BEHIND == 0 {
                fresh -= 1;
            }
            let mut passed = commit.mark & (FIRST | SECOND | BEHIND);
            if passed == FIRST | SECOND {
                if commit.mark & FOUND == 0 {
                    commit.mark |= FOUND;
                    found.push(id);
                }
                passed |= BEHIND;
            }
            for parent in self.known(&id)?.parents {
                let seconds = self.known(&parent)?.seconds;
                let commit = seen.entry(parent).or_default();
                if commit.mark & passed == passed {
                    continue;
                }
                if commit.mark & BEHIND == 0 && passed & BEHIND != 0 {
                    fresh -= commit.waiting;
                }
                commit.mark |= passed;
                commit.waiting += 1;
                if commit.mark & BEHIND == 0 {
                    fresh += 1;
                }
                queue.push((seconds, met, parent));
                met -= 1;
            }
        }
        found.retain(|id| seen.get(id).is_some_and(|commit| commit.mark & BEHIND == 0));
        Ok(found)
    }
}

/// A commit that was met.
#[derive(Clone, Copy, Default)]
struct Seen {
    mark: u8,
    /// How often it is in the queue.
    waiting: usize,
}
