//! Calls that are made over and over while something happens to the server.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use envelope::kms::KmsError;

/// How long whoever was refused waits before calling again.
const PAUSE: Duration = Duration::from_millis(2);

/// Outcome of a call.
#[derive(Debug)]
pub struct Outcome {
    /// When it was made.
    pub began: Instant,
    /// When it was answered, or turned out to remain without an answer.
    pub ended: Instant,
    /// Which of the threads made it.
    pub thread: usize,
    /// The refusal, if it was one.
    pub refusal: Option<KmsError>,
}

impl Outcome {
    /// Whether it was under way at that moment.
    #[must_use]
    pub fn spans(&self, moment: Instant) -> bool {
        self.began < moment && moment < self.ended
    }

    /// How long it took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.ended - self.began
    }
}

/// Calls `work` over and over, on so many threads and with the number of the thread, until `meanwhile` has returned.
pub fn while_calling<T>(
    threads: usize,
    work: impl Fn(usize) -> Result<(), KmsError> + Sync,
    meanwhile: impl FnOnce() -> T,
) -> (T, Vec<Outcome>) {
    let (stop, outcomes) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let value = std::thread::scope(|scope| {
        for thread in 0..threads {
            let (stop, outcomes, work) = (&stop, &outcomes, &work);
            scope.spawn(move || {
                let mut own = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let refusal = work(thread).err();
                    let refused = refusal.is_some();
                    own.push(Outcome { began, ended: Instant::now(), thread, refusal });
                    if refused {
                        std::thread::sleep(PAUSE);
                    }
                }
                outcomes.lock().expect("no other thread panicked").append(&mut own);
            });
        }
        let stopping = Stop(&stop);
        let value = meanwhile();
        drop(stopping);
        value
    });
    (value, outcomes.into_inner().expect("no thread panicked"))
}

/// Ends the threads, also when what happens meanwhile panics.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
