//! Which objects go to a client, as sets of places in packs: whole packs where they are all of it, a walk otherwise.
//! Knows no bytes of packs. Blocks.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use git_object::{Entry, FormError, Kind, ObjectId, Tree, entry_order};

use crate::GitError;
use crate::bitmaps::Bitmaps;
use crate::links::broken;
use crate::objects::{Object, Objects};
use crate::places::Places;
use crate::reach::{Boundary, Interesting, Sorted, Walk};
use crate::references::References;
use crate::summary::kind_of;

/// How many objects that the client has are remembered as bases of deltas.
const KNOWN_MAX: usize = 200_000;

/// Packs with more objects are not asked together with others.
const SMALL_MAX: u32 = 50_000;

/// How many objects the packs have at most that are asked together.
const TOGETHER_MAX: u32 = 500_000;

/// Rules of objects to leave out. All hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Files of this many bytes or more: 0 leaves out all.
    pub blob_bytes: Option<u64>,
    /// Objects this many levels below a commit or more: 0 leaves out root trees as well.
    pub tree_depth: Option<u64>,
    /// Objects of all other kinds.
    pub only: Option<Kind>,
}

/// The arguments of a fetch.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The objects that it wants, with what they lead to.
    pub wants: Vec<ObjectId>,
    /// Objects that it has, with what they lead to. What is not there is ignored.
    pub haves: Vec<ObjectId>,
    /// Commits whose parents it does not have.
    pub shallow: Vec<ObjectId>,
    /// Where its history is to end from now on.
    pub boundary: Option<Boundary>,
    /// The filter.
    pub filter: Filter,
    /// Whether deltas may have bases that only the client has.
    pub thin: bool,
    /// Whether tags come along that lead to what is sent.
    pub include_tag: bool,
    /// Whether deltas may name their bases by offset.
    pub ofs_delta: bool,
}

/// Objects of some packs, each once.
pub(crate) struct Selection {
    /// Numbers of packs, the largest first: an object that several have is counted in the first.
    order: Vec<usize>,
    /// By the number of the pack.
    sets: Vec<Places>,
    /// Objects that the client has, for bases of deltas: as far as a walk met them,
    known: HashSet<ObjectId>,
    /// or all of them, where bitmaps told.
    theirs: Vec<Places>,
    /// Whether all trees were walked for want of bitmaps.
    pub(crate) walked: bool,
}

impl Selection {
    /// None yet. Objects of the pack `first` count there, whether or not larger ones have them.
    fn new(objects: &Objects, first: Option<usize>) -> Result<Self, GitError> {
        let sizes = (0..objects.packs()).map(|number| objects.pack(number).map(|pack| pack.objects()));
        let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|number| std::cmp::Reverse((Some(*number) == first, sizes.get(*number).copied())));
        let sets = sizes.into_iter().map(Places::none).collect();
        Ok(Self { order, sets, known: HashSet::new(), theirs: Vec::new(), walked: false })
    }

    /// How many objects there are.
    pub(crate) fn count(&self) -> u64 {
        self.sets.iter().map(|places| u64::from(places.count())).sum()
    }

    /// The packs in the order in which they are sent, with what is sent of each.
    pub(crate) fn packs(&self) -> impl Iterator<Item = (usize, &Places)> {
        self.order.iter().filter_map(|number| Some((*number, self.sets.get(*number)?)))
    }

    /// The pack and the place in which an object counts.
    pub(crate) fn locate(&self, objects: &Objects, id: &ObjectId) -> Result<Option<(usize, u32)>, GitError> {
        for number in &self.order {
            let pack = objects.pack(*number)?;
            if let Some(row) = pack.find(id)? {
                return Ok(Some((*number, pack.place(row)?)));
            }
        }
        Ok(None)
    }

    /// Whether an object is sent.
    pub(crate) fn contains(&self, objects: &Objects, id: &ObjectId) -> Result<bool, GitError> {
        let found = self.locate(objects, id)?;
        Ok(found.is_some_and(|(number, place)| self.sets.get(number).is_some_and(|set| set.contains(place))))
    }

    /// Whether the client has an object, as far as is known.
    pub(crate) fn client_has(&self, objects: &Objects, id: &ObjectId) -> Result<bool, GitError> {
        if self.known.contains(id) {
            return Ok(true);
        }
        if self.theirs.is_empty() {
            return Ok(false);
        }
        let found = self.locate(objects, id)?;
        Ok(found.is_some_and(|(number, place)| self.theirs.get(number).is_some_and(|set| set.contains(place))))
    }

    /// Adds an object. Yields whether it is new, and where it is.
    fn add(&mut self, objects: &Objects, id: &ObjectId) -> Result<bool, GitError> {
        let (number, place) = self.locate(objects, id)?.ok_or(GitError::MissingObject { id: *id })?;
        Ok(self.sets.get_mut(number).is_some_and(|set| set.insert(place)))
    }
}

/// Which of some packs have an object: those with few objects are asked together.
struct Members {
    /// Ids in the small packs, but for bases that came along.
    small: HashSet<ObjectId>,
    /// The others.
    large: Vec<usize>,
}

impl Members {
    fn new(objects: &Objects, packs: &[usize]) -> Result<Self, GitError> {
        let mut sizes = Vec::with_capacity(packs.len());
        for number in packs {
            sizes.push((objects.pack(*number)?.objects(), *number));
        }
        sizes.sort_unstable();
        let mut members = Self { small: HashSet::new(), large: Vec::new() };
        let mut left = TOGETHER_MAX;
        for (size, number) in sizes {
            if size > SMALL_MAX || size > left {
                members.large.push(number);
                continue;
            }
            left -= size;
            let pack = objects.pack(number)?;
            let borrowed = pack.lists()?.borrowed.as_deref().unwrap_or_default();
            for row in 0..size {
                let id = pack.id(row)?;
                if borrowed.binary_search(&id).is_err() {
                    members.small.insert(id);
                }
            }
        }
        // What is looked for is in the largest most often.
        members.large.reverse();
        Ok(members)
    }

    /// Whether one has the object, and not only as a base that came along.
    fn has(&self, objects: &Objects, id: &ObjectId) -> Result<bool, GitError> {
        if self.small.contains(id) {
            return Ok(true);
        }
        for number in &self.large {
            let pack = objects.pack(*number)?;
            let borrowed = pack.lists()?.borrowed.as_deref().unwrap_or_default();
            if borrowed.binary_search(id).is_err() && pack.find(id)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Packs that are, taken together, exactly what `from` leads to. `None` if that is not how things are, or if it cannot be
/// told without a walk.
fn whole_packs(objects: &Objects, from: &HashSet<ObjectId>) -> Result<Option<Vec<usize>>, GitError> {
    let mut reached = from.clone();
    let mut left: Vec<usize> = (0..objects.packs()).collect();
    let mut whole = Vec::new();
    loop {
        let before = left.len();
        let mut rest = Vec::new();
        for number in left {
            let lists = objects.pack(number)?.lists()?;
            let (Some(roots), Some(needs), Some(_)) = (&lists.roots, &lists.needs, &lists.borrowed) else {
                rest.push(number);
                continue;
            };
            if roots.iter().all(|root| reached.contains(root)) {
                reached.extend(needs.iter().copied());
                whole.push(number);
            } else {
                rest.push(number);
            }
        }
        if rest.len() == before {
            break;
        }
        left = rest;
    }
    let members = Members::new(objects, &whole)?;
    for id in &reached {
        if !members.has(objects, id)? {
            return Ok(None);
        }
    }
    // A base that came along goes out only if it belongs to what is asked for.
    for number in &whole {
        for id in objects.pack(*number)?.lists()?.borrowed.iter().flatten() {
            if !members.has(objects, id)? {
                return Ok(None);
            }
        }
    }
    Ok(Some(whole))
}

/// Selects all that `from` leads to, if that is whole packs.
fn select_packs(objects: &Objects, from: &HashSet<ObjectId>, filter: &Filter) -> Result<Option<Selection>, GitError> {
    if filter.tree_depth.is_some() {
        return Ok(None);
    }
    let Some(whole) = whole_packs(objects, from)? else { return Ok(None) };
    let mut selection = Selection::new(objects, None)?;
    selection.order.retain(|number| whole.contains(number));
    let order = selection.order.clone();
    // Objects of the smaller packs; what larger ones have is asked of their indexes.
    let (mut large, mut seen) = (Vec::new(), HashSet::new());
    for number in order {
        let pack = objects.pack(number)?;
        let mut places = Places::all(pack.objects());
        let small = pack.objects() <= SMALL_MAX;
        // The first large pack has each of its objects once, and is not remembered; nor is a pack that is all.
        let first = large.is_empty() && seen.is_empty();
        let rows = if first && (!small || whole.len() == 1) { 0 } else { pack.objects() };
        for row in 0..rows {
            let id = pack.id(row)?;
            let mut twice = small && !seen.insert(id);
            for other in large.iter().filter(|_| !twice) {
                if objects.pack(*other)?.find(&id)?.is_some() {
                    twice = true;
                    break;
                }
            }
            if twice {
                places.remove(pack.place(row)?);
            }
        }
        if filter.blob_bytes.is_some() || filter.only.is_some() {
            filter_places(objects, number, filter, &mut places)?;
        }
        if let Some(set) = selection.sets.get_mut(number) {
            *set = places;
        }
        if !small {
            large.push(number);
        }
    }
    Ok(Some(selection))
}

/// Takes out what the filter leaves out.
fn filter_places(objects: &Objects, number: usize, filter: &Filter, places: &mut Places) -> Result<(), GitError> {
    let pack = objects.pack(number)?;
    for (place, kind) in (0_u32..).zip(pack.kinds()?) {
        let kind = kind_of(kind).ok_or(GitError::damaged("an object of a pack has no kind"))?;
        let out = filter.only.is_some_and(|only| only != kind)
            || kind == Kind::Blob
                && match filter.blob_bytes {
                    None => false,
                    Some(0) => true,
                    Some(limit) => places.contains(place) && objects.bytes_at(pack, place)? >= limit,
                };
        if out {
            places.remove(place);
        }
    }
    Ok(())
}

/// Selects what a client gets.
pub(crate) fn select(
    objects: &Objects,
    references: &References,
    wanted: &Wanted,
    counted: &mut dyn FnMut(u64) -> Result<(), GitError>,
) -> Result<Selection, GitError> {
    let complete = wanted.haves.is_empty() && wanted.shallow.is_empty() && wanted.boundary.is_none();
    if complete {
        let from = wanted.wants.iter().copied().collect();
        if let Some(mut selection) = select_packs(objects, &from, &wanted.filter)? {
            if wanted.filter != Filter::default() {
                // What was asked for by name is not left out, nor what its tags lead to.
                let Sorted { commits, trees, blobs, tags } = Sorted::new(objects, &wanted.wants)?;
                for want in [commits, trees, blobs, tags].iter().flatten() {
                    selection.add(objects, want)?;
                }
            }
            if wanted.include_tag {
                add_tags(objects, references, &mut selection)?;
            }
            counted(selection.count())?;
            return Ok(selection);
        }
    }
    let sides = Sides::new(objects, wanted)?;
    let mut walk = Walk::new(objects);
    let missing = if complete { Vec::new() } else { sides.missing(&mut walk, wanted)? };
    // Bitmaps know no end of a shallow history, and no depths.
    let mappable = wanted.shallow.is_empty() && wanted.boundary.is_none() && wanted.filter.tree_depth.is_none();
    let many = complete || missing.len() >= objects.mapped_commits_min();
    let mut selection = match objects.bitmaps() {
        Some(bitmaps) if mappable && many => {
            select_mapped(objects, bitmaps, &mut walk, &sides, &wanted.filter, counted)?
        }
        _ => {
            let missing = if complete { sides.missing(&mut walk, wanted)? } else { missing };
            drop(walk);
            let mut trees = Trees::new(objects, None, counted)?;
            trees.filter = wanted.filter;
            trees.walk(&sides, missing)?;
            let mut selection = trees.into_selection();
            selection.walked = mappable && many;
            selection
        }
    };
    if wanted.include_tag {
        add_tags(objects, references, &mut selection)?;
    }
    counted(selection.count())?;
    Ok(selection)
}

/// The objects that a client wants and has, by their kind.
struct Sides {
    wants: Sorted,
    haves: Sorted,
}

impl Sides {
    fn new(objects: &Objects, wanted: &Wanted) -> Result<Self, GitError> {
        let mut haves = Vec::new();
        for have in &wanted.haves {
            if objects.exists(have)? {
                haves.push(*have);
            }
        }
        Ok(Self { wants: Sorted::new(objects, &wanted.wants)?, haves: Sorted::new(objects, &haves)? })
    }

    /// The commits that the client lacks.
    fn missing(&self, walk: &mut Walk<'_>, wanted: &Wanted) -> Result<Vec<Interesting>, GitError> {
        let their_cut: HashSet<ObjectId> = wanted.shallow.iter().copied().collect();
        let mut cut = their_cut.clone();
        let mut commits = self.wants.commits.clone();
        if let Some(boundary) = &wanted.boundary {
            for id in &boundary.unshallow {
                cut.remove(id);
                commits.extend(walk.parents(id)?);
            }
            cut.extend(&boundary.shallow);
        }
        walk.difference(&commits, &self.haves.commits, &cut, &their_cut)
    }
}

/// Selects what a client gets with the help of bitmaps: all that its wants lead to and what it has does not.
fn select_mapped(
    objects: &Objects,
    (pack, bitmaps): (usize, &Bitmaps),
    walk: &mut Walk<'_>,
    Sides { wants, haves }: &Sides,
    filter: &Filter,
    counted: &mut dyn FnMut(u64) -> Result<(), GitError>,
) -> Result<Selection, GitError> {
    let mut trees = Trees::new(objects, Some(pack), counted)?;
    trees.closure(walk, &haves.commits, |place| bitmaps.find(place))?;
    trees.others(haves)?;
    // What the client has leads to nothing that it lacks: what is wanted is found around it, and it is taken out again.
    let mut theirs = trees.selection.sets.clone();
    trees.closure(walk, &wants.commits, |place| bitmaps.find(place))?;
    trees.others(wants)?;
    let mut selection = trees.into_selection();
    for (places, theirs) in selection.sets.iter_mut().zip(&theirs) {
        places.subtract(theirs);
    }
    if *filter != Filter::default() {
        for (number, places) in selection.sets.iter_mut().enumerate().filter(|(_, places)| places.count() > 0) {
            filter_places(objects, number, filter, places)?;
        }
        // What was asked for by name is not left out, nor what its tags lead to.
        for want in [&wants.commits, &wants.trees, &wants.blobs, &wants.tags].into_iter().flatten() {
            selection.add(objects, want)?;
        }
    }
    if !haves.commits.is_empty() {
        if *filter != Filter::default() {
            // What the filter leaves out, the client may lack.
            for (number, places) in theirs.iter_mut().enumerate().filter(|(_, places)| places.count() > 0) {
                filter_places(objects, number, filter, places)?;
            }
        }
        selection.theirs = theirs;
    }
    Ok(selection)
}

/// Selects all that the references lead to.
pub(crate) fn select_reachable(objects: &Objects, references: &References) -> Result<Selection, GitError> {
    let wants = references.iter().map(|reference| reference.id).collect();
    select(objects, &References::default(), &Wanted { wants, ..Wanted::default() }, &mut |_| Ok(()))
}

/// Adds the tags whose objects are sent, with those that lead to them.
fn add_tags(objects: &Objects, references: &References, selection: &mut Selection) -> Result<(), GitError> {
    for reference in references.with_prefix("refs/tags/") {
        let Some(peeled) = reference.peeled else { continue };
        if selection.contains(objects, &peeled)? && !selection.contains(objects, &reference.id)? {
            for tag in Sorted::new(objects, &[reference.id])?.tags {
                selection.add(objects, &tag)?;
            }
        }
    }
    Ok(())
}

/// A tree to be walked.
struct Branch {
    tree: ObjectId,
    /// Trees at the same path in the commit's parents, and whether the client has them.
    bases: Vec<(ObjectId, bool)>,
    depth: u64,
    /// Asked for by name: it is not left out.
    named: bool,
}

/// A tree that is read beside another, both being in order.
struct Beside<'a> {
    rest: Tree<'a>,
    next: Option<Entry<'a>>,
    theirs: bool,
}

impl<'a> Beside<'a> {
    /// The entry in the same place, if there is one. Called with entries in order.
    fn find(&mut self, entry: &Entry<'_>) -> Result<Option<Entry<'a>>, FormError> {
        loop {
            let next = match self.next {
                Some(next) => next,
                None => match self.rest.next() {
                    Some(next) => *self.next.insert(next?),
                    None => return Ok(None),
                },
            };
            match entry_order((next.name, next.mode), (entry.name, entry.mode)) {
                Ordering::Less => self.next = None,
                Ordering::Equal => return Ok(Some(next)),
                Ordering::Greater => return Ok(None),
            }
        }
    }
}

/// A walk that selects what it meets.
pub(crate) struct Trees<'a> {
    objects: &'a Objects,
    filter: Filter,
    selection: Selection,
    /// How close to a commit each tree was met, if that matters.
    depths: HashMap<ObjectId, u64>,
    /// Trees and files that the client has, as far as they were asked about by name.
    theirs: HashSet<ObjectId>,
    counted: &'a mut dyn FnMut(u64) -> Result<(), GitError>,
    next: u64,
}

impl<'a> Trees<'a> {
    /// Begins with nothing. Objects of the pack `first` count there.
    pub(crate) fn new(
        objects: &'a Objects,
        first: Option<usize>,
        counted: &'a mut dyn FnMut(u64) -> Result<(), GitError>,
    ) -> Result<Self, GitError> {
        Ok(Self {
            objects,
            filter: Filter::default(),
            selection: Selection::new(objects, first)?,
            depths: HashMap::new(),
            theirs: HashSet::new(),
            counted,
            next: 0,
        })
    }

    pub(crate) fn into_selection(self) -> Selection {
        self.selection
    }

    /// Selects all that commits lead to. `bitmap` yields what the commit at a place leads to in the pack whose objects count
    /// there first of all.
    pub(crate) fn closure(
        &mut self,
        walk: &mut Walk<'_>,
        commits: &[ObjectId],
        bitmap: impl Fn(u32) -> Result<Option<Vec<u8>>, GitError>,
    ) -> Result<(), GitError> {
        let (mut stack, mut walked) = (commits.to_vec(), Vec::new());
        while let Some(id) = stack.pop() {
            let found = self.selection.locate(self.objects, &id)?;
            let (number, place) = found.ok_or(GitError::MissingObject { id })?;
            let mapped = if self.selection.order.first() == Some(&number) { bitmap(place)? } else { None };
            let set = self.selection.sets.get_mut(number).ok_or(GitError::damaged("a pack is missing"))?;
            if set.contains(place) {
                continue;
            }
            if let Some(mapped) = mapped {
                set.add_encoded(&mapped).ok_or(GitError::damaged("a bitmap is broken"))?;
                continue;
            }
            self.add(&id, Kind::Commit, true)?;
            walked.push(id);
            stack.extend(walk.parents(&id)?);
        }
        for id in walked {
            let mut bases = Vec::new();
            for parent in walk.parents(&id)? {
                bases.push((walk.tree(&parent)?, false));
            }
            self.branch(Branch { tree: walk.tree(&id)?, bases, depth: 0, named: false })?;
        }
        Ok(())
    }

    /// Selects what was asked for besides commits.
    fn others(&mut self, wants: &Sorted) -> Result<(), GitError> {
        for id in &wants.tags {
            self.add(id, Kind::Tag, true)?;
        }
        for tree in &wants.trees {
            self.branch(Branch { tree: *tree, bases: Vec::new(), depth: 0, named: true })?;
        }
        for blob in &wants.blobs {
            self.add(blob, Kind::Blob, true)?;
        }
        Ok(())
    }

    /// Selects what was asked for and the client has not: `missing` are commits, which are not looked at again.
    fn walk(&mut self, Sides { wants, haves }: &Sides, missing: Vec<Interesting>) -> Result<(), GitError> {
        self.theirs.extend(haves.trees.iter().chain(&haves.blobs).chain(&haves.tags));
        for id in wants.tags.iter().filter(|id| !haves.tags.contains(id)) {
            self.add(id, Kind::Tag, true)?;
        }
        let named: HashSet<&ObjectId> = wants.commits.iter().collect();
        for commit in missing {
            self.add(&commit.id, Kind::Commit, named.contains(&commit.id))?;
            self.branch(Branch { tree: commit.tree, bases: commit.bases, depth: 0, named: false })?;
        }
        for tree in wants.trees.iter().filter(|tree| !haves.trees.contains(tree)) {
            self.branch(Branch { tree: *tree, bases: Vec::new(), depth: 0, named: true })?;
        }
        for blob in wants.blobs.iter().filter(|blob| !haves.blobs.contains(blob)) {
            self.add(blob, Kind::Blob, true)?;
        }
        Ok(())
    }

    /// Adds an object unless it is left out. Yields whether it is new.
    fn add(&mut self, id: &ObjectId, kind: Kind, named: bool) -> Result<bool, GitError> {
        if !named && self.filter.only.is_some_and(|only| only != kind) {
            return Ok(false);
        }
        let new = self.selection.add(self.objects, id)?;
        self.next += u64::from(new);
        if self.next >= 4096 {
            self.next = 0;
            (self.counted)(self.selection.count())?;
        }
        Ok(new)
    }

    /// Adds a tree and what is below it, but for what is in the same place in one of its bases.
    fn branch(&mut self, branch: Branch) -> Result<(), GitError> {
        let objects = self.objects;
        // No tree and no file will be sent.
        let pointless = !branch.named
            && (self.filter.tree_depth == Some(0) || matches!(self.filter.only, Some(Kind::Commit | Kind::Tag)));
        let mut stack = if pointless { Vec::new() } else { vec![branch] };
        while let Some(branch) = stack.pop() {
            if branch.bases.iter().any(|(base, _)| *base == branch.tree) || self.theirs.contains(&branch.tree) {
                continue;
            }
            let new = if self.filter.only == Some(Kind::Blob) && !branch.named {
                // It is walked, but not sent.
                !self.depths.contains_key(&branch.tree)
            } else {
                self.add(&branch.tree, Kind::Tree, branch.named)?
            };
            let by_depth = self.filter.tree_depth.is_some() || self.filter.only == Some(Kind::Blob);
            let closer = by_depth && self.depths.get(&branch.tree).is_none_or(|depth| branch.depth < *depth);
            if !new && !closer {
                continue;
            }
            if by_depth {
                self.depths.insert(branch.tree, branch.depth);
            }
            self.tree(objects, &branch, &mut stack)?;
        }
        Ok(())
    }

    fn tree(&mut self, objects: &Objects, branch: &Branch, stack: &mut Vec<Branch>) -> Result<(), GitError> {
        let format = objects.format();
        let tree = objects.expect(&branch.tree, Kind::Tree)?;
        let mut bases: Vec<(Arc<Object>, bool)> = Vec::new();
        for (base, theirs) in &branch.bases {
            if *theirs {
                self.know(*base);
            }
            bases.push((objects.expect(base, Kind::Tree)?, *theirs));
        }
        let depth = branch.depth + 1;
        let inside = self.filter.tree_depth.is_none_or(|max| depth < max);
        let mut in_bases: Vec<_> = bases
            .iter()
            .map(|(base, theirs)| Beside { rest: Tree::new(format, base), next: None, theirs: *theirs })
            .collect();
        for entry in Tree::new(format, &tree) {
            let entry = entry.map_err(broken)?;
            let Some(kind) = entry.mode.kind() else { continue };
            let mut below = Vec::new();
            let mut same = false;
            for base in &mut in_bases {
                let Some(found) = base.find(&entry).map_err(broken)? else { continue };
                same |= found.id == entry.id;
                if found.mode.kind() == Some(kind) && found.id != entry.id {
                    // A file that the filter leaves out, the client may lack.
                    if base.theirs && (kind == Kind::Tree || self.filter.blob_bytes.is_none()) {
                        self.know(found.id);
                    }
                    below.push((found.id, base.theirs));
                }
            }
            if same || !inside || self.theirs.contains(&entry.id) {
                continue;
            }
            if kind == Kind::Tree {
                stack.push(Branch { tree: entry.id, bases: below, depth, named: false });
                continue;
            }
            let too_large = match self.filter.blob_bytes {
                None => false,
                Some(0) => true,
                Some(limit) => objects.header(&entry.id)?.is_none_or(|(_, bytes)| bytes >= limit),
            };
            if !too_large {
                self.add(&entry.id, Kind::Blob, false)?;
            }
        }
        Ok(())
    }

    fn know(&mut self, id: ObjectId) {
        if self.selection.known.len() < KNOWN_MAX {
            self.selection.known.insert(id);
        }
    }
}

/// Whether each object is one that the references lead to.
pub(crate) fn reachable(
    objects: &Objects,
    references: &References,
    all: impl FnOnce() -> Result<Arc<Selection>, GitError>,
    ids: &[ObjectId],
) -> Result<Vec<bool>, GitError> {
    let tips: HashSet<ObjectId> = references.iter().map(|reference| reference.id).collect();
    if ids.iter().all(|id| tips.contains(id)) {
        return Ok(vec![true; ids.len()]);
    }
    let all = all()?;
    ids.iter().map(|id| Ok(tips.contains(id) || all.contains(objects, id)?)).collect()
}
