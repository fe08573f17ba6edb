//! An append-only, hash-chained, sealed log of records.
//!
//! Owns its files, their format and one writer thread. Knows records as bytes: neither what they say nor who reads them.

mod buffer;
mod clock;
mod config;
mod continuity;
mod disk;
mod end;
mod error;
mod files;
#[cfg(test)]
mod fixture;
mod format;
mod head;
mod journal;
mod read;
mod recovery;
mod report;
mod retention;
mod segment;
mod verify;
mod writer;

pub use config::{Config, Retention, RetentionClock};
pub use continuity::{Continuity, continues};
pub use end::End;
pub use error::{Damage, Finding, Findings, JournalError};
pub use files::{head_file, segment_files};
pub use head::head_anchor;
pub use journal::{Journal, Room, Ticket};
pub use read::{Order, Record, read};
pub use report::{Anchor, AnchorError, Expected, Note, Report, SegmentReport};
pub use verify::{verify, verify_against};

/// The longest record, in bytes.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
