//! The first thread of a batch: finds inputs, decides where their outputs go, and makes the directories for them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wire::shown_path;

use super::directory::Directory;
use super::inputs::{Found, found};
use super::queue::Giver;
use super::target::{Destination, Target, Targets};
use super::work::{Batch, Job, Operation};
use crate::failure::Failure;
use crate::paths::FileId;

impl<O: Operation> Batch<'_, O> {
    /// Finds inputs and decides where their outputs go.
    pub(super) fn find(&self, jobs: Giver<Job>, into: Destination) -> Result<(), Failure> {
        if !matches!(into, Destination::Directory(_)) && self.has_several() {
            return Err(Failure::Usage("several inputs need an existing directory as their output".to_owned()));
        }
        let mut place = match &into {
            Destination::Directory(root) => Some(Placing::new(root)),
            _ => None,
        };
        let mut outcome = Ok(());
        let except = place.as_ref().map(|place| place.root.path());
        let mut each = |found: Found| {
            let (input, below) = match found {
                Found::Passed(path, reason) => {
                    self.skip(&path, reason);
                    return true;
                }
                Found::Stdin => (None, None),
                Found::File(path, _) if self.is_metadata(&path) => {
                    self.skip(&path, "is the metadata file");
                    return true;
                }
                Found::File(path, below) => (Some(path), Some(below)),
            };
            self.counts.inputs.fetch_add(1, Ordering::Relaxed);
            let mut job = Job { input, target: None, fresh: false };
            let cannot = |path: &Path, error| format!("can't write {}: {error}", shown_path(path));
            let target = match (&into, &mut place, below) {
                (Destination::File(path), ..) => {
                    Target::named(path).map(|target| Some((target, false))).map_err(|error| cannot(path, error))
                }
                (_, None, _) => Ok(None),
                (_, Some(_), None) => {
                    outcome =
                        Err(Failure::Usage("what comes from standard input needs a file as its output".to_owned()));
                    return false;
                }
                (_, Some(place), Some(below)) => {
                    let below = self.renamed(&below);
                    let path = place.root.path().join(&below);
                    if place.targets.insert(&below) {
                        place.target(&below).map(Some).map_err(|error| cannot(&path, error))
                    } else {
                        Err(format!("another input has the output {} too", shown_path(&path)))
                    }
                }
            };
            match target {
                Ok(None) => {}
                Ok(Some((target, fresh))) => (job.target, job.fresh) = (Some(target), fresh),
                Err(reason) => {
                    self.fail(job.name(), reason);
                    return true;
                }
            }
            if self.progress.is_shown()
                && let Some(metadata) = job.input.as_ref().and_then(|path| std::fs::metadata(path).ok())
            {
                self.progress.expect(metadata.len());
            }
            match self.may_write(&job) {
                // The takers live until this ends.
                Ok(true) => jobs.give(job),
                Ok(false) => true,
                Err(error) => {
                    self.fail(job.name(), error);
                    true
                }
            }
        };
        let mut failed = |path: &Path, reason: String| {
            self.counts.inputs.fetch_add(1, Ordering::Relaxed);
            self.fail(path, reason);
        };
        found(&self.files.input, self.files.recursive, except, &mut each, &mut failed);
        outcome?;
        place.filter(|_| !self.files.no_sync).map_or(Ok(()), |place| place.sync_made())
    }

    /// Whether a file is the one that records go to.
    fn is_metadata(&self, path: &Path) -> bool {
        let same = |id: FileId| std::fs::metadata(path).is_ok_and(|found| FileId::of(&found) == Some(id));
        self.records.id().is_some_and(same)
    }

    /// Whether the arguments stand for more than one input.
    fn has_several(&self) -> bool {
        let mut count = 0;
        let mut each = |found| {
            count += usize::from(!matches!(found, Found::Passed(..)));
            count < 2
        };
        // The run itself reports what can't be found.
        found(&self.files.input, self.files.recursive, None, &mut each, &mut |_, _| {});
        count > 1
    }

    /// The name of an output in a directory.
    fn renamed(&self, below: &Path) -> PathBuf {
        let mut name = below.file_name().unwrap_or_default().to_owned();
        let stripped = self.files.strip_suffix.as_ref().and_then(|suffix| {
            let name = name.to_str()?.strip_suffix(suffix.as_str())?;
            (!name.is_empty()).then(|| name.to_owned())
        });
        if let Some(stripped) = stripped {
            name = stripped.into();
        }
        name.push(self.files.suffix.as_deref().unwrap_or(O::SUFFIX));
        below.with_file_name(name)
    }

    /// Whether a file that is there may be replaced.
    fn may_write(&self, job: &Job) -> io::Result<bool> {
        let Some(target) = &job.target else { return Ok(true) };
        if !(self.files.no_overwrite || self.files.interactive) || !target.is_there() {
            return Ok(true);
        }
        if self.files.interactive {
            let stdin_is_data = self.files.input.iter().any(|path| path.as_os_str() == "-");
            if self.progress.ask(&format!("replace {}? [y/N] ", shown_path(&target.path)), stdin_is_data)? {
                return Ok(true);
            }
        }
        self.skip(job.name(), &format!("{} is there", shown_path(&target.path)));
        Ok(false)
    }
}

/// Gives outputs their places below an output directory, and makes the directories for them.
struct Placing<'a> {
    root: &'a Arc<Directory>,
    /// The directory of the output before, which is there, and whether it was empty then.
    there: Option<(PathBuf, Arc<Directory>, bool)>,
    made: BTreeSet<PathBuf>,
    targets: Targets,
}

impl<'a> Placing<'a> {
    fn new(root: &'a Arc<Directory>) -> Self {
        Self { root, there: None, made: BTreeSet::new(), targets: Targets::default() }
    }

    /// The output at `below`, and whether its directory was empty before this run.
    fn target(&mut self, below: &Path) -> io::Result<(Target, bool)> {
        let (Some(way), Some(name)) = (below.parent(), below.file_name()) else {
            return Err(io::ErrorKind::InvalidFilename.into());
        };
        let (_, directory, empty) = match self.there.take() {
            Some(there) if there.0 == way => self.there.insert(there),
            _ => {
                let root = way.as_os_str().is_empty();
                let directory = if root { Arc::clone(self.root) } else { Arc::new(self.root.below(way)?) };
                if !root {
                    directory.make(&mut self.made)?;
                }
                let empty = self.made.contains(way) || directory.is_empty();
                self.there.insert((way.to_owned(), directory, empty))
            }
        };
        Ok((Target::within(directory, name.to_owned()), *empty))
    }

    /// Makes the directories that were made last.
    fn sync_made(self) -> Result<(), Failure> {
        let parents: BTreeSet<_> = self.made.iter().filter_map(|way| way.parent()).collect();
        for way in parents {
            let sync = || if way.as_os_str().is_empty() { self.root.sync() } else { self.root.below(way)?.sync() };
            let failed = |cause| Failure::File { action: "sync", path: self.root.path().join(way), cause };
            sync().map_err(failed)?;
        }
        Ok(())
    }
}
