//! How a push goes on, in git's words.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use git::Progress;
use tokio::sync::mpsc;

/// Time between two of the same kind.
const PERIOD: Duration = Duration::from_millis(500);

/// Makes lines of progress, few enough to be read.
pub(super) struct Lines {
    lines: mpsc::Sender<String>,
    last: Mutex<Option<Instant>>,
}

impl Lines {
    /// Lines, and where they come out.
    pub(super) fn new() -> (Self, mpsc::Receiver<String>) {
        let (lines, receiver) = mpsc::channel(16);
        (Self { lines, last: Mutex::default() }, receiver)
    }

    /// Says how far it is, if it is time to.
    pub(super) fn say(&self, progress: Progress) {
        let line = match progress {
            Progress::Resolving { of: 0, .. } => return,
            Progress::Resolving { done, of } if done < of => {
                if !self.is_time() {
                    return;
                }
                format!("Resolving deltas: {:>3}% ({done}/{of})\r", percent(done, of))
            }
            Progress::Resolving { of, .. } => format!("Resolving deltas: 100% ({of}/{of}), done.\n"),
            Progress::Checking => "Checking connectivity\n".to_owned(),
        };
        // One that nobody has read by now need not be read.
        let _ = self.lines.try_send(line);
    }

    fn is_time(&self) -> bool {
        let Ok(mut last) = self.last.try_lock() else { return false };
        let now = Instant::now();
        let is_time = last.is_none_or(|last| now - last >= PERIOD);
        if is_time {
            *last = Some(now);
        }
        is_time
    }
}

fn percent(done: u32, of: u32) -> u64 {
    (u64::from(done) * 100).checked_div(u64::from(of)).unwrap_or(100)
}
