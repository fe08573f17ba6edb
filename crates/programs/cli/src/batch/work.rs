//! The run of a batch: inputs are found on one thread, worked on by several, and published by one that waits for the
//! disk, or by those that worked on them when nobody waits.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use envelope::{Error, ReadAt};
use serde_json::{Map, Value};
use wire::shown_path;

use super::draft::Draft;
use super::inputs::identities;
use super::progress::Progress;
use super::publisher::{Complete, Published, publish, publish_one, together_max};
use super::queue::{Taker, queue};
use super::record::{self, Records};
use super::target::{Destination, Target};
use super::{Files, base64, cores};
use crate::failure::Failure;
use crate::paths::{FileId, Named, Reads, Writes};

/// How many inputs are found ahead of the work.
const FOUND_AHEAD: usize = 1024;

/// The longest input that is worked on in memory, in bytes.
const SMALL_BYTES_MAX: usize = 128 << 10;

/// An operation on each input.
pub(crate) trait Operation: Sync {
    /// Its name in records.
    const MODE: &'static str;
    /// The suffix of names in an output directory.
    const SUFFIX: &'static str;
    /// Whether outputs are their owner's alone.
    const PRIVATE: bool;
    /// Whether an input may be replaced by its own output.
    const IN_PLACE: bool;

    /// Works on one input, with up to `threads` threads, and returns what is to be recorded.
    fn work(&self, input: Input<'_>, output: Output<'_>, threads: usize) -> Result<Worked, Error>;

    /// Whether an input in memory may be processed concurrently with others.
    fn takes_small(&self) -> bool;

    /// Processes one input in memory. Others run while it waits for the key service.
    fn work_small(&self, input: &[u8], draft: &File) -> impl Future<Output = Result<Worked, Error>>;
}

/// The record of an output, built only if anybody reads it.
pub(crate) type Worked = Box<dyn FnOnce() -> Map<String, Value> + Send>;

/// An input.
pub(crate) enum Input<'a> {
    /// A regular file of so many bytes.
    File(InputFile<'a>, u64),
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

/// A file that reports how far it is read.
pub(crate) struct InputFile<'a> {
    file: &'a File,
    progress: &'a Progress,
}

impl ReadAt for InputFile<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = ReadAt::read_at(self.file, buffer, offset)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl Read for InputFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl Seek for InputFile<'_> {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// The name of standard input in messages.
const STDIN: &str = "<stdin>";

/// The facts with which an output's outcome is reported.
pub(super) struct Facts {
    input: PathBuf,
    output: Option<PathBuf>,
    worked: Worked,
}

impl Facts {
    pub(super) fn of(job: &Job, worked: Worked) -> Self {
        Self { input: job.name().to_owned(), output: job.target.as_ref().map(|target| target.path.clone()), worked }
    }
}

/// One piece of work.
pub(super) struct Job {
    pub(super) input: Option<PathBuf>,
    pub(super) target: Option<Target>,
    /// Whether the target's directory was empty before this run, so that nothing of the target's name is there.
    pub(super) fresh: bool,
}

impl Job {
    pub(super) fn name(&self) -> &Path {
        self.input.as_deref().unwrap_or(Path::new(STDIN))
    }
}

/// An input that is open.
pub(super) struct Opened {
    pub(super) job: Job,
    pub(super) file: File,
    pub(super) metadata: Metadata,
    /// Whether the output is a file, rather than a stream.
    pub(super) to_file: bool,
}

impl Opened {
    /// Whether its length is known: files that the kernel makes up have none before they are read.
    fn is_regular(&self) -> bool {
        self.job.input.is_some() && self.metadata.is_file() && self.metadata.len() > 0
    }
}

/// Counts so far.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) inputs: AtomicU64,
    failed: AtomicU64,
    done: AtomicU64,
    /// How many workers have an input to themselves.
    busy: AtomicUsize,
}

pub(super) struct Batch<'a, O> {
    pub(super) files: &'a Files,
    pub(super) operation: &'a O,
    pub(super) progress: Progress,
    pub(super) records: Records,
    /// The files that the command reads besides its inputs.
    reads: Reads,
    /// The inputs, once something is to be replaced that could be one of them.
    inputs: OnceLock<HashSet<FileId>>,
    /// The file that standard output is.
    stdout: Option<FileId>,
    pub(super) counts: Counts,
}

/// The way of complete outputs to their publisher; without one, they are published by whoever completes them.
pub(super) type Publisher = Option<SyncSender<Complete<Facts>>>;

/// Works on every input. `reads` is what the command reads besides them.
pub(crate) fn run<O: Operation>(files: &Files, operation: &O, reads: Reads) -> Result<(), Failure> {
    files.check()?;
    let streams = files.output.as_os_str() == "-";
    let into = Destination::of(files)?;
    let stdout = io::stdout().as_fd().try_clone_to_owned().and_then(|stdout| File::from(stdout).metadata());
    let stdout = stdout.ok().and_then(|metadata| FileId::of(&metadata));
    let mut writes = Writes::default();
    match &into {
        Destination::Stdout => writes.add_open("standard output", stdout, &reads)?,
        Destination::File(path) => writes.add("output", path, &reads)?,
        // Looked at one by one.
        Destination::Directory(_) => {}
    }
    let batch = Batch {
        files,
        operation,
        progress: Progress::new(!files.quiet && !streams),
        records: Records::open(files, stdout, reads.clone(), writes)?,
        reads,
        inputs: OnceLock::new(),
        stdout: stdout.filter(|_| streams),
        counts: Counts::default(),
    };
    let (jobs, waiting) = queue(FOUND_AHEAD);
    let together_max = together_max();
    let (complete, arriving) = sync_channel(together_max);
    let complete = Some(complete).filter(|_| !files.no_sync);
    let made = thread::scope(|scope| {
        let publisher = || {
            publish(arriving, together_max, !files.no_overwrite, |facts, target, how| {
                batch.published(facts, target, how);
            });
        };
        let mut started = match &complete {
            Some(_) => thread::Builder::new().spawn_scoped(scope, publisher).map(drop),
            None => Ok(()),
        };
        for worker in 0..if streams { 1 } else { files.parallel() } {
            let (complete, waiting) = (complete.clone(), waiting.clone());
            let batch = &batch;
            let spawned = thread::Builder::new().spawn_scoped(scope, move || batch.worker(&waiting, complete));
            // Where the system gives no more threads, those that are there do the work.
            if worker == 0 {
                started = started.and(spawned.map(drop));
            }
        }
        drop((complete, waiting));
        match started {
            Ok(()) => batch.find(jobs, into),
            Err(cause) => Err(server::ServerError::System { action: "start a thread", cause }.into()),
        }
    });
    batch.progress.end();
    made?;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    match (count(&batch.counts.failed), count(&batch.counts.inputs)) {
        (0, _) => Ok(()),
        (1, 1) => Err(Failure::Input),
        (failed, inputs) => Err(Failure::Inputs { failed, inputs }),
    }
}

impl<O: Operation> Batch<'_, O> {
    pub(super) fn fail(&self, name: &Path, reason: impl std::fmt::Display) {
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        self.progress.report(name, &reason.to_string());
    }

    pub(super) fn skip(&self, name: &Path, reason: &str) {
        if !self.files.quiet {
            self.progress.report(name, &format!("{reason}; skipped"));
        }
    }

    /// Works on inputs: on short ones several at a time, and on any other by itself.
    fn worker(&self, waiting: &Taker<Job>, complete: Publisher) {
        // Where the system has nothing to wait with, inputs are worked on one after the other.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok();
        let next = || match &runtime {
            Some(runtime) => runtime.block_on(self.small(waiting, &complete)),
            None => std::iter::from_fn(|| waiting.take()).find_map(|job| self.open(job)),
        };
        while let Some(opened) = next() {
            // One big input gets all cores, many get one each.
            let busy = self.counts.busy.fetch_add(1, Ordering::Relaxed) + 1;
            let worked = self.work(&opened, (cores() / busy).max(1));
            self.counts.busy.fetch_sub(1, Ordering::Relaxed);
            match worked {
                Ok(Some((draft, worked))) => self.publish(opened.job, draft, worked, &complete),
                Ok(None) => self.done(),
                Err(error) => self.fail(opened.job.name(), error),
            }
        }
    }

    /// Hands on an output that is complete.
    pub(super) fn publish(&self, job: Job, draft: Draft, worked: Worked, publisher: &Publisher) {
        let facts = Facts::of(&job, worked);
        // What has a draft has a target.
        let Some(target) = job.target else { return };
        match publisher {
            // The publisher lives as long as there are workers.
            Some(publisher) => drop(publisher.send(Complete { draft, target, facts })),
            None => {
                let how = publish_one(draft, &target, !self.files.no_overwrite);
                self.published(facts, &target, how);
            }
        }
    }

    fn done(&self) {
        self.progress.done(self.counts.done.fetch_add(1, Ordering::Relaxed) + 1);
    }

    /// Opens an input, or reports why that fails.
    pub(super) fn open(&self, job: Job) -> Option<Opened> {
        let name = job.name().to_owned();
        self.try_open(job).map_err(|error| self.fail(&name, error)).ok()
    }

    fn try_open(&self, job: Job) -> Result<Opened, Failed> {
        let file = match &job.input {
            None => File::from(io::stdin().as_fd().try_clone_to_owned().map_err(Failed::Read)?),
            Some(path) => File::open(path).map_err(Failed::Read)?,
        };
        let metadata = file.metadata().map_err(Failed::Read)?;
        if metadata.is_dir() {
            return Err(Failed::Read(io::ErrorKind::IsADirectory.into()));
        }
        let input = FileId::of(&metadata);
        // A look for a name locks its directory, where others give names.
        let standing = match &job.target {
            Some(target) if !job.fresh => target.standing().map_err(Failed::Write)?,
            _ => None,
        };
        let replaced = if job.target.is_some() { standing.as_ref().and_then(|it| it.id) } else { self.stdout };
        if let Some(replaced) = replaced {
            self.may_replace(replaced, input)?;
        }
        // What is no file is written to as a stream.
        let to_file = job.target.is_some() && standing.is_none_or(|standing| standing.is_file);
        Ok(Opened { job, file, metadata, to_file })
    }

    /// Refuses an output that would replace what the command reads or writes otherwise; `input` is what it is made of.
    fn may_replace(&self, replaced: FileId, input: Option<FileId>) -> Result<(), Failed> {
        if input == Some(replaced) {
            return if O::IN_PLACE && self.stdout.is_none() { Ok(()) } else { Err(Failed::Same) };
        }
        if let Some(read) = self.reads.find(replaced) {
            return Err(Failed::Used(read.clone()));
        }
        if self.records.id() == Some(replaced) {
            return Err(Failed::Metadata);
        }
        let inputs = self.inputs.get_or_init(|| identities(&self.files.input, self.files.recursive));
        if inputs.contains(&replaced) { Err(Failed::Other) } else { Ok(()) }
    }

    /// The length of an input that is worked on in memory, in bytes.
    pub(super) fn small_bytes(&self, opened: &Opened) -> Option<usize> {
        let Files { decode, encode, .. } = self.files;
        let small = opened.is_regular() && opened.to_file && !decode && !encode && self.operation.takes_small();
        usize::try_from(opened.metadata.len()).ok().filter(|length| small && *length <= SMALL_BYTES_MAX)
    }

    /// A draft for an output.
    pub(super) fn draft(target: &Target) -> Result<Draft, Failed> {
        let failed = |cause| Failed::Draft { target: target.path.clone(), cause };
        Draft::create(&target.directory, O::PRIVATE).map_err(failed)
    }

    /// Works on one input. What went to a stream is done then, and a draft still has to be published.
    fn work(&self, opened: &Opened, threads: usize) -> Result<Option<(Draft, Worked)>, Failed> {
        let Opened { job, file, metadata, to_file } = opened;
        let source = InputFile { file, progress: &self.progress };
        let input = match (opened.is_regular(), self.files.decode) {
            (true, false) => Input::File(source, metadata.len()),
            (_, true) => Input::Stream(Box::new(base64::decoder(source))),
            (false, false) => Input::Stream(Box::new(source)),
        };
        let Some(target) = job.target.as_ref().filter(|_| *to_file) else {
            let mut sink = match &job.target {
                Some(target) => target.stream().map_err(Failed::Write)?,
                None => File::from(io::stdout().as_fd().try_clone_to_owned().map_err(Failed::Write)?),
            };
            let worked = self.work_to_stream(input, &mut sink, threads)?;
            let output = job.target.as_ref().map(|target| target.path.as_path());
            self.record(job.name(), output, worked).map_err(Failed::Record)?;
            return Ok(None);
        };
        let draft = Self::draft(target)?;
        let worked = if self.files.encode {
            let mut sink = draft.file();
            self.work_to_stream(input, &mut sink, threads)?
        } else {
            self.operation.work(input, Output::Draft(draft.file()), threads)?
        };
        Ok(Some((draft, worked)))
    }

    fn work_to_stream(&self, input: Input<'_>, sink: &mut impl Write, threads: usize) -> Result<Worked, Error> {
        if !self.files.encode {
            return self.operation.work(input, Output::Stream(sink), threads);
        }
        let mut encoder = base64::encoder(sink);
        let worked = self.operation.work(input, Output::Stream(&mut encoder), threads)?;
        encoder.finish()?.flush()?;
        Ok(worked)
    }

    /// Writes the record of an output.
    fn record(&self, input: &Path, output: Option<&Path>, worked: Worked) -> io::Result<()> {
        if !self.records.are_wanted() {
            return Ok(());
        }
        let path = |path: Option<&Path>, none: &str| match path {
            Some(path) if path != Path::new(STDIN) => record::path(path),
            _ => none.into(),
        };
        let mut record = worked();
        record.insert("mode".to_owned(), O::MODE.into());
        record.insert("input".to_owned(), path(Some(input), STDIN));
        record.insert("output".to_owned(), path(output, "<stdout>"));
        self.records.write(&record)
    }

    /// Tells what became of an output.
    fn published(&self, facts: Facts, target: &Target, how: Published) {
        let target = shown_path(&target.path);
        let Facts { input, output, worked } = facts;
        match how {
            Published::Named => match self.record(&input, output.as_deref(), worked) {
                Ok(()) => self.done(),
                Err(error) => self.fail(&input, Failed::Record(error)),
            },
            Published::Kept => self.skip(&input, &format!("{target} is there")),
            Published::Failed(error) => {
                self.fail(&input, format_args!("can't write {target}: {error}"));
            }
        }
    }
}

/// Why one input failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("can't be read: {0}")]
    Read(io::Error),
    #[error("its output can't be written: {0}")]
    Write(io::Error),
    #[error("can't write {}: {cause}", shown_path(target))]
    Draft { target: PathBuf, cause: io::Error },
    #[error("the output would replace the input")]
    Same,
    #[error("the output would replace another input")]
    Other,
    #[error("the output would replace {0}, which is read too")]
    Used(Named),
    #[error("the output would replace the metadata file")]
    Metadata,
    #[error("its metadata can't be written: {0}")]
    Record(io::Error),
    #[error(transparent)]
    Message(#[from] Error),
}
