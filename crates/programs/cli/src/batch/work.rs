//! The run of a batch: inputs are found on one thread, worked on by several, and published by one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use envelope::{Error, ReadAt};
use serde_json::{Map, Value};

use super::draft::Draft;
use super::inputs::{Found, directory, found, make_directory};
use super::progress::Progress;
use super::publisher::{Complete, Published, publish, sync_directory, together_max};
use super::record::{self, Records};
use super::target::{Destination, Targets, resolved};
use super::{Files, base64, cores};
use crate::failure::Failure;

/// How many inputs are found ahead of the work.
const FOUND_AHEAD: usize = 256;

/// What is done with each input.
pub(crate) trait Operation: Sync {
    /// What records call it.
    const MODE: &'static str;
    /// What names in an output directory end with.
    const SUFFIX: &'static str;
    /// Whether outputs are their owner's alone.
    const PRIVATE: bool;
    /// Whether an input may be replaced by its own output.
    const IN_PLACE: bool;

    /// Works on one input, with up to `threads` threads, and returns what is to be recorded.
    fn work(&self, input: Input<'_>, output: Output<'_>, threads: usize) -> Result<Map<String, Value>, Error>;
}

/// What is read.
pub(crate) enum Input<'a> {
    /// A regular file of so many bytes.
    File(Source<'a>, u64),
    /// Anything else, from its beginning to its end.
    Stream(Box<dyn Read + 'a>),
}

/// Where it goes.
pub(crate) enum Output<'a> {
    /// A draft, which nobody reads before the work is done.
    Draft(&'a File),
    /// A place from which it is read as it comes.
    Stream(&'a mut dyn Write),
}

/// A file that tells how far it is read.
pub(crate) struct Source<'a> {
    file: &'a File,
    progress: &'a Progress,
}

impl ReadAt for Source<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = ReadAt::read_at(self.file, buffer, offset)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// What standard input is called.
const STDIN: &str = "<stdin>";

/// What an output's outcome is told with.
struct Told {
    input: PathBuf,
    output: Option<PathBuf>,
    worked: Map<String, Value>,
}

/// One piece of work.
struct Job {
    input: Option<PathBuf>,
    target: Option<PathBuf>,
}

impl Job {
    fn name(&self) -> &Path {
        self.input.as_deref().unwrap_or(Path::new(STDIN))
    }
}

/// What happened so far.
#[derive(Default)]
struct Counts {
    inputs: AtomicU64,
    failed: AtomicU64,
    done: AtomicU64,
    busy: AtomicUsize,
}

struct Batch<'a, O> {
    files: &'a Files,
    operation: &'a O,
    progress: Progress,
    records: Records,
    counts: Counts,
}

/// Works on every input.
pub(crate) fn run<O: Operation>(files: &Files, operation: &O) -> Result<(), Failure> {
    files.check()?;
    let streams = files.output.as_os_str() == "-";
    let batch = Batch {
        files,
        operation,
        progress: Progress::new(!files.quiet && !streams),
        records: Records::open(files)?,
        counts: Counts::default(),
    };
    let (jobs, waiting) = sync_channel(FOUND_AHEAD);
    let together_max = together_max();
    let (complete, arriving) = sync_channel(together_max);
    let waiting = Mutex::new(waiting);
    let made = thread::scope(|scope| {
        let publisher = || {
            let replace = !files.no_overwrite;
            publish(arriving, together_max, !files.no_sync, replace, |told, target, how| {
                batch.published(told, target, how)
            });
        };
        let mut started = thread::Builder::new().spawn_scoped(scope, publisher).map(drop);
        for worker in 0..if streams { 1 } else { files.parallel() } {
            let complete = complete.clone();
            let batch = &batch;
            let waiting = &waiting;
            let spawned = thread::Builder::new().spawn_scoped(scope, move || batch.worker(waiting, complete));
            // Where the system gives no more threads, those that are there do the work.
            if worker == 0 {
                started = started.and(spawned.map(drop));
            }
        }
        drop(complete);
        match started {
            Ok(()) => batch.find(jobs),
            Err(cause) => Err(server::ServerError::System { action: "start a thread", cause }.into()),
        }
    });
    batch.progress.end();
    sync_made(&made?, files.no_sync)?;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    match (count(&batch.counts.failed), count(&batch.counts.inputs)) {
        (0, _) => Ok(()),
        (1, 1) => Err(Failure::Input),
        (failed, inputs) => Err(Failure::Inputs { failed, inputs }),
    }
}

/// Makes the directories that were made last.
fn sync_made(made: &BTreeSet<PathBuf>, no_sync: bool) -> Result<(), Failure> {
    let parents: BTreeSet<_> = made.iter().map(|path| directory(path)).collect();
    for path in parents.into_iter().filter(|_| !no_sync) {
        sync_directory(path).map_err(|cause| Failure::File { action: "sync", path: path.to_owned(), cause })?;
    }
    Ok(())
}

impl<O: Operation> Batch<'_, O> {
    fn fail(&self, name: &Path, reason: impl std::fmt::Display) {
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        self.progress.tell(&format!("sealstack: {}: {reason}", name.display()));
    }

    fn skip(&self, name: &Path, reason: &str) {
        if !self.files.quiet {
            self.progress.tell(&format!("sealstack: {}: {reason}; skipped", name.display()));
        }
    }

    /// Finds inputs and decides where their outputs go. Returns the directories that it made.
    fn find(&self, jobs: SyncSender<Job>) -> Result<BTreeSet<PathBuf>, Failure> {
        let into = Destination::of(self.files)?;
        if !matches!(into, Destination::Directory(_)) && self.has_several() {
            return Err(Failure::Usage("several inputs need an existing directory as their output".to_owned()));
        }
        let mut made = BTreeSet::new();
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
            let mut job = Job { input, target: None };
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
                    if let Err(error) = make_directory(directory(&target), &mut made) {
                        self.fail(job.name(), error);
                        return true;
                    }
                    Some(target)
                }
            };
            if self.progress.is_shown()
                && let Some(metadata) = job.input.as_ref().and_then(|path| std::fs::metadata(path).ok())
            {
                self.progress.expect(metadata.len());
            }
            match self.may_write(&job) {
                // The receivers live until this ends.
                Ok(true) => jobs.send(job).is_ok(),
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

    fn worker(&self, waiting: &Mutex<Receiver<Job>>, complete: SyncSender<Complete<Told>>) {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = next else { return };
            // One big input gets all cores, many get one each.
            let busy = self.counts.busy.fetch_add(1, Ordering::Relaxed) + 1;
            let worked = self.work(&job, (cores() / busy).max(1));
            self.counts.busy.fetch_sub(1, Ordering::Relaxed);
            match worked {
                Ok(Some(finished)) => {
                    // The publisher lives as long as there are workers.
                    let _ = complete.send(finished);
                }
                Ok(None) => self.done(),
                Err(error) => self.fail(job.name(), error),
            }
        }
    }

    fn done(&self) {
        self.progress.done(self.counts.done.fetch_add(1, Ordering::Relaxed) + 1);
    }

    /// Works on one input. What went to a stream is done then, and a draft still has to be published.
    fn work(&self, job: &Job, threads: usize) -> Result<Option<Complete<Told>>, Failed> {
        let file = match &job.input {
            None => File::from(io::stdin().as_fd().try_clone_to_owned().map_err(Failed::Read)?),
            Some(path) => File::open(path).map_err(Failed::Read)?,
        };
        let metadata = file.metadata().map_err(Failed::Read)?;
        if metadata.is_dir() {
            return Err(Failed::Read(io::ErrorKind::IsADirectory.into()));
        }
        // Files that the kernel makes up have no length before they are read.
        let regular = job.input.is_some() && metadata.is_file() && metadata.len() > 0;
        let source = Source { file: &file, progress: &self.progress };
        let input = match (regular, self.files.decode) {
            (true, false) => Input::File(source, metadata.len()),
            (_, true) => Input::Stream(Box::new(base64::decoder(source))),
            (false, false) => Input::Stream(Box::new(source)),
        };
        let target = job.target.as_deref().map(resolved).transpose().map_err(Failed::Write)?;
        let (target, replaced) = match target {
            Some((target, replaced)) => (Some(target), replaced),
            None => (None, None),
        };
        let special = replaced.as_ref().is_some_and(|metadata| !metadata.is_file());
        let Some(target) = target.filter(|_| !special) else {
            let mut sink = match &job.target {
                Some(path) => File::options().write(true).open(path).map_err(Failed::Write)?,
                None => File::from(io::stdout().as_fd().try_clone_to_owned().map_err(Failed::Write)?),
            };
            let worked = self.work_to_stream(input, &mut sink, threads)?;
            self.record(job.name(), job.target.as_deref(), worked).map_err(Failed::Record)?;
            return Ok(None);
        };
        let same = |replaced: &std::fs::Metadata| (replaced.dev(), replaced.ino()) == (metadata.dev(), metadata.ino());
        if !O::IN_PLACE && replaced.as_ref().is_some_and(same) {
            return Err(Failed::Same);
        }
        let draft = Draft::create(directory(&target), O::PRIVATE)
            .map_err(|cause| Failed::Draft { target: target.clone(), cause })?;
        let worked = if self.files.encode {
            let mut sink = draft.file();
            self.work_to_stream(input, &mut sink, threads)?
        } else {
            self.operation.work(input, Output::Draft(draft.file()), threads)?
        };
        let told = Told { input: job.name().to_owned(), output: job.target.clone(), worked };
        Ok(Some(Complete { draft, target, told }))
    }

    fn work_to_stream(
        &self,
        input: Input<'_>,
        sink: &mut impl Write,
        threads: usize,
    ) -> Result<Map<String, Value>, Error> {
        if !self.files.encode {
            return self.operation.work(input, Output::Stream(sink), threads);
        }
        let mut encoder = base64::encoder(sink);
        let worked = self.operation.work(input, Output::Stream(&mut encoder), threads)?;
        encoder.finish()?.flush()?;
        Ok(worked)
    }

    /// Writes the record of an output.
    fn record(&self, input: &Path, output: Option<&Path>, worked: Map<String, Value>) -> io::Result<()> {
        if !self.records.are_wanted() {
            return Ok(());
        }
        let path = |path: Option<&Path>, none: &str| match path {
            Some(path) if path != Path::new(STDIN) => record::path(path),
            _ => none.into(),
        };
        let mut record = worked;
        record.insert("mode".to_owned(), O::MODE.into());
        record.insert("input".to_owned(), path(Some(input), STDIN));
        record.insert("output".to_owned(), path(output, "<stdout>"));
        self.records.write(&record)
    }

    /// Tells what became of an output.
    fn published(&self, told: Told, target: &Path, how: Published) {
        let Told { input, output, worked } = told;
        match how {
            Published::Named => match self.record(&input, output.as_deref(), worked) {
                Ok(()) => self.done(),
                Err(error) => self.fail(&input, Failed::Record(error)),
            },
            Published::Kept => self.skip(&input, &format!("{} is there", target.display())),
            Published::Failed(error) => {
                self.fail(&input, format_args!("can't write {}: {error}", target.display()));
            }
        }
    }
}

/// Why one input failed.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("can't be read: {0}")]
    Read(io::Error),
    #[error("its output can't be written: {0}")]
    Write(io::Error),
    #[error("can't write {}: {cause}", target.display())]
    Draft { target: PathBuf, cause: io::Error },
    #[error("the output would replace the input")]
    Same,
    #[error("its metadata can't be written: {0}")]
    Record(io::Error),
    #[error(transparent)]
    Message(#[from] Error),
}
