//! Where a journal is and how much of it is retained.
//! Knows no environment, no flags and no files.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The settings of one journal.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory of the segments and the head; made when it is missing (mode 0700).
    pub dir: PathBuf,
    /// A segment that reaches this many bytes is closed, and a new one begun.
    pub segment_bytes_max: u64,
    /// A segment that is this many hours old is closed at the next record. 0 means never.
    pub segment_hours_max: u32,
    /// Which closed segments are retained.
    pub retention: Retention,
    /// The clock that [`Retention::days`] is counted by; the system's clock when not given.
    pub retention_clock: Option<RetentionClock>,
    /// Records are written at most this many milliseconds after they were appended, if the disk is fast enough.
    /// They are synced within another 50 milliseconds.
    pub flush_millis: u64,
    /// Appends are refused while this many bytes wait to be written.
    pub buffer_bytes_max: usize,
}

impl Config {
    /// The defaults: segments of 64 MiB or a day, all retained, written every 50 ms, at most 32 MiB waiting.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            segment_bytes_max: 64 << 20,
            segment_hours_max: 24,
            retention: Retention::default(),
            retention_clock: None,
            flush_millis: 50,
            buffer_bytes_max: 32 << 20,
        }
    }
}

/// Which closed segments are retained: those that satisfy every limit given. Without limits all are.
///
/// Limits are applied whenever a segment is begun, oldest first. The open segment always stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// At most this many segments, the open one included.
    pub segments: Option<u32>,
    /// At most this many bytes on the disk in all.
    pub bytes: Option<u64>,
    /// Only segments that were closed within this many days.
    pub days: Option<u32>,
}

/// A clock that retention counts days by: one that does not jump ahead, because what retention removes is gone.
#[derive(Clone)]
pub struct RetentionClock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl RetentionClock {
    /// A clock in milliseconds since 1970.
    #[must_use]
    pub fn new(millis: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(millis))
    }

    pub(crate) fn millis(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for RetentionClock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RetentionClock")
    }
}
