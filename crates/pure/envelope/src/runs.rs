//! Runs of frames: sealed and opened between buffers, and given out to threads.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crypto::CryptoError;

use crate::frame::{FrameCipher, REGULAR_OVERHEAD};
use crate::layout::Run;
use crate::message_digest::MessageDigest;
use crate::placed::Placed;
use crate::{Error, Part};

fn misfit(bytes: usize) -> Error {
    Error::Crypto(CryptoError::Length { bytes })
}

/// Seals the frames of a run from `plaintext` into `body`, both as long as the run says.
pub(crate) fn seal(cipher: &FrameCipher, run: &Run, plaintext: &[u8], body: &mut [u8]) -> Result<(), Error> {
    let bytes = body.len();
    let frame_length = frame_length(run);
    let (regular, last) = plaintext.split_at_checked(run.regular * frame_length).ok_or(misfit(bytes))?;
    let split = body.split_at_mut_checked(run.regular * (frame_length + REGULAR_OVERHEAD));
    let (frames, final_frame) = split.ok_or(misfit(bytes))?;
    if run.regular > 0 {
        let frames = frames.chunks_exact_mut(frame_length + REGULAR_OVERHEAD);
        for ((content, frame), sequence) in regular.chunks_exact(frame_length).zip(frames).zip(run.first..) {
            cipher.seal_regular(sequence, content, frame)?;
        }
    }
    if run.last.is_some() {
        cipher.seal_final(last_sequence(run), last, final_frame)?;
    }
    Ok(())
}

/// Opens the frames of a run from `body` into `plaintext`, both as long as the run says.
pub(crate) fn open(cipher: &FrameCipher, run: &Run, body: &[u8], plaintext: &mut [u8]) -> Result<(), Error> {
    let truncated = Error::Truncated { part: Part::Body };
    let bytes = plaintext.len();
    let frame_length = frame_length(run);
    let (regular, last) = plaintext.split_at_mut_checked(run.regular * frame_length).ok_or(misfit(bytes))?;
    let split = body.split_at_checked(run.regular * (frame_length + REGULAR_OVERHEAD));
    let Some((frames, final_frame)) = split else { return Err(truncated) };
    if run.regular > 0 {
        let frames = frames.chunks_exact(frame_length + REGULAR_OVERHEAD);
        for ((content, frame), sequence) in regular.chunks_exact_mut(frame_length).zip(frames).zip(run.first..) {
            cipher.open_regular(sequence, frame, content)?;
        }
    }
    if run.last.is_some() {
        cipher.open_final(last_sequence(run), final_frame, last)?;
    }
    Ok(())
}

/// The regular frames of a run have one length.
fn frame_length(run: &Run) -> usize {
    (run.plaintext_bytes - run.last.unwrap_or(0)).checked_div(run.regular).unwrap_or(0)
}

fn last_sequence(run: &Run) -> u32 {
    u32::try_from(run.regular).ok().and_then(|regular| run.first.checked_add(regular)).unwrap_or(u32::MAX)
}

/// Run number that a worker sends when its run failed.
const FAILED: u64 = u64::MAX;

/// State that the workers of one message share.
struct Work {
    next: AtomicU64,
    runs: u64,
    stopped: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Work {
    const fn new(runs: u64) -> Self {
        Self { next: AtomicU64::new(0), runs, stopped: AtomicBool::new(false), error: Mutex::new(None) }
    }

    /// The next run, unless all are given out or a worker failed.
    fn take(&self) -> Option<u64> {
        if self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|run| *run < self.runs)
    }

    fn fail(&self, error: Error) {
        self.stopped.store(true, Ordering::Relaxed);
        let mut first = self.error.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        first.get_or_insert(error);
    }

    fn outcome(self) -> Result<(), Error> {
        self.error.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// Works on every run, in no order, on up to `threads` threads with a `state` each.
pub(crate) fn each<S>(
    threads: usize,
    runs: u64,
    state: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, u64) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let work = Work::new(runs);
    let worker = || {
        let mut state = state();
        while let Some(run) = work.take() {
            if let Err(error) = each(&mut state, run) {
                work.fail(error);
            }
        }
    };
    let others = threads.min(usize::try_from(runs).unwrap_or(usize::MAX)).saturating_sub(1);
    thread::scope(|scope| {
        for _ in 0..others {
            // Where the system gives no more threads, those that are there do the work.
            let _ = thread::Builder::new().spawn_scoped(scope, worker);
        }
        worker();
    });
    work.outcome()
}

/// The memory that buffers on their way to the digest take at most, in bytes, unless each is longer than its share.
const DIGESTED_BYTES_MAX: usize = 16 << 20;

/// Works on every run as [`each`] does, and takes the bytes of the body that every run leaves in its buffer, up to
/// `buffer_bytes`, into `digest`, in order, on the calling thread.
pub(crate) fn each_digested<S>(
    threads: usize,
    runs: u64,
    buffer_bytes: usize,
    digest: &mut MessageDigest,
    state: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, u64, &mut Placed) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    // One thread hashes, and no number of workers makes it faster than about two.
    let workers = if runs < 2 { 0 } else { threads.saturating_sub(1).min(2) };
    let work = Work::new(runs);
    let started = if workers == 0 { 0 } else { digested_together(&work, workers, buffer_bytes, digest, &state, &each) };
    if started == 0 {
        let (mut state, mut buffer) = (state(), Placed::default());
        for run in 0..runs {
            each(&mut state, run, &mut buffer)?;
            digest.update(buffer.bytes());
        }
    }
    work.outcome()
}

/// Works on every run on up to `workers` threads, and takes what they leave into `digest`. Returns how many there were.
fn digested_together<S>(
    work: &Work,
    workers: usize,
    buffer_bytes: usize,
    digest: &mut MessageDigest,
    state: &(impl Fn() -> S + Sync),
    each: &(impl Fn(&mut S, u64, &mut Placed) -> Result<(), Error> + Sync),
) -> usize {
    let (empty, empty_buffers) = channel();
    let (full, full_buffers) = channel();
    let share = DIGESTED_BYTES_MAX.checked_div(buffer_bytes).unwrap_or(0);
    for _ in 0..share.clamp(workers + 1, workers * 2 + 2) {
        // The receiver lives.
        let _ = empty.send(Placed::default());
    }
    let empty_buffers = Mutex::new(empty_buffers);
    thread::scope(|scope| {
        let mut started = 0;
        for _ in 0..workers {
            let full = full.clone();
            let worker = || digested_worker(work, &empty_buffers, full, state, each);
            started += usize::from(thread::Builder::new().spawn_scoped(scope, worker).is_ok());
        }
        drop(full);
        if started > 0 {
            in_order(work, full_buffers, empty, digest);
        }
        started
    })
}

/// A worker takes a buffer before a run, so the run that is hashed next always has one.
fn digested_worker<S>(
    work: &Work,
    empty: &Mutex<Receiver<Placed>>,
    full: Sender<(u64, Placed)>,
    state: &(impl Fn() -> S + Sync),
    each: &(impl Fn(&mut S, u64, &mut Placed) -> Result<(), Error> + Sync),
) {
    let mut state = state();
    loop {
        let waited = empty.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(mut buffer) = waited else { return };
        let Some(run) = work.take() else { return };
        let run = match each(&mut state, run, &mut buffer) {
            Ok(()) => run,
            Err(error) => {
                work.fail(error);
                FAILED
            }
        };
        if full.send((run, buffer)).is_err() {
            return;
        }
    }
}

/// Hashes buffers by the number of their run until all are in or one failed.
fn in_order(work: &Work, full: Receiver<(u64, Placed)>, empty: Sender<Placed>, digest: &mut MessageDigest) {
    let mut early = BTreeMap::new();
    let mut next = 0;
    while next < work.runs {
        // The workers are gone: one of them failed.
        let Ok((run, buffer)) = full.recv() else { return };
        if run == FAILED {
            return;
        }
        early.insert(run, buffer);
        while let Some(buffer) = early.remove(&next) {
            digest.update(buffer.bytes());
            next += 1;
            // The workers may be done already.
            let _ = empty.send(buffer);
        }
    }
}
