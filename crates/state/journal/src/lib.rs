//! An append-only, hash-chained, sealed log of records.
//!
//! Owns its files, their format and one writer thread. Knows records as bytes: neither what they say nor who reads them.

mod buffer;
mod clock;
mod config;
mod disk;
mod error;
mod format;
mod head;
mod journal;
mod recovery;
mod retention;
mod segment;
mod writer;

pub use config::{Config, Retention};
pub use error::{Damage, Finding, Findings, JournalError};
pub use journal::{Journal, Ticket};

/// The longest record, in bytes.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
