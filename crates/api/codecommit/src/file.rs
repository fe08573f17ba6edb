//! Files, folders and blobs: read, put, deleted, and their history.

pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod put;
