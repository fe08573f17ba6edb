//! Which objects go into a new pack, and in which order: what is read together lies together, the newest first.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use git_object::{Commit, Kind, ObjectId, Tag, Tree};

use super::{Item, Items, MaintenanceProgress};
use crate::GitError;
use crate::links::broken;
use crate::objects::Objects;
use crate::reach::Sorted;
use crate::references::References;
use crate::summary::IDS_MAX;

/// No item.
const NONE: u32 = u32::MAX;

/// The maximum stored bytes of a path: its end.
const PATH_BYTES: usize = 48;

/// Between two calls of the progress.
const STEP: u64 = 4096;

/// A pack that objects are taken from.
pub(super) struct Source {
    pub(super) number: usize,
    /// Whether the new pack replaces it.
    replaced: bool,
    /// The item of each place, or [`NONE`].
    items: Vec<u32>,
}

/// Found objects.
pub(super) struct Order {
    /// The largest first: an object that several have is taken from the first.
    pub(super) sources: Vec<Source>,
    /// Objects that references lead to, or all.
    pub(super) kept: Items,
    /// Unreachable objects.
    pub(super) unreachable: Items,
}

/// Where an object is, if it is in the sources: a source and a place.
fn locate(sources: &[Source], objects: &Objects, id: &ObjectId) -> Result<Option<(u32, u32)>, GitError> {
    for (number, source) in (0_u32..).zip(sources) {
        let pack = objects.pack(source.number)?;
        if let Some(row) = pack.find(id)? {
            return Ok(Some((number, pack.place(row)?)));
        }
    }
    Ok(None)
}

impl Order {
    /// Where an object is: a source and a place.
    pub(super) fn locate(&self, objects: &Objects, id: &ObjectId) -> Result<Option<(u32, u32)>, GitError> {
        locate(&self.sources, objects, id)
    }

    /// The number among the kept objects of the one at a place.
    pub(super) fn kept_at(&self, source: u32, place: u32) -> Option<u32> {
        let number = self.sources.get(source as usize)?.items.get(place as usize)?;
        (*number != NONE).then_some(*number)
    }

    /// Objects that the references lead to, and separately the rest of replaced packs.
    pub(super) fn reachable(
        objects: &Objects,
        sources: Vec<(usize, bool)>,
        references: &References,
        head: Option<ObjectId>,
        progress: &(dyn Fn(MaintenanceProgress) -> bool + Sync),
    ) -> Result<Self, GitError> {
        let mut finder = Finder::new(objects, sources, true, progress)?;
        let tips: Vec<ObjectId> = references.iter().map(|reference| reference.id).collect();
        let Sorted { commits, trees, blobs, tags } = Sorted::new(objects, &tips)?;
        let trees_of_commits = finder.commits(&commits)?;
        finder.tags(&tags)?;
        if let Some(head) = head {
            finder.island(&head)?;
        }
        for tree in trees_of_commits.iter().chain(&trees) {
            finder.tree(tree)?;
        }
        for blob in &blobs {
            finder.add(blob, Kind::Blob, 0, false)?;
        }
        let left = finder.left()?;
        let mut order = finder.finish(Some(BTreeSet::new()));
        order.unreachable.list = left;
        Ok(order)
    }

    /// All that is in the packs.
    pub(super) fn all_of(
        objects: &Objects,
        sources: Vec<(usize, bool)>,
        progress: &(dyn Fn(MaintenanceProgress) -> bool + Sync),
    ) -> Result<Self, GitError> {
        let mut finder = Finder::new(objects, sources, false, progress)?;
        let borrowed = finder.borrowed()?;
        let is_borrowed = |id: &ObjectId| borrowed.as_ref().is_some_and(|borrowed| borrowed.contains(id));
        let (mut commits, mut tags) = (Vec::new(), Vec::new());
        for item in finder.left()? {
            let id = finder.id(&item)?;
            if is_borrowed(&id) {
                continue;
            }
            match item.kind {
                Kind::Commit => {
                    let object = objects.expect(&id, Kind::Commit)?;
                    let time = Commit::parse(id.format(), &object).map_err(broken)?.committer().seconds;
                    commits.push((Reverse(time), id));
                }
                Kind::Tag => tags.push(id),
                Kind::Tree | Kind::Blob => {}
            }
        }
        commits.sort_unstable();
        for (_, id) in &commits {
            finder.add(id, Kind::Commit, 0, false)?;
        }
        let mut trees = Vec::with_capacity(commits.len());
        for (_, id) in &commits {
            let object = objects.expect(id, Kind::Commit)?;
            let commit = Commit::parse(id.format(), &object).map_err(broken)?;
            for parent in commit.parents() {
                finder.lead(&parent)?;
            }
            trees.push(commit.tree());
        }
        finder.tags(&tags)?;
        for tree in &trees {
            finder.tree(tree)?;
        }
        // What no commit of these packs has.
        for item in finder.left()? {
            let id = finder.id(&item)?;
            // What a borrowed object leads to is the business of the pack that it comes from.
            if item.kind == Kind::Tree && !is_borrowed(&id) {
                finder.named_tree(&id, false)?;
            } else {
                finder.add(&id, item.kind, 0, false)?;
            }
        }
        Ok(finder.finish(borrowed))
    }
}

struct Finder<'a> {
    objects: &'a Objects,
    sources: Vec<Source>,
    list: Vec<Item>,
    /// Needed objects outside of the sources.
    outside: HashSet<ObjectId>,
    /// Whether all has to be in the sources.
    complete: bool,
    progress: &'a (dyn Fn(MaintenanceProgress) -> bool + Sync),
}

impl<'a> Finder<'a> {
    fn new(
        objects: &'a Objects,
        numbers: Vec<(usize, bool)>,
        complete: bool,
        progress: &'a (dyn Fn(MaintenanceProgress) -> bool + Sync),
    ) -> Result<Self, GitError> {
        let mut sources = Vec::with_capacity(numbers.len());
        for (number, replaced) in numbers {
            let items = vec![NONE; objects.pack(number)?.objects() as usize];
            sources.push(Source { number, replaced, items });
        }
        sources.sort_by_key(|source| Reverse(source.items.len()));
        Ok(Self { objects, sources, list: Vec::new(), outside: HashSet::new(), complete, progress })
    }

    fn locate(&self, id: &ObjectId) -> Result<Option<(u32, u32)>, GitError> {
        locate(&self.sources, self.objects, id)
    }

    fn item(&mut self, source: u32, place: u32) -> Option<&mut u32> {
        self.sources.get_mut(source as usize)?.items.get_mut(place as usize)
    }

    /// Adds an object. Yields whether it is new; it is not if it is elsewhere.
    fn add(&mut self, id: &ObjectId, kind: Kind, path: u32, led_to: bool) -> Result<bool, GitError> {
        let Some((source, place)) = self.locate(id)? else {
            return self.miss(id).map(|()| false);
        };
        let number = self.list.len() as u32;
        let Some(item) = self.item(source, place) else { return Ok(false) };
        let known = *item;
        if known != NONE {
            if led_to && let Some(item) = self.list.get_mut(known as usize) {
                item.led_to = true;
            }
            return Ok(false);
        }
        *item = number;
        self.list.push(Item { source, place, kind, path, led_to, island: false });
        let count = u64::from(number) + 1;
        if count.is_multiple_of(STEP) && !(self.progress)(MaintenanceProgress::Counting { objects: count }) {
            return Err(GitError::Interrupted);
        }
        Ok(true)
    }

    /// Notes that an object leads to this one, which was added if it is in the sources.
    fn lead(&mut self, id: &ObjectId) -> Result<(), GitError> {
        match self.locate(id)? {
            Some((source, place)) => {
                let number = self.item(source, place).map_or(NONE, |item| *item);
                if let Some(item) = self.list.get_mut(number as usize) {
                    item.led_to = true;
                }
            }
            None => self.miss(id)?,
        }
        Ok(())
    }

    /// Notes an object that is not in the sources.
    fn miss(&mut self, id: &ObjectId) -> Result<(), GitError> {
        if self.complete {
            return Err(GitError::MissingObject { id: *id });
        }
        if self.outside.len() <= IDS_MAX {
            self.outside.insert(*id);
        }
        Ok(())
    }

    /// The objects that the packs have as bases of deltas only. `None` if a pack does not say.
    fn borrowed(&self) -> Result<Option<BTreeSet<ObjectId>>, GitError> {
        let (mut all, mut owned) = (BTreeSet::new(), HashSet::new());
        for source in &self.sources {
            let Some(borrowed) = &self.objects.pack(source.number)?.lists()?.borrowed else { return Ok(None) };
            all.extend(borrowed.iter().copied());
        }
        for id in &all {
            for source in &self.sources {
                let pack = self.objects.pack(source.number)?;
                let borrowed = pack.lists()?.borrowed.as_deref().unwrap_or_default();
                if borrowed.binary_search(id).is_err() && pack.find(id)?.is_some() {
                    owned.insert(*id);
                }
            }
        }
        all.retain(|id| !owned.contains(id));
        Ok(Some(all))
    }

    fn id(&self, item: &Item) -> Result<ObjectId, GitError> {
        let source = self.sources.get(item.source as usize).ok_or(GitError::damaged("a pack is missing"))?;
        let pack = self.objects.pack(source.number)?;
        pack.id(pack.row(item.place)?)
    }

    /// Adds commits and those that they lead to, the newest first. Yields their trees.
    fn commits(&mut self, tips: &[ObjectId]) -> Result<Vec<ObjectId>, GitError> {
        let read = |id: &ObjectId| -> Result<(i64, ObjectId, Vec<ObjectId>), GitError> {
            let object = self.objects.expect(id, Kind::Commit)?;
            let commit = Commit::parse(id.format(), &object).map_err(broken)?;
            Ok((commit.committer().seconds, commit.tree(), commit.parents().collect()))
        };
        let (mut queue, mut waiting, mut trees) = (BinaryHeap::new(), HashMap::new(), Vec::new());
        let mut led_to = HashSet::new();
        let mut seen = HashSet::new();
        let mut order = Vec::new();
        for id in tips {
            if seen.insert(*id) {
                let (time, tree, parents) = read(id)?;
                waiting.insert(*id, (tree, parents));
                queue.push((time, *id));
            }
        }
        while let Some((_, id)) = queue.pop() {
            let Some((tree, parents)) = waiting.remove(&id) else { continue };
            order.push(id);
            trees.push(tree);
            for parent in parents {
                led_to.insert(parent);
                if seen.insert(parent) {
                    let (time, tree, parents) = read(&parent)?;
                    waiting.insert(parent, (tree, parents));
                    queue.push((time, parent));
                }
            }
        }
        drop(seen);
        for id in order {
            let led_to = led_to.contains(&id);
            self.add(&id, Kind::Commit, 0, led_to)?;
        }
        Ok(trees)
    }

    /// Adds tags, and notes what they lead to.
    fn tags(&mut self, tags: &[ObjectId]) -> Result<(), GitError> {
        for id in tags {
            self.add(id, Kind::Tag, 0, false)?;
        }
        for id in tags {
            let object = self.objects.expect(id, Kind::Tag)?;
            let tag = Tag::parse(id.format(), &object).map_err(broken)?;
            let (target, kind) = (tag.target(), tag.kind());
            match kind {
                Kind::Commit | Kind::Tag => self.lead(&target)?,
                Kind::Tree => self.named_tree(&target, true)?,
                Kind::Blob => {
                    self.add(&target, Kind::Blob, 0, true)?;
                }
            }
        }
        Ok(())
    }

    /// Adds what a commit has, before all else that trees lead to: it lies together in the new pack, and is complete there
    /// without the rest, so that a shallow clone is a copy.
    fn island(&mut self, commit: &ObjectId) -> Result<(), GitError> {
        if self.objects.kind(commit)? != Some(Kind::Commit) {
            return Ok(());
        }
        let object = self.objects.expect(commit, Kind::Commit)?;
        let tree = Commit::parse(commit.format(), &object).map_err(broken)?.tree();
        let first = self.list.len();
        self.tree(&tree)?;
        for item in self.list.iter_mut().skip(first) {
            item.island = true;
        }
        if let Some((source, place)) = self.locate(commit)? {
            let number = self.item(source, place).map_or(NONE, |item| *item);
            if let Some(item) = self.list.get_mut(number as usize) {
                item.island = true;
            }
        }
        Ok(())
    }

    /// Adds the root tree of a commit.
    fn tree(&mut self, id: &ObjectId) -> Result<(), GitError> {
        self.named_tree(id, true)
    }

    /// Adds a tree and what is below it.
    fn named_tree(&mut self, id: &ObjectId, led_to: bool) -> Result<(), GitError> {
        let mut stack = vec![(*id, Vec::new(), led_to)];
        while let Some((id, path, led_to)) = stack.pop() {
            let hash = if path.is_empty() { 0 } else { git_pack::path_hash(&path) };
            if !self.add(&id, Kind::Tree, hash, led_to)? {
                continue;
            }
            let object = self.objects.expect(&id, Kind::Tree)?;
            let first = stack.len();
            for entry in Tree::new(id.format(), &object) {
                let entry = entry.map_err(broken)?;
                let Some(kind) = entry.mode.kind() else { continue };
                let mut below = path.clone();
                if !below.is_empty() {
                    below.push(b'/');
                }
                below.extend_from_slice(entry.name);
                below.drain(..below.len().saturating_sub(PATH_BYTES));
                if kind == Kind::Tree {
                    stack.push((entry.id, below, true));
                } else {
                    self.add(&entry.id, kind, git_pack::path_hash(&below), true)?;
                }
            }
            if let Some(added) = stack.get_mut(first..) {
                added.reverse();
            }
        }
        Ok(())
    }

    /// The objects of replaced packs that were not added, each once.
    fn left(&mut self) -> Result<Vec<Item>, GitError> {
        let mut left = Vec::new();
        for (number, source) in (0_u32..).zip(&self.sources) {
            if !source.replaced {
                continue;
            }
            let pack = self.objects.pack(source.number)?;
            for (place, item) in (0_u32..).zip(&source.items) {
                if *item == NONE && self.locate(&pack.id(pack.row(place)?)?)? == Some((number, place)) {
                    left.push(Item {
                        source: number,
                        place,
                        kind: pack.kind(place)?,
                        path: 0,
                        led_to: false,
                        island: false,
                    });
                }
            }
        }
        Ok(left)
    }

    fn finish(self, borrowed: Option<BTreeSet<ObjectId>>) -> Order {
        let needs = Some(self.outside).filter(|outside| outside.len() <= IDS_MAX);
        let kept = Items { list: self.list, needs, borrowed };
        Order { sources: self.sources, kept, unreachable: Items { list: Vec::new(), needs: None, borrowed: None } }
    }
}
