//! The first thread of a batch: finds inputs, decides where their outputs go, and makes the directories for them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::inputs::{Found, directory, found, is_empty, make_directory};
use super::queue::Giver;
use super::target::{Destination, Targets};
use super::work::{Batch, Job, Operation};
use crate::failure::Failure;

impl<O: Operation> Batch<'_, O> {
    /// Finds inputs and decides where their outputs go. Returns the directories that it made.
    pub(super) fn find(&self, jobs: Giver<Job>) -> Result<BTreeSet<PathBuf>, Failure> {
        let into = Destination::of(self.files)?;
        if !matches!(into, Destination::Directory(_)) && self.has_several() {
            return Err(Failure::Usage("several inputs need an existing directory as their output".to_owned()));
        }
        let mut made = BTreeSet::new();
        // The directory of the output before, which is there, and whether it held nothing then.
        let (mut there, mut empty) = (PathBuf::new(), false);
        let mut targets = Targets::default();
        let mut outcome = Ok(());
        let except = match &into {
            Destination::Directory(path) => Some(path.as_path()),
            _ => None,
        };
        let mut each = |found: Found| {
            let (input, below) = match found {
                Found::Passed(path, reason) => {
                    self.skip(&path, reason);
                    return true;
                }
                Found::Stdin => (None, None),
                Found::File(path, below) => (Some(path), Some(below)),
            };
            self.counts.inputs.fetch_add(1, Ordering::Relaxed);
            let mut job = Job { input, target: None, fresh: false };
            job.target = match (&into, below) {
                (Destination::Stdout, _) => None,
                (Destination::File(path), _) => Some(path.clone()),
                (Destination::Directory(_), None) => {
                    outcome =
                        Err(Failure::Usage("what comes from standard input needs a file as its output".to_owned()));
                    return false;
                }
                (Destination::Directory(root), Some(below)) => {
                    let target = root.join(self.renamed(&below));
                    if !targets.insert(&target) {
                        self.fail(job.name(), format_args!("another input has the output {} too", target.display()));
                        return true;
                    }
                    if directory(&target) != there {
                        if let Err(error) = make_directory(directory(&target), &mut made) {
                            self.fail(job.name(), error);
                            return true;
                        }
                        directory(&target).clone_into(&mut there);
                        empty = made.contains(&there) || is_empty(&there);
                    }
                    job.fresh = empty;
                    Some(target)
                }
            };
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
        outcome.map(|()| made)
    }

    /// Whether the arguments stand for more than one input.
    fn has_several(&self) -> bool {
        let mut count = 0;
        let mut each = |found| {
            count += usize::from(!matches!(found, Found::Passed(..)));
            count < 2
        };
        // What can't be found is told by the run itself.
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
        if !(self.files.no_overwrite || self.files.interactive) || target.symlink_metadata().is_err() {
            return Ok(true);
        }
        if self.files.interactive {
            let stdin_is_data = self.files.input.iter().any(|path| path.as_os_str() == "-");
            if self.progress.ask(&format!("replace {}? [y/N] ", target.display()), stdin_is_data)? {
                return Ok(true);
            }
        }
        self.skip(job.name(), &format!("{} is there", target.display()));
        Ok(false)
    }
}
