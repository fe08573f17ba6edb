//! Which deleted file has become which added one.
//!
//! Owns git's search for renames: equal contents first, then similar files of one name, then similar files. Refuses to know
//! where the lists of files come from.
//!
//! Source: git-diff, `--find-renames`; merge.renameLimit in git-config.

use std::collections::{BTreeMap, HashMap, HashSet};

use git_object::{Kind, Mode, ObjectId, hash_object};

use crate::similarity::{Pieces, SCORE_MAX, can_score};
use crate::{Change, DiffError, Item, Source};

/// Candidates that are remembered for a file that was added.
const CANDIDATES: usize = 4;
/// Equal files that are compared by name at most.
const EQUALS_MAX: usize = 100;

/// Limits of the search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Percent of a file that has to be in the other.
    pub similarity_percent: u8,
    /// Similar files are searched for unless there are more pairs of deleted and added files than this number's square.
    pub files_max: usize,
    /// Bytes of all files that are read to compare them; with more, those of equal content are found alone.
    pub bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { similarity_percent: 50, files_max: 7000, bytes_max: 1 << 30 }
    }
}

/// A file that was there and one that was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The path that it had.
    pub from: Vec<u8>,
    /// The item there.
    pub before: Item,
    /// The path that it has.
    pub to: Vec<u8>,
    /// The item now.
    pub after: Item,
    /// How much is the same, in percent.
    pub similarity_percent: u8,
}

/// A path, and what is or was there.
pub(crate) type File = (Vec<u8>, Item);

/// The renames among changes, in the order of the paths that were added. The changes that they are made of are taken out.
///
/// # Errors
/// [`DiffError::Source`].
pub fn find<S: Source>(
    source: &S,
    changes: &mut Vec<Change>,
    options: &Options,
) -> Result<Vec<Rename>, DiffError<S::Error>> {
    let files = |pick: fn(&Change) -> Option<Item>, other: fn(&Change) -> Option<Item>| -> Vec<File> {
        let single = changes.iter().filter(|change| other(change).is_none());
        single.filter_map(|change| Some((change.path.clone(), pick(change)?))).collect()
    };
    let deleted = files(|change| change.before, |change| change.after);
    let added = files(|change| change.after, |change| change.before);
    let pairs = detect(source, &deleted, &added, None, options)?;
    let mut renames = Vec::with_capacity(pairs.len());
    let mut gone = HashSet::new();
    for pair in pairs {
        let (Some(from), Some(to)) = (deleted.get(pair.from), added.get(pair.to)) else { continue };
        gone.extend([from.0.clone(), to.0.clone()]);
        renames.push(Rename {
            from: from.0.clone(),
            before: from.1,
            to: to.0.clone(),
            after: to.1,
            similarity_percent: (pair.score * 100 / SCORE_MAX) as u8,
        });
    }
    changes.retain(|change| change.before.is_some() == change.after.is_some() || !gone.contains(&change.path));
    Ok(renames)
}

/// Paths of a side whose moves matter to a merge.
#[derive(Default)]
pub(crate) struct Focus {
    /// Deleted files that the other side has changed.
    pub(crate) content: HashSet<Vec<u8>>,
    /// Deleted files that tell where a folder has gone that the other side has added to.
    pub(crate) location: HashSet<Vec<u8>>,
    /// Folders that this side has removed.
    pub(crate) removed: HashMap<Vec<u8>, Relevance>,
}

/// Whether it has to be known where a removed folder has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relevance {
    /// It has not.
    None,
    /// Because of a folder around it.
    Outer,
    /// Because the other side has added something to it.
    Itself,
}

/// By a folder that was removed: how many of its files have gone to which folder.
pub(crate) type FolderCounts = BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, usize>>;

impl Focus {
    pub(crate) fn is_empty(&self) -> bool {
        self.content.is_empty() && self.location.is_empty()
    }

    fn matters(&self, path: &[u8]) -> bool {
        self.content.contains(path) || self.location.contains(path)
    }

    /// Counts a moved file for the folder that it was in, and for those around that as long as the folders between have
    /// kept their names.
    pub(crate) fn count(&self, counts: &mut FolderCounts, from: &[u8], to: &[u8]) {
        let (mut old, mut new) = (folder(from), folder(to));
        let mut is_first = true;
        while let Some(relevance) = self.removed.get(old) {
            if is_first || *relevance == Relevance::Itself {
                *counts.entry(old.to_vec()).or_default().entry(new.to_vec()).or_default() += 1;
            }
            is_first = false;
            if *relevance == Relevance::None || new.is_empty() || base_name(old) != base_name(new) {
                return;
            }
            (old, new) = (folder(old), folder(new));
        }
    }

    /// Whether the file tells nothing more, once so many files are known to have gone where: it was deleted for the
    /// sake of folders alone, and for each of those a majority is known.
    fn is_known(&self, path: &[u8], determined: &HashSet<&[u8]>) -> bool {
        if self.content.contains(path) {
            return false;
        }
        let mut around = folder(path);
        loop {
            match self.removed.get(around) {
                None | Some(Relevance::None) => return true,
                Some(Relevance::Itself) if !determined.contains(around) => return false,
                Some(_) => around = folder(around),
            }
        }
    }
}

/// A deleted and an added file, by their places in the lists.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) score: u64,
}

/// Searches for renames, in the order of the added files. Of the deleted files only those that `focus` names are compared
/// by content.
pub(crate) fn detect<S: Source>(
    source: &S,
    deleted: &[File],
    added: &[File],
    focus: Option<&Focus>,
    options: &Options,
) -> Result<Vec<Pair>, DiffError<S::Error>> {
    let mut search = Search {
        source,
        deleted,
        added,
        focus,
        from_of: vec![None; added.len()],
        used: vec![false; deleted.len()],
        sizes: HashMap::new(),
        pieces: HashMap::new(),
        bytes_left: options.bytes_max,
    };
    let is_empty = |item: &Item| hash_object(item.id.format(), Kind::Blob, b"") == Ok(item.id);
    let deleted: Vec<usize> =
        (0..deleted.len()).filter(|at| search.from(*at).is_some_and(|f| !is_empty(&f.1))).collect();
    let added: Vec<usize> = (0..added.len()).filter(|at| search.to(*at).is_some_and(|f| !is_empty(&f.1))).collect();
    search.equal_files(&deleted, &added);
    let score_min = u64::from(options.similarity_percent.min(100)) * SCORE_MAX / 100;
    if score_min < SCORE_MAX {
        let deleted: Vec<usize> = deleted.into_iter().filter(|at| !search.is_used(*at)).collect();
        search.similar_files_of_one_name(&deleted, &added, score_min + (SCORE_MAX - score_min) / 2)?;
        let deleted: Vec<usize> = deleted.into_iter().filter(|at| !search.is_used(*at)).collect();
        let deleted = search.unknown(deleted);
        let added: Vec<usize> = added.into_iter().filter(|at| !search.is_found(*at)).collect();
        if deleted.len().saturating_mul(added.len()) <= options.files_max.saturating_mul(options.files_max) {
            search.similar_files(&deleted, &added, score_min)?;
        }
    }
    let found = search.from_of.into_iter().enumerate();
    Ok(found.filter_map(|(to, from)| from.map(|(from, score)| Pair { from, to, score })).collect())
}

struct Search<'a, S: Source> {
    source: &'a S,
    deleted: &'a [File],
    added: &'a [File],
    focus: Option<&'a Focus>,
    /// By added file: the deleted one that it was, and their score.
    from_of: Vec<Option<(usize, u64)>>,
    used: Vec<bool>,
    sizes: HashMap<ObjectId, u64>,
    pieces: HashMap<ObjectId, Pieces>,
    bytes_left: u64,
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// The folder of a path, empty for the root.
pub(crate) fn folder(path: &[u8]) -> &[u8] {
    path.iter().rposition(|byte| *byte == b'/').and_then(|at| path.get(..at)).unwrap_or_default()
}

impl<'a, S: Source> Search<'a, S> {
    fn from(&self, at: usize) -> Option<&'a File> {
        self.deleted.get(at)
    }

    fn to(&self, at: usize) -> Option<&'a File> {
        self.added.get(at)
    }

    fn is_used(&self, from: usize) -> bool {
        self.used.get(from).copied().unwrap_or(true)
    }

    fn is_found(&self, to: usize) -> bool {
        self.from_of.get(to).is_none_or(Option::is_some)
    }

    fn record(&mut self, from: usize, to: usize, score: u64) {
        if let (Some(used), Some(place)) = (self.used.get_mut(from), self.from_of.get_mut(to)) {
            (*used, *place) = (true, Some((from, score)));
        }
    }

    fn equal_files(&mut self, deleted: &[usize], added: &[usize]) {
        let mut by_id: HashMap<ObjectId, Vec<usize>> = HashMap::new();
        for at in deleted {
            if let Some((_, item)) = self.from(*at) {
                by_id.entry(item.id).or_default().push(*at);
            }
        }
        for to in added {
            let Some((path, item)) = self.to(*to) else { continue };
            let mut best = None;
            for from in by_id.get(&item.id).into_iter().flatten().take(EQUALS_MAX) {
                let Some((old_path, old)) = self.from(*from) else { continue };
                let same_kind = old.mode == item.mode || old.mode.is_file() && item.mode.is_file();
                if !same_kind || self.is_used(*from) {
                    continue;
                }
                let same_name = base_name(old_path) == base_name(path);
                if best.is_none() || same_name {
                    best = Some(*from);
                }
                if same_name {
                    break;
                }
            }
            if let Some(from) = best {
                self.record(from, *to, SCORE_MAX);
            }
        }
    }

    /// Files whose name is there once among the deleted and once among the added ones, or whose folder has gone where
    /// equal files of it have gone.
    fn similar_files_of_one_name(
        &mut self,
        deleted: &[usize],
        added: &[usize],
        score_min: u64,
    ) -> Result<(), DiffError<S::Error>> {
        let Some(focus) = self.focus else {
            let (sources, targets) = self.by_name(deleted, added);
            for from in deleted {
                let Some((path, _)) = self.from(*from) else { continue };
                let name = base_name(path);
                if let (Some(Some(_)), Some(Some(to))) = (sources.get(name), targets.get(name)) {
                    self.try_pair(*from, *to, score_min)?;
                }
            }
            return Ok(());
        };
        let (sources, targets) = self.by_name(deleted, added);
        let moved = self.moved_folders(focus);
        let by_path: HashMap<&[u8], usize> = added
            .iter()
            .filter(|to| !self.is_found(**to))
            .filter_map(|to| Some((self.to(*to)?.0.as_slice(), *to)))
            .collect();
        for from in deleted {
            let Some((path, _)) = self.from(*from) else { continue };
            let name = base_name(path);
            if !focus.matters(path) {
                continue;
            }
            let to = match (sources.get(name), targets.get(name)) {
                (Some(Some(_)), Some(Some(to))) => Some(*to),
                (_, Some(_)) => moved
                    .get(folder(path))
                    .and_then(|folder| by_path.get([folder.as_slice(), b"/", name].concat().as_slice()).copied()),
                _ => None,
            };
            if let Some(to) = to {
                self.try_pair(*from, to, score_min)?;
            }
        }
        Ok(())
    }

    /// By a file's name: the only one that has it, or nothing if several do.
    #[expect(clippy::type_complexity, reason = "two maps of one form")]
    fn by_name(
        &self,
        deleted: &[usize],
        added: &[usize],
    ) -> (HashMap<&'a [u8], Option<usize>>, HashMap<&'a [u8], Option<usize>>) {
        let (mut sources, mut targets) = (HashMap::new(), HashMap::new());
        for from in deleted {
            if let Some((path, _)) = self.from(*from) {
                sources.entry(base_name(path)).and_modify(|only| *only = None).or_insert(Some(*from));
            }
        }
        for to in added.iter().filter(|to| !self.is_found(**to)) {
            if let Some((path, _)) = self.to(*to) {
                targets.entry(base_name(path)).and_modify(|only| *only = None).or_insert(Some(*to));
            }
        }
        (sources, targets)
    }

    /// How many files that were found have gone where.
    fn counts(&self, focus: &Focus) -> FolderCounts {
        let mut counts = FolderCounts::new();
        for (to, from) in self.from_of.iter().enumerate() {
            let Some((from, _)) = from else { continue };
            if let (Some((old, _)), Some((new, _))) = (self.from(*from), self.to(to)) {
                focus.count(&mut counts, old, new);
            }
        }
        counts
    }

    /// Where most of the equal files of a folder have gone.
    fn moved_folders(&self, focus: &Focus) -> HashMap<Vec<u8>, Vec<u8>> {
        let most = |counts: BTreeMap<Vec<u8>, usize>| {
            let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
            most.map(|(folder, _)| folder)
        };
        self.counts(focus).into_iter().filter_map(|(folder, counts)| Some((folder, most(counts)?))).collect()
    }

    /// Those deleted files of which it still has to be known where they have gone.
    fn unknown(&self, deleted: Vec<usize>) -> Vec<usize> {
        let Some(focus) = self.focus else { return deleted };
        let path = |at: &usize| self.from(*at).map(|(path, _)| path.as_slice()).unwrap_or_default();
        let deleted: Vec<usize> = deleted.into_iter().filter(|at| focus.matters(path(at))).collect();
        let mut left: HashMap<&[u8], usize> = HashMap::new();
        for at in &deleted {
            let mut around = folder(path(at));
            while !around.is_empty() && !matches!(focus.removed.get(around), None | Some(Relevance::None)) {
                *left.entry(around).or_default() += 1;
                around = folder(around);
            }
        }
        let counts = self.counts(focus);
        let mut determined = HashSet::new();
        for (folder, counts) in &counts {
            let mut counts: Vec<usize> = counts.values().copied().collect();
            counts.sort_unstable_by(|a, b| b.cmp(a));
            let most = counts.first().copied().unwrap_or(0);
            let others = counts.get(1).copied().unwrap_or(0) + left.get(folder.as_slice()).copied().unwrap_or(0);
            if most > others {
                determined.insert(folder.as_slice());
            }
        }
        deleted.into_iter().filter(|at| !focus.is_known(path(at), &determined)).collect()
    }

    fn try_pair(&mut self, from: usize, to: usize, score_min: u64) -> Result<(), DiffError<S::Error>> {
        if !self.is_found(to) && !self.is_used(from) {
            let score = self.score(from, to, score_min)?;
            if score >= score_min {
                self.record(from, to, score);
            }
        }
        Ok(())
    }

    fn similar_files(&mut self, deleted: &[usize], added: &[usize], score_min: u64) -> Result<(), DiffError<S::Error>> {
        let mut candidates = Vec::new();
        for to in added {
            let mut of_this: Vec<(u64, bool, usize, usize)> = Vec::new();
            for from in deleted {
                let score = self.score(*from, *to, score_min)?;
                let (Some((old, _)), Some((new, _))) = (self.from(*from), self.to(*to)) else { continue };
                of_this.push((score, base_name(old) == base_name(new), *from, *to));
            }
            // Of equally good ones the first.
            of_this.sort_by_key(|(score, same_name, ..)| std::cmp::Reverse((*score, *same_name)));
            of_this.truncate(CANDIDATES);
            candidates.extend(of_this.into_iter().filter(|(score, ..)| *score >= score_min));
        }
        candidates.sort_by_key(|(score, same_name, ..)| std::cmp::Reverse((*score, *same_name)));
        for (score, _, from, to) in candidates {
            if !self.is_used(from) && !self.is_found(to) {
                self.record(from, to, score);
            }
        }
        Ok(())
    }

    fn score(&mut self, from: usize, to: usize, score_min: u64) -> Result<u64, DiffError<S::Error>> {
        let (Some((_, old)), Some((_, new))) = (self.from(from), self.to(to)) else { return Ok(0) };
        if !is_comparable(old.mode) || !is_comparable(new.mode) {
            return Ok(0);
        }
        if !can_score(self.size(&old.id)?, self.size(&new.id)?, score_min) {
            return Ok(0);
        }
        if !self.take_apart(&old.id)? || !self.take_apart(&new.id)? {
            return Ok(0);
        }
        let (Some(old), Some(new)) = (self.pieces.get(&old.id), self.pieces.get(&new.id)) else { return Ok(0) };
        Ok(old.score(new))
    }

    fn size(&mut self, id: &ObjectId) -> Result<u64, DiffError<S::Error>> {
        if let Some(size) = self.sizes.get(id) {
            return Ok(*size);
        }
        let size = self.source.size(id).map_err(DiffError::Source)?;
        self.sizes.insert(*id, size);
        Ok(size)
    }

    /// Whether the file's pieces are known now.
    fn take_apart(&mut self, id: &ObjectId) -> Result<bool, DiffError<S::Error>> {
        if self.pieces.contains_key(id) {
            return Ok(true);
        }
        let size = self.size(id)?;
        let Some(left) = self.bytes_left.checked_sub(size) else { return Ok(false) };
        self.bytes_left = left;
        let content = self.source.read(id, Kind::Blob).map_err(DiffError::Source)?;
        self.pieces.insert(*id, Pieces::of(content.as_ref()));
        Ok(true)
    }
}

/// Links and submodules are renamed as they are or not at all.
fn is_comparable(mode: Mode) -> bool {
    mode.is_file()
}
