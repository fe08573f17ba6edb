//! Retention of segments. Decides by the configuration alone, and removes what was decided.

use std::path::Path;

use crate::disk::Disk;
use crate::format::Keys;
use crate::segment::{self, Segment};
use crate::{Config, JournalError};

const DAY_MILLIS: u64 = 24 * 3_600_000;

/// The oldest segment that is retained, and the sequence that its first record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oldest {
    pub(crate) segment: u32,
    pub(crate) sequence: u64,
}

/// The oldest segment to retain now that segment `open` is begun and `kept` was the oldest so far.
pub(crate) fn oldest(config: &Config, keys: &Keys, open: u32, kept: Oldest, now: u64) -> Oldest {
    decide(config, keys, open, kept, now).unwrap_or_else(|error| {
        tracing::error!(%error, "old segments of the journal can't be judged, so they are kept");
        kept
    })
}

fn decide(config: &Config, keys: &Keys, open: u32, kept: Oldest, now: u64) -> Result<Oldest, JournalError> {
    let limits = config.retention;
    if limits == crate::Retention::default() {
        return Ok(kept);
    }
    let now = config.retention_clock.as_ref().map_or(now, crate::RetentionClock::millis);
    let mut segments = Vec::new();
    for number in segment::list(&config.dir)? {
        if (kept.segment..=open).contains(&number) {
            segments.extend(Segment::open(&config.dir, keys, number)?);
        }
    }
    let mut bytes: u64 = segments.iter().map(|segment| segment.length).sum();
    let mut count = segments.len();
    let mut oldest = kept;
    for pair in segments.windows(2) {
        let [segment, next] = pair else { break };
        // Without the next header it is unknown when this segment was closed and what would be the first record.
        let Some(header) = next.header.filter(|header| header.number == next.number) else { break };
        let too_many = limits.segments.is_some_and(|max| count > max as usize);
        let too_large = limits.bytes.is_some_and(|max| bytes > max);
        let too_old = limits.days.is_some_and(|max| now.saturating_sub(header.opened_at) > u64::from(max) * DAY_MILLIS);
        if !(too_many || too_large || too_old) {
            break;
        }
        oldest = Oldest { segment: next.number, sequence: header.first_sequence };
        count -= 1;
        bytes = bytes.saturating_sub(segment.length);
    }
    Ok(oldest)
}

/// Removes the segments before `first`. What can't be removed is left for the next time.
pub(crate) fn remove_retired<D: Disk>(disk: &D, dir: &Path, first: u32) {
    let numbers = match segment::list(dir) {
        Ok(numbers) => numbers,
        Err(error) => return tracing::warn!(%error, "retired segments of the journal are left"),
    };
    for number in numbers.into_iter().filter(|number| *number < first) {
        let path = segment::path(dir, number);
        match disk.remove(&path) {
            Ok(()) => tracing::info!(path = %path.display(), "a segment of the journal was retired"),
            Err(error) => tracing::warn!(path = %path.display(), %error, "a retired segment of the journal is left"),
        }
    }
}

#[cfg(test)]
mod tests;
