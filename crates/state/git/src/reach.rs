//! Walks over commits: which of them one side has and the other has not, ancestors, and where a shallow history ends.
//! Knows neither trees nor packs. Blocks.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use git_object::{Kind, ObjectId, Tag};

use crate::GitError;
use crate::links::broken;
use crate::objects::{CommitLinks, Objects};

/// How many more commits are looked at once only those of the other side are left: clocks differ.
const SLOP: usize = 256;

/// Whose commit it is.
const OURS: u8 = 1;
const THEIRS: u8 = 2;
/// Its parents were looked at.
const DONE: u8 = 4;

/// A commit that a walk met.
struct Node {
    flags: u8,
    tree: ObjectId,
    parents: Vec<ObjectId>,
    time: i64,
}

/// Where a shallow history ends, as a client has to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boundary {
    /// Commits whose parents the client will not have.
    pub shallow: Vec<ObjectId>,
    /// Commits whose parents it will have from now on.
    pub unshallow: Vec<ObjectId>,
}

/// How far a history is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deepen {
    /// So many commits from each want on.
    Depth(u64),
    /// So many commits more than the client has.
    Relative(u64),
    /// No commit older than this (seconds since 1970), and none that those commits lead to.
    Rules {
        /// The oldest time.
        since: Option<i64>,
        /// The excluded commits.
        not: Vec<ObjectId>,
    },
}

/// A commit and what the trees of its parents are.
pub(crate) struct Interesting {
    pub(crate) id: ObjectId,
    pub(crate) tree: ObjectId,
    /// The trees of those parents that the client gets or has, and whether it has them.
    pub(crate) bases: Vec<(ObjectId, bool)>,
}

/// The commits that a walk met.
pub(crate) struct Walk<'a> {
    objects: &'a Objects,
    nodes: HashMap<ObjectId, Node>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(objects: &'a Objects) -> Self {
        Self { objects, nodes: HashMap::new() }
    }

    fn node(&mut self, id: &ObjectId) -> Result<&mut Node, GitError> {
        if !self.nodes.contains_key(id) {
            let CommitLinks { tree, parents, time } = self.objects.commit(id)?;
            self.nodes.insert(*id, Node { flags: 0, tree, parents, time });
        }
        self.nodes.get_mut(id).ok_or(GitError::MissingObject { id: *id })
    }

    /// The time of a commit.
    pub(crate) fn time(&mut self, id: &ObjectId) -> Result<i64, GitError> {
        Ok(self.node(id)?.time)
    }

    /// The tree of a commit.
    pub(crate) fn tree(&mut self, id: &ObjectId) -> Result<ObjectId, GitError> {
        Ok(self.node(id)?.tree)
    }

    /// The parents of a commit.
    pub(crate) fn parents(&mut self, id: &ObjectId) -> Result<Vec<ObjectId>, GitError> {
        Ok(self.node(id)?.parents.clone())
    }

    /// The commits that `ours` lead to and `theirs` do not, as far as neither goes past its `cut`: those whose parents
    /// are as good as missing. A few that `theirs` lead to may be among them where clocks went wrong.
    pub(crate) fn difference(
        &mut self,
        ours: &[ObjectId],
        theirs: &[ObjectId],
        cut: &HashSet<ObjectId>,
        their_cut: &HashSet<ObjectId>,
    ) -> Result<Vec<Interesting>, GitError> {
        let mut queue = BinaryHeap::new();
        // How many in the queue are ours alone.
        let mut open = 0_usize;
        for (ids, flag) in [(theirs, THEIRS), (ours, OURS)] {
            for id in ids {
                let node = self.node(id)?;
                if node.flags == 0 {
                    queue.push((node.time, *id));
                    open += usize::from(flag == OURS);
                }
                node.flags |= flag;
            }
        }
        let (mut met, mut slop) = (Vec::new(), SLOP);
        while let Some((_, id)) = queue.pop() {
            let node = self.node(&id)?;
            node.flags |= DONE;
            let theirs = node.flags & THEIRS != 0;
            if !theirs {
                open -= 1;
                met.push(id);
            }
            let flag = if theirs { THEIRS } else { OURS };
            let ends = if theirs { their_cut } else { cut }.contains(&id);
            let parents = if ends { Vec::new() } else { node.parents.clone() };
            for parent in parents {
                open = self.paint(parent, flag, their_cut, &mut queue, open)?;
            }
            if open == 0 {
                if slop == 0 {
                    break;
                }
                slop -= 1;
            }
        }
        let mut found = Vec::new();
        for id in met {
            let node = self.node(&id)?;
            if node.flags & THEIRS != 0 {
                continue;
            }
            let (tree, parents) = (node.tree, node.parents.clone());
            let mut bases = Vec::with_capacity(parents.len());
            if !cut.contains(&id) {
                for parent in &parents {
                    let node = self.node(parent)?;
                    bases.push((node.tree, node.flags & THEIRS != 0));
                }
            }
            found.push(Interesting { id, tree, bases });
        }
        Ok(found)
    }

    /// Marks a commit, and those behind it that the walk has passed already.
    fn paint(
        &mut self,
        id: ObjectId,
        flag: u8,
        their_cut: &HashSet<ObjectId>,
        queue: &mut BinaryHeap<(i64, ObjectId)>,
        mut open: usize,
    ) -> Result<usize, GitError> {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            let node = self.node(&id)?;
            let before = node.flags;
            if before & flag != 0 {
                continue;
            }
            node.flags |= flag;
            if before == 0 {
                queue.push((node.time, id));
                open += usize::from(flag == OURS);
            } else if flag == THEIRS && before & THEIRS == 0 {
                if before & DONE == 0 {
                    // It waits in the queue as ours.
                    open -= 1;
                } else if !their_cut.contains(&id) {
                    stack.extend(node.parents.iter().copied());
                }
            }
        }
        Ok(open)
    }

    /// Whether `from` leads to `to`.
    pub(crate) fn leads_to(&mut self, from: &ObjectId, to: &ObjectId) -> Result<bool, GitError> {
        self.any_leads_to(from, &HashSet::from([*to]))
    }

    /// Whether a commit leads to one of `ends`, or is one.
    fn any_leads_to(&mut self, from: &ObjectId, ends: &HashSet<ObjectId>) -> Result<bool, GitError> {
        let mut seen = HashSet::from([*from]);
        let mut queue = BinaryHeap::from([(self.node(from)?.time, *from)]);
        let mut oldest = i64::MAX;
        for end in ends {
            oldest = oldest.min(self.node(end)?.time);
        }
        let mut slop = SLOP;
        while let Some((time, id)) = queue.pop() {
            if ends.contains(&id) {
                return Ok(true);
            }
            // Parents are older, but for clocks that went wrong.
            if time < oldest {
                if slop == 0 {
                    return Ok(false);
                }
                slop -= 1;
            }
            for parent in self.parents(&id)? {
                if seen.insert(parent) {
                    queue.push((self.node(&parent)?.time, parent));
                }
            }
        }
        Ok(false)
    }

    /// Whether each want leads to something that both sides have, so that there is no more to be found out.
    pub(crate) fn all_lead_to(&mut self, wants: &[ObjectId], common: &HashSet<ObjectId>) -> Result<bool, GitError> {
        for want in wants {
            if !self.any_leads_to(want, common)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where the history of `wants` ends for a client whose own ends at `shallow`.
    pub(crate) fn boundary(
        &mut self,
        wants: &[ObjectId],
        shallow: &[ObjectId],
        deepen: &Deepen,
    ) -> Result<Boundary, GitError> {
        let (inside, ends) = match deepen {
            Deepen::Depth(depth) => self.within(wants, *depth)?,
            Deepen::Relative(depth) => {
                let reachable = self.reachable_of(wants, shallow)?;
                // A client that has all is as one that begins.
                let (from, more) = if shallow.is_empty() { (wants, 0) } else { (&reachable[..], 1) };
                self.within(from, depth.saturating_add(more))?
            }
            Deepen::Rules { since, not } => self.by_rules(wants, *since, not)?,
        };
        let known: HashSet<&ObjectId> = shallow.iter().collect();
        let shallow_now = ends.into_iter().filter(|id| !known.contains(id)).collect();
        let unshallow = shallow.iter().filter(|id| inside.contains(id)).copied().collect();
        Ok(Boundary { shallow: shallow_now, unshallow })
    }

    /// The commits less than `depth` away from `from` whose parents belong to it, and those at the end.
    fn within(&mut self, from: &[ObjectId], depth: u64) -> Result<(HashSet<ObjectId>, Vec<ObjectId>), GitError> {
        let (mut inside, mut ends, mut seen) = (HashSet::new(), Vec::new(), HashSet::new());
        let mut queue: VecDeque<_> = from.iter().map(|id| (*id, 1_u64)).collect();
        while let Some((id, at)) = queue.pop_front() {
            if !seen.insert(id) {
                continue;
            }
            if at >= depth {
                ends.push(id);
                continue;
            }
            inside.insert(id);
            queue.extend(self.parents(&id)?.into_iter().map(|parent| (parent, at + 1)));
        }
        Ok((inside, ends))
    }

    /// Those of `ids` that `wants` lead to.
    fn reachable_of(&mut self, wants: &[ObjectId], ids: &[ObjectId]) -> Result<Vec<ObjectId>, GitError> {
        let mut found = Vec::new();
        for id in ids {
            if self.objects.kind(id)? != Some(Kind::Commit) {
                continue;
            }
            for want in wants {
                if self.leads_to(want, id)? {
                    found.push(*id);
                    break;
                }
            }
        }
        Ok(found)
    }

    fn by_rules(
        &mut self,
        wants: &[ObjectId],
        since: Option<i64>,
        not: &[ObjectId],
    ) -> Result<(HashSet<ObjectId>, Vec<ObjectId>), GitError> {
        let mut excluded = HashSet::new();
        let mut stack = not.to_vec();
        while let Some(id) = stack.pop() {
            if excluded.insert(id) {
                stack.extend(self.parents(&id)?);
            }
        }
        let (mut inside, mut order) = (HashSet::new(), Vec::new());
        let mut stack = wants.to_vec();
        while let Some(id) = stack.pop() {
            let node = self.node(&id)?;
            if since.is_some_and(|since| node.time < since) || excluded.contains(&id) {
                continue;
            }
            let parents = node.parents.clone();
            if inside.insert(id) {
                order.push(id);
                stack.extend(parents);
            }
        }
        if order.is_empty() {
            return Err(GitError::BadRequest { reason: "no commits selected for shallow requests".to_owned() });
        }
        let mut ends = Vec::new();
        for id in order {
            if !self.parents(&id)?.iter().all(|parent| inside.contains(parent)) {
                ends.push(id);
            }
        }
        ends.iter().for_each(|end| {
            inside.remove(end);
        });
        Ok((inside, ends))
    }
}

/// Objects that were asked for, by what they are.
#[derive(Default)]
pub(crate) struct Sorted {
    pub(crate) commits: Vec<ObjectId>,
    pub(crate) trees: Vec<ObjectId>,
    pub(crate) blobs: Vec<ObjectId>,
    pub(crate) tags: Vec<ObjectId>,
}

impl Sorted {
    /// Sorts objects, with what tags among them lead to. Each is there once.
    pub(crate) fn new(objects: &Objects, ids: &[ObjectId]) -> Result<Self, GitError> {
        let (mut sorted, mut seen) = (Self::default(), HashSet::new());
        let mut stack: Vec<ObjectId> = ids.iter().rev().copied().collect();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            match objects.kind(&id)?.ok_or(GitError::MissingObject { id })? {
                Kind::Commit => sorted.commits.push(id),
                Kind::Tree => sorted.trees.push(id),
                Kind::Blob => sorted.blobs.push(id),
                Kind::Tag => {
                    let tag = objects.expect(&id, Kind::Tag)?;
                    stack.push(Tag::parse(id.format(), &tag).map_err(broken)?.target());
                    sorted.tags.push(id);
                }
            }
        }
        Ok(sorted)
    }
}

/// The newest first, for listings.
pub(crate) fn newest_first(objects: &Objects, from: &[ObjectId], limit: usize) -> Result<Vec<ObjectId>, GitError> {
    let mut walk = Walk::new(objects);
    let (mut queue, mut seen, mut found) = (BinaryHeap::new(), HashSet::new(), Vec::new());
    for id in from {
        if seen.insert(*id) {
            queue.push((walk.node(id)?.time, Reverse(*id)));
        }
    }
    while let Some((_, Reverse(id))) = queue.pop() {
        if found.len() >= limit {
            break;
        }
        found.push(id);
        for parent in walk.parents(&id)? {
            if seen.insert(parent) {
                queue.push((walk.node(&parent)?.time, Reverse(parent)));
            }
        }
    }
    Ok(found)
}
