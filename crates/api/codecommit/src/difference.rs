//! Differences: of the trees of two commits, and of two blobs line by line.

pub(crate) mod blobs;
pub(crate) mod trees;
