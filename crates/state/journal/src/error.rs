//! Errors of a journal, and the findings of a verification.
//! Words outcomes for operators; causes go to the log.

use std::path::PathBuf;

/// Why a journal could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The record is longer than [`crate::RECORD_BYTES_MAX`].
    #[error("a record of {length} bytes is longer than a journal takes")]
    TooLong {
        /// The record's length in bytes.
        length: usize,
    },
    /// Too much waits to be written: the caller has to slow down.
    #[error("the journal's buffer is full")]
    Full,
    /// The last write failed, so nothing can be promised until one succeeds.
    #[error("the journal can't be written")]
    Unwritable,
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// Another process has the journal open.
    #[error("the journal in {} is in use by another process", dir.display())]
    InUse {
        /// The journal's directory.
        dir: PathBuf,
    },
    /// Neither the head nor a segment opens with the key.
    #[error("the journal in {} doesn't open with this key", dir.display())]
    WrongKey {
        /// The journal's directory.
        dir: PathBuf,
    },
    /// A file or directory can't be used.
    #[error("can't {action} {}: {cause}", path.display())]
    Io {
        /// The action attempted: "create", "read", …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The operating system's error.
        cause: std::io::Error,
    },
    /// The log isn't what was written.
    #[error("{0}")]
    Broken(Findings),
}

/// The findings of a verification, in the order of the log; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The first findings, at most [`Findings::LISTED_MAX`].
    pub listed: Vec<Finding>,
    /// How many more there were.
    pub unlisted: u64,
}

/// One place where the log isn't what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number of the segment that shows it; 0 for the head file or the whole journal.
    pub segment: u32,
    /// The first and last sequence of the records concerned, as far as they are known.
    pub records: Option<(u64, u64)>,
    /// The damage.
    pub damage: Damage,
}

/// Damage to a part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Records or segments that were written are gone from between others.
    Removed,
    /// The end of the log is gone: the head's end is behind the records that are there.
    Truncated,
    /// Bytes were changed.
    Changed,
    /// Records stand in another place than they were written.
    Reordered,
    /// Records stand in the log a second time.
    Repeated,
    /// The records don't lead to the chain hash that the next frame, the head or a point recorded elsewhere has.
    Rewritten,
    /// The marked records don't add up to the count that stands with them.
    Miscounted,
    /// The segment, or the journal as a whole, is another than it should be.
    Foreign,
    /// The head file is gone, so that nothing confirms the end of the log.
    HeadMissing,
    /// The head file was changed, so that nothing confirms the end of the log.
    HeadChanged,
}

impl Findings {
    /// How many findings are listed one by one.
    pub const LISTED_MAX: usize = 64;

    pub(crate) const fn none() -> Self {
        Self { listed: Vec::new(), unlisted: 0 }
    }

    pub(crate) fn one(segment: u32, records: Option<(u64, u64)>, damage: Damage) -> Self {
        Self { listed: vec![Finding { segment, records, damage }], unlisted: 0 }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        if self.listed.len() < Self::LISTED_MAX {
            self.listed.push(finding);
        } else {
            self.unlisted += 1;
        }
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, finding) in self.listed.iter().enumerate() {
            if index > 0 {
                out.write_str("; ")?;
            }
            write!(out, "{finding}")?;
        }
        if self.unlisted > 0 {
            write!(out, "; and {} more", self.unlisted)?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.segment > 0 {
            write!(out, "segment {}: ", self.segment)?;
        }
        match self.records {
            Some((first, last)) if first == last => write!(out, "record {first}: ")?,
            Some((first, last)) => write!(out, "records {first} to {last}: ")?,
            None => {}
        }
        out.write_str(match self.damage {
            Damage::Removed => "removed",
            Damage::Truncated => "removed from the end of the log",
            Damage::Changed => "changed",
            Damage::Reordered => "moved to another place in the log",
            Damage::Repeated => "repeated",
            Damage::Rewritten => "not the records that the chain of hashes vouches for",
            Damage::Miscounted => "the marked records are not as many as were counted when they were written",
            Damage::Foreign => "belongs to another journal",
            Damage::HeadMissing => "the head file is missing, so that nothing vouches for the end of the log",
            Damage::HeadChanged => "the head file was changed, so that nothing vouches for the end of the log",
        })
    }
}
