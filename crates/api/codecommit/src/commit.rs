//! Commits: read, and made from changes of files.

pub(crate) mod create;
pub(crate) mod get;
mod output;
mod write;

pub(crate) use output::CommitOutput;
pub(crate) use write::{Author, Base, check_email, commit_objects, make, write_objects};

use wire::shape::Rule;

/// The name of an author. AWS states no limit; this one keeps a header readable.
pub(crate) const AUTHOR: Rule = Rule::Length(0, 1024);

/// The address of an author.
pub(crate) const EMAIL: Rule = Rule::Length(0, 1024);

/// The longest message of a commit that the API makes, in characters. With Git there is no limit.
pub(crate) const MESSAGE_MAX: usize = 1 << 20;

/// A message of a commit.
pub(crate) const MESSAGE: Rule = Rule::Length(0, MESSAGE_MAX);

/// A path of a file.
pub(crate) const PATH: Rule = Rule::Length(0, 4096);

/// The largest file that the API takes, in bytes.
pub(crate) const FILE_BYTES_MAX: usize = 6 << 20;

/// The most bytes that all files of a commit have together.
pub(crate) const FILES_BYTES_MAX: usize = 7 << 20;
