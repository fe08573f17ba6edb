//! Two histories made into one tree, as `git merge` does it with its strategy `ort`.
//!
//! Owns what becomes of each path that both sides have changed, and the objects that the result needs. Refuses to know
//! references, and makes no commit.
//!
//! Sources: git-merge, "Merge strategies"; git-merge-tree; Documentation/technical/directory-rename-detection.

mod collect;
mod content;
mod decide;
mod folders;
mod overlay;
mod renamed;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};

use git_object::{Commit, Kind, Mode, ObjectFormat, ObjectId, hash_object};

use crate::renames::Focus;
use crate::text_merge::Style;
use crate::{Ancestors, DiffError, Item, Source, renames};
use overlay::Overlay;

/// Merges of common ancestors that are made at most, where there are several best ones.
const VIRTUAL_MAX: usize = 100;
/// Merges of common ancestors in each other.
const DEPTH_MAX: usize = 20;

/// The unit of conflicts in a file that both sides have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Lines that both have changed, each in its own way.
    #[default]
    Line,
    /// Any two changes of the file that are not the same.
    File,
}

/// The handling of conflicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// They are reported.
    #[default]
    None,
    /// Our side is taken where there would be one: its lines, its mode, or its file whole.
    Ours,
    /// Their side is.
    Theirs,
}

/// How histories are merged.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// The name of our side behind conflict markers, and in names for displaced entries.
    pub ours: &'a [u8],
    /// The name of their side.
    pub theirs: &'a [u8],
    /// The unit of conflicts.
    pub detail: Detail,
    /// The handling of conflicts.
    pub resolution: Resolution,
    /// How conflicts are written.
    pub style: Style,
    /// How renames are found; nothing, and none are.
    pub renames: Option<renames::Options>,
    /// Whether files that one side puts into a folder follow it to where the other side has moved it. They are in conflict
    /// all the same, as git has it: the place is a suggestion.
    pub follow_folders: bool,
    /// Paths that are looked at.
    pub entries_max: usize,
    /// Commits that are looked at in search of common ancestors.
    pub commits_max: usize,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            ours: b"ours",
            theirs: b"theirs",
            detail: Detail::Line,
            resolution: Resolution::None,
            style: Style::Merge,
            renames: Some(renames::Options::default()),
            follow_folders: true,
            entries_max: 1_000_000,
            commits_max: 1_000_000,
        }
    }
}

/// The outcome of a merge.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The tree. Files in conflict are in it with markers, or as one side has them.
    pub tree: ObjectId,
    /// Objects made by the merge: those in the tree, and stages of conflicts that were themselves merged.
    pub objects: Vec<(ObjectId, Kind, Vec<u8>)>,
    /// The conflicts, in the order of the paths; empty for a clean merge.
    pub conflicts: Vec<Conflict>,
}

impl Merged {
    /// The contents of a conflict's stages, for [`crate::text_merge::regions`] and the like. A submodule has none.
    ///
    /// # Errors
    /// [`DiffError::Source`].
    pub fn contents<S: Source>(
        &self,
        source: &S,
        conflict: &Conflict,
    ) -> Result<[Option<Vec<u8>>; 3], DiffError<S::Error>> {
        let read = |stage: Option<Item>| {
            let Some(item) = stage.filter(|item| item.mode != Mode::Submodule) else { return Ok(None) };
            if let Some((_, _, made)) = self.objects.iter().find(|(id, ..)| *id == item.id) {
                return Ok(Some(made.clone()));
            }
            source.read(&item.id, Kind::Blob).map(|content| Some(content.as_ref().to_vec())).map_err(DiffError::Source)
        };
        let [base, ours, theirs] = conflict.stages;
        Ok([read(base)?, read(ours)?, read(theirs)?])
    }
}

/// A path that could not be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Where the result of it is.
    pub path: Vec<u8>,
    /// Why.
    pub kind: ConflictKind,
    /// Items of the base, our side and their side, if they have one. Parts of a rename may lie at other paths there.
    pub stages: [Option<Item>; 3],
    /// The paths at which base, our side and their side have it.
    pub paths: [Vec<u8>; 3],
}

/// Why a path could not be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// Both sides have changed a text, or added one: so many places in it are in conflict.
    Text(usize),
    /// Both sides have changed a file that is no text, or whose lines are not looked at.
    Binary,
    /// Both sides have changed the mode of a file.
    Mode,
    /// Both sides have changed where a symbolic link points to.
    Symlink,
    /// Both sides have moved a submodule.
    Submodule,
    /// One side has changed what the other has deleted.
    ModifyDelete,
    /// A file on one side is a link or a submodule on the other.
    Types,
    /// A file is in the place of a folder of the other side.
    FileFolder,
    /// A file was moved by one side, and deleted or moved elsewhere by the other.
    Rename,
    /// A file was put into a folder that the other side has moved.
    Location,
    /// Where a folder has gone that the other side has put files into is unclear, or something is there already. The
    /// files are left where they are; the path is the folder's, or what is there.
    Folder,
}

/// Merges the trees of two commits by their best common ancestors. Several of them are merged first, as git does it.
///
/// # Errors
/// [`DiffError`].
pub fn merge_commits<S: Source>(
    source: &S,
    ours: &ObjectId,
    theirs: &ObjectId,
    options: &Options<'_>,
) -> Result<Merged, DiffError<S::Error>> {
    let overlay = Overlay::new(source);
    let mut history = History {
        overlay: &overlay,
        options,
        ancestors: Ancestors::new(source, options.commits_max),
        virtual_trees: HashMap::new(),
    };
    let (tree, conflicts) = history.merge(ours, theirs, [options.ours, options.theirs], 0)?;
    overlay.finish(tree, conflicts)
}

/// Merges two trees; without a base, everything is added by both.
///
/// # Errors
/// [`DiffError`].
pub fn merge_trees<S: Source>(
    source: &S,
    base: Option<&ObjectId>,
    ours: &ObjectId,
    theirs: &ObjectId,
    options: &Options<'_>,
) -> Result<Merged, DiffError<S::Error>> {
    let overlay = Overlay::new(source);
    let labels = [base_label(base), options.ours.to_vec(), options.theirs.to_vec()];
    let (tree, conflicts) = merge_three(&overlay, [base, Some(ours), Some(theirs)], labels, 0, options)?;
    overlay.finish(tree, conflicts)
}

/// The label of the base behind a marker.
fn base_label(base: Option<&ObjectId>) -> Vec<u8> {
    base.map_or_else(|| b"empty tree".to_vec(), |id| id.to_string().into_bytes().into_iter().take(7).collect())
}

/// A merge of commits, and those of their common ancestors.
struct History<'a, 's, S: Source> {
    overlay: &'a Overlay<'s, S>,
    options: &'a Options<'a>,
    ancestors: Ancestors<'s, S>,
    /// Trees of the commits that stand for several ancestors.
    virtual_trees: HashMap<ObjectId, ObjectId>,
}

impl<S: Source> History<'_, '_, S> {
    fn tree_of(&self, commit: &ObjectId) -> Result<ObjectId, DiffError<S::Error>> {
        if let Some(tree) = self.virtual_trees.get(commit) {
            return Ok(*tree);
        }
        let content = self.overlay.read(commit, Kind::Commit).map_err(DiffError::Source)?;
        Ok(Commit::parse(commit.format(), content.as_ref())?.tree())
    }

    fn merge(
        &mut self,
        ours: &ObjectId,
        theirs: &ObjectId,
        labels: [&[u8]; 2],
        depth: usize,
    ) -> Result<(ObjectId, Vec<Conflict>), DiffError<S::Error>> {
        if depth > DEPTH_MAX {
            return Err(DiffError::Large);
        }
        let mut bases = self.ancestors.best_common(ours, theirs)?.into_iter().rev();
        let first = bases.next();
        let mut base_label = base_label(first.as_ref());
        let mut base = first;
        for next in bases {
            let Some(previous) = base else { break };
            base_label = b"merged common ancestors".to_vec();
            let labels: [&[u8]; 2] = [b"Temporary merge branch 1", b"Temporary merge branch 2"];
            let (tree, _) = self.merge(&previous, &next, labels, depth + 1)?;
            if self.virtual_trees.len() >= VIRTUAL_MAX {
                return Err(DiffError::Large);
            }
            let merged = self.ancestors.add_virtual(ours.format(), vec![previous, next]);
            self.virtual_trees.insert(merged, tree);
            base = Some(merged);
        }
        let base = base.map(|base| self.tree_of(&base)).transpose()?;
        let (ours, theirs) = (self.tree_of(ours)?, self.tree_of(theirs)?);
        let labels = [base_label, labels[0].to_vec(), labels[1].to_vec()];
        merge_three(self.overlay, [base.as_ref(), Some(&ours), Some(&theirs)], labels, depth, self.options)
    }
}

/// Merges three trees, at any depth.
fn merge_three<S: Source>(
    overlay: &Overlay<'_, S>,
    trees: [Option<&ObjectId>; 3],
    labels: [Vec<u8>; 3],
    depth: usize,
    options: &Options<'_>,
) -> Result<(ObjectId, Vec<Conflict>), DiffError<S::Error>> {
    let format = trees.iter().flatten().next().map_or(ObjectFormat::Sha1, |id| id.format());
    let empty = hash_object(format, Kind::Tree, b"")?;
    // An empty tree need not be stored.
    let trees = trees.map(|tree| tree.filter(|tree| **tree != empty).copied());
    let mut merge = Merge {
        overlay,
        options,
        format,
        depth,
        labels,
        entries: BTreeMap::new(),
        results: BTreeMap::new(),
        paths: HashSet::new(),
        folders: HashMap::new(),
        moves: Default::default(),
        focus: Default::default(),
        conflicts: Vec::new(),
    };
    merge.collect(trees)?;
    merge.follow_renames()?;
    merge.decide_all()?;
    let tree = merge.write()?;
    merge.conflicts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((tree, merge.conflicts))
}

/// Places in arrays of base, our and their side, and the bits of each in masks.
const BASE: usize = 0;
const OURS: usize = 1;
const THEIRS: usize = 2;

/// A path that is not settled at once because all sides, or all but one, have the same.
#[derive(Clone, Debug)]
struct Entry {
    /// Files, links and submodules there.
    stages: [Option<Item>; 3],
    /// Who has a folder there.
    folders: u8,
    /// Which two have the same there; 0 if no two have.
    matches: u8,
    /// A rename has left it in conflict whatever its content is, and why.
    path_conflict: Option<ConflictKind>,
    /// Paths of the stages that came here by a rename.
    names: [Option<Vec<u8>>; 3],
    /// Nothing is left to decide: it has gone elsewhere.
    gone: bool,
}

impl Entry {
    /// Who has a file there.
    fn files(&self) -> u8 {
        mask(&self.stages)
    }
}

fn mask<T>(stages: &[Option<T>; 3]) -> u8 {
    stages.iter().enumerate().map(|(at, stage)| u8::from(stage.is_some()) << at).sum()
}

/// Kinds of entries that are merged with their like alone.
fn same_type(a: Mode, b: Mode) -> bool {
    a == b || a.is_file() && b.is_file()
}

/// Deletions and additions of a side.
#[derive(Default)]
struct Moves {
    deleted: Vec<(Vec<u8>, Item)>,
    added: Vec<(Vec<u8>, Item)>,
}

/// A merge of three trees under way.
struct Merge<'a, 's, S: Source> {
    overlay: &'a Overlay<'s, S>,
    options: &'a Options<'a>,
    format: ObjectFormat,
    /// How many merges this one's result is the base of.
    depth: usize,
    labels: [Vec<u8>; 3],
    entries: BTreeMap<Vec<u8>, Entry>,
    /// Files, and folders that are taken whole.
    results: BTreeMap<Vec<u8>, Item>,
    /// All paths that were met.
    paths: HashSet<Vec<u8>>,
    /// Who has a folder at paths that were looked into.
    folders: HashMap<Vec<u8>, u8>,
    /// By side; the base has none.
    moves: [Moves; 3],
    focus: [Focus; 3],
    conflicts: Vec<Conflict>,
}
